"""A week in figures, for the owner's mail, from the days that the watch added up."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from .digest import WEEK, Line, Section
from .outcomes import State
from .records import dataclass
from .summaries import LOST

_MOST_USED = 5
_SUNDAY = 6  # datetime.date.weekday
_WORDS = {  # in the order of the text
    "sent on": (State.FORWARDED, State.MERGED),
    "rejected": (State.REJECTED, State.DISCARDED),
    "kept": (State.QUARANTINED,),
    "lost": (LOST, State.FAILED, State.AMBIGUOUS),
    "waiting": (State.DEFERRED, State.PENDING),
}


@dataclass(frozen=True, slots=True)
class Week:
    """Counts by outcome for each of seven days and of the seven before, by ISO date, where known; and the number of
    messages for each alias."""

    days: Mapping[str, Mapping[str, int]]
    before: Mapping[str, Mapping[str, int]]
    aliases: Mapping[str, int]


def ends(day: str) -> bool:
    """Whether a week ends on this ISO date: whether it is a Sunday."""
    return date.fromisoformat(day).weekday() == _SUNDAY


def dates(day: str, weeks_ago: int = 0) -> list[str]:
    """The seven ISO dates up to this one, or as many weeks earlier."""
    last = date.fromisoformat(day) - timedelta(weeks=weeks_ago)
    return [(last - timedelta(days=back)).isoformat() for back in range(6, -1, -1)]


def section(day: str, week: Week) -> Section | None:
    """The section about the week that ends on this date; None if no mail came."""
    total = _total(week.days)
    if not total:
        return None
    return Section(WEEK, tuple(map(Line, _lines(day, week, total))), total)


def _lines(day: str, week: Week, total: int) -> Iterator[str]:
    before = _total(week.before)
    yield f"{total:,} came; {before:,} in the week before." if week.before else f"{total:,} came."
    counts: Counter[str] = Counter()
    for one in week.days.values():
        counts.update(one)
    said = [f"{number:,} {word}" for word, of in _WORDS.items() if (number := sum(counts[str(one)] for one in of))]
    yield f"{', '.join(said)}."
    most = sorted(week.aliases.items(), key=lambda one: (-one[1], one[0]))[:_MOST_USED]
    if most:
        yield f"Most used: {', '.join(f'{alias} {number:,}' for alias, number in most)}."
    if missing := [one for one in dates(day) if one not in week.days]:
        yield f"Not counted yet: {', '.join(missing)}."


def _total(days: Mapping[str, Mapping[str, int]]) -> int:
    return sum(sum(counts.values()) for counts in days.values())
