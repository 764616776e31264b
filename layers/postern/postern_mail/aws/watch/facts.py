"""News for the owner's digest: what the ledger noted, and what waits in queues and tables."""

from collections.abc import Iterator

from ...mail.days import A_DAY
from ...mail.digest import HOST_LOST, LOST, MAX_LINES, SENT_AS_LOST, Noted, Section
from ...mail.dsn import UNANSWERED
from ...mail.feedback import lost_by
from ...mail.link_lines import MOST, LinkLines
from ...ports.clock import Clock
from ...watch import never_seen, open_too_long
from ..destinations import DynamoDestinations
from .backlog import Backlog
from .state import DynamoWatchState


class StackFacts:
    """What one stack has to tell."""

    def __init__(
        self,
        ledger: DynamoWatchState,
        dead_letters: Backlog,
        *,
        clock: Clock,
        retry_hours: int,
        keep_days: int,
        destinations: DynamoDestinations | None = None,
        links: LinkLines | None = None,
    ) -> None:
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._clock = clock
        self._retry_hours = retry_hours
        self._keep_seconds = keep_days * A_DAY
        self._destinations = destinations
        self._links = links
        self._of_hosts: dict[tuple[str, str], str] = {}  # why, by the ids and recipients that noted() told of

    def noted(self, since: float, now: float) -> Iterator[Noted]:
        """What was noted since then, however old the message is that it happened to. Raises Temporary."""
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
        """Why, by the recipient's own entry, or by what SES said of the forwards for him. Raises Temporary."""
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

    def standing(self) -> tuple[Section, ...]:
        """What needs somebody now. Raises Temporary."""
        count = self._dead_letters.count()
        unseen = tuple(never_seen(self._ledger).stored_at)
        stuck = open_too_long(self._ledger, self._clock.now(), self._retry_hours)
        found = (
            Section("Dead letters", "postern redrive --dry-run lists them", (), count),
            _section("Open too long", "postern trace ID", stuck),
            _section("Never seen by the function", "postern replay ID proposes a recipient", unseen),
            self._suspended(),
        )
        return tuple(section for section in found if section.total)

    def _suspended(self) -> Section:
        rows = self._destinations.suspended() if self._destinations else ()
        found = sorted((str(row["address"]), str(row.get("reason", ""))) for row in rows)
        lines = [f"{address}: {reason}" for address, reason in found]
        links: tuple[tuple[str, ...], ...] = ()
        if self._links is not None:
            now = self._clock.now()
            links = tuple(self._links.destination(address, now) for address, _ in found[:MOST])
        return _section("Suspended destinations: nothing is sent there", "postern doctor", lines, links)


def _section(
    title: str, advice: str, found: list[str] | tuple[str, ...], links: tuple[tuple[str, ...], ...] = ()
) -> Section:
    return Section(title, advice, tuple(found[:MAX_LINES]), len(found), links)
