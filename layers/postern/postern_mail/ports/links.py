"""What the links (`links`) ask of the world."""

from collections.abc import Mapping
from typing import Any, Protocol

from ..mail.link import Link
from ..mail.link_pages import Done

Entries = Mapping[str, Mapping[str, Any]]


class LinkBook(Protocol):
    """Which links were used, in the ledger. All raise Temporary."""

    def entries(self, partition: str) -> Entries:
        """What the ledger says of a message, and of the links that were used for it, by name."""

    def take(self, link: Link, name: str) -> bool:
        """Whether nobody has used the link, or is about to: then it is ours for some seconds."""

    def keep(self, link: Link, name: str, said: str) -> None:
        """It was used, and what came of it."""

    def give_back(self, link: Link, name: str) -> None:
        """It can be used again."""


class Deeds(Protocol):
    """What links do, each once however often it is asked for. All raise Temporary, and Overtaken where somebody else
    changed the same at the same time."""

    def release(self, link: Link, entries: Entries) -> Done:
        """Forward a message that is kept."""

    def block(self, link: Link) -> Done:
        """Write the rule that rejects a sender's mail, where he has none."""

    def off(self, link: Link) -> Done:
        """Have an address reject mail."""

    def resume(self, link: Link) -> Done:
        """Let a destination get mail again."""

    def fetch(self, link: Link) -> Done:
        """An address from which the message can be had for 5 minutes. Raises MessageMissing."""


class LinkLog(Protocol):
    """Where it is said what links did."""

    def link(self, link: Link, said: str) -> None:
        """A link was used."""
