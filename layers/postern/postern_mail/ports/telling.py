"""What the telling of the hourly watch (`teller`) asks of the world."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from ..mail.records import dataclass, field
from ..telling import Known, Telling

Where_co = TypeVar("Where_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Told:
    """What was found before, by examination and by what it is about; `version` counts the changes."""

    version: int = 0
    known: Mapping[str, Mapping[str, Known]] = field(default_factory=dict)


class Named(Protocol[Where_co]):
    """The stack that is looked at."""

    @property
    def site(self) -> Where_co:
        """What examinations look at."""

    def get(self, thing: str) -> str | None:
        """The name of a part, None if it has none."""


class ToldBook(Protocol):
    """What was told, in the ledger. All raise Temporary."""

    def read(self) -> Told:
        """As it was kept, or as at first."""

    def claim(self, version: int, now: float, seconds: int) -> bool:
        """Whether nobody else tells what came after this version: then nobody does for so many seconds."""

    def keep(self, known: Mapping[str, Mapping[str, Known]], version: int) -> None:
        """Instead of this version."""


class Post(Protocol):
    """The way to people that is not our own mail."""

    def is_heard(self) -> bool:
        """Whether anybody hears. Raises Temporary."""

    def publish(self, subject: str, body: str) -> None:
        """To all who hear the alarms. Raises Temporary."""


class TellingLog(Protocol):
    """Where the telling says what it did."""

    def told(self, telling: Telling) -> None:
        """A mail was sent."""

    def unheard(self) -> None:
        """Nobody has confirmed the subscription to the alarms, so nothing was sent, and nothing counts as told."""
