"""A sender is answered at most once, whatever fails at any AWS call, and the ledger says what became of it.

Two recipients that do not exist and one that does. A fault at SendBounce whose answer got lost is the
one place where an answer may be missing: it is `ambiguous` then.
"""

import pytest

from tests.faults.world import AUTHOR, Fault, World

pytestmark = pytest.mark.function("InboundFunction")

BOUNCE = "ses.SendBounce"
RECIPIENTS = ("nobody@example.com", "c@example.com", "nowhere@example.com")
UNKNOWN = (RECIPIENTS[0], RECIPIENTS[2])


def may_be_missing(calls: list[str], fault: Fault) -> bool:
    """We had the claim, and did not hear from SES or live to write down what it said."""
    asked = calls.index(BOUNCE)
    claimed, settled = asked - 4, asked + 1  # in between: the settings, and a count for the domain and the stack
    if not fault.kills:
        return fault.position == asked and fault.after
    begun = fault.position > claimed or (fault.position == claimed and fault.after)
    return begun and (fault.position < settled or (fault.position == settled and not fault.after))


@pytest.mark.parametrize(
    "kills", [pytest.param(True, id="killed"), pytest.param(False, id="network", marks=pytest.mark.long)]
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_no_position_answers_twice_or_leaves_an_answer_open(world: World, after: bool, kills: bool) -> None:
    message_id = world.store(*RECIPIENTS)
    world.interference.calls.clear()
    assert world.run(message_id, *RECIPIENTS) is None
    calls = list(world.interference.calls)
    assert calls.count(BOUNCE) == 1, "one for both"
    for position in range(len(calls)):
        fault = Fault(position, after, kills)
        message_id = world.store(*RECIPIENTS)
        world.interference.calls.clear()
        world.interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
        world.run(message_id, *RECIPIENTS)
        world.interference.choose = lambda number, call: None
        world.clock.time += 300
        world.retry(message_id, *RECIPIENTS)
        check(world, message_id, f"{fault} at {calls[position]}", may_be_missing(calls, fault))


def check(world: World, message_id: str, where: str, missing: bool) -> None:
    entries = world.entries(message_id)
    reports = [raw for who, raw in world.delivered if who == AUTHOR and message_id.encode() in raw]
    for recipient in UNKNOWN:
        told = sum(f"Final-Recipient: rfc822; {recipient}".encode() in raw for raw in reports)
        answer = entries[f"to:{recipient}"]["answer"]
        assert told <= 1, where
        assert answer.startswith(("sent: ", "ambiguous: ")), where
        assert told == 1 or answer.startswith("ambiguous: "), where
        assert entries["dsn:1"]["state"] == answer.partition(":")[0], where
    assert {entries[f"to:{recipient}"]["state"] for recipient in UNKNOWN} == {"rejected"}, where
    assert "answer" not in entries["to:c@example.com"], where
    ambiguous = [recipient for recipient in UNKNOWN if entries[f"to:{recipient}"]["answer"].startswith("ambiguous")]
    assert len(ambiguous) == (len(UNKNOWN) if missing else 0), where
    assert "dsn:2" not in entries, where
