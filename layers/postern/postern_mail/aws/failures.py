"""What AWS's errors mean to us. The default is temporary: mail is kept and tried again.

Codes: botocore's service models and the "Common Errors" page of each API reference;
docs/reference/failures.md has the table in words.
"""

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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

_Kinds = tuple[type[Exception], ...]


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what botocore or our own client raises into Temporary; `what` says what was being done."""
    try:
        yield
    except _refusals() as error:
        raise _kept(what, error) from error
    except _mute() as error:  # botocore lets this one out as it is
        raise Unavailable(f"{what}: what answered does not speak as AWS does") from error
    except _failures() as error:
        raise Unavailable(f"{what}: {error}") from error


@contextmanager
def translated_sending(what: str, refused: Collection[str] = _REFUSED) -> Iterator[None]:
    """The same for SES SendEmail and SendBounce, where refusals and lost answers matter.

    What has no MessageId, or an error without a name, is no answer of SES: a proxy's, for one, which may have handed
    the message over.
    """
    try:
        yield
    except _mute(KeyError) as error:
        raise Unanswered(f"{what}: what answered does not speak as SES does") from error
    except _refusals() as error:
        if _answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR and not _named(error):
            raise Unanswered(_told(what, error)) from error
        if _code(error) in _THROTTLED:
            raise TooFast(_told(what, error)) from error
        if _code(error) not in refused:
            raise _kept(what, error) from error
        about_us = _code(error) == "MessageRejected" and _said(error).startswith(_ABOUT_US)
        kind = Misconfigured if about_us else Refused
        raise kind(_told(what, error)) from error
    except _failures() as error:
        unanswered = isinstance(error, _without_answer()) or type(error) in _of_botocore("HTTPClientError")
        raise (Unanswered if unanswered else Unavailable)(f"{what}: {error}") from error


# These are asked when something was raised. While botocore is not imported, it has raised nothing.


def _of_botocore(*names: str, module: str = "botocore.exceptions") -> _Kinds:
    found = sys.modules.get(module)
    return tuple(getattr(found, name) for name in names) if found else ()


def _refusals() -> _Kinds:
    return (Refusal, *_of_botocore("ClientError"))


def _failures() -> _Kinds:
    return (NotConnected, NoAnswer, *_of_botocore("BotoCoreError"))


def _mute(*more: type[Exception]) -> _Kinds:
    """What botocore raises for an answer that it cannot read."""
    return (*_of_botocore("ResponseParserError", module="botocore.parsers"), *more)


def _without_answer() -> _Kinds:
    """SES had the request, or may have had it, and nothing came back."""
    return NoAnswer, *_of_botocore(
        "ConnectionClosedError", "IncompleteReadError", "ReadTimeoutError", "ResponseStreamingError"
    )


def _kept(what: str, error: Exception) -> PosternError:
    kind: type[Temporary] = Unavailable
    if _code(error) in _THROTTLED:
        kind = Throttled
    elif _code(error) in _MISCONFIGURED:
        kind = Misconfigured
    return kind(_told(what, error))


def _told(what: str, error: Exception) -> str:
    return f"{what}: {_code(error)}: {_said(error)}"


def _named(error: Exception) -> bool:
    """Whether the answer has a code of AWS's; where it has none, botocore takes the status."""
    return not (_code(error).isdecimal() or _code(error) in ("", "Unknown"))


def _code(error: Exception) -> str:
    return str(_answer(error).get("Error", {}).get("Code", ""))


def _said(error: Exception) -> str:
    return str(_answer(error).get("Error", {}).get("Message", ""))


def _answer(error: Exception) -> Mapping[str, Any]:
    """What a ClientError or a Refusal has of the answer; both have the same form."""
    found: Mapping[str, Any] = error.response  # type: ignore[attr-defined]
    return found
