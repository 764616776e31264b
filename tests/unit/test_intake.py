"""What comes back from the retry queue is run by the same code, and hidden while it fails."""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import pytest
from postern_mail.errors import Throttled
from postern_mail.forward import Forwarder
from postern_mail.intake import VISIBLE_AGAIN, Intake, pause
from postern_mail.mail.envelope import BadEvent, Envelope

from tests.builders import event
from tests.fakes import FakeClock, FakeQueue


@dataclass
class Recorder:
    """Stands for the forwarder: it reads the envelope, and fails if it is told to."""

    clock: ClassVar = FakeClock()
    failure: Exception | None = None
    seen: list[Any] = field(default_factory=list)

    ended: str = ""
    attempt: str = ""

    def handle(self, made: object, until: float, ended: str = "", attempt: str = "") -> None:
        Envelope.from_event(made)
        self.ended, self.attempt = ended, attempt
        self.seen.append((made, until))
        if self.failure:
            raise self.failure


def queued(body: object, receipts: int = 1) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    attributes = {"ApproximateReceiveCount": str(receipts)}
    about = {"eventSource": "aws:sqs", "messageId": "q1", "receiptHandle": "r1"}
    return {"Records": [{**about, "body": text, "attributes": attributes}]}


def take(made: object, failure: Exception | None = None) -> tuple[Recorder, FakeQueue, Exception | None]:
    recorder, queue = Recorder(failure), FakeQueue()
    try:
        Intake(forwarder=cast("Forwarder", recorder), queue=queue).handle(made, 7.0)
    except (Throttled, BadEvent) as raised:
        return recorder, queue, raised
    return recorder, queue, None


def test_an_event_of_ses_is_handed_on_as_it_is() -> None:
    made = event("info@example.com")
    recorder, queue, raised = take(made)
    assert (recorder.seen, queue.hidden, raised) == ([(made, 7.0)], [], None)


def test_a_failure_of_an_event_of_ses_is_lambdas_to_retry() -> None:
    _, queue, raised = take(event("info@example.com"), Throttled("slow"))
    assert isinstance(raised, Throttled)
    assert queue.hidden == []


def test_the_event_in_a_failure_record_is_run_again() -> None:
    made = event("info@example.com")
    recorder, queue, raised = take(queued({"version": "1.0", "requestPayload": made, "responsePayload": {}}))
    assert (recorder.seen, queue.hidden, raised) == ([(made, 7.0)], [], None)


@pytest.mark.parametrize(("receipts", "seconds"), [(1, 60), (2, 120), (6, 1920), (7, 3600), (41, 3600), (10_000, 3600)])
def test_what_fails_again_is_hidden_for_longer_each_time_and_raised(receipts: int, seconds: int) -> None:
    made = queued({"requestPayload": event("info@example.com")}, receipts)
    _, queue, raised = take(made, Throttled("slow"))
    assert isinstance(raised, Throttled)
    assert queue.hidden == [("r1", seconds)] * (1 if seconds <= VISIBLE_AGAIN else 2)
    assert pause(receipts) == seconds


@pytest.mark.parametrize("body", ["no JSON", "7", "[]", "{}", json.dumps({"requestPayload": {"Records": []}})])
def test_what_is_no_event_is_raised_by_name_and_hidden_until_it_is_a_dead_letter(body: str) -> None:
    _, queue, raised = take(queued(body))
    assert isinstance(raised, BadEvent)
    assert queue.hidden == [("r1", 60)]


@pytest.mark.parametrize("made", [None, [], {"Records": "x"}, {"Records": []}, {"Records": [7]}, {"Records": [{}, {}]}])
def test_any_other_event_is_refused_by_name(made: object) -> None:
    assert isinstance(take(made)[2], BadEvent)


ENDED = [
    {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out after 120.00 seconds"},
    {"errorMessage": "2026-11-26T10:00:00.000Z 1 Task timed out after 120.00 seconds"},
    {"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error: Runtime exited with error: signal: killed"},
    {"errorType": "Runtime.OutOfMemory", "errorMessage": "x"},
    {"errorType": "MemoryError", "errorMessage": ""},
]
OTHER = [
    {},
    None,
    "x",
    {"errorType": "Unsettled", "errorMessage": "message x: 1 recipients deferred"},
    {"errorType": 7},
]


@pytest.mark.parametrize(("said", "receipts", "aside"), [
    *((said, receipts, receipts > 1) for said in ENDED for receipts in (1, 2, 9)),
    *((said, receipts, False) for said in OTHER for receipts in (1, 2, 9)),
])  # fmt: skip
def test_what_lambda_ended_by_force_is_set_aside_at_its_second_attempt(
    said: object, receipts: int, aside: bool
) -> None:
    made = queued({"requestPayload": event("info@example.com"), "responsePayload": said}, receipts)
    recorder, _, raised = take(made)
    assert raised is None
    assert bool(recorder.ended) == aside


def test_what_may_be_ended_by_force_is_hidden_before() -> None:
    """No one could hide it afterwards."""
    _, queue, _ = take(queued({"requestPayload": event("info@example.com")}, 7))
    assert queue.hidden == [("r1", 3600)]


NOW = FakeClock().time


def test_what_is_held_for_longer_than_the_queue_delays_is_put_back_and_no_one_is_asked() -> None:
    made = event("info@example.com")
    recorder, queue, raised = take(queued({"requestPayload": made, "release_at": int(NOW) + 5000}))
    assert (recorder.seen, queue.woken, queue.hidden, raised) == ([], [(made, NOW + 5000)], [], None)


@pytest.mark.parametrize("release_at", [0, int(NOW), int(NOW) - 10, None, "soon", 1e300])
def test_what_was_held_long_enough_is_taken(release_at: object) -> None:
    made = event("info@example.com")
    recorder, queue, raised = take(queued({"requestPayload": made, "release_at": release_at}))
    assert (recorder.seen, queue.woken, raised) == ([(made, 7.0)], [], None)
