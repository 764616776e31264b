"""Events from SES, and those that Lambda gave up and the retry queue redelivers at growing intervals.

A message of the queue is Lambda's record of the failure with the event under `requestPayload`
(docs.aws.amazon.com/lambda, "Destinations for asynchronous invocation"). While it fails it is hidden for longer each
time, and it is never sent again as a new message: its age counts from the first time, and after so many receipts SQS
moves it to the dead-letter queue.

Lambda's record says how the last of its attempts ended. If the function was killed, for time or memory, the message has
one more attempt, and is then set aside: such messages must not occupy the few places of the queue. How an attempt of
the queue ended is not reported, so each is noted in the ledger: the second that never ended sets the message aside,
too.
"""

import json
from collections.abc import Mapping
from typing import Any

from .forward import Forwarder
from .mail.envelope import BadEvent
from .mail.records import dataclass
from .ports.forward import Queue

FIRST_PAUSE = 60  # seconds; each pause is twice the one before
LONGEST_PAUSE = 3600
VISIBLE_AGAIN = 720  # seconds after which SQS shows a message again whose attempt was killed: the template's
_ENDED = ("Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory", "MemoryError")  # errorType
_TIMED_OUT = "Task timed out after"  # in errorMessage, if there is no errorType
QUEUED = "aws:sqs"  # eventSource of events that Lambda reads from a queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Handles every event, from either source."""

    forwarder: Forwarder
    queue: Queue

    def handle(self, event: object, until: float) -> None:
        """Forward the message of an event; see Forwarder.handle for what is raised, and for `until`.

        An event from the retry queue that fails again is hidden before the failure is raised; one whose attempt was
        killed before, and that has been received again, is set aside.
        """
        record = _queued(event)
        if record is None:
            self.forwarder.handle(event, until)
            return
        receipts = int(record["attributes"]["ApproximateReceiveCount"])
        if pause(receipts) > VISIBLE_AGAIN:  # if this attempt is killed, nothing hides it afterwards
            self.queue.hide(record["receiptHandle"], pause(receipts))
        try:
            event, ended, release_at = _payload(record["body"])
            now = self.forwarder.clock.now()
            if release_at > now:  # held for longer than SQS can delay
                self.queue.wake(_event(event), release_at, now)
                return
            attempt = f"{record['messageId']} {receipts}" if "messageId" in record else ""
            self.forwarder.handle(event, until, ended if receipts > 1 else "", attempt)
        except Exception:
            self.queue.hide(record["receiptHandle"], pause(receipts))
            raise


def pause(receipts: int) -> int:
    """Seconds until the next attempt, after a message was received this many times: 1, 2, 4, ... 60 minutes."""
    doublings = min(receipts - 1, 10)  # ten doublings exceed the longest pause
    return min(LONGEST_PAUSE, FIRST_PAUSE << doublings)


def _queued(event: object) -> Mapping[str, Any] | None:
    """The one SQS record of an event (the batch size is 1), None for an event of another kind."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or len(records) != 1 or not isinstance(records[0], Mapping):
        return None
    return records[0] if records[0].get("eventSource") == QUEUED else None


def _event(event: object) -> Mapping[str, Any]:
    if not isinstance(event, Mapping):
        raise BadEvent("what is held is not an event")
    return event


def _payload(body: str) -> tuple[object, str, float]:
    """The event in a failure record, how the last attempt was killed, "" if it was not, and until when it is held; the
    record itself if it is not one, which the forwarder will not accept as mail."""
    try:
        record = json.loads(body)
    except ValueError as fault:
        raise BadEvent(f"not JSON on the retry queue: {fault}") from fault
    if not isinstance(record, dict):
        return record, "", 0
    said = record.get("responsePayload")
    said = said if isinstance(said, Mapping) else {}
    kind, text = str(said.get("errorType", "")), str(said.get("errorMessage", ""))
    ended = kind in _ENDED or _TIMED_OUT in text
    release_at = record.get("release_at")
    until = float(release_at) if isinstance(release_at, int) else 0
    return record.get("requestPayload", record), (kind or _TIMED_OUT) if ended else "", until
