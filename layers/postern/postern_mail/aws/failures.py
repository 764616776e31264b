"""What AWS's errors mean to us. The default is temporary: mail is kept and tried again.

Codes: botocore's service models and the "Common Errors" page of each API reference;
docs/reference/failures.md has the table in words.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError

from ..errors import Misconfigured, PosternError, Refused, Temporary, Throttled, TooFast, Unanswered, Unavailable
from .http.errors import NoAnswer, NotConnected, Refusal

_THROTTLED = frozenset({
    "LimitExceededException",  # SES: "resource quota", and botocore treats it as throttling too
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",  # SES: also "Daily message quota exceeded"
    "ThrottlingException",
    "TooManyRequestsException",
})  # fmt: skip
_MISCONFIGURED = frozenset({
    "AccessDenied",
    "AccessDeniedException",
    "AccountSendingPausedException",
    "AccountSuspendedException",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "MailFromDomainNotVerifiedException",
    "NoSuchBucket",
    "NotFoundException",  # SES: the configuration set does not exist
    "ResourceNotFoundException",  # DynamoDB: the table does not exist
    "SendingPausedException",
    "UnrecognizedClientException",
})  # fmt: skip
_REFUSED = frozenset({"BadRequestException", "MessageRejected"})  # SESv2 SendEmail
# SES SendBounce: also for a message that SES has not received for us, or that is older than 24 hours.
REFUSED_BOUNCES = frozenset({"InvalidParameterValue", "MessageRejected", "ValidationError"})
# In a MessageRejected that is about our account, not the content.
_ABOUT_US = ("Email address is not verified", "Sending paused", "Sending suspended")

_SERVER_ERROR = 500  # HTTP status

# SES had the request, or may have had it, and nothing came back.
_NO_ANSWER = (NoAnswer, ConnectionClosedError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what botocore or our own client raises into Temporary; `what` says what was being done."""
    try:
        yield
    except (ClientError, Refusal) as error:
        raise _kept(what, error) from error
    except (BotoCoreError, NotConnected, NoAnswer) as error:
        raise Unavailable(f"{what}: {error}") from error
    except ResponseParserError as error:  # botocore lets this one out as it is
        raise Unavailable(f"{what}: what answered does not speak as AWS does") from error


@contextmanager
def translated_sending(what: str, refused: Collection[str] = _REFUSED) -> Iterator[None]:
    """The same for SES SendEmail and SendBounce, where refusals and lost answers matter.

    What has no MessageId, or an error without a name, is no answer of SES: a proxy's, for one, which may have handed
    the message over.
    """
    try:
        yield
    except (ResponseParserError, KeyError) as error:
        raise Unanswered(f"{what}: what answered does not speak as SES does") from error
    except (ClientError, Refusal) as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR and not _named(error):
            raise Unanswered(_told(what, error)) from error
        if _code(error) in _THROTTLED:
            raise TooFast(_told(what, error)) from error
        if _code(error) not in refused:
            raise _kept(what, error) from error
        about_us = _code(error) == "MessageRejected" and _said(error).startswith(_ABOUT_US)
        kind = Misconfigured if about_us else Refused
        raise kind(_told(what, error)) from error
    except (BotoCoreError, NotConnected, NoAnswer) as error:
        unanswered = isinstance(error, _NO_ANSWER) or type(error) is HTTPClientError
        raise (Unanswered if unanswered else Unavailable)(f"{what}: {error}") from error


def _kept(what: str, error: ClientError | Refusal) -> PosternError:
    kind: type[Temporary] = Unavailable
    if _code(error) in _THROTTLED:
        kind = Throttled
    elif _code(error) in _MISCONFIGURED:
        kind = Misconfigured
    return kind(_told(what, error))


def _told(what: str, error: ClientError | Refusal) -> str:
    return f"{what}: {_code(error)}: {_said(error)}"


def _named(error: ClientError | Refusal) -> bool:
    """Whether the answer has a code of AWS's; where it has none, botocore takes the status."""
    return not (_code(error).isdecimal() or _code(error) in ("", "Unknown"))


def _code(error: ClientError | Refusal) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _said(error: ClientError | Refusal) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))
