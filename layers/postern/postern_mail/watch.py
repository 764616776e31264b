"""Finds what was overlooked: messages open for longer than events are retried, and objects that no invocation saw.

Runs on a schedule. Each run lists some pages of the bucket and remembers where it stopped; the ledger is asked only
about objects stored since the previous pass. Findings are remembered too, and checked again each run, so that they
count until they are fixed.
"""

from collections.abc import Mapping
from itertools import islice

from .mail.envelope import SETUP_NOTIFICATION
from .mail.records import dataclass, replace
from .ports.clock import Clock
from .ports.watch import Bucket, Overlooked, WatchLog, WatchState

PAGES = 50  # of 1,000 objects in one run: half a minute at most, with the queries to the ledger
UNSEEN_AFTER = 5 * 3600  # seconds: SES itself tries to hand a message over for 4 hours
# Seconds between two passes through the bucket: listing it costs more than anything else an idle stack does.
PASSES = 3 * 3600 - 600  # the third hourly run, give or take some minutes
# After the last retry: Lambda's own queue may keep an event for 6 hours before, and the pauses are of 1 hour.
OPEN_MARGIN = 8 * 3600
MOST_NAMED = 1000  # open messages that are examined


@dataclass(frozen=True, slots=True)
class Unseen:
    """Objects that no invocation saw, with when each was stored (epoch seconds), and those that were processed
    since."""

    stored_at: Mapping[str, float]
    run_meanwhile: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Compares what should have happened with what the ledger says."""

    bucket: Bucket
    book: WatchState
    clock: Clock
    log: WatchLog
    retry_hours: int

    def run(self) -> Overlooked:
        """Look once, and return and count the findings. Raises Temporary."""
        self._look_through_the_bucket()
        unseen = never_seen(self.book)
        for message_id in unseen.run_meanwhile:
            self.book.forget(message_id)
        found = Overlooked(open_too_long(self.book, self.clock.now(), self.retry_hours), tuple(unseen.stored_at))
        self.log.overlooked(found)
        return found

    def _look_through_the_bucket(self) -> None:
        now = self.clock.now()
        progress = self.book.progress()
        if not progress.after:
            if now - progress.started_at < PASSES:
                return
            progress = replace(progress, started_at=now)
        until = progress.started_at - UNSEEN_AFTER
        for _ in range(PAGES):
            stored, after = self.bucket.page(progress.after)
            times = {
                message_id: at
                for message_id, at in stored.items()
                if progress.checked_until <= at < until and message_id != SETUP_NOTIFICATION
            }
            for message_id in times.keys() - self.book.message_entries(tuple(times)).keys():
                self.book.remember(message_id, times[message_id])
            progress = replace(progress, after=after)
            if not after:
                progress = replace(progress, checked_until=until, finished_at=now)
                break
        self.book.save(progress)


def open_too_long(book: WatchState, now: float, retry_hours: float) -> tuple[str, ...]:
    """Messages that are open although nothing retries them any more: they were opened, or ordered to run again, longer
    ago than events are retried. Raises Temporary."""
    limit = now - retry_hours * 3600 - OPEN_MARGIN
    old = list(islice(book.open_since_before(limit), MOST_NAMED))
    entries = book.message_entries(old)
    return tuple(message_id for message_id in old if float(entries.get(message_id, {}).get("reopened_at", 0)) < limit)


def ordered_in_vain(book: WatchState, now: float) -> Mapping[str, float]:
    """Open messages that a person ordered to run again, with when (epoch seconds), and that no invocation took up
    since: the order may have been interrupted before its event was sent. Raises Temporary."""
    opened = list(islice(book.open_since_before(now), MOST_NAMED))
    entries = book.message_entries(opened)
    ordered = {one: float(entries.get(one, {}).get("reopened_at", 0)) for one in opened}
    return {one: at for one, at in ordered.items() if at > float(entries.get(one, {}).get("checked_at", 0))}


def never_seen(book: WatchState) -> Unseen:
    """The remembered objects that no invocation saw. Raises Temporary."""
    stored_at = book.remembered()
    seen = book.message_entries(tuple(stored_at))
    return Unseen({one: at for one, at in sorted(stored_at.items()) if one not in seen}, tuple(sorted(seen)))
