"""A reply on its way out: who wrote it, whether its writer may, what goes out, and who is told if it does not.

Every reply address of the envelope is a recipient like any other, with an outcome of its own; each correspondent is
claimed, sent to once and settled as a destination is. What may not go out is quarantined, and a destination of the
alias is told why; the writer is told only as that destination.
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
from .mail.replying import leaks, notices
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

MESSAGE_ID = "reply-"  # followed by a message's id: the id of mail about its replies
# Doubts that a release from quarantine overrides; a header that names the owner never goes out.
_LIFTABLE = ("unproven", "stranger", "form", "suspended", "leak", "again", "spam")


@dataclass(frozen=True, slots=True)
class _Target:
    """One recipient that is a reply address, with its row and its alias's. `author` is the address in From, `home` the
    destination on record that is told about it."""

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
        active = [one for one in self.destinations if one not in self.suspended]
        authors = (one for one in active if self.author is not None and is_same(one, self.author))
        return next(authors, next(iter(active), None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replying:
    """Takes mail to reply addresses."""

    contacts: Contacts
    tables: Tables
    deliverer: Deliverer
    policy: Policy

    def take(
        self, envelope: Envelope, message: Message, raw: bytes, rows: Rows, released: Collection[str], until: float
    ) -> list[Outcome]:
        """The outcomes of the recipients that are our reply addresses; one failure does not affect the others."""
        try:
            settings = Settings.of(rows)
        except BadRow:
            return []  # the plan then defers them all
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

    replying: Replying
    envelope: Envelope
    message: Message
    raw: bytes
    settings: Settings
    is_released: bool
    until: float
    leaks_by_row: dict[str, tuple[leaks.Leak, ...]] = field(default_factory=dict)

    def outcome(self, recipient: Address, row_id: str) -> Outcome:
        contact = self.replying.contacts.in_rows([row_id]).get(row_id)
        if contact is None:
            return Outcome(recipient, State.REJECTED, "this reply address is no longer kept", SWITCHED_OFF)
        target = self._target(recipient, contact)
        mark = robot(self.envelope, self.message)
        if mark:
            return Outcome(
                recipient, State.DISCARDED, f"an automatic message ({mark}) is not a reply", alias=contact.alias
            )
        lifted = _LIFTABLE if self.is_released else ()
        doubted = next((one for one in self._doubts(target) if one.cause not in lifted), None)
        if doubted is not None:
            self._refuse(target, doubted)
            why = f"no reply to {contact.address} ({doubted.cause}): {doubted.why}"
            return Outcome(recipient, State.QUARANTINED, why, alias=contact.alias)
        return self._send(target, self._people(contact))

    def _target(self, recipient: Address, contact: Contact) -> _Target:
        """The alias's tables. Raises Temporary, also for rows that cannot be parsed."""
        rows, resolution = self._resolved(contact.alias)
        wanted = sorted(health.unread([one.key for one in resolution.destinations], rows))
        if wanted:
            rows.add(self.replying.tables.read((), (), wanted))
        ailing = health.suspended(resolution.destinations, rows)
        row = resolution.first or Alias(contact.alias.key, ())
        return _Target(recipient, contact, row, resolution.destinations, ailing, replier(self.message))

    def _resolved(self, alias: Address) -> tuple[Rows, aliases.Resolution]:
        rows, policy, now = Rows(), self.replying.policy, self.replying.deliverer.clock.now()
        follow(self.replying.tables, [alias], rows, policy.own_domains, now)
        resolution = aliases.resolve(alias, rows, policy.own_domains, now)
        if resolution.outcome == "error":
            raise Misconfigured(resolution.detail)
        return rows, resolution

    def _doubts(self, target: _Target) -> Iterator[Doubt]:
        """The doubts about the reply, those about its writer first, computed as they are asked for."""
        contact, alias = target.contact, target.contact.alias
        if fault := contact.fault(self.replying.deliverer.clock.now()):
            yield Doubt("address", fault)
        if not target.destinations:
            yield Doubt("alias", f"{alias} leads nowhere now")
        if (target.row.reply or self.settings.reply) == REPLIES[0]:
            yield Doubt("alias", f"{alias} takes no replies now")
        if self.message.is_cut:
            yield Doubt("size", "its header is too long")
        requires = self.settings.reply_requires
        if doubted := doubt(self.envelope, self.message, target.recipient, target.allowed, requires):
            yield doubted
        if target.author is not None and any(is_same(one, target.author) for one in target.suspended):
            yield Doubt("suspended", f"{target.author} is suspended", is_proven=True)
        people = self._people(contact)
        if people.others:
            others = ", ".join(people.others)
            yield Doubt("others", f"{others} in To or Cc is not a reply address of {alias}", is_proven=True)
        if people.fault:
            yield Doubt("form", people.fault, is_proven=True)
        yield from self._content_doubts(target)

    def _content_doubts(self, target: _Target) -> Iterator[Doubt]:
        """The doubts about the content of a reply whose writer is allowed."""
        refuses = self.settings.leaks == leaks.REFUSE
        for cause, in_header in (("subject", True), ("leak", False)):
            said = [str(one) for one in self._leaks(target) if one.in_header == in_header]
            if said and (in_header or refuses):
                yield Doubt(cause, "; ".join(said), is_proven=True)
        at = sent_at(self.message)
        if at is None or abs(self._came_at() - at) > OLD:
            yield Doubt("form", "Date cannot be parsed, or is not recent", is_proven=True)
        elif not self.replying.contacts.is_first(target.contact, at, self.envelope.message_id):
            why = f"another reply dated the same second went to {target.contact.address} before"
            yield Doubt("again", why, is_proven=True)

    def _came_at(self) -> float:
        """When SES received it, in epoch seconds."""
        now = self.replying.deliverer.clock.now()
        return now - (self.envelope.age(now) or 0)

    def _people(self, contact: Contact) -> Addressees:
        named = {one.address.key: one.address for one in listed(self.message)}
        ids = {key: row_id for key, one in named.items() if (row_id := self.replying.contacts.row_named(one))}
        rows = self.replying.contacts.in_rows(set(ids.values())) if ids else {}
        alias = contact.alias
        known: Mapping[str, Contact] = {
            key: rows[row_id]
            for key, row_id in ids.items()
            if row_id in rows and self._is_of(rows[row_id].alias, alias)
        }
        return addressees(self.message, alias, known)

    def _is_of(self, other: Address, alias: Address) -> bool:
        """Whether both are one alias, whatever the tag: a tag may have a row of its own. Raises Temporary."""
        if other.untagged.key != alias.untagged.key or other.key == alias.key:
            return other.key == alias.key
        one, another = (self._resolved(named)[1] for named in (other, alias))
        return bool(one.matched) and one.matched[:1] == another.matched[:1]

    def _leaks(self, target: _Target) -> tuple[leaks.Leak, ...]:
        if target.contact.row_id not in self.leaks_by_row:
            self.leaks_by_row[target.contact.row_id] = self._find_leaks(target)
        return self.leaks_by_row[target.contact.row_id]

    def _find_leaks(self, target: _Target) -> tuple[leaks.Leak, ...]:
        author = (target.author,) if target.author else ()
        named = leaks.terms(self.message, (*author, *target.allowed), (target.contact.alias, target.contact.address))
        return leaks.leaks(self.message, named)

    def _send(self, target: _Target, people: Addressees) -> Outcome:
        contact, deliverer = target.contact, self.replying.deliverer
        alias, author = contact.alias, target.author or target.home or contact.alias
        if deliverer.clock.now() > self.until:
            raise OutOfTime("no time was left to begin sending in this invocation")
        claim = deliverer.ledger.claim(self.envelope.message_id, contact.address, target.recipient)
        if isinstance(claim, Settled):
            end = claim
        else:

            def begin() -> None:
                self._count(target, f"{self.envelope.message_id} {contact.row_id}")
                self.replying.contacts.going_out(claim, alias, target.home or author)

            job = Job(
                alias, self.settings.largest, lambda _: self._forms(target, people), begin, sent=self._sent(contact)
            )
            end = deliverer.carry(self.envelope, claim, job)
        reason = f"a reply of {author} in the name of {alias} to {contact.address}"
        if end.state is ClaimState.SENT:
            self._warn(target)
            return Outcome(target.recipient, State.FORWARDED, reason, alias=alias)
        self._refuse(target, Doubt("refused", end.reason, is_proven=True))
        return Outcome(target.recipient, end.state.outcome, f"{reason}: {end.reason}", alias=alias)

    def _count(self, target: _Target, what: str) -> None:
        """Count the reply. Raises OverCap; then it waits, and the replier is told."""
        alias = target.contact.alias
        try:
            self.replying.contacts.count(alias, what, self.settings.replies_per_day)
        except OverCap as full:
            self._refuse(target, Doubt("many", f"{full}; it waits for the next day", is_proven=True))
            raise

    def _forms(self, target: _Target, people: Addressees) -> Iterator[tuple[str, Form]]:
        contact = target.contact
        name = target.row.name
        yield AS_IS, lambda: outgoing(self.message, contact.alias, name, contact, people, contact.known)

    def _sent(self, contact: Contact) -> "_Sent":
        own_id = next((one for field in self.message.named("message-id")[:1] for one in identifiers(field.value)), "")
        return _Sent(self.replying, self.envelope, contact, own_id)

    def _warn(self, target: _Target) -> None:
        """Tell the replier what the reply revealed, if the setting let it go out."""
        if where := [str(one) for one in self._leaks(target)]:
            self._tell(target, f"leaked {_digest(where)}", notices.leaked(target.contact.alias, where))

    def _refuse(self, target: _Target, doubted: Doubt) -> None:
        # About a stranger's mail one notice an hour for each cause; about a proven reply one for each fault.
        cause = f"{doubted.cause} {_digest([doubted.why])}" if doubted.is_proven else doubted.cause
        stack = self.replying.deliverer.style.stack
        text = notices.not_sent(
            target.contact.alias, doubted.why, self.envelope.message_id, stack, is_proven=doubted.is_proven
        )
        self._tell(target, cause, text)

    def _tell(self, target: _Target, cause: str, text: tuple[str, list[str]]) -> None:
        home, alias, deliverer = target.home, target.contact.alias, self.replying.deliverer
        if home is None or not self.replying.contacts.may_tell(alias, cause, self.envelope.message_id):
            return
        mail = OwnMail(ledger=deliverer.ledger, mailer=deliverer.mailer, log=deliverer.log)
        message_id = f"{MESSAGE_ID}{self.envelope.message_id}-{_digest([alias.key, cause])}"
        mail.send(message_id, alias, home, notices.mail(alias, *text, deliverer.style.stamp_key))


@dataclass(frozen=True, slots=True)
class _Sent:
    """Remembers a reply that SES accepted. A lost thread is no reason to send again, so a failure is only logged."""

    replying: Replying
    envelope: Envelope
    contact: Contact
    own_id: str

    def __call__(self, ses_id: str) -> None:
        try:
            self.replying.contacts.went_out(self.contact, ses_id, self.own_id)
        except Temporary as failure:
            self.replying.deliverer.log.thread_lost(self.envelope, failure)


def _digest(words: Collection[str]) -> str:
    return sha256("\n".join(words).encode()).hexdigest()[:12]
