"""What keeping the domains asks of the world."""

from typing import Protocol

from .plan import Change, Identity, Step
from .records import RecordSet
from .wish import Wish


class Identities(Protocol):
    """The identities of SES in this account and region."""

    def look(self, domain: str) -> Identity | None:
        """The identity of a domain, if there is one. Raises Temporary."""

    def make(self, domain: str, wish: Wish) -> None:
        """Make it with key length, configuration set and tag in one call; one that is there stays as it is.

        Raises Refused if SES takes no such domain, else Temporary.
        """

    def carry_out(self, step: Step) -> None:
        """Set one thing. Raises Refused if SES does not take it, else Temporary."""


class Zones(Protocol):
    """The hosted zones of Route 53."""

    def name(self, zone: str) -> str:
        """The domain of a public zone by its id. Raises Misconfigured if there is none, else Temporary."""

    def look(self, zone: str, name: str, type: str) -> RecordSet | None:
        """The record set of this name and type, if there is one. Raises Temporary."""

    def change(self, zone: str, change: Change) -> None:
        """Make one batch. Raises Refused if what is there is not what the batch expects, else Temporary."""
