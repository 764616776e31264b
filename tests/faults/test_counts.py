"""What an alarm hangs on is counted, whatever call the function is killed at: the count leaves before the fact stands, and
the next invocation for the event counts it again. Each kind of fact is killed before and after every call."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import feedback
from tests.fakes import FakeFeedbackLog
from tests.faults.test_feedback import DESTINATION, listening, sent, taken
from tests.faults.world import Fault, World

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow]

ALIAS = "c@example.com"
SEND = "sesv2.SendEmail"


def quarantined(world: World) -> str:
    world.cloud.put("SenderTable", [{"sender": "betsy@sender.example", "scope": ALIAS, "action": "HOLD"}])
    return world.store(ALIAS)


def failed(world: World) -> str:
    """SES takes nothing but a notice: the message is too large to send."""
    world.cloud.put("AliasTable", [{"address": "#settings", "rate_cap": 0, "largest_forward": 1}])
    message_id = world.store(ALIAS)
    found = world.cloud.s3.get_object(Bucket=world.template.name("MailBucket"), Key=f"inbound/{message_id}")
    large = found["Body"].read() + b"x\r\n" * 400_000
    world.cloud.s3.put_object(Bucket=world.template.name("MailBucket"), Key=f"inbound/{message_id}", Body=large)
    return message_id


def ambiguous(world: World) -> str:
    """SES took it, or not, 37 hours ago."""
    message_id = world.store(ALIAS)
    world.interference.calls.clear()
    world.interference.choose = lambda number, call: Fault(number, True, False) if call == SEND else None
    world.run(message_id, ALIAS)
    world.interference.choose = lambda number, call: None
    world.clock.time += 37 * 3600
    return message_id


KINDS: dict[str, Callable[[World], str]] = {"quarantined": quarantined, "failed": failed, "ambiguous": ambiguous}


@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.long), True], ids=["before", "after"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_outcome_that_needs_attention_is_counted(world: World, kind: str, after: bool) -> None:
    try:
        message_id = KINDS[kind](world)
        world.interference.calls.clear()
        world.run(message_id, ALIAS)
        calls = len(world.interference.calls)
        assert f"{kind} {ALIAS}" in world.log.lines
        for position in range(calls):
            message_id = KINDS[kind](world)
            world.log.lines.clear()
            world.interference.calls.clear()
            fault = Fault(position, after, True)
            world.interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
            world.run(message_id, ALIAS)
            world.interference.choose = lambda number, call: None
            world.clock.time += 300
            world.retry(message_id, ALIAS)
            assert f"{kind} {ALIAS}" in world.log.lines, position
            assert world.entries(message_id)["message"]["noted"] == {f"{kind} {ALIAS}"}, position
    finally:
        world.cloud.delete("SenderTable", [{"sender": "betsy@sender.example", "scope": ALIAS}])


SAID: dict[str, tuple[str, dict[str, Any]]] = {
    "rejected": ("Reject", {"reason": "Bad content"}),
    "bounced": ("Bounce", {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}),
    "complained": ("Complaint", {"complaintFeedbackType": "abuse"}),
}


@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.long), True], ids=["before", "after"])
@pytest.mark.parametrize("kind", SAID)
def test_feedback_that_needs_attention_is_counted(world: World, kind: str, after: bool) -> None:
    """A second time where it came again: `first` is of the ledger, and no count hangs on it."""
    name, section = SAID[kind]
    position, killed = 0, True
    while killed:
        message_id, made = sent(world)
        event = feedback(name, DESTINATION, message_id, **section)
        event["detail"]["mail"] = made["detail"]["mail"]
        log = FakeFeedbackLog()
        listener = listening(world, log)
        fault = Fault(position, after, True)
        world.interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
        killed = not taken(listener, event)
        world.interference.choose = lambda number, call: None
        listener.handle(event)
        assert any(line.startswith(f"{kind} {DESTINATION}") for line in log.lines), position
        position += 1
    assert position > 3
    world.cloud.delete("DestinationTable", [{"address": DESTINATION}])
