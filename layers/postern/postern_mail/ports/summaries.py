"""What the adding up of days (`daily_summaries`) asks of the world."""

from collections.abc import Mapping
from typing import Protocol

from ..mail.summaries import Summary


class SummaryBook(Protocol):
    """The ledger as its days are added up. All raise Temporary."""

    def added_up(self, now: float) -> Mapping[str, float]:
        """When the days of the last weeks were added up, by ISO date; infinity for one without mail."""

    def of_day(self, day: str) -> Summary:
        """A day's mail as the ledger has it."""

    def last_used(self) -> Mapping[str, float]:
        """When each alias was last used, by the days that were added up, epoch seconds."""

    def keep(self, day: str, found: Summary, now: float) -> None:
        """Write what is not there yet, in the place of what stood there. Safe to repeat and to break off."""
