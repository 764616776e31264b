"""What is read ahead of a message: where its recipients led before. It is a guess, and no decision hangs on it."""

from dataclasses import replace

import pytest
from postern_mail.lookup import Ways, first_keys, look_up
from postern_mail.mail.address import Address
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.plan import Decision, Policy, plan
from postern_mail.mail.rows import Row

from tests.builders import envelope
from tests.fakes import FakeTables

POLICY = Policy(frozenset({"example.com"}))
JANE = "jane@dest.example"


def decided(tables: FakeTables, ways: Ways, made: Envelope, header: Header | None = None) -> tuple[Decision, int]:
    """The plan for its one recipient, and the rounds that it took."""
    before, header = tables.calls, header or Header()
    rows = tables.read(*first_keys(made, POLICY, ways))
    (decision,) = plan(made, header, look_up(tables, made, header, POLICY, 0, rows, ways=ways), POLICY, 0)
    return decision, tables.calls - before


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables(
        {"info@example.com": {"destinations": ["team@example.com"]}, "team@example.com": {"destinations": [JANE]}}
    )


def test_a_way_that_was_gone_before_is_one_round(tables: FakeTables) -> None:
    ways = Ways()
    first, rounds = decided(tables, ways, envelope())
    assert rounds == 3
    assert decided(tables, ways, replace(envelope(), message_id="another", source="joe@other.example")) == (first, 1)


CHANGES: dict[str, dict[str, Row | None]] = {
    "another destination": {"info@example.com": {"destinations": ["joe@dest.example"]}},
    "gone": {"info@example.com": None},
    "another alias between": {"team@example.com": {"destinations": ["x@example.com"]}},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_has_changed_since_counts_as_it_is(tables: FakeTables, name: str) -> None:
    ways = Ways()
    decided(tables, ways, envelope())
    tables.aliases = {key: row for key, row in {**tables.aliases, **CHANGES[name]}.items() if row}
    tables.destinations["joe@dest.example"] = {"suspended_at": 1}
    assert decided(tables, ways, envelope())[0] == decided(tables, Ways(), envelope())[0]


def test_a_destination_that_was_suspended_since_gets_nothing(tables: FakeTables) -> None:
    ways = Ways()
    decided(tables, ways, envelope())
    tables.destinations[JANE] = {"suspended_at": 1}
    found, rounds = decided(tables, ways, envelope())
    assert (type(found).__name__, rounds) == ("Quarantine", 1)


def test_an_author_who_is_not_the_sender_is_asked_for(tables: FakeTables) -> None:
    ways, author = Ways(), Header(authors=(Address.parse("x@spam.example"),))
    decided(tables, ways, envelope())
    tables.senders["spam.example", "info@example.com"] = {"action": "REJECT"}
    found, rounds = decided(tables, ways, envelope(), author)
    assert (type(found).__name__, rounds) == ("Reject", 2)


def test_so_many_ways_are_remembered() -> None:
    """A stranger who invents recipients of a catch-all makes this process forget, and fills no memory."""
    tables, ways = FakeTables({"@example.com": {"destinations": [JANE]}}), Ways()
    for number in range(1_010):
        decided(tables, ways, envelope(f"a{number}@example.com"))
    assert len(ways._known) == 1_000
    assert decided(tables, ways, envelope("a1009@example.com"))[1] == 1
    assert decided(tables, ways, envelope("a0@example.com"))[1] == 2


@pytest.mark.slow
@pytest.mark.long
def test_a_long_way_is_not_remembered() -> None:
    tables, ways = (
        FakeTables({"info@example.com": {"destinations": [f"d{one}@dest.example" for one in range(60)]}}),
        Ways(),
    )
    assert [decided(tables, ways, envelope())[1] for _ in range(2)] == [2, 2]
