"""A reply on its way out: who wrote it, may he, what leaves, and who hears if it does not.

Every reply address of the envelope is a recipient like any other, with an outcome of its own; each correspondent is
claimed, sent to once and settled as a destination is. What may not go out is quarantined, and a destination of the
alias hears why; whoever wrote it does not, unless he is that.
"""

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256

from .deliver import Deliverer
from .errors import Misconfigured, OutOfTime, OverCap, Temporary
from .lookup import follow
from .mail import aliases, health
from .mail.address import Address
from .mail.alias_attributes import REPLIES
from .mail.aliases import Alias
from .mail.claims import Settled
from .mail.envelope import Envelope
from .mail.message import Message
from .mail.outcomes import ClaimState, State
from .mail.plan import Policy
from .mail.records import dataclass, field
from .mail.reply import SWITCHED_OFF
from .mail.replying import leaks, told
from .mail.replying.addressees import Addressees, addressees, listed
from .mail.replying.contact import Contact
from .mail.replying.outgoing import outgoing
from .mail.replying.permission import OLD, Doubt, doubt, is_same, replier, robot, sent_at
from .mail.rows import BadRow, Rows
from .mail.settings import Settings
from .mail.thread import identifiers
from .own_mail import OwnMail
from .ports.forward import Outcome, Tables
from .ports.replies import Contacts
from .sending import AS_IS, Form, Job

MESSAGE_ID = "reply-"  # before a message's id: what the mail about its replies is called
# What a person lifts who releases it from quarantine; the header names the owner in no case.
_LIFTABLE = ("unproven", "stranger", "form", "suspended", "leak", "again", "spam")


