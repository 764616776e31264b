"""One message to one destination, once: claim it, send it in the best form SES takes, settle it.

SES refuses some messages for what they are. Before that becomes a failure, plainer forms
are tried, each after the one before: the header repaired, the original as an attachment, a notice,
a notice with nothing in its header that anybody else chose.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from .errors import NotYet, Refused, Temporary, Unanswered
from .mail.address import Address
from .mail.claims import Claim, Settled
from .mail.days import A_DAY
from .mail.envelope import Envelope
from .mail.message import Halves
from .mail.outcomes import ClaimState
from .mail.plan import Delivery
from .mail.records import dataclass, replace
from .mail.rewrite import Style, rewritten
from .mail.settings import Settings
from .mail.verdicts import FAIL
from .ports.clock import Clock
from .ports.forward import Ledger, Mailer, MailLog, MailStore, Rates

if TYPE_CHECKING:
    from .ports.replies import Contacts

AS_IS, REPAIRED, ATTACHED = "as it is", "repaired", "attached"
NOTICES = NOTICE, BARE_NOTICE = "notice", "bare notice"

_TOO_LARGE = "more than is sent whole"


Form = Callable[[], bytes | Halves | None]


def _nothing(*_: object) -> None:
    """What needs not be done."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is sent under a claim, in the name of `alias`: the `forms` that are tried one after the other, as refusals
    come; what is done before, and after it if it was sent, by SES's id, or if for certain it was not."""

    alias: Address
    largest: int
    forms: Callable[[list[str]], Iterator[tuple[str, Form]]]
    begin: Callable[[], None] = _nothing
    forgo: Callable[[], None] = _nothing
    sent: Callable[[str], None] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Sends, claimed in the ledger before and settled after."""

    style: Style
    store: MailStore
    ledger: Ledger
    rates: Rates
    mailer: Mailer
    clock: Clock
    log: MailLog
    fetching: Callable[[str, str, float], str] | None = None  # makes a link: message id, alias, until when
    mail_days: int = 0  # that a message is kept
    contacts: "Callable[[], Contacts] | None" = None  # made when an alias takes replies

    def deliver(self, envelope: Envelope, delivery: Delivery, raw: bytes, settings: Settings) -> Settled:
        """What became of this destination: `sent`, `noticed` (only a notice could be sent) or `failed`.

        Raises Temporary if that is not known yet; the claim is then given back.
        """
        recipient = delivery.forwards[0].recipient
        others = tuple(dict.fromkeys(one.recipient.key for one in delivery.forwards[1:]))
        cap, by_domain = settings.rate_cap, delivery.by_domain
        # What goes slowly is counted when it may begin.
        along: Sequence[Any] = ()
        if not delivery.goes_slowly:
            along = self.rates.counting(delivery.destination, delivery.counted, cap, by_domain=by_domain)
        claim = self.ledger.claim(envelope.message_id, delivery.destination, recipient, others, along)
        if isinstance(claim, Settled):
            return claim

        def begin() -> None:
            if delivery.goes_slowly:
                self.rates.begin(envelope.message_id, delivery.destination)
            if not claim.counted:
                self.rates.admit(delivery.destination, delivery.counted, cap, by_domain=by_domain, again=claim.again)

        def forgo() -> None:
            if delivery.goes_slowly:
                self.rates.forgo(envelope.message_id, delivery.destination)

        forms = partial(self._forms, envelope, delivery, raw, settings)
        return self.carry(envelope, claim, Job(delivery.alias, settings.largest, forms, begin, forgo))

    def carry(self, envelope: Envelope, claim: Claim, job: Job) -> Settled:
        """Send under a claim, and settle it. Raises Temporary; the claim is then given back."""
        refusals: list[str] = []
        try:
            job.begin()
            if claim.uncertain:
                self.log.resent(claim)
            form, size, ses_message_id = self._send(claim, job, refusals)
        except Temporary as failure:
            state = given_back(claim, failure)
            self.ledger.settle(claim, state, str(failure), tuple(refusals))
            if state.idle and not isinstance(failure, NotYet):
                job.forgo()
            raise
        if form:
            self.log.sent(envelope, claim, size, self.clock.now())
        settled = self._settled(claim, form, ses_message_id, tuple(refusals))
        job.sent(ses_message_id) if form else job.forgo()
        return settled

    def _settled(self, claim: Claim, form: str, ses_message_id: str, refusals: tuple[str, ...]) -> Settled:
        """Write down how it ended. If that fails the claim stays ours until it runs out, and whoever takes
        it over knows that SES may have sent already."""
        if not form:
            self.ledger.settle(claim, ClaimState.FAILED, refusals[0], refusals)
            return Settled(ClaimState.FAILED, claim.recipient.key, refusals[0])
        state = ClaimState.NOTICED if form in NOTICES else ClaimState.SENT
        self.ledger.settle(claim, state, ses_message_id, refusals)
        if refusals:
            self.log.rescued(claim, form)
        return Settled(state, claim.recipient.key, f"sent {form}, refused {refusals[0]}" if refusals else "")

    def _send(self, claim: Claim, job: Job, refusals: list[str]) -> tuple[str, int, str]:
        """(the form SES took, its octets, its id), the form "" if it took none; fills `refusals`."""
        for form, make in job.forms(refusals):
            if form not in NOTICES and any(_is_hopeless(refusal) for refusal in refusals):
                continue  # no form but the notice is without what was refused
            try:
                content = make()
                if content is None:
                    continue
                return form, len(content), self._try(content, claim, job)
            except Refused as refusal:
                refusals.append(f"{form}: {refusal}")
        return "", 0, ""

    def _try(self, content: bytes | Halves, claim: Claim, job: Job) -> str:
        if len(content) > job.largest:
            raise Refused(f"{len(content)} octets: {_TOO_LARGE}")
        return self.mailer.send(content, job.alias, claim.destination, claim.message_id)

    def _forms(
        self, envelope: Envelope, delivery: Delivery, raw: bytes, settings: Settings, refusals: list[str]
    ) -> Iterator[tuple[str, Form]]:
        """The forms in their order; each is made only when the one before was refused. None is no form."""
        alias, style = (
            delivery.alias,
            replace(
                settings.styled(self.style),
                prepended=delivery.prepended,
                tags=delivery.tags,
                destination=delivery.destination,
            ),
        )
        if delivery.replies and self.contacts is not None:
            from .reply_addresses import with_reply_addresses  # noqa: PLC0415 (for who replies only)

            style = with_reply_addresses(style, self.contacts(), alias, envelope, raw, settings)
        yield AS_IS, lambda: rewritten(raw, alias, envelope, style)
        # The modules of the others are imported when SES refused what most messages are.
        from .mail import notice, repair  # noqa: PLC0415

        yield REPAIRED, lambda: repair.repaired(raw, alias, envelope, style)
        yield ATTACHED, lambda: self._attached(raw, alias, envelope, style, refusals[0], settings.largest)
        link = self._link(envelope, alias, refusals)
        yield NOTICE, lambda: notice.notice(raw, alias, envelope, style, refusals[0], link)
        yield BARE_NOTICE, lambda: notice.bare_notice(alias, envelope, style, refusals[0], link)

    def _link(self, envelope: Envelope, alias: Address, refusals: Sequence[str]) -> tuple[str, float] | None:
        """A link by which the mailbox's reader fetches the message, and until when; none for what has a virus."""
        if not self.fetching or envelope.verdicts.virus == FAIL or any("virus" in one.lower() for one in refusals):
            return None
        now = self.clock.now()
        until = now - (envelope.age(now) or 0) + self.mail_days * A_DAY
        return self.fetching(envelope.message_id, alias.key, until), until

    @staticmethod
    def _attached(raw: bytes, alias: Address, envelope: Envelope, style: Style, reason: str, largest: int) -> bytes:
        from .mail.notice import attached, attached_size  # noqa: PLC0415

        if attached_size(len(raw)) > largest:
            raise Refused(f"{len(raw)} octets, attached: {_TOO_LARGE}")  # before it is made: base64 grows by a third
        return attached(raw, alias, envelope, style, reason)


def given_back(claim: Claim, failure: Temporary) -> ClaimState:
    """The state of a claim that failed for now: what an earlier attempt left unknown stays so."""
    return ClaimState.UNANSWERED if claim.uncertain or isinstance(failure, Unanswered) else ClaimState.RELEASED


def _is_hopeless(refusal: str) -> bool:
    """Whether a plainer form of the same content would be refused for the same reason, or must be."""
    return _TOO_LARGE in refusal or any(word in refusal.lower() for word in ("attachment", "virus"))
