"""What fell through is found, once and until it is corrected, without listing everything at each run."""

from dataclasses import dataclass, field

import pytest
from postern_mail import watch
from postern_mail.watch import OPEN_MARGIN, PASSES, UNSEEN_AFTER, Watch

from tests.fakes import RETRY_HOURS, FakeBucket, FakeClock, FakeWatchLog, FakeWatchState

HOUR = 3600


@dataclass
class Night:
    """One stack over some hours."""

    bucket: FakeBucket = field(default_factory=FakeBucket)
    book: FakeWatchState = field(default_factory=FakeWatchState)
    clock: FakeClock = field(default_factory=FakeClock)
    log: FakeWatchLog = field(default_factory=FakeWatchLog)

    def run(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        made = Watch(bucket=self.bucket, book=self.book, clock=self.clock, log=self.log, retry_hours=RETRY_HOURS).run()
        assert self.log.found[-1] == made
        return made.open_too_long, made.never_seen

    def store(self, name: str, age: float, *, seen: bool) -> None:
        self.bucket.stored[name] = self.clock.now() - age
        if seen:
            self.book.own[name] = {"opened_at": self.clock.now() - age}


@pytest.fixture
def night() -> Night:
    return Night()


def test_all_is_well(night: Night) -> None:
    night.store("a", 6 * HOUR, seen=True)
    assert night.run() == ((), ())


def test_an_object_no_one_saw_is_found_when_ses_has_given_up(night: Night) -> None:
    night.store("a", UNSEEN_AFTER - 60, seen=False)
    assert night.run() == ((), ())
    night.clock.time += PASSES
    assert night.run() == ((), ("a",))


def test_it_is_found_until_it_is_run(night: Night) -> None:
    night.store("a", 6 * HOUR, seen=False)
    for _ in range(3):
        assert night.run() == ((), ("a",))
        night.clock.time += HOUR
    night.book.own["a"] = {"opened_at": night.clock.now()}
    assert night.run() == ((), ())
    assert night.book.notes == {}


def test_sess_probe_of_a_rule_is_no_message(night: Night) -> None:
    night.store("AMAZON_SES_SETUP_NOTIFICATION", 6 * HOUR, seen=False)
    assert night.run() == ((), ())


def test_the_bucket_is_listed_some_pages_a_run_and_nothing_is_missed(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PAGES", 3)
    for number in range(15):
        night.store(f"m{number:02}", 6 * HOUR, seen=number % 2 == 0)
    assert [len(night.run()[1]) for _ in range(3)] == [3, 6, 7]
    assert night.bucket.pages == 3 + 3 + 2


def test_an_idle_bucket_is_listed_at_every_third_run(night: Night) -> None:
    """EventBridge's hours are some seconds longer or shorter than the clock's."""
    for late in (0, 40, -40, 20, -20, 0):
        night.clock.time += HOUR + late
        night.run()
    assert night.bucket.pages == 2


def test_objects_of_an_earlier_pass_are_not_asked_for_again(night: Night) -> None:
    night.store("a", 6 * HOUR, seen=True)
    night.run()
    night.book.asked.clear()
    night.clock.time += PASSES
    night.store("b", 5.5 * HOUR, seen=True)
    night.run()
    assert night.book.asked == ["b"]


def test_what_comes_during_a_long_pass_is_looked_at_in_the_next(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that sorts before the place where the pass is, and is old enough before the pass ends."""
    monkeypatch.setattr(watch, "PAGES", 1)
    for name in ("m1", "m2", "m3"):
        night.store(name, 6 * HOUR, seen=True)
    night.run()
    night.store("a", UNSEEN_AFTER - 60, seen=False)
    night.clock.time += HOUR
    assert night.run() == ((), ())
    night.clock.time += PASSES
    assert night.run() == ((), ("a",))


@pytest.mark.parametrize(("late", "found"), [(-60, ()), (60, ("a",))])
def test_open_for_longer_than_the_retries_allow(night: Night, late: float, found: tuple[str, ...]) -> None:
    opened_at = night.clock.now() - RETRY_HOURS * HOUR - OPEN_MARGIN - late
    night.book.own = {"a": {"opened_at": opened_at, "open": "open"}, "b": {"opened_at": 0.0}}
    assert night.run()[0] == found


def test_what_was_ordered_to_run_again_has_its_time_again(night: Night) -> None:
    night.book.own = {"a": {"opened_at": 0.0, "open": "open", "reopened_at": night.clock.now() - HOUR}}
    assert night.run()[0] == ()
    night.clock.time += (RETRY_HOURS + 1) * HOUR + OPEN_MARGIN
    assert night.run()[0] == ("a",)
