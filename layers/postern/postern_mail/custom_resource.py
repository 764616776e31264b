"""Answering CloudFormation: a custom resource's request in, one answer out.

CloudFormation waits for a PUT to a presigned URL and knows no other way; an unanswered request holds the stack until
its ServiceTimeout. So every request is answered exactly once: by the work, by what the work raised, or by a timer
shortly before the function times out.

docs.aws.amazon.com/AWSCloudFormation, "Custom resource request and response reference".
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .errors import Temporary, Unavailable
from .mail.records import dataclass, field

MAX_REASON = 1000  # characters; CloudFormation takes 4096 bytes for the whole answer
ANSWER_TIMEOUT = 10  # seconds for one PUT
ANSWER_ATTEMPTS = 2
# Seconds before the end of the function in which an answer can still be given.
RESERVE = ANSWER_TIMEOUT * ANSWER_ATTEMPTS + 2
CALL = 15  # seconds that one call to AWS may take; clients.receipt_rules(brief=True) uses this

PAUSE = 1.1  # seconds before each call: SES allows one a second (its quotas page)
# Attempts at one call, 17 seconds in all. CloudFormation calls SES at the same time and uses up the same second; and a
# role just created is refused until IAM has propagated it.
PATIENCE = 5

_T = TypeVar("_T")
Put = Callable[[str, bytes], None]  # url, body


@dataclass(frozen=True, slots=True)
class Request:
    """A request of CloudFormation. `kind` is Create, Update or Delete; `properties` are the template's."""

    kind: str
    stack: str
    properties: Mapping[str, Any]
    event: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Request":
        """Read the event. Raises KeyError if CloudFormation did not send it."""
        return cls(event["RequestType"], event["StackId"], event.get("ResourceProperties", {}), event)


class Answer:
    """The one answer to a request: the first call of `give` sends it, later ones do nothing."""

    def __init__(self, request: Request, put: Put) -> None:
        self._event = request.event
        self._put = put
        self._lock = threading.Lock()
        self._given = False

    def give(self, status: str, reason: str, name: str) -> None:
        """Send SUCCESS or FAILED; `name` becomes the PhysicalResourceId.

        Raises OSError if CloudFormation cannot be reached: Lambda then retries the whole event.
        """
        with self._lock:
            if not self._given:
                self._put(self._event["ResponseURL"], self._body(status, reason, name))
                self._given = True

    def _body(self, status: str, reason: str, name: str) -> bytes:
        same = {name: self._event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
        answer = {**same, "Status": status, "Reason": reason[:MAX_REASON], "PhysicalResourceId": name}
        return json.dumps(answer).encode()


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of the function's time; `remaining` returns the seconds left."""

    remaining: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep

    def pause(self, seconds: float) -> None:
        """Sleep. Raises Unavailable if a call afterwards might leave no time to answer."""
        if self.remaining() - seconds < CALL + RESERVE:
            raise Unavailable("no time left for another call to AWS")
        self.sleep(seconds)


def patiently(call: Callable[[], _T], pause: Callable[[float], None]) -> _T:
    """Pause, make the call and return its result; while it raises Temporary, try again after longer pauses. Raises what
    the last attempt or the pause raises."""
    for attempt in range(1, PATIENCE):
        pause(PAUSE * attempt)
        try:
            return call()
        except Temporary:
            continue  # the last attempt, below, lets its exception through
    pause(PAUSE * PATIENCE)
    return call()


def put(url: str, body: bytes) -> None:
    """PUT to a presigned URL, which was signed without a content type. Raises OSError if the last attempt fails."""
    for attempt in range(1, ANSWER_ATTEMPTS + 1):
        request = urllib.request.Request(url, body, {"Content-Type": ""}, method="PUT")  # noqa: S310 (CloudFormation's)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT):  # noqa: S310
                return
        except OSError:
            if attempt == ANSWER_ATTEMPTS:
                raise


def answered(request: Request, work: Callable[[], str | None], *, name: str, deadline: Deadline, put: Put = put) -> str:
    """Do the work and answer with what it says; returns the status and the reason.

    If the work returns None, it continues in another invocation, which answers. A Delete always succeeds: the reason
    says what went wrong, because a resource that cannot be released must not block a rollback.
    """
    answer = Answer(request, put)
    refused = "SUCCESS" if request.kind == "Delete" else "FAILED"
    late = "not finished shortly before the function's time limit"
    timer = threading.Timer(max(0.0, deadline.remaining() - RESERVE), answer.give, (refused, late, name))
    timer.daemon = True
    timer.start()
    status, reason = "SUCCESS", None
    try:
        reason = work()
    except Exception as error:  # noqa: BLE001 (answered, not passed over: nothing else reaches CloudFormation)
        status, reason = refused, f"{type(error).__name__}: {error}"
    finally:
        timer.cancel()
    if reason is None:
        return "no answer yet"
    answer.give(status, reason, name)
    return f"{status}: {reason}"
