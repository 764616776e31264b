"""What the hourly watch (`teller`) needs from outside in order to tell."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from ..mail.records import dataclass, field
from ..telling import Known, Telling

Where_co = TypeVar("Where_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Told:
    """The findings told before, by examination and by what they are about; `version` counts the changes."""

    version: int = 0
    known: Mapping[str, Mapping[str, Known]] = field(default_factory=dict)


class Named(Protocol[Where_co]):
    """The stack to examine."""

    @property
    def site(self) -> Where_co:
        """What examinations look at."""

    def get(self, thing: str) -> str | None:
        """The name of a part, None if it has none."""


class ToldBook(Protocol):
    """What was told, in the ledger. All raise Temporary."""

    def read(self) -> Told:
        """The stored state, or the initial one."""

    def claim(self, version: int, now: float, seconds: int) -> bool:
        """Claim the telling of what came after this version, for so many seconds; False if another run has it."""

    def keep(self, known: Mapping[str, Mapping[str, Known]], version: int) -> None:
        """Store the findings in place of this version."""


class Post(Protocol):
    """The channel to people that does not depend on our own mail."""

    def has_subscriber(self) -> bool:
        """Whether anyone has confirmed a subscription. Raises Temporary."""

    def publish(self, subject: str, body: str) -> None:
        """Send to all subscribers of the alarms. Raises Temporary."""


class TellingLog(Protocol):
    """Logs the telling."""

    def told(self, telling: Telling) -> None:
        """Log that a mail was sent."""

    def not_subscribed(self) -> None:
        """Log that no one has confirmed a subscription to the alarms, so nothing was sent, and nothing counts as
        told."""
