"""The owner's settings, for functions that do not read a message's rows."""

from typing import Protocol

from ..mail.settings import Settings


class OwnerSettings(Protocol):
    """The settings' item."""

    def read(self) -> Settings:
        """The settings in force. Raises Misconfigured while they cannot be parsed, Temporary."""
