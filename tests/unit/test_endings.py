"""Aliases that end after so many messages: counted once by message and row, and only where a row says so."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from postern_mail.errors import Throttled, Unsettled
from postern_mail.mail.aliases import Alias
from postern_mail.mail.endings import Counted, Ending, ending
from postern_mail.mail.rows import BadRow

from tests.builders import event
from tests.forwarding_world import JANE, World

INFO = "info@example.com"


@dataclass
class FakeUses:
    seen: dict[str, set[str]] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    asked: int = 0

    def count(self, row: Counted, message_id: str) -> bool:
        self.asked += 1
        if self.failures:
            raise self.failures.pop()
        seen = self.seen.setdefault(row.key, set())
        if message_id not in seen and len(seen) >= row.most:
            return False
        seen.add(message_id)
        return True


@pytest.fixture
def uses() -> FakeUses:
    return FakeUses()


@pytest.fixture
def world(uses: FakeUses) -> World:
    made = World(uses=lambda: uses)
    made.tables.aliases[INFO] = {"destinations": [JANE], "expires_after": "2 messages"}
    return made


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("20 messages", Ending(messages=20)),
        ("1 message", Ending(messages=1)),
        ("90 days", Ending(days=90)),
        ("90 Days, 20messages", Ending(20, 90)),
        (["20 messages", "90 days"], Ending(20, 90)),
        (None, None),
    ],
)
def test_what_may_be_written(typed: Any, meant: Ending | None) -> None:
    assert ending({"expires_after": typed}) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "20", 20, "0 messages", "1001 messages", "13 days", "391 days", "-1 messages", "20 messages, 30 messages", "soon",
        "20 messages or so", True, "٢ messages",
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_a_fault_of_the_row(typed: Any) -> None:
    with pytest.raises(BadRow, match="expire|expected"):
        Alias.from_row(INFO, {"destinations": [JANE], "expires_after": typed})


def test_so_many_go_out_and_the_next_is_rejected(world: World, uses: FakeUses) -> None:
    uses.seen[INFO] = {"m1"}
    world.handle(event(INFO, "info+tag@example.com"))
    assert set(world.states.values()) == {"forwarded", "merged"}
    assert len(uses.seen[INFO]) == 2, "one message for two recipients counts once"
    uses.seen[INFO] = {"m1", "m2"}
    later = World(uses=lambda: uses)
    later.tables.aliases[INFO] = world.tables.aliases[INFO]
    later.handle(event(INFO, "team@example.com"))
    assert later.states == {INFO: "rejected", "team@example.com": "forwarded"}
    (outcome,) = [one for one in later.ledger.outcomes.values() if one.recipient.key == INFO]
    assert (outcome.reason, outcome.row) == (f"{INFO} is expired: it took 2 messages", INFO)


def test_what_is_not_forwarded_does_not_count(world: World, uses: FakeUses) -> None:
    world.tables.senders["betsy@sender.example", "*"] = {"action": "HOLD"}
    world.handle(event(INFO))
    assert (world.states, uses.seen) == ({INFO: "quarantined"}, {})


def test_a_count_that_fails_defers_that_recipient_alone(world: World, uses: FakeUses) -> None:
    uses.failures = [Throttled("slow")]
    with pytest.raises(Unsettled, match="slow"):
        world.handle(event(INFO, "team@example.com"))
    assert world.states == {INFO: "deferred", "team@example.com": "forwarded"}
    world.handle(event(INFO, "team@example.com"))
    assert world.states[INFO] == "merged"


def test_no_other_row_asks() -> None:
    world = World(uses=lambda: pytest.fail("asked"))
    world.tables.aliases[INFO] = {"destinations": [JANE], "expires_after": "90 days"}
    world.handle(event(INFO, "team@example.com"))
    assert len(world.states) == 2


def test_a_learned_name_has_an_ending_of_its_own(uses: FakeUses) -> None:
    world = World(uses=lambda: uses)
    world.tables.aliases["@example.com"] = {"destinations": [JANE]}
    world.tables.aliases["shop@example.com"] = {"learned_at": 5, "expires_after": "1 message"}
    uses.seen["shop@example.com"] = {"m1"}
    world.handle(event("shop@example.com", "other@example.com"))
    assert world.states == {"shop@example.com": "rejected", "other@example.com": "forwarded"}
