"""A day's mail, added up: by outcome, by alias, by the sender's domain; and which days are due."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from postern_mail.daily_summaries import MOST_DAYS, DailySummaries
from postern_mail.mail.days import A_DAY
from postern_mail.mail.outcomes import State
from postern_mail.mail.summaries import (
    AGAIN,
    GRACE,
    LOOK_BACK,
    LOST,
    MOST_SENDERS,
    NO_ALIAS,
    NO_SENDER,
    OUTCOMES,
    Fate,
    Summary,
    Use,
    day_of,
    due,
    fates,
    forgotten_at,
    iso,
    sender_domain,
    start_of,
    summary,
)

from tests.fakes import FakeClock

INFO, TEAM = "info@example.com", "team@example.com"
MIDNIGHT = 1_795_046_400  # 2026-11-19


def message(*recipients: str, source: str = "b@Sender.example", noted: tuple[str, ...] = ()) -> dict[str, object]:
    made = {"recipients": set(recipients), "source": source, "opened_at": 7}
    return {**made, "noted": set(noted)} if noted else made


def test_each_recipient_counts_once_under_the_row_that_answered() -> None:
    entries = {
        f"to:{INFO}": {"state": "forwarded", "alias": INFO},
        "to:info+x@example.com": {"state": "merged", "alias": INFO},
        "to:who@example.com": {"state": "rejected"},
    }
    found = list(fates(message(INFO, "info+x@example.com", "who@example.com", TEAM), entries))
    assert found == [
        Fate(INFO, "sender.example", "merged", 7),
        Fate(INFO, "sender.example", "forwarded", 7),
        Fate(NO_ALIAS, "sender.example", "pending", 7),
        Fate(NO_ALIAS, "sender.example", "rejected", 7),
    ]


def test_a_lost_forward_is_lost_until_it_arrives() -> None:
    outcome = {"state": "forwarded", "alias": INFO}
    lost = {"recipient": INFO, "state": "sent", "bounced": {"at": 1, "lost": True, "why": "no"}}
    again = {"recipient": INFO, "state": "sent", "delivered": {"at": 2}}
    made = message(INFO, noted=(f"lost {INFO}",))

    def only(via: dict[str, Any]) -> str:
        (one,) = fates(made, {f"to:{INFO}": outcome, "via:j@dest.example": via})
        return one.outcome

    assert (only(lost), only(again)) == (LOST, "forwarded")


def test_the_daily_test_is_no_mail() -> None:
    assert list(fates(message(INFO), {f"to:{INFO}": {"state": State.TESTED}})) == []


@pytest.mark.parametrize(
    ("source", "domain"),
    [
        ("", NO_SENDER),
        ("<>", NO_SENDER),
        ("b@X.example", "x.example"),
        ("odd", "odd"),
        ('"a@b"@c.example', "c.example"),
    ],
)
def test_the_domain_of_a_sender(source: str, domain: str) -> None:
    assert sender_domain(source) == domain


def test_the_order_does_not_matter_and_nothing_is_lost_of_the_sum() -> None:
    made = [Fate(f"a{n % 7}@example.com", f"s{n % 3}.example", OUTCOMES[n % len(OUTCOMES)], n) for n in range(300)]
    other = made.copy()
    random.Random(1).shuffle(other)
    found = summary(made)
    assert summary(other) == found
    assert list(summary(other).counts) == list(found.counts)
    of_aliases = sum(number for use in found.aliases.values() for number in use.counts.values())
    assert sum(found.counts.values()) == of_aliases == sum(found.senders.values()) == 300


def test_rejected_mail_does_not_use_an_alias() -> None:
    found = summary([Fate(INFO, "x", "rejected", 9), Fate(INFO, "x", "quarantined", 5), Fate(TEAM, "x", "rejected", 9)])
    assert found.aliases == {INFO: Use({"quarantined": 1, "rejected": 1}, 5), TEAM: Use({"rejected": 1})}


def test_a_stranger_with_many_domains_makes_no_large_item() -> None:
    found = summary(
        Fate(NO_ALIAS, f"s{n}.example", "rejected", 1) for n in range(MOST_SENDERS + 50) for _ in range(1 + n % 2)
    )
    assert len(found.senders) == MOST_SENDERS
    assert min(found.senders.values()) == 1
    assert sum(number == 2 for number in found.senders.values()) == (MOST_SENDERS + 50) // 2


def test_a_day_of_utc_and_its_borders() -> None:
    assert (day_of(MIDNIGHT - 1), day_of(MIDNIGHT)) == ("2026-11-18", "2026-11-19")
    assert start_of("2026-11-19") == MIDNIGHT
    assert forgotten_at("2026-11-18") == MIDNIGHT + 400 * A_DAY


def test_a_day_is_due_when_it_is_over_and_on_the_days_that_follow() -> None:
    days = [iso(MIDNIGHT // A_DAY - back) for back in range(1, LOOK_BACK + 1)]
    assert due({}, MIDNIGHT + GRACE) == tuple(days)
    assert due({}, MIDNIGHT + GRACE - 1)[0] == days[1]
    everything = dict.fromkeys((*days, iso(MIDNIGHT // A_DAY - LOOK_BACK - 1)), MIDNIGHT + GRACE)
    times = dict.fromkeys(range(1, 9), 0)
    for hour in range(24 * 8):
        now = MIDNIGHT + GRACE + hour * 3600
        for day in due(everything, now):
            everything[day] = now
            back = (MIDNIGHT - start_of(day)) // A_DAY
            if back in times:
                times[back] += 1
    assert [times[back] for back in (1, 2, 3, 4)] == [AGAIN, AGAIN - 1, AGAIN - 2, 0]


def test_a_day_without_mail_is_added_up_once() -> None:
    assert (
        due({iso(MIDNIGHT // A_DAY - back): float("inf") for back in range(1, LOOK_BACK + 1)}, MIDNIGHT + GRACE) == ()
    )


@dataclass
class FakeBook:
    kept: dict[str, float] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    seconds: float = 0

    def added_up(self, now: float) -> dict[str, float]:
        assert now
        return self.kept

    def of_day(self, day: str) -> Summary:
        assert day
        self.clock.time += self.seconds
        return Summary({"forwarded": 1})

    def last_used(self) -> dict[str, float]:
        return {}

    def keep(self, day: str, found: Summary, now: float) -> None:
        assert found.counts
        self.kept[day] = now


def test_a_run_has_an_end_and_the_next_goes_on() -> None:
    book = FakeBook()
    run = DailySummaries(book=book, clock=book.clock).run
    done = [run(), run(), run(), run()]
    assert [len(one) for one in done] == [MOST_DAYS, MOST_DAYS, LOOK_BACK - 2 * MOST_DAYS, 0]
    assert sorted(day for one in done for day in one) == sorted(book.kept)
    slow = FakeBook(seconds=20)
    assert len(DailySummaries(book=slow, clock=slow.clock).run()) == 3
