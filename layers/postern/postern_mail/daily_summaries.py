"""The watch adds up each completed day, for counts, charts and alias endings. No counting happens while a message is
forwarded."""

from collections.abc import Mapping

from .endings import Endings
from .mail.days import A_DAY
from .mail.records import dataclass
from .mail.summaries import Summary, day_of, due
from .ports.clock import Clock
from .ports.summaries import SummaryBook

MOST_DAYS = 8  # in one run
DIGEST_AT = 4 * 3600  # seconds after midnight; later entries go into the next day's digest
SECONDS = 45  # after which no further day is started: the function has two minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class DailySummaries:
    """Adds up the days that are due."""

    book: SummaryBook
    clock: Clock
    endings: Endings | None = None

    def run(self) -> tuple[str, ...]:
        """Add up and return the days that are due. Raises Temporary; safe to repeat, and to interrupt anywhere."""
        began = self.clock.now()
        done: list[str] = []
        for day in due(self.book.added_up(began), began)[:MOST_DAYS]:
            if self.clock.now() > began + SECONDS:
                break
            found = self.book.of_day(day)
            if self.endings is not None and day == day_of(began - A_DAY):
                told_in = day if began % A_DAY < DIGEST_AT else day_of(began)
                self.endings.run(told_in, self._used(found, began), began)
            self.book.keep(day, found, began)
            done.append(day)
        return tuple(done)

    def _used(self, yesterday: Summary, now: float) -> Mapping[str, float]:
        """When each alias was last used, up to now, in epoch seconds."""
        found = dict(self.book.last_used())
        for day in (yesterday, self.book.of_day(day_of(now))):
            found |= {key: max(found.get(key, 0), use.last_used) for key, use in day.aliases.items()}
        return found
