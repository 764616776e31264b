"""What adding up the days (`daily_summaries`) needs from outside."""

from collections.abc import Mapping
from typing import Protocol

from ..mail.summaries import Summary


class SummaryBook(Protocol):
    """The ledger, for adding up its days. All raise Temporary."""

    def added_up(self, now: float) -> Mapping[str, float]:
        """When each day of the last weeks was added up, by ISO date; infinity for a day without mail."""

    def of_day(self, day: str) -> Summary:
        """A day's mail, from the ledger."""

    def last_used(self) -> Mapping[str, float]:
        """When each alias was last used, in epoch seconds, from the days added up."""

    def keep(self, day: str, found: Summary, now: float) -> None:
        """Store a day's summary in place of an earlier one. Safe to repeat and to interrupt."""
