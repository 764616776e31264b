"""The watch adds up each day that is over, for counts, charts and endings. On the way of a message nothing counts."""

from .mail.records import dataclass
from .mail.summaries import due
from .ports.clock import Clock
from .ports.summaries import SummaryBook

MOST_DAYS = 8  # in one run
SECONDS = 45  # after which no other day is begun: the function has two minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class DailySummaries:
    """Adds up what is due."""

    book: SummaryBook
    clock: Clock

    def run(self) -> tuple[str, ...]:
        """The days that were added up. Raises Temporary; safe to repeat, and to kill anywhere."""
        began = self.clock.now()
        done: list[str] = []
        for day in due(self.book.added_up(began), began)[:MOST_DAYS]:
            if self.clock.now() > began + SECONDS:
                break
            self.book.keep(day, self.book.of_day(day), began)
            done.append(day)
        return tuple(done)
