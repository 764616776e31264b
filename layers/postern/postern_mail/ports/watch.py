"""What the hourly check (`watch`) and the daily digest (`owner_mail`) ask of the world."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

from ..mail.digest import Noted, Section
from ..mail.records import dataclass
from ..mail.week import Week


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the bucket has been looked through. Times are epoch seconds.

    `after`: the object to go on behind, "" for a new pass; `checked_until`: older objects were seen
    to be in the ledger by an earlier pass, which ended at `finished_at`.
    """

    after: str = ""
    started_at: float = 0
    checked_until: float = 0
    finished_at: float = 0


@dataclass(frozen=True, slots=True)
class Overlooked:
    """Ids of messages that need somebody."""

    open_too_long: tuple[str, ...]
    never_seen: tuple[str, ...]


class Bucket(Protocol):
    """What is under inbound/."""

    def page(self, after: str) -> tuple[Mapping[str, float], str]:
        """(message ids and when each was stored, what to go on after or "" at the end). Raises Temporary."""


class WatchState(Protocol):
    """The ledger, and what the check remembers in it. All raise Temporary."""

    def open_since_before(self, moment: float) -> Iterator[str]:
        """Ids of messages that were opened before then and are open, oldest first."""

    def seen(self, message_ids: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """The `message` entries of those of these that have one."""

    def entries(self, message_id: str) -> Mapping[str, Mapping[str, Any]]:
        """All entries of a message by name."""

    def progress(self) -> Progress:
        """As it was saved, or as at first."""

    def save(self, progress: Progress) -> None:
        """Remember how far the check came."""

    def remember(self, message_id: str, stored_at: float) -> None:
        """An object that no invocation saw."""

    def remembered(self) -> Mapping[str, float]:
        """Those objects, with the times they were stored at."""

    def forget(self, message_id: str) -> None:
        """It has been run meanwhile."""


class WatchLog(Protocol):
    """Where the check says what it found."""

    def overlooked(self, found: Overlooked) -> None:
        """Counted as OpenTooLong and NeverSeen, also when there are none."""


class News(Protocol):
    """What the owner's digest tells of. All raise Temporary."""

    def noted(self, since: float, now: float) -> Iterator[Noted]:
        """What was noted since then, whenever its message came."""

    def reason(self, noted: Noted) -> str:
        """Why, "" if the ledger does not say."""

    def aliases(self, day: str) -> Collection[Section]:
        """What is told of aliases on this ISO date: those that end soon, and the names that catch-alls learned."""

    def week(self, day: str) -> Week:
        """The figures of the week that ends on this ISO date."""

    def standing(self) -> Collection[Section]:
        """What is so now and needs somebody, whenever it began; none if there is nothing."""
