"""Events from SES, and those that Lambda gave up and the retry queue brings back, slower and slower.

A message of the queue is Lambda's record of the failure with the event under `requestPayload`
(docs.aws.amazon.com/lambda, "Destinations for asynchronous invocation"). While it fails it is
hidden for longer each time, and it is never sent anew: its age counts from the first time, and
after so many receipts SQS moves it to the dead-letter queue by itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .forward import Forwarder
from .mail.envelope import BadEvent
from .ports.forward import Queue

FIRST_PAUSE = 60  # seconds; each one is twice the one before
LONGEST_PAUSE = 3600
QUEUED = "aws:sqs"  # eventSource of what Lambda reads from a queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes every event, from wherever it comes."""

    forwarder: Forwarder
    queue: Queue

    def handle(self, event: object, until: float) -> None:
        """Forward the message of an event; see Forwarder.handle for what is raised, and for `until`.

        An event from the retry queue that fails again is hidden before the failure is raised.
        """
        record = _queued(event)
        if record is None:
            self.forwarder.handle(event, until)
            return
        try:
            self.forwarder.handle(_payload(record["body"]), until)
        except Exception:
            self.queue.hide(record["receiptHandle"], pause(int(record["attributes"]["ApproximateReceiveCount"])))
            raise


def pause(receipts: int) -> int:
    """Seconds until the next attempt, after a message was received so many times: 1, 2, 4, ... 60 minutes."""
    doublings = min(receipts - 1, 10)  # ten are more than the longest
    return min(LONGEST_PAUSE, FIRST_PAUSE << doublings)


def _queued(event: object) -> Mapping[str, Any] | None:
    """The one SQS record of an event (the batch size is 1), None for an event of another kind."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or len(records) != 1 or not isinstance(records[0], Mapping):
        return None
    return records[0] if records[0].get("eventSource") == QUEUED else None


def _payload(body: str) -> object:
    """The event in a failure record; the record itself if it is none, which no forwarder takes for mail."""
    try:
        record = json.loads(body)
    except ValueError as fault:
        raise BadEvent(f"no JSON on the retry queue: {fault}") from fault
    return record.get("requestPayload", record) if isinstance(record, dict) else record