@dataclass(frozen=True, slots=True)
class _Found:
    """One recipient that is a reply address, and what its row and its alias's say. `author` is whom From names, `home`
    the destination on record that hears of it."""

    recipient: Address
    contact: Contact
    row: Alias
    destinations: tuple[Address, ...]
    suspended: tuple[Address, ...]
    author: Address | None

    @property
    def allowed(self) -> tuple[Address, ...]:
        return (*self.destinations, *self.row.also_from)

    @property
    def home(self) -> Address | None:
        well = [one for one in self.destinations if one not in self.suspended]
        own = (one for one in well if self.author is not None and is_same(one, self.author))
        return next(own, next(iter(well), None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replying:
    """Takes what came to reply addresses."""

    contacts: Contacts
    tables: Tables
    deliverer: Deliverer
    policy: Policy

    def take(
        self, envelope: Envelope, message: Message, raw: bytes, rows: Rows, released: Collection[str], until: float
    ) -> list[Outcome]:
        """The outcomes of those recipients that are reply addresses of ours; a failure holds back no other."""
        try:
            settings = Settings.of(rows)
        except BadRow:
            return []  # then all are deferred, as the plan says
        outcomes: list[Outcome] = []
        for recipient in envelope.recipients:
            try:
                if row_id := self.contacts.row_named(recipient):
                    took = _Attempt(self, envelope, message, raw, settings, recipient.key in released, until)
                    outcomes.append(took.outcome(recipient, row_id))
            except Temporary as failure:
                self.deliverer.log.deferred(envelope, recipient, failure)
                outcomes.append(Outcome(recipient, State.DEFERRED, str(failure)))
        return outcomes


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at the replies of one message."""

    own: Replying
    envelope: Envelope
    message: Message
    raw: bytes
    settings: Settings
    is_released: bool
    until: float
    looked: dict[str, tuple[leaks.Leak, ...]] = field(default_factory=dict)

    def outcome(self, recipient: Address, row_id: str) -> Outcome:
        contact = self.own.contacts.named([row_id]).get(row_id)
        if contact is None:
            return Outcome(recipient, State.REJECTED, "this reply address is no longer kept", SWITCHED_OFF)
        found = self._found(recipient, contact)
        mark = robot(self.envelope, self.message)
        if mark:
            return Outcome(
                recipient, State.DISCARDED, f"an automatic message ({mark}) is no reply", alias=contact.alias
            )
        lifted = _LIFTABLE if self.is_released else ()
        doubted = next((one for one in self._doubts(found) if one.cause not in lifted), None)
        if doubted is not None:
            self._refuse(found, doubted)
            why = f"no reply to {contact.address} ({doubted.cause}): {doubted.why}"
            return Outcome(recipient, State.QUARANTINED, why, alias=contact.alias)
        return self._send(found, self._people(contact))

    def _found(self, recipient: Address, contact: Contact) -> _Found:
        """What the tables say of the alias. Raises Temporary, also for rows that cannot be understood."""
        rows, resolution = self._resolved(contact.alias)
        wanted = sorted(health.unread([one.key for one in resolution.destinations], rows))
        if wanted:
            rows.add(self.own.tables.read((), (), wanted))
        ailing = health.suspended(resolution.destinations, rows)
        row = resolution.first or Alias(contact.alias.key, ())
        return _Found(recipient, contact, row, resolution.destinations, ailing, replier(self.message))

    def _resolved(self, alias: Address) -> tuple[Rows, aliases.Resolution]:
        rows, policy, now = Rows(), self.own.policy, self.own.deliverer.clock.now()
        follow(self.own.tables, [alias], rows, policy.own_domains, now)
        resolution = aliases.resolve(alias, rows, policy.own_domains, now)
        if resolution.outcome == "error":
            raise Misconfigured(resolution.detail)
        return rows, resolution

    def _doubts(self, found: _Found) -> Iterator[Doubt]:
        """What speaks against it, first what speaks against whoever wrote it; more is found out as it is asked for."""
        contact, alias = found.contact, found.contact.alias
        if fault := contact.fault(self.own.deliverer.clock.now()):
            yield Doubt("address", fault)
        if not found.destinations:
            yield Doubt("alias", f"{alias} leads nowhere now")
        if (found.row.reply or self.settings.reply) == REPLIES[0]:
            yield Doubt("alias", f"{alias} takes no replies now")
        if self.message.is_cut:
            yield Doubt("size", "its header is too long")
        requires = self.settings.reply_requires
        if doubted := doubt(self.envelope, self.message, found.recipient, found.allowed, requires):
            yield doubted
        if found.author is not None and any(is_same(one, found.author) for one in found.suspended):
            yield Doubt("suspended", f"{found.author} is suspended", is_proven=True)
        people = self._people(contact)
        if people.others:
            others = ", ".join(people.others)
            yield Doubt("others", f"{others} in To or Cc is no reply address of {alias}", is_proven=True)
        if people.fault:
            yield Doubt("form", people.fault, is_proven=True)
        yield from self._own_doubts(found)

    def _own_doubts(self, found: _Found) -> Iterator[Doubt]:
        """What speaks against what somebody wrote who may."""
        refuses = self.settings.leaks == leaks.REFUSE
        for cause, in_header in (("subject", True), ("leak", False)):
            said = [str(one) for one in self._leaks(found) if one.in_header == in_header]
            if said and (in_header or refuses):
                yield Doubt(cause, "; ".join(said), is_proven=True)
        at = sent_at(self.message)
        if at is None or abs(self._came_at() - at) > OLD:
            yield Doubt("form", "Date cannot be parsed, or is not recent", is_proven=True)
        elif not self.own.contacts.is_first(found.contact, at, self.envelope.message_id):
            why = f"another reply dated the same second went to {found.contact.address} before"
            yield Doubt("again", why, is_proven=True)

    def _came_at(self) -> float:
        """When SES received it, epoch seconds."""
        now = self.own.deliverer.clock.now()
        return now - (self.envelope.age(now) or 0)

    def _people(self, contact: Contact) -> Addressees:
        named = {one.address.key: one.address for one in listed(self.message)}
        ids = {key: row_id for key, one in named.items() if (row_id := self.own.contacts.row_named(one))}
        rows = self.own.contacts.named(set(ids.values())) if ids else {}
        alias = contact.alias
        known: Mapping[str, Contact] = {
            key: rows[row_id]
            for key, row_id in ids.items()
            if row_id in rows and self._is_of(rows[row_id].alias, alias)
        }
        return addressees(self.message, alias, known)

    def _is_of(self, other: Address, alias: Address) -> bool:
        """Whether both are one alias, with this tag or that: a tag may have a row of its own. Raises Temporary."""
        if other.untagged.key != alias.untagged.key or other.key == alias.key:
            return other.key == alias.key
        one, another = (self._resolved(named)[1] for named in (other, alias))
        return bool(one.matched) and one.matched[:1] == another.matched[:1]

    def _leaks(self, found: _Found) -> tuple[leaks.Leak, ...]:
        if found.contact.row_id not in self.looked:
            self.looked[found.contact.row_id] = self._looked(found)
        return self.looked[found.contact.row_id]

    def _looked(self, found: _Found) -> tuple[leaks.Leak, ...]:
        author = (found.author,) if found.author else ()
        named = leaks.terms(self.message, (*author, *found.allowed), (found.contact.alias, found.contact.address))
        return leaks.leaks(self.message, named)

    def _send(self, found: _Found, people: Addressees) -> Outcome:
        contact, deliverer = found.contact, self.own.deliverer
        alias, author = contact.alias, found.author or found.home or contact.alias
        if deliverer.clock.now() > self.until:
            raise OutOfTime("no time was left to begin sending in this invocation")
        claim = deliverer.ledger.claim(self.envelope.message_id, contact.address, found.recipient)
        if isinstance(claim, Settled):
            end = claim
        else:

            def begin() -> None:
                self._count(found, f"{self.envelope.message_id} {contact.row_id}")
                self.own.contacts.going_out(claim, alias, found.home or author)

            job = Job(
                alias, self.settings.largest, lambda _: self._forms(found, people), begin, sent=self._sent(contact)
            )
            end = deliverer.carry(self.envelope, claim, job)
        reason = f"a reply of {author} in the name of {alias} to {contact.address}"
        if end.state is ClaimState.SENT:
            self._warn(found)
            return Outcome(found.recipient, State.FORWARDED, reason, alias=alias)
        self._refuse(found, Doubt("refused", end.reason, is_proven=True))
        return Outcome(found.recipient, end.state.outcome, f"{reason}: {end.reason}", alias=alias)

    def _count(self, found: _Found, what: str) -> None:
        """Raises OverCap; then it waits, and the replier knows."""
        alias = found.contact.alias
        try:
            self.own.contacts.count(alias, what, self.settings.replies_per_day)
        except OverCap as full:
            self._refuse(found, Doubt("many", f"{full}; it waits for the next day", is_proven=True))
            raise

    def _forms(self, found: _Found, people: Addressees) -> Iterator[tuple[str, Form]]:
        contact = found.contact
        name = found.row.name
        yield AS_IS, lambda: outgoing(self.message, contact.alias, name, contact, people, contact.known)

    def _sent(self, contact: Contact) -> "_Sent":
        own = next((one for field in self.message.named("message-id")[:1] for one in identifiers(field.value)), "")
        return _Sent(self.own, self.envelope, contact, own)

    def _warn(self, found: _Found) -> None:
        """Tell the replier what his reply said of him, where the setting lets it go."""
        if where := [str(one) for one in self._leaks(found)]:
            self._tell(found, f"leaked {_digest(where)}", told.leaked(found.contact.alias, where))

    def _refuse(self, found: _Found, doubted: Doubt) -> None:
        # Of a stranger's an hour hears once for each cause; of his own the replier hears of each fault.
        cause = f"{doubted.cause} {_digest([doubted.why])}" if doubted.is_proven else doubted.cause
        stack = self.own.deliverer.style.stack
        text = told.not_sent(
            found.contact.alias, doubted.why, self.envelope.message_id, stack, is_proven=doubted.is_proven
        )
        self._tell(found, cause, text)

    def _tell(self, found: _Found, cause: str, text: tuple[str, list[str]]) -> None:
        home, alias, deliverer = found.home, found.contact.alias, self.own.deliverer
        if home is None or not self.own.contacts.may_tell(alias, cause, self.envelope.message_id):
            return
        own = OwnMail(ledger=deliverer.ledger, mailer=deliverer.mailer, log=deliverer.log)
        message_id = f"{MESSAGE_ID}{self.envelope.message_id}-{_digest([alias.key, cause])}"
        own.send(message_id, alias, home, told.told(alias, *text, deliverer.style.stamp_key))


@dataclass(frozen=True, slots=True)
class _Sent:
    """What is remembered of a reply that SES took. A thread is no reason to send it again, so a failure is logged."""

    own: Replying
    envelope: Envelope
    contact: Contact
    own_id: str

    def __call__(self, ses_id: str) -> None:
        try:
            self.own.contacts.went_out(self.contact, ses_id, self.own_id)
        except Temporary as failure:
            self.own.deliverer.log.thread_lost(self.envelope, failure)


def _digest(words: Collection[str]) -> str:
    return sha256("\n".join(words).encode()).hexdigest()[:12]
