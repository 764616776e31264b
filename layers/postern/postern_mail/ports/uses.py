"""What an alias that ends after so many messages asks of the world."""

from typing import Protocol

from ..mail.endings import Counted


class Uses(Protocol):
    """How many messages went to an alias."""

    def count(self, row: Counted, message_id: str) -> bool:
        """Whether this message is among those that the row takes; it counts once, however often it is asked. Raises
        Temporary."""
