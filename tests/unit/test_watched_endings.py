"""The owner hears of an alias's end a week before, and what no one uses expires; whatever the watch is killed at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from postern_mail.daily_summaries import DailySummaries
from postern_mail.endings import Endings
from postern_mail.errors import Unavailable
from postern_mail.mail.days import A_DAY
from postern_mail.mail.endings import Coming, Ending, coming
from postern_mail.mail.rows import Row
from postern_mail.mail.summaries import day_of
from postern_mail.ports.endings import Note

from tests.fakes import FakeClock
from tests.unit.test_summaries import FakeBook

TRIP = "trip@example.com"
NOW = 20_000 * A_DAY + 1_000.0


@dataclass
class FakeEndings:
    table: dict[str, dict[str, Any]]
    kept: dict[str, Note] = field(default_factory=dict)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    uses: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    breaks_at: int = 0

    def _call(self) -> None:
        self.calls += 1
        if self.calls == self.breaks_at:
            raise Unavailable("killed")

    def rows(self) -> Iterator[Row]:
        self._call()
        return iter([dict(one) for one in self.table.values()])

    def notes(self) -> Mapping[str, Note]:
        self._call()
        return dict(self.kept)

    def taken(self, alias: str) -> int:
        self._call()
        return self.uses.get(alias, 0)

    def note(self, alias: str, note: Note, told: Mapping[str, Any]) -> None:
        self._call()
        self.kept[alias] = note
        self.told += [(alias, told["told"], told["why"])] if told else []

    def forget(self, alias: str) -> None:
        self._call()
        self.kept.pop(alias)

    def end(self, row: Row, now: float) -> None:
        self._call()
        self.table[row["address"]]["expires_at"] = int(now)


def book(**row: Any) -> FakeEndings:
    return FakeEndings({TRIP: {"address": TRIP, "destinations": ["j@dest.example"], **row}})


def days(found: FakeEndings, number: int, used: Mapping[str, float], *, first: int = 0) -> list[int]:
    """The days of this many on which the alias was in force, of those from `first` on."""
    alive = []
    for day in range(first, first + number):
        now = NOW + day * A_DAY
        Endings(book=found).run(day_of(now - A_DAY), used, now)
        if "expires_at" not in found.table[TRIP]:
            alive.append(day)
    return alive


@pytest.mark.parametrize(
    ("expires_at", "ends", "ago", "taken", "found"),
    [
        (None, Ending(days=90), 82.9, 0, None),
        (None, Ending(days=90), 83, 0, Coming("no mail since 2024-07-13, and it ends after 90 days without")),
        (
            None,
            Ending(days=90),
            90,
            0,
            Coming("no mail since 2024-07-06, and it ends after 90 days without", over=True),
        ),
        (None, Ending(messages=20), 0, 17, None),
        (None, Ending(messages=20), 0, 18, Coming("it took 18 of 20 messages")),
        (None, Ending(messages=3), 0, 2, Coming("it took 2 of 3 messages")),
        (8, None, 0, 0, None),
        (7, None, 0, 0, Coming("it expires on 2024-10-11")),
        (0, None, 0, 0, None),
        (None, None, 0, 0, None),
    ],
)
def test_what_ends_within_a_week(
    expires_at: float | None, ends: Ending | None, ago: float, taken: int, found: Coming | None
) -> None:
    at = None if expires_at is None else NOW + expires_at * A_DAY
    assert coming(at, ends, NOW - ago * A_DAY, taken, NOW) == found


def test_what_no_one_uses_is_told_of_and_ends_a_week_later() -> None:
    found = book(expires_after="20 days")
    alive = days(found, 40, {TRIP: NOW - 3 * A_DAY})
    assert alive == list(range(17)), "twenty days after its last use"
    (told,) = found.told
    assert told == (
        TRIP,
        day_of(NOW + 9 * A_DAY),
        f"no mail since {day_of(NOW - 3 * A_DAY)}, and it ends after 20 days without",
    )
    assert found.kept == {}, "nothing is left to remember"


def test_what_is_used_again_goes_on_and_is_told_of_again() -> None:
    found = book(expires_after="20 days")
    days(found, 15, {TRIP: NOW})
    assert len(found.told) == 1
    assert days(found, 20, {TRIP: NOW + 14 * A_DAY}, first=15) == list(range(15, 34))
    assert [day for _, day, _ in found.told] == [day_of(NOW + 12 * A_DAY), day_of(NOW + 26 * A_DAY)]


def test_no_one_is_surprised_where_the_watch_did_not_run() -> None:
    found = book(expires_after="20 days")
    assert days(found, 10, {TRIP: NOW - 300 * A_DAY}) == list(range(7)), "told today, a week before"


@pytest.mark.parametrize("row", [{"updated_at": int(NOW)}, {"learned_at": int(NOW)}, {"updated_at": "x"}, {}])
def test_an_alias_that_was_never_used_begins_when_it_was_made(row: dict[str, Any]) -> None:
    assert len(days(book(expires_after="20 days", **row), 30, {})) == 20


@pytest.mark.parametrize(
    "row", [{"enabled": False}, {"expires_at": 5}, {"expires_after": "soon"}, {"expires_after": None}]
)
def test_what_is_off_over_or_wrong_is_left_alone(row: dict[str, Any]) -> None:
    found = book(**{"expires_after": "20 days", **row})
    found.kept = {TRIP: Note(1)}
    Endings(book=found).run("2026-11-26", {}, NOW)
    assert (found.told, found.kept, found.table[TRIP].get("expires_at")) == ([], {}, row.get("expires_at"))


def test_the_last_messages_are_told_of_once() -> None:
    found = book(expires_after="20 messages")
    for taken in (3, 17, 18, 19, 20):
        found.uses[TRIP] = taken
        Endings(book=found).run("2026-11-26", {}, NOW)
    assert found.told == [(TRIP, "2026-11-26", "it took 18 of 20 messages")]
    assert "expires_at" not in found.table[TRIP]


def test_killed_at_any_call_it_comes_to_the_same() -> None:
    whole = book(expires_after="20 days")
    days(whole, 40, {TRIP: NOW})
    for position in range(1, whole.calls + 1):
        found = book(expires_after="20 days")
        found.breaks_at = position
        for day in range(40):
            now = NOW + day * A_DAY
            for _ in range(2):
                try:
                    Endings(book=found).run(day_of(now - A_DAY), {TRIP: NOW}, now)
                except Unavailable:
                    continue
                break
        assert (found.told, found.kept, found.table) == (whole.told, whole.kept, whole.table), position


@pytest.mark.parametrize(("hour", "told"), [(1, "2024-10-03"), (5, "2024-10-04")])
def test_it_is_told_in_the_next_digest(hour: int, told: str) -> None:
    found, clock = book(expires_at=int(NOW + 3 * A_DAY)), FakeClock(20_000 * A_DAY + hour * 3600.0)
    summaries = DailySummaries(book=FakeBook(clock=clock), clock=clock, endings=Endings(book=found))
    summaries.run()
    assert [day for _, day, _ in found.told] == [told]
    calls = found.calls
    summaries.run()
    assert found.calls == calls, "once a day"
