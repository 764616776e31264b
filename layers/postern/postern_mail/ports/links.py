"""What the links (`links`) need from outside."""

from collections.abc import Mapping
from typing import Any, Protocol

from ..mail.link import Link
from ..mail.link_pages import Done

Entries = Mapping[str, Mapping[str, Any]]


class LinkBook(Protocol):
    """Which links were used, in the ledger. All raise Temporary."""

    def entries(self, partition: str) -> Entries:
        """The ledger's entries of a message, and of the links used for it, by name."""

    def take(self, link: Link, name: str) -> bool:
        """Claim a link for some seconds. Returns False if it was used, or another request has claimed it."""

    def keep(self, link: Link, name: str, said: str) -> None:
        """Note that the link was used, and the result."""

    def give_back(self, link: Link, name: str) -> None:
        """Release the claim, so that the link can be used again."""


class Deeds(Protocol):
    """The actions behind links, each done once however often it is called. All raise Temporary, and Overtaken if the
    same thing was changed at the same time."""

    def release(self, link: Link, entries: Entries) -> Done:
        """Forward a quarantined message."""

    def block(self, link: Link) -> Done:
        """Write the rule that rejects a sender's mail, if the sender has no rule."""

    def off(self, link: Link) -> Done:
        """Make an address reject mail."""

    def resume(self, link: Link) -> Done:
        """Resume a suspended destination."""

    def fetch(self, link: Link) -> Done:
        """A URL that serves the message for 5 minutes. Raises MessageMissing."""


class LinkLog(Protocol):
    """Logs what links did."""

    def link(self, link: Link, said: str) -> None:
        """Log that a link was used."""
