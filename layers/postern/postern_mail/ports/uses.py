"""What an alias that ends after so many messages needs from outside."""

from typing import Protocol

from ..mail.endings import Counted


class Uses(Protocol):
    """The number of messages that an alias took."""

    def count(self, row: Counted, message_id: str) -> bool:
        """Whether this message is within the row's limit; it counts once, however often this is called. Raises
        Temporary."""
