"""A day's mail, added up: by outcome, by alias and by the sender's domain.

Each recipient counts once, under the word that `postern log` shows: `lost` in place of `forwarded` if SES reported
later that the message did not arrive. A day is a UTC day, and a message belongs to the day on which it was first
handled. All of this is in the ledger, so adding up a day again gives the same result.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .afterwards import Later, afterwards
from .days import A_DAY
from .outcomes import State
from .records import dataclass, field

NO_ALIAS = "-"  # the alias of mail that no row matched
NO_SENDER = "<>"  # the domain of the null sender
LOST = str(Later.LOST)
OUTCOMES = (*(str(one) for one in State if one is not State.TESTED), LOST)
KEEP_DAYS = 400
LOOK_BACK = 21  # days; the ledger keeps at least 23
AGAIN = 3  # more times a day is added up, a day apart: mail is retried for 36 hours, and bounces take days
GRACE = 900  # seconds after midnight before a day is added up: clocks differ, and an index lags behind its table
_RULE = re.compile(r"\bheader rule [0-9]{3}\b")
MOST_SENDERS = 100  # domains of a day that are counted separately


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient: the key of the matching row (NO_ALIAS for none), the sender's domain, the outcome,
    when the message was first handled (epoch seconds), and the header rules that matched."""

    alias: str
    sender: str
    outcome: str
    at: float
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """What became of an alias's mail, by outcome, and when it was last used (any outcome but `rejected`); 0 for
    never."""

    counts: Mapping[str, int] = field(default_factory=dict)
    last_used: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A day's mail. `senders` are the MOST_SENDERS domains with the most recipients; `partial` says that there was more
    mail than was read. `screening` counts messages by the words of `screening`."""

    counts: Mapping[str, int] = field(default_factory=dict)
    aliases: Mapping[str, Use] = field(default_factory=dict)
    senders: Mapping[str, int] = field(default_factory=dict)
    partial: bool = False
    screening: Mapping[str, int] = field(default_factory=dict)


def fates(message: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]) -> Iterator[Fate]:
    """What became of each recipient of a message, from its own entry and those of the recipients (with those of the
    destinations, if a forward was lost). The daily test does not count."""
    sender = sender_domain(str(message.get("source", "")))
    lost = {f"{LOST} {who}" for who in message.get("recipients", ())} & set(message.get("noted", ()))
    for who in sorted(message.get("recipients", ())):
        entry = entries.get(f"to:{who}", {})
        state = State.of(entry)
        if state is State.TESTED:
            continue
        later = afterwards(who, entries) if f"{LOST} {who}" in lost else None
        outcome = LOST if later is not None and later.state is Later.LOST else str(state)
        rules = tuple(dict.fromkeys(_RULE.findall(str(entry.get("reason", "")))))
        yield Fate(str(entry.get("alias", NO_ALIAS)), sender, outcome, float(message["opened_at"]), rules)


def screening(message: Mapping[str, Any]) -> Iterator[str]:
    """The results of screening a message, from its entry, in our words and those of the owner's settings."""
    found: Mapping[str, Any] = message.get("screened") or {}
    if "release_at" in message:
        yield "held"
    if not found:
        return
    yield "screened"
    points, _, threshold = str(found.get("score", "")).partition(" of ")
    if threshold and int(points) >= int(threshold):
        yield "threshold reached"
    if found.get("client") == "unknown":
        yield "client unknown"
    if found.get("skipped"):
        yield "client is a forwarder"
    listed = set(found.get("listed", ()))
    yield from (f"listed: {zone}" for zone in sorted(listed))
    restrictions = {str(said).partition(" (")[0] for said in found.get("found", ())} - listed
    yield from sorted(restrictions)
    yield from (f"error: {zone}" for zone in sorted({str(said).partition(":")[0] for said in found.get("errors", ())}))
    yield from (f"late: {zone}" for zone in found.get("late", ()))


def sender_domain(source: str) -> str:
    """The domain of an envelope's sender, in lower case; NO_SENDER for the null sender."""
    return source.rpartition("@")[2].strip("<> ").lower() or NO_SENDER


def summary(found: Iterable[Fate], words: Iterable[str] = (), *, partial: bool = False) -> Summary:
    """Add up a day's mail, in any order. `words` are those of `screening`, for all messages."""
    screened = Counter(words)
    counts: Counter[str] = Counter()
    senders: Counter[str] = Counter()
    by_alias: dict[str, Counter[str]] = {}
    last: dict[str, int] = {}
    for one in found:
        counts[one.outcome] += 1
        screened.update(one.rules)
        senders[one.sender] += 1
        by_alias.setdefault(one.alias, Counter())[one.outcome] += 1
        if one.outcome != State.REJECTED:
            last[one.alias] = max(last.get(one.alias, 0), int(one.at))
    most = sorted(senders.items(), key=lambda each: (-each[1], each[0]))[:MOST_SENDERS]
    aliases = {key: Use(dict(sorted(each.items())), last.get(key, 0)) for key, each in sorted(by_alias.items())}
    return Summary(dict(sorted(counts.items())), aliases, dict(most), partial, dict(sorted(screened.items())))


def due(folded: Mapping[str, float], now: float) -> tuple[str, ...]:
    """The days to add up, the latest first, as ISO dates. `folded` is when each day was added up, in epoch seconds.

    Each day is added up once it is over, and again on the AGAIN days that follow, to include later feedback.
    """
    today = int((now - GRACE) // A_DAY)
    wanted = [
        iso(number)
        for number in range(today - LOOK_BACK, today)
        if folded.get(iso(number), 0) < min(today, number + 1 + AGAIN) * A_DAY + GRACE
    ]
    return tuple(reversed(wanted))


def iso(number: int) -> str:
    """The ISO date of a day, from its number since 1970."""
    return datetime.fromtimestamp(number * A_DAY, UTC).date().isoformat()


def day_of(seconds: float) -> str:
    """The ISO date of a time in epoch seconds, in UTC."""
    return iso(int(seconds // A_DAY))


def start_of(day: str) -> int:
    """The start of an ISO date, in epoch seconds. Raises ValueError."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def forgotten_at(day: str) -> int:
    """When a day's summary expires, in epoch seconds."""
    return start_of(day) + (1 + KEEP_DAYS) * A_DAY
