"""News for the owner's digest: notes in the ledger, and what waits in queues and tables."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ...mail.days import A_DAY
from ...mail.digest import (
    DEAD,
    ENDING,
    HOST_LOST,
    LEARNED,
    LOST,
    MAX_LINES,
    SENT_AS_LOST,
    STUCK,
    SUSPENDED,
    UNSEEN,
    Noted,
    Section,
    line,
    with_links,
)
from ...mail.dsn import UNANSWERED
from ...mail.feedback import lost_by
from ...mail.link_lines import MOST, LinkLines
from ...mail.records import replace
from ...mail.summaries import NO_ALIAS
from ...mail.week import Week, dates
from ...ports.clock import Clock
from ...watch import never_seen, open_too_long
from ..destinations import DynamoDestinations
from ..forward.learned import PARTITION
from .backlog import Backlog
from .endings import PARTITION as ENDINGS
from .state import DynamoWatchState
from .summaries import DynamoSummaries


class StackFacts:
    """The news of one stack."""

    def __init__(  # noqa: PLR0913 (what it looks at)
        self,
        ledger: DynamoWatchState,
        dead_letters: Backlog,
        *,
        clock: Clock,
        retry_hours: int,
        keep_days: int,
        destinations: DynamoDestinations | None = None,
        summaries: DynamoSummaries,
        stack: str,
        links: LinkLines | None = None,
    ) -> None:
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._clock = clock
        self._retry_hours = retry_hours
        self._keep_seconds = keep_days * A_DAY
        self._destinations = destinations
        self._links = links
        self._summaries = summaries
        self._stack = stack
        self._of_hosts: dict[tuple[str, str], str] = {}  # why, by the ids and recipients that noted() returned

    def noted(self, since: float, now: float) -> Iterator[Noted]:
        """What was noted since then, however old the message is. Raises Temporary."""
        for message in self._ledger.messages(now - self._keep_seconds, now, noted=True):
            at = float(message.get("noted_at", 0))
            for note in message["noted"] if at >= since else ():
                word, _, who = note.partition(" ")
                yield Noted(word, message["message_id"], str(message.get("source", "")), who, at)
        for note in self._ledger.host_mail(since):
            ses_id, who = note["entry"].partition(" ")[0], note["who"]
            self._of_hosts[ses_id, who] = f"{note['kind']}: {note['why']}"
            yield Noted(note["word"], ses_id, note["source"], who, float(note["noted_at"]))

    def reason(self, noted: Noted) -> str:
        """Why, from the recipient's own entry, or from SES's feedback on its forwards. Raises Temporary."""
        if noted.word in (HOST_LOST, SENT_AS_LOST):
            return self._of_hosts.get((noted.message_id, noted.who), "")
        entries = self._ledger.entries(noted.message_id)
        if noted.word != LOST:
            kept = "answer" if noted.word == UNANSWERED else "reason"
            return str(entries.get(f"to:{noted.who}", {}).get(kept, ""))
        lost = [
            f"{name.removeprefix('via:')}: {said.get('why', '')}"
            for name, entry in sorted(entries.items())
            if entry.get("recipient") == noted.who and (said := lost_by(entry))
        ]
        return "; ".join(lost)

    def aliases(self, day: str) -> tuple[Section, ...]:
        """Aliases that end soon, and learned names. Raises Temporary."""
        told = [(key, one) for key, one in sorted(self._ledger.entries(ENDINGS).items()) if one.get("told") == day]
        ending = self._section(ENDING, [(key, f"{key}: {one['why']}") for key, one in told])
        return tuple(one for one in (ending, self._learned(day)) if one.total)

    def _learned(self, day: str) -> Section:
        """The names counted that day, whether or not their rows still exist."""
        entries = self._ledger.entries(PARTITION, beginning=f"{day} ").values()
        found = sorted(name for one in entries for name in one.get("names", ()))
        made = self._section(LEARNED, [(name, name) for name in found])
        if self._links is None:
            return made
        now, links = self._clock.now(), self._links
        return replace(made, lines=with_links(made.lines, [links.address(name, now) for name in found[:MOST]]))

    def week(self, day: str) -> Week:
        """The days added up, and the week's aliases. Raises Temporary."""
        days, before = dates(day), dates(day, 1)
        known = {name: one.counts for name, one in self._summaries.days(before[0], days[-1]).items()}
        aliases: Counter[str] = Counter()
        for _, alias, use in self._summaries.uses(days[0], days[-1]):
            aliases[alias] += sum(use.counts.values()) if alias != NO_ALIAS else 0
        return Week(
            {name: counts for name, counts in known.items() if name in days},
            {name: counts for name, counts in known.items() if name in before},
            +aliases,
        )

    def standing(self) -> tuple[Section, ...]:
        """Current problems. Raises Temporary."""
        count = self._dead_letters.count()
        unseen = tuple(never_seen(self._ledger).stored_at)
        stuck = open_too_long(self._ledger, self._clock.now(), self._retry_hours)
        found = (
            Section(DEAD, (line(DEAD, "All of them", self._stack),), count),
            self._section(UNSEEN, [(one, one) for one in unseen]),
            self._section(STUCK, [(one, one) for one in stuck]),
            self._suspended(),
        )
        return tuple(section for section in found if section.total)

    def _section(self, word: str, found: Sequence[tuple[str, str]]) -> Section:
        """A section from pairs of (a message's id or an address, text)."""
        lines = tuple(line(word, text, self._stack, message_id=one, who=one) for one, text in found[:MAX_LINES])
        return Section(word, lines, len(found))

    def _suspended(self) -> Section:
        rows = self._destinations.suspended() if self._destinations else ()
        found = sorted((str(row["address"]), f"{row['address']}: {row.get('reason', '')}") for row in rows)
        made = self._section(SUSPENDED, found)
        if self._links is None:
            return made
        now, links = self._clock.now(), self._links
        below = [links.destination(address, now) for address, _ in found[:MOST]]
        return replace(made, lines=with_links(made.lines, below))
