"""What the watch asks of the world about aliases that end by themselves."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ..mail.records import dataclass
from ..mail.rows import Row


@dataclass(frozen=True, slots=True)
class Note:
    """What is remembered of an alias: since when it is known, and when its owner was told that it ends soon, epoch
    seconds, 0 for not."""

    seen_at: float = 0
    told_at: float = 0


class EndingBook(Protocol):
    """The alias table, and what is remembered in the ledger. All raise Temporary."""

    def rows(self) -> Iterator[Row]:
        """All aliases."""

    def notes(self) -> Mapping[str, Note]:
        """What is remembered, by alias."""

    def taken(self, alias: str) -> int:
        """How many messages count for an alias."""

    def note(self, alias: str, note: Note, told: Mapping[str, Any]) -> None:
        """Remember it; `told` is what the digest says of it, and of which day."""

    def forget(self, alias: str) -> None:
        """There is nothing to remember."""

    def end(self, row: Row, now: float) -> None:
        """Let an alias expire now, unless its ending was changed meanwhile."""
