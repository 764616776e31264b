"""What keeping the domains needs from outside."""

from typing import Protocol

from .plan import Change, Identity, Step
from .records import RecordSet
from .wish import Wish


class Identities(Protocol):
    """The SES identities in this account and region."""

    def look(self, domain: str) -> Identity | None:
        """The identity of a domain, if there is one. Raises Temporary."""

    def make(self, domain: str, wish: Wish) -> None:
        """Create the identity with key length, configuration set and tag in one call; an existing one is left
        unchanged.

        Raises Refused if SES does not accept the domain, else Temporary.
        """

    def carry_out(self, step: Step) -> None:
        """Set one thing. Raises Refused if SES does not accept it, else Temporary."""


class Zones(Protocol):
    """The hosted zones of Route 53."""

    def name(self, zone: str) -> str:
        """The domain of a public zone, by the zone's id. Raises Misconfigured if there is no such zone, else
        Temporary."""

    def look(self, zone: str, name: str, type: str) -> RecordSet | None:
        """The record set of this name and type, if there is one. Raises Temporary."""

    def change(self, zone: str, change: Change) -> None:
        """Submit one batch. Raises Refused if the existing records are not what the batch expects, else Temporary."""
