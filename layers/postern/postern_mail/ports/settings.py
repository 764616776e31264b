"""The owner's settings, for whoever reads no rows of a message."""

from typing import Protocol

from ..mail.settings import Settings


class OwnerSettings(Protocol):
    """The settings' item."""

    def read(self) -> Settings:
        """Those that hold now. Raises Misconfigured while they cannot be understood, Temporary."""
