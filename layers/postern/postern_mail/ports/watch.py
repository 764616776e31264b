"""What the hourly watch (`watch`) and the daily digest (`owner_mail`) need from outside."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

from ..mail.digest import Noted, Section
from ..mail.records import dataclass
from ..mail.week import Week


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass through the bucket has come. Times are epoch seconds.

    `after`: the object to continue after, "" for a new pass; `checked_until`: an earlier pass, which ended at
    `finished_at`, found all older objects in the ledger.
    """

    after: str = ""
    started_at: float = 0
    checked_until: float = 0
    finished_at: float = 0


@dataclass(frozen=True, slots=True)
class Overlooked:
    """Ids of messages that need attention."""

    open_too_long: tuple[str, ...]
    never_seen: tuple[str, ...]


class Bucket(Protocol):
    """The messages in the mail bucket."""

    def page(self, after: str) -> tuple[Mapping[str, float], str]:
        """One page: (message ids and when each was stored, what to continue after or "" at the end). Raises
        Temporary."""


class WatchState(Protocol):
    """The ledger, and what the watch remembers in it. All raise Temporary."""

    def open_since_before(self, moment: float) -> Iterator[str]:
        """Ids of messages that were opened before then and are still open, oldest first."""

    def message_entries(self, message_ids: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """The `message` entries of those messages that have one."""

    def entries(self, message_id: str) -> Mapping[str, Mapping[str, Any]]:
        """All entries of a message by name."""

    def progress(self) -> Progress:
        """The saved progress, or the initial one."""

    def save(self, progress: Progress) -> None:
        """Remember how far the watch came."""

    def remember(self, message_id: str, stored_at: float) -> None:
        """Remember an object that no invocation saw."""

    def remembered(self) -> Mapping[str, float]:
        """The remembered objects, with when each was stored (epoch seconds)."""

    def forget(self, message_id: str) -> None:
        """Forget an object that has been processed since."""


class WatchLog(Protocol):
    """Logs what the watch found."""

    def overlooked(self, found: Overlooked) -> None:
        """Log and count the findings as OpenTooLong and NeverSeen, zeros too."""


class News(Protocol):
    """What the owner's digest reports. All raise Temporary."""

    def noted(self, since: float, now: float) -> Iterator[Noted]:
        """What was noted since then, whenever its message came."""

    def reason(self, noted: Noted) -> str:
        """Why, "" if the ledger does not say."""

    def aliases(self, day: str) -> Collection[Section]:
        """The sections about aliases for this ISO date: those that end soon, and names that catch-alls learned."""

    def week(self, day: str) -> Week:
        """The figures of the week that ends on this ISO date."""

    def standing(self) -> Collection[Section]:
        """The sections about current problems, whenever they began; none if there are none."""
