"""The time, which all ask for."""

from typing import Protocol


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Seconds since 1970."""
