"""The clock, which most modules need."""

from typing import Protocol


class Clock(Protocol):
    """The clock."""

    def now(self) -> float:
        """Seconds since 1970."""
