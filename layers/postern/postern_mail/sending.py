"""Sendings under claims: started, sent at once in the best form that SES accepts, and settled. A failure of one delays
no other.

Messages in flight are what a crash leaves uncertain, so their number is bounded.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from .errors import NotYet, OutOfTime, Refused, Temporary, TooFast, Unanswered
from .mail.address import Address
from .mail.claims import Claim, ClaimEnd, Settled
from .mail.envelope import Envelope
from .mail.message import Halves
from .mail.outcomes import ClaimState
from .mail.records import dataclass, field
from .ports.clock import Clock
from .ports.forward import Ledger, Mailer, MailLog
from .side_by_side import side_by_side

AS_IS, REPAIRED, ATTACHED = "as it is", "repaired", "attached"
NOTICES = NOTICE, BARE_NOTICE = "notice", "bare notice"

AT_ONCE = 10  # sendings in flight: when the function is killed, the result of these is unknown
ROOM = 40_000_000  # octets in flight: each form of a message holds all of it
TOO_LARGE = "more than is sent whole"

Form = Callable[[], bytes | Halves | None]


def _nothing(*_: object) -> None:
    """Does nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is sent under a claim, in the name of `alias`: the `forms` that are tried in turn as SES refuses them; what
    is done before, afterwards if it was sent (with SES's id), or if it certainly was not."""

    alias: Address
    largest: int
    forms: Callable[[list[str]], Iterator[tuple[str, Form]]]
    begin: Callable[[], None] = _nothing
    forgo: Callable[[], None] = _nothing
    sent: Callable[[str], None] = _nothing


@dataclass(slots=True)
class Sending:
    """The result of a claim: `form`, `size` and SES's id, `form` "" if SES accepted none; or the `failure`."""

    claim: Claim
    job: Job
    refusals: list[str] = field(default_factory=list)
    form: str = ""
    size: int = 0
    ses_message_id: str = ""
    failure: Temporary | None = None
    ended: bool = False

    @property
    def ending(self) -> ClaimEnd:
        """What is written down of it."""
        refusals = tuple(self.refusals)
        if self.failure is not None:
            return ClaimEnd(self.claim, given_back(self.claim, self.failure), str(self.failure), refusals)
        if not self.form:
            return ClaimEnd(self.claim, ClaimState.FAILED, refusals[0], refusals)
        state = ClaimState.NOTICED if self.form in NOTICES else ClaimState.SENT
        return ClaimEnd(self.claim, state, self.ses_message_id, refusals)

    @property
    def result(self) -> Settled | Temporary:
        """What became of the destination, once that is recorded."""
        if self.failure is not None:
            return self.failure
        who, refused = self.claim.recipient.key, self.refusals[0] if self.refusals else ""
        if not self.form:
            return Settled(ClaimState.FAILED, who, refused)
        return Settled(self.ending.state, who, f"sent {self.form}, refused {refused}" if refused else "")

    @property
    def is_plain(self) -> bool:
        """Whether SES accepted it unchanged."""
        return bool(self.form) and not self.refusals


class Pace:
    """How many sendings are in flight at once: as many as SES accepted when it said that we were too fast, and one more
    each time that it does not. (The rate differs between accounts, from one a second.)"""

    def __init__(self) -> None:
        self._most = AT_ONCE

    def at_once(self, size: int) -> int:
        """How many messages of this many octets may be in flight."""
        return max(1, min(self._most, ROOM // max(1, size)))

    def heard(self, asked: int, too_fast: int) -> None:
        """Record that of so many messages sent at once, SES said for this many that we were too fast."""
        self._most = max(1, asked - too_fast) if too_fast else min(AT_ONCE, self._most + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends under claims, and settles them."""

    ledger: Ledger
    mailer: Mailer
    clock: Clock
    log: MailLog
    pace: Pace = field(default_factory=Pace)
    at_once: Callable[[Sequence[Callable[[], None]]], None] = side_by_side

    def carry(self, envelope: Envelope, claim: Claim, job: Job) -> Settled:
        """Send under a claim, and settle it. Raises Temporary; the claim is then released."""
        one = Sending(claim, job)
        self.send_all(envelope, [one], self.clock.now())
        (result,) = self.settled([one]).values()
        if isinstance(result, Temporary):
            raise result
        return result

    def send_all(self, envelope: Envelope, sendings: Sequence[Sending], until: float) -> None:
        """Send all at once, then, until that time, one after the other those for which SES said that it was too fast.

        An exception that is not Temporary is raised after the others have ended and are settled.
        """
        for one in sendings:
            self._begin(one)
        going = [one for one in sendings if not one.ended]
        try:
            if going:
                self.at_once([partial(self._send, one) for one in going])
            slow = [one for one in going if isinstance(one.failure, TooFast)]
            self.pace.heard(len(going), len(slow))
            for place, one in enumerate(slow if len(going) > 1 else ()):
                if self.not_now(slow[:place], until):
                    break
                one.failure, one.ended = None, False
                one.refusals.clear()
                self._send(one)
        except Exception:
            self.settled([one for one in sendings if one.ended])
            raise
        for one in going:
            if one.form:
                self.log.sent(envelope, one.claim, one.size, self.clock.now())

    def not_now(self, before: Sequence[Sending], until: float) -> Temporary | None:
        """Why SES must not be called again in this invocation, None if it may."""
        for one in before:
            if isinstance(one.failure, TooFast):
                return TooFast(f"not asked after: {one.failure}")  # that would only make it worse
        if self.clock.now() > until:
            return OutOfTime("no time was left to begin sending in this invocation")
        return None

    def settled(self, sendings: Sequence[Sending]) -> dict[str, Settled | Temporary]:
        """Record how these ended; returns what became of each destination, by its key. If that fails the claim stays
        ours until it expires, and the invocation that takes it over knows that SES may have sent already."""
        results: dict[str, Settled | Temporary] = {}
        failures = self.ledger.settle_all([one.ending for one in sendings]) if sendings else ()
        for one, failure in zip(sendings, failures, strict=True):
            results[one.claim.destination.key] = failure or self.afterwards(one)
        return results

    def afterwards(self, one: Sending) -> Settled | Temporary:
        """What became of a destination, now that it is recorded."""
        state = one.ending.state
        if one.form and one.refusals:
            self.log.rescued(one.claim, one.form)
        try:
            if one.form:
                one.job.sent(one.ses_message_id)
            elif state is ClaimState.FAILED or (state.idle and not isinstance(one.failure, NotYet)):
                one.job.forgo()
        except Temporary as failure:
            return failure
        return one.result

    def _begin(self, one: Sending) -> None:
        try:
            one.job.begin()
        except Temporary as failure:
            one.failure, one.ended = failure, True
            return
        if one.claim.uncertain:
            self.log.resent(one.claim)

    def _send(self, one: Sending) -> None:
        """Send it in the first form that SES accepts."""
        try:
            for form, make in one.job.forms(one.refusals):
                if self._is_taken(one, form, make):
                    break
        except Temporary as failure:
            one.failure = failure
        one.ended = True

    def _is_taken(self, one: Sending, form: str, make: Form) -> bool:
        """Whether SES accepted this form."""
        if form not in NOTICES and any(_is_hopeless(refusal) for refusal in one.refusals):
            return False  # only the notice lacks what was refused
        try:
            content = make()
            if content is None:
                return False
            if len(content) > one.job.largest:
                raise Refused(f"{len(content)} octets: {TOO_LARGE}")
            claim = one.claim
            one.ses_message_id = self.mailer.send(content, one.job.alias, claim.destination, claim.message_id)
        except Refused as refusal:
            one.refusals.append(f"{form}: {refusal}")
            return False
        one.form, one.size = form, len(content)
        return True


def given_back(claim: Claim, failure: Temporary) -> ClaimState:
    """The state of a claim that failed for now: what an earlier attempt left unknown stays unknown."""
    return ClaimState.UNANSWERED if claim.uncertain or isinstance(failure, Unanswered) else ClaimState.RELEASED


def _is_hopeless(refusal: str) -> bool:
    """Whether a plainer form of the same content would be refused for the same reason, or must be."""
    return TOO_LARGE in refusal or any(word in refusal.lower() for word in ("attachment", "virus"))
