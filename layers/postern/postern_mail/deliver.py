"""One message to its destinations, each once: claim it, send it in the best form that SES accepts, settle it.

SES refuses some messages for their content. Before that becomes a failure, plainer forms are tried in turn: the header
repaired, the original as an attachment, a notice, a notice with nothing from outside in its header.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from .errors import NotYet, Refused, Temporary
from .mail.address import Address
from .mail.brake import UNCONFIRMED
from .mail.claims import Claim, ClaimEnd, ClaimRequest, Settled
from .mail.days import A_DAY
from .mail.envelope import Envelope
from .mail.message import Message
from .mail.plan import Delivery
from .mail.records import dataclass, replace
from .mail.rewrite import Style, rewritten
from .mail.settings import Settings
from .mail.verdicts import FAIL
from .ports.forward import MailStore, Rates
from .sending import AS_IS, ATTACHED, BARE_NOTICE, NOTICE, REPAIRED, TOO_LARGE, Form, Job, Sender, Sending

if TYPE_CHECKING:
    from .ports.replies import Contacts


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of each destination, by its key: `sent`, `noticed` (only a notice could be sent), `failed`, or why it
    is not known yet. `unsettled` are those that SES accepted unchanged last of all, which is not recorded yet."""

    results: Mapping[str, Settled | Temporary]
    unsettled: Sequence[Sending] = ()

    @property
    def endings(self) -> tuple[ClaimEnd, ...]:
        """What is still to be recorded."""
        return tuple(one.ending for one in self.unsettled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer(Sender):
    """Sends to the destinations of a message, claimed in the ledger before and settled after."""

    style: Style
    store: MailStore
    rates: Rates
    fetching: Callable[[str, str, float], str] | None = None  # makes a link: message id, alias, until when
    mail_days: int = 0  # for which a message is kept
    contacts: "Callable[[], Contacts] | None" = None  # created when an alias takes replies

    def deliver(
        self, envelope: Envelope, wanted: Collection[Delivery], message: Message, settings: Settings, until: float
    ) -> Delivered:
        """Send; returns what became of each destination. After `until`, epoch seconds, no sending is started. The
        `unsettled` ones must be recorded next, by `settled` or as `endings`, before anything that may fail."""
        results, waiting = _in_turn(wanted)
        under_way: list[Sending] = []
        while waiting:
            results |= self.settled(under_way)
            if wait := self.not_now(under_way, until):
                results |= {one.destination.key: wait for one in waiting}
                return Delivered(results)
            most = self.pace.at_once(len(message.raw))
            batch, waiting = waiting[:most], waiting[most:]
            known, under_way = self._claimed(envelope, batch, message, settings)
            results |= known
            self.send_all(envelope, under_way, until)
        if not all(one.is_plain for one in under_way):
            return Delivered(results | self.settled(under_way))
        return Delivered(results | {one.claim.destination.key: one.result for one in under_way}, under_way)

    def _claimed(
        self, envelope: Envelope, batch: Sequence[Delivery], message: Message, settings: Settings
    ) -> tuple[dict[str, Settled | Temporary], list[Sending]]:
        """(the results of those that are not to be sent, those that are)."""
        claims = self.ledger.claim_all(envelope.message_id, [self._wanted(one, settings.rate_cap) for one in batch])
        known: dict[str, Settled | Temporary] = {}
        claimed = []
        for delivery, claim in zip(batch, claims, strict=True):
            if isinstance(claim, Claim):
                forms = partial(self._forms, envelope, delivery, message, settings)
                begin = partial(self._admit, delivery, claim, settings.rate_cap)
                forgo = partial(self._forgo, delivery, claim)
                claimed.append(Sending(claim, Job(delivery.alias, settings.largest, forms, begin, forgo)))
            else:
                known[delivery.destination.key] = claim
        return known, claimed

    def _wanted(self, delivery: Delivery, cap: int) -> ClaimRequest:
        destination = delivery.destination
        recipient, *others = (one.recipient for one in delivery.forwards)
        # Slow destinations are counted when they may start.
        counted = () if delivery.goes_slowly else self.rates.counting(
            destination, delivery.counted, cap, by_domain=delivery.by_domain
        )  # fmt: skip
        return ClaimRequest(destination, recipient, tuple(dict.fromkeys(one.key for one in others)), counted)

    def _admit(self, delivery: Delivery, claim: Claim, cap: int) -> None:
        """Count it, unless that was done with the claim. Raises Temporary."""
        if delivery.goes_slowly:
            self.rates.begin(claim.message_id, delivery.destination)
        if not claim.counted:
            self.rates.admit(
                delivery.destination, delivery.counted, cap, by_domain=delivery.by_domain, again=claim.again
            )

    def _forgo(self, delivery: Delivery, claim: Claim) -> None:
        if delivery.goes_slowly:
            self.rates.forgo(claim.message_id, delivery.destination)

    def _forms(
        self, envelope: Envelope, delivery: Delivery, message: Message, settings: Settings, refusals: list[str]
    ) -> Iterator[tuple[str, Form]]:
        """The forms in their order; each is made only when the one before was refused. None means that the form does
        not exist."""
        alias, raw, style = (
            delivery.alias,
            message.raw,
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
        yield AS_IS, lambda: rewritten(message, alias, envelope, style)
        # The other forms' modules are imported only after SES refused the first.
        from .mail import notice, repair  # noqa: PLC0415

        yield REPAIRED, lambda: repair.repaired(raw, alias, envelope, style)
        yield ATTACHED, lambda: self._attached(raw, alias, envelope, style, refusals[0], settings.largest)
        link = self._link(envelope, alias, refusals)
        yield NOTICE, lambda: notice.notice(raw, alias, envelope, style, refusals[0], link)
        yield BARE_NOTICE, lambda: notice.bare_notice(alias, envelope, style, refusals[0], link)

    def _link(self, envelope: Envelope, alias: Address, refusals: Sequence[str]) -> tuple[str, float] | None:
        """A link by which the mailbox's reader can fetch the message, and until when; None for a message with a
        virus."""
        if not self.fetching or envelope.verdicts.virus == FAIL or any("virus" in one.lower() for one in refusals):
            return None
        now = self.clock.now()
        until = now - (envelope.age(now) or 0) + self.mail_days * A_DAY
        return self.fetching(envelope.message_id, alias.key, until), until

    @staticmethod
    def _attached(raw: bytes, alias: Address, envelope: Envelope, style: Style, reason: str, largest: int) -> bytes:
        from .mail.notice import attached, attached_size  # noqa: PLC0415

        if attached_size(len(raw)) > largest:
            raise Refused(f"{len(raw)} octets, attached: {TOO_LARGE}")  # before it is made: base64 grows it by a third
        return attached(raw, alias, envelope, style, reason)


def _in_turn(wanted: Collection[Delivery]) -> tuple[dict[str, Settled | Temporary], list[Delivery]]:
    """(those that must wait for another attempt, those to send): of destinations that a sender chose only a few go
    out."""
    steered: Counter[str] = Counter()
    waits: dict[str, Settled | Temporary] = {}
    goes = []
    for one in wanted:
        steered[one.destination.domain] += one.is_steered
        if one.is_steered and steered[one.destination.domain] > UNCONFIRMED:
            waits[one.destination.key] = NotYet(f"{UNCONFIRMED} went to {one.destination.domain} in this attempt")
        else:
            goes.append(one)
    return waits, goes
