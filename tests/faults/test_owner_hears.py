"""What an owner must know is noted for the digest, whatever fails at any AWS call of the message that it is about."""

from collections.abc import Iterator

import pytest

from emulator.cloud import Cloud
from tests.faults.world import AUTHOR, Fault, World

pytestmark = pytest.mark.function("InboundFunction")

RULES = [{"sender": AUTHOR, "scope": scope, "action": "HOLD"} for scope in ("a@example.com", "c@example.com")]


@pytest.fixture
def world(world: World, aws: Cloud) -> Iterator[World]:
    aws.put("SenderTable", RULES)
    yield world
    aws.delete("SenderTable", ({name: rule[name] for name in ("sender", "scope")} for rule in RULES))


@pytest.mark.parametrize("kills", [True, False], ids=["killed", "network"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_no_position_settles_anything_that_is_not_noted(world: World, after: bool, kills: bool) -> None:
    """An outcome that is settled is not decided again, so no one would note it later."""
    message_id = world.store()
    world.interference.calls.clear()
    assert world.run(message_id) is None
    calls = list(world.interference.calls)
    for position in range(len(calls)):
        fault = Fault(position, after, kills)
        message_id = world.store()
        world.log.lines.clear()
        world.interference.calls.clear()
        world.interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
        world.run(message_id)
        world.interference.choose = lambda number, call: None
        world.clock.time += 300
        world.retry(message_id)
        message = world.entries(message_id)["message"]
        assert message.get("noted") == {"quarantined a@example.com", "quarantined c@example.com"}, (fault, calls)
        assert "open" not in message, (fault, calls)
        counted = {line for line in world.log.lines if line.startswith("quarantined")}
        assert len(counted) == 2, (fault, calls, "a function that is killed takes no count along")
