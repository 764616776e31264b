"""What the watch needs from outside for aliases that end by themselves."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ..mail.records import dataclass
from ..mail.rows import Row


@dataclass(frozen=True, slots=True)
class Note:
    """What is remembered about an alias, in epoch seconds, 0 for never: when it was first seen, and when its owner was
    told that it ends soon."""

    seen_at: float = 0
    told_at: float = 0


class EndingBook(Protocol):
    """The alias table, and the notes in the ledger. All raise Temporary."""

    def rows(self) -> Iterator[Row]:
        """The rows of all aliases."""

    def notes(self) -> Mapping[str, Note]:
        """The notes, by alias."""

    def taken(self, alias: str) -> int:
        """The number of messages counted for an alias."""

    def note(self, alias: str, note: Note, told: Mapping[str, Any]) -> None:
        """Store a note; `told` is the digest's entry about it, with its day."""

    def forget(self, alias: str) -> None:
        """Delete the note."""

    def end(self, row: Row, now: float) -> None:
        """Make an alias expire now, unless its ending changed since it was read."""
