"""Count what happened to recent mail, from the watch's daily totals and, for today, from the ledger."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from postern_mail.mail.days import A_DAY
from postern_mail.mail.summaries import NO_ALIAS, OUTCOMES, Summary, Use, day_of

if TYPE_CHECKING:
    from postern_mail.aws.watch.summaries import DynamoSummaries

MOST_USES = 100_000  # entries (one per day and alias) that are read: some 20 MB
_NOT_ADDED_UP = 2  # days that may not be added up yet: today, and yesterday for an hour
USED_DAYS = 30
ALL = "all"  # instead of an outcome: for senders and screening, only totals are kept


class By(StrEnum):
    """What the figures are grouped by."""

    DAY = "day"
    OUTCOME = "outcome"
    ALIAS = "alias"
    SENDER = "sender"
    SCREENING = "screening"


@dataclass(frozen=True, slots=True)
class Line:
    """One day, outcome, alias or sender domain: its recipients by outcome, and for an alias when it was last used in
    these days (epoch seconds, 0 for never)."""

    label: str
    counts: Mapping[str, int]
    last_used: int = 0

    @property
    def total(self) -> int:
        """The number of recipients."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Figures:
    """The mail from one ISO date to another; days in order, all else by number. `partial`: there was more mail than
    was read."""

    by: By
    first: str
    last: str
    lines: tuple[Line, ...]
    partial: bool = False

    @property
    def title(self) -> str:
        """A title for the figures."""
        return f"Mail from {self.first} to {self.last} (UTC), by {self.by}"

    @property
    def by_outcome(self) -> bool:
        """Whether each line has counts by outcome."""
        return self.by not in (By.SENDER, By.SCREENING)


@dataclass(slots=True)
class _Sum:
    counts: Counter[str] = field(default_factory=Counter)
    last_used: int = 0

    def add(self, use: Use) -> None:
        self.counts.update(use.counts)
        self.last_used = max(self.last_used, use.last_used)


def figures(
    book: "DynamoSummaries", by: By, days: int, now: float | None = None, *, added_up_only: bool = False
) -> Figures:
    """The figures of the last `days` days, including today. A day that is not added up yet is read message by message;
    with `added_up_only` it is skipped, so that a few calls are enough for any amount of mail. Raises Temporary."""
    now = time.time() if now is None else now
    dates = [day_of(now - back * A_DAY) for back in reversed(range(days))]
    known = book.days(dates[0], dates[-1])
    recent = [] if added_up_only else dates[-_NOT_ADDED_UP:]
    read = {day: book.of_day(day) for day in recent if day not in known}
    partial = any(one.partial for one in known.values()) or any(one.partial for one in read.values())
    made: Iterable[Line]
    match by:
        case By.DAY | By.OUTCOME:
            counts = {day: one.counts for day, one in known.items()} | {day: one.counts for day, one in read.items()}
            made = _by_day(dates, counts) if by is By.DAY else _by_outcome(counts.values())
        case By.ALIAS:
            made, more = _by_alias(book, dates, read)
            partial = partial or more
        case By.SCREENING:
            made = _by_screening(*(one.screening for one in known.values()), *(one.screening for one in read.values()))
        case By.SENDER:
            made = _by_sender(book, dates, read)
    return Figures(by, dates[0], dates[-1], tuple(made), partial)


def alias_uses(
    book: "DynamoSummaries", days: int = USED_DAYS, now: float | None = None, *, added_up_only: bool = False
) -> dict[str, Use]:
    """By alias key: the mail to each alias in the last `days` days, and when it was last used, however long ago.
    Raises Temporary."""
    found = figures(book, By.ALIAS, days, now, added_up_only=added_up_only)
    uses = {one.label: Use(one.counts, one.last_used) for one in found.lines}
    for alias, at in book.last_used().items():
        known = uses.get(alias, Use())
        uses[alias] = Use(known.counts, max(known.last_used, int(at)))
    return uses


def _by_day(dates: Iterable[str], counts: Mapping[str, Mapping[str, int]]) -> list[Line]:
    return [Line(day, counts.get(day, {})) for day in dates]


def _by_outcome(counts: Iterable[Mapping[str, int]]) -> list[Line]:
    found: Counter[str] = Counter()
    for one in counts:
        found.update(one)
    return [Line(outcome, {outcome: found[outcome]}) for outcome in OUTCOMES if found[outcome]]


def _by_alias(book: "DynamoSummaries", dates: list[str], read: Mapping[str, Summary]) -> tuple[list[Line], bool]:
    found: dict[str, _Sum] = {}
    kept = book.uses(dates[0], dates[-1])
    for day, alias, use in islice(kept, MOST_USES):
        if day not in read:
            found.setdefault(alias, _Sum()).add(use)
    for one in read.values():
        for alias, use in one.aliases.items():
            found.setdefault(alias, _Sum()).add(use)
    named = {alias: "(no alias)" if alias == NO_ALIAS else alias for alias in found}
    lines = [Line(named[alias], dict(one.counts), one.last_used) for alias, one in found.items()]
    return _most_first(lines), next(kept, None) is not None


def _by_sender(book: "DynamoSummaries", dates: list[str], read: Mapping[str, Summary]) -> list[Line]:
    found: Counter[str] = Counter()
    for day, counts in book.senders(dates[0], dates[-1]):
        found.update({} if day in read else counts)
    for one in read.values():
        found.update(one.senders)
    return _most_first([Line(domain, {ALL: number}) for domain, number in found.items()])


def _by_screening(*counts: Mapping[str, int]) -> list[Line]:
    found: Counter[str] = Counter()
    for one in counts:
        found.update(one)
    return _most_first([Line(word, {ALL: number}) for word, number in found.items()])


def _most_first(lines: list[Line]) -> list[Line]:
    return sorted(lines, key=lambda one: (-one.total, one.label))


def shortened(found: Figures, most: int) -> Figures:
    """The first lines, and one for the rest; days are never left out."""
    if found.by is By.DAY or len(found.lines) <= most:
        return found
    rest: Counter[str] = Counter()
    for one in found.lines[most:]:
        rest.update(one.counts)
    others = Line(f"({len(found.lines) - most} others)", dict(rest))
    return Figures(found.by, found.first, found.last, (*found.lines[:most], others), found.partial)
