"""The daily digest: one mail for each day with anything to report.

Each run covers the three days before, so a day on which nothing worked is reported later. A day is claimed in the
ledger like a destination, so a repeated run sends no second digest.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from .errors import Refused, Temporary
from .mail.address import Address
from .mail.claims import Claim, Settled
from .mail.days import A_DAY
from .mail.digest import MAX_LINES, Line, Noted, Section, digest, line, with_links
from .mail.link_lines import MOST, LinkLines
from .mail.outcomes import ClaimState, State
from .mail.records import dataclass
from .mail.week import ends, section
from .ports.clock import Clock
from .ports.forward import Ledger, Mailer, MailLog
from .ports.watch import News
from .sending import given_back

DAYS = 3
MESSAGE_ID = "digest-"  # followed by the day: its id in claims and tags


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerMail:
    """Sends the digest to the owner."""

    news: News
    ledger: Ledger
    mailer: Mailer
    clock: Clock
    log: MailLog
    owner: Address
    sender: Address
    stack: str
    links: LinkLines | None = None

    def run(self) -> None:
        """Send the digest of each recent day that has none yet. Raises Temporary; Refused, after the other days were
        sent, for a day that SES refuses: so an alarm fires, and the next runs try again."""
        today = self.clock.now() // A_DAY * A_DAY
        days = [today - back * A_DAY for back in range(DAYS, 0, -1)]
        by_day: dict[float, list[Noted]] = defaultdict(list)
        for noted in self.news.noted(days[0], self.clock.now()):
            by_day[noted.noted_at // A_DAY * A_DAY].append(noted)
        refusals: list[Refused] = []
        for day in days:
            name = datetime.fromtimestamp(day, UTC).date().isoformat()
            standing = self.news.standing() if day == days[-1] else ()
            sections = [*self._sections(by_day[day]), *standing, *self.news.aliases(name), *self._week(name)]
            if sections:
                try:
                    self._tell(name, sections)
                except Refused as refusal:
                    refusals.append(refusal)
        if refusals:
            raise refusals[0]

    def _week(self, day: str) -> tuple[Section, ...]:
        """The figures of the week that ends with this day, and the mail about them."""
        found = section(day, self.news.week(day)) if ends(day) else None
        return () if found is None else (found,)

    def _sections(self, listed: Collection[Noted]) -> tuple[Section, ...]:
        by_word: dict[str, list[Noted]] = defaultdict(list)
        for noted in sorted(listed):
            by_word[noted.word].append(noted)
        return tuple(Section(word, self._lines(word, found[:MAX_LINES]), len(found)) for word, found in by_word.items())

    def _lines(self, word: str, found: Sequence[Noted]) -> tuple[Line, ...]:
        lines = tuple(map(self._line, found))
        if self.links is None or word != State.QUARANTINED:
            return lines
        now = self.clock.now()
        return with_links(lines, [self.links.message(one.message_id, one.source, one.who, now) for one in found[:MOST]])

    def _line(self, noted: Noted) -> Line:
        why = self.news.reason(noted)
        text = f"From {noted.source or 'no one'} to {noted.who}{f': {why}' if why else ''}"
        named = {"message_id": noted.message_id, "who": noted.who, "source": noted.source}
        return line(noted.word, text, self.stack, **named)

    def _tell(self, day: str, sections: Collection[Section]) -> None:
        message_id = f"{MESSAGE_ID}{day}"
        claim = self.ledger.claim(message_id, self.owner, self.sender)
        if isinstance(claim, Settled):
            return
        if claim.uncertain:
            self.log.resent(claim)
        self._send(claim, digest(day, sections, self.sender, self.owner))

    def _send(self, claim: Claim, raw: bytes) -> None:
        try:
            ses_message_id = self.mailer.send(raw, self.sender, self.owner, claim.message_id)
        except Temporary as failure:
            self.ledger.settle(claim, given_back(claim, failure), str(failure))
            raise
        except Refused as refusal:
            self.ledger.settle(claim, ClaimState.RELEASED, str(refusal))
            self.log.failure(refusal)
            raise
        self.ledger.settle(claim, ClaimState.SENT, ses_message_id)
