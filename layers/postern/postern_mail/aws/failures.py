"""The meaning of AWS's errors. The default is temporary: mail is kept and retried.

Codes: botocore's service models and the "Common Errors" page of each API reference; docs/reference/failures.md explains
the table in words.
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
# SES SendBounce: also for a message that SES did not receive for us, or that is older than 24 hours.
REFUSED_BOUNCES = frozenset({"InvalidParameterValue", "MessageRejected", "ValidationError"})
# Texts of a MessageRejected that is about our account, not the content.
_ABOUT_US = ("Email address is not verified", "Sending paused", "Sending suspended")

_SERVER_ERROR = 500  # HTTP status

_Kinds = tuple[type[Exception], ...]


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn exceptions of botocore or our own client into Temporary; `what` names the action, for the message."""
    try:
        yield
    except _refusals() as error:
        raise _kept(what, error) from error
    except _mute() as error:  # botocore raises this one unchanged
        raise Unavailable(f"{what}: the response is not one that AWS gives") from error
    except _failures() as error:
        raise Unavailable(f"{what}: {error}") from error


@contextmanager
def translated_sending(what: str, refused: Collection[str] = _REFUSED) -> Iterator[None]:
    """The same for SES SendEmail and SendBounce, for which refusals and lost answers matter.

    A response without a MessageId, or an error without a code, did not come from SES but perhaps from a proxy, which
    may have delivered the request.
    """
    try:
        yield
    except _mute(KeyError) as error:
        raise Unanswered(f"{what}: the response is not one that SES gives") from error
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


# Evaluated only after an exception. If botocore is not imported, it cannot have raised it.


def _of_botocore(*names: str, module: str = "botocore.exceptions") -> _Kinds:
    found = sys.modules.get(module)
    return tuple(getattr(found, name) for name in names) if found else ()


def _refusals() -> _Kinds:
    return (Refusal, *_of_botocore("ClientError"))


def _failures() -> _Kinds:
    return (NotConnected, NoAnswer, *_of_botocore("BotoCoreError"))


def _mute(*more: type[Exception]) -> _Kinds:
    """The exceptions that botocore raises for an unreadable response."""
    return (*_of_botocore("ResponseParserError", module="botocore.parsers"), *more)


def _without_answer() -> _Kinds:
    """The exceptions that mean SES may have had the request, but no response came."""
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
    """Whether the response has an AWS code; if not, botocore uses the HTTP status."""
    return not (_code(error).isdecimal() or _code(error) in ("", "Unknown"))


def _code(error: Exception) -> str:
    return str(_answer(error).get("Error", {}).get("Code", ""))


def _said(error: Exception) -> str:
    return str(_answer(error).get("Error", {}).get("Message", ""))


def _answer(error: Exception) -> Mapping[str, Any]:
    """The response in a ClientError or a Refusal; both have the same form."""
    found: Mapping[str, Any] = error.response  # type: ignore[attr-defined]
    return found
