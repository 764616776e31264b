"""Once a day the watch looks at aliases that end by themselves.

The owner hears of it a week before. What nobody used for as long as its row says expires then. What is to be told
stands in the ledger, for the digest.
"""

from collections.abc import Mapping
from contextlib import suppress

from .mail.aliases import Alias
from .mail.days import A_DAY
from .mail.endings import WEEK, coming
from .mail.learning import AT
from .mail.records import dataclass
from .mail.rows import BadRow, Row, epoch
from .ports.endings import EndingBook, Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """Looks at all aliases."""

    book: EndingBook

    def run(self, day: str, used: Mapping[str, float], now: float) -> None:
        """`used` is when each alias was last used, today with it; what is told is told in the digest of this ISO date.
        Raises Temporary; safe to repeat, and to kill anywhere."""
        notes = dict(self.book.notes())
        for row in self.book.rows():
            alias = _ends(row, now)
            if alias is not None:
                self._look(alias, row, notes.pop(alias.key, Note()), used, day, now)
        for gone in notes:
            self.book.forget(gone)

    def _look(self, alias: Alias, row: Row, note: Note, used: Mapping[str, float], day: str, now: float) -> None:
        known = note.seen_at or now
        since = max(used.get(alias.key, 0), _written(row)) or known
        taken = self.book.taken(alias.key) if alias.ending and alias.ending.messages else 0
        found = coming(alias.expires_at, alias.ending, since, taken, now)
        if found is None:
            if note != Note(known):
                self.book.note(alias.key, Note(known), {})
        elif not note.told_at:
            self.book.note(alias.key, Note(known, now), {"told": day, "why": found.why})
        elif found.over and note.told_at <= now - WEEK + A_DAY // 2:
            self.book.end(row, now)


def _written(row: Row) -> float:
    """When a row was written or learned, 0 if it does not say so."""
    found = 0.0
    for name in ("updated_at", AT):
        with suppress(ValueError):
            found = max(found, epoch(row.get(name, 0)))
    return found


def _ends(row: Row, now: float) -> Alias | None:
    """What a row means, None where it does not end by itself, is off or over, or cannot be understood."""
    try:
        alias = Alias.from_row(str(row["address"]), row)
    except BadRow:
        return None  # the watch tells of it by itself
    over = alias.expires_at is not None and alias.expires_at <= now
    return alias if alias.enabled and not over and (alias.ending or alias.expires_at) else None
