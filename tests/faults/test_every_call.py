"""A message with three recipients and four destinations survives a fault at every single AWS call.

Each position is tried in four ways: killed before or after the call takes effect, and a network
that fails before or after. Then retries run. Every destination must have the message, none twice
except where the answer of a sending that SES accepted was lost, and everything must be settled.
"""

import pytest

from tests.faults.world import ALIASES, DESTINATIONS, Fault, World

pytestmark = pytest.mark.function("InboundFunction")

SEND = "sesv2.SendEmail"


def calls_of_one_message(world: World) -> list[str]:
    message_id = world.store()
    world.interference.calls.clear()
    assert world.run(message_id) is None
    return list(world.interference.calls)


def doubled(calls: list[str], fault: Fault) -> range:
    """How many destinations may have a second copy: those that SES took for an invocation that was not there to hear it,
    or to write it down. What is sent at once is killed at once."""
    sent = calls[: fault.position].count(SEND)
    if calls[fault.position] == SEND and not fault.kills:
        return range(fault.after, fault.after + 1)
    if calls[fault.position] == SEND:
        return range(fault.after, len(DESTINATIONS) + fault.after)
    if fault.kills and sent and not fault.after:
        return range(sent, sent + 1)
    return range(1)


@pytest.mark.parametrize("kills", [True, False], ids=["killed", "network"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_no_position_loses_or_doubles_anything(world: World, after: bool, kills: bool) -> None:
    calls = calls_of_one_message(world)
    assert calls.count(SEND) == len(DESTINATIONS)
    assert len(calls) == 6 + len(DESTINATIONS), "entry, object, two rounds of rows, claims, sendings, end"
    for position in range(len(calls)):
        fault = Fault(position, after, kills)
        message_id = world.store()
        world.interference.calls.clear()
        world.interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
        world.run(message_id)
        world.interference.choose = lambda number, call: None
        world.clock.time += 300
        world.retry(message_id)
        check(world, message_id, f"{fault} at {calls[position]}", doubled(calls, fault))


def check(world: World, message_id: str, where: str, doubled: range) -> None:
    copies, entries = world.copies(message_id), world.entries(message_id)
    assert set(copies) == DESTINATIONS, where
    assert set(copies.values()) <= {1, 2}, where
    assert sum(count > 1 for count in copies.values()) in doubled, where
    explained = {destination for message, destination in world.log.resendings if message == message_id}
    assert {destination for destination, count in copies.items() if count > 1} <= explained, where
    states = {name: entry["state"] for name, entry in entries.items() if name.startswith("to:")}
    assert set(states) == {f"to:{alias}" for alias in ALIASES}, where
    assert set(states.values()) <= {"forwarded", "merged"}, where
    assert {entry["state"] for name, entry in entries.items() if name.startswith("via:")} == {"sent"}, where
    assert "open" not in entries["message"], where
