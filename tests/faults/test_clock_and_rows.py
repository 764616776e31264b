"""A clock that jumps at any AWS call, and rows that no one can understand: nothing lost, nothing twice."""

from typing import Any

import pytest

from tests.faults.world import ALIASES, DESTINATIONS, Fault, World

pytestmark = pytest.mark.function("InboundFunction")

HOUR = 3600
SEND = "sesv2.SendEmail"


@pytest.mark.parametrize("jump", [-24 * HOUR, 48 * HOUR], ids=lambda jump: f"{jump // HOUR} h")
def test_a_clock_that_jumps_at_any_call(world: World, jump: int) -> None:
    message_id = world.store()
    world.interference.calls.clear()
    assert world.run(message_id) is None
    for position in range(len(world.interference.calls)):
        message_id = world.store()
        world.interference.calls.clear()
        world.interference.choose = lambda number, call, at=position: jumps(world, jump) if number == at else None  # type: ignore[misc]
        world.run(message_id)
        world.interference.choose = lambda number, call: None
        world.retry(message_id)
        assert dict(world.copies(message_id)) == dict.fromkeys(DESTINATIONS, 1), position
        assert "open" not in world.entries(message_id)["message"], position
    assert world.log.resendings == []


def jumps(world: World, jump: int) -> None:
    """The clock does, and the call goes on."""
    world.clock.time += jump


@pytest.mark.parametrize("jump", [-24 * HOUR, 24 * HOUR], ids=lambda jump: f"{jump // HOUR} h")
def test_a_function_killed_over_its_sending_whose_successor_has_another_clock(world: World, jump: int) -> None:
    """Behind: the lease seems to live until the clock has caught up. Ahead: it has run out. Both send again, and say so."""
    message_id = world.store("c@example.com")
    world.interference.choose = lambda number, call: Fault(number, after=True, kills=True) if call == SEND else None
    world.run(message_id, "c@example.com")
    world.interference.choose = lambda number, call: None
    world.clock.time += jump
    if jump < 0:
        assert "another invocation is at via:" in str(world.run(message_id, "c@example.com"))
        world.clock.time -= jump
    world.clock.time += 300
    world.retry(message_id, "c@example.com")
    assert dict(world.copies(message_id)) == {"d4@dest.example": 2}
    assert (message_id, "d4@dest.example") in world.log.resendings
    assert "open" not in world.entries(message_id)["message"]


POISON: list[tuple[str, dict[str, Any]]] = [
    ("AliasTable", {"address": "a@example.com", "destinations": 7}),
    ("AliasTable", {"address": "a@example.com", "destinations": []}),
    ("AliasTable", {"address": "a@example.com", "destinations": [["d1@dest.example"]]}),
    ("AliasTable", {"address": "a@example.com", "destinations": {"to": "d1@dest.example"}}),
    ("AliasTable", {"address": "a@example.com", "destinations": ["d1@dest.example"], "enabled": "perhaps"}),
    ("AliasTable", {"address": "a@example.com", "destinations": b"\xff\xfe"}),
    ("AliasTable", {"address": "a@example.com", "destinations": ["d1@dest.example"], "expires_at": "soon"}),
    ("AliasTable", {"address": "a@example.com", "destinations": ["d1@dest.example"], "expires_at": [1800000000]}),
    ("AliasTable", {"address": "a@example.com", "destinations": ["d1@dest.example"], "expires_at": {"at": 1800000000}}),
    ("AliasTable", {"address": "a@example.com", "destinations": ["d1@dest.example"], "expires_at": True}),
    ("AliasTable", {"address": "a@example.com", "destinations": ["nonsense"]}),
    ("SenderTable", {"sender": "betsy@sender.example", "scope": "a@example.com", "action": "FROBNICATE"}),
    ("SenderTable", {"sender": "betsy@sender.example", "scope": "a@example.com", "action": 550}),
    ("SenderTable", {"sender": "betsy@sender.example", "scope": "a@example.com"}),
]


@pytest.mark.parametrize(("table", "row"), POISON, ids=lambda one: one if isinstance(one, str) else repr(one)[-60:])
def test_an_invalid_row_holds_its_recipient_until_it_is_corrected(
    world: World, table: str, row: dict[str, Any]
) -> None:
    world.cloud.put(table, [row])
    message_id = world.store()
    for _ in range(3):
        raised = world.run(message_id)
        assert "a@example.com" in str(raised), "it is named"
        assert dict(world.copies(message_id)) == dict.fromkeys(DESTINATIONS - {"d1@dest.example"}, 1)
        world.clock.time += HOUR
    assert world.entries(message_id)["message"]["pending"] == {"a@example.com"}
    mend(world, table, row)
    world.retry(message_id)
    assert dict(world.copies(message_id)) == dict.fromkeys(DESTINATIONS, 1)
    assert "open" not in world.entries(message_id)["message"]


def mend(world: World, table: str, row: dict[str, Any]) -> None:
    if table == "AliasTable":
        world.cloud.put(table, [{"address": "a@example.com", "destinations": ALIASES["a@example.com"]}])
    else:
        world.cloud.delete(table, [{name: row[name] for name in ("sender", "scope")}])
