"""Once a day the watch examines aliases that end by themselves.

The owner is told a week before. An alias that was not used for as long as its row allows expires then. What the owner
is to be told stands in the ledger, for the digest.
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
    """Examines all aliases."""

    book: EndingBook

    def run(self, day: str, used: Mapping[str, float], now: float) -> None:
        """Examine all aliases. `used` is when each was last used, today included; the news goes into the digest of
        `day`, an ISO date. Raises Temporary; safe to repeat, and to interrupt anywhere."""
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
    """When a row was written or learned, in epoch seconds; 0 if it does not say."""
    found = 0.0
    for name in ("updated_at", AT):
        with suppress(ValueError):
            found = max(found, epoch(row.get(name, 0)))
    return found


def _ends(row: Row, now: float) -> Alias | None:
    """The alias of a row that ends by itself; None if it has no end, is switched off, has ended, or cannot be
    parsed."""
    try:
        alias = Alias.from_row(str(row["address"]), row)
    except BadRow:
        return None  # the watch reports it separately
    over = alias.expires_at is not None and alias.expires_at <= now
    return alias if alias.enabled and not over and (alias.ending or alias.expires_at) else None
