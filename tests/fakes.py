"""In-memory stand-ins for the ports, held to the truth by tests/contract."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from postern_mail.aws.forward.ledger import earlier
from postern_mail.errors import (
    ClaimHeld,
    ClaimLost,
    EntryMissing,
    MessageMissing,
    Misconfigured,
    NotYet,
    OverCap,
    Temporary,
)
from postern_mail.mail.address import Address
from postern_mail.mail.brake import SILENCE, UNCONFIRMED, domain_key
from postern_mail.mail.claims import DSN, VIA, Claim, ClaimEnd, ClaimRequest, HeldByAnother, Settled, Standing, take
from postern_mail.mail.damper import KEPT, Echo, outdated
from postern_mail.mail.dsn import Answer, Silence
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.feedback import Feedback, HostMail, contradicts
from postern_mail.mail.health import Failure
from postern_mail.mail.message import Halves
from postern_mail.mail.outcomes import ClaimState, State
from postern_mail.mail.records import replace
from postern_mail.mail.rows import Row, Rows, SenderKey
from postern_mail.mail.send_as import MOST_AN_HOUR, SentAs
from postern_mail.mail.settings import BadSettings, Settings
from postern_mail.mail.tags import entry_tag
from postern_mail.ports.answers import Due, Waiting
from postern_mail.ports.feedback import Sending
from postern_mail.ports.forward import Attempts, Entry, Outcome
from postern_mail.ports.watch import Overlooked, Progress

from tests.builders import TAG_KEY

LEASE_SECONDS = 150
INFO = "info@example.com"
RETRY_HOURS = 36
_T = TypeVar("_T")


@dataclass
class FakeClock:
    time: float = 1_795_000_000.0

    def now(self) -> float:
        return self.time


class UnderWay(Generic[_T]):
    """A call that begins when its result is asked for."""

    def __init__(self, work: Callable[[], _T]) -> None:
        self.result = work

    def drop(self) -> None:
        pass


@dataclass
class FakeMailStore:
    messages: dict[str, bytes] = field(default_factory=dict)

    def begin(self, message_id: str) -> UnderWay[bytes]:
        return UnderWay(lambda: self.fetch(message_id))

    def fetch(self, message_id: str) -> bytes:
        if message_id not in self.messages:
            raise MessageMissing(f"no object inbound/{message_id}")
        return self.messages[message_id]

    def header(self, message_id: str) -> bytes:
        return self.fetch(message_id)


@dataclass
class FakeTables:
    aliases: dict[str, Row] = field(default_factory=dict)
    senders: dict[SenderKey, Row] = field(default_factory=dict)
    failure: Exception | None = None
    calls: int = 0
    destinations: dict[str, Row] = field(default_factory=dict)
    failure_of_health: Exception | None = None

    def begin(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> UnderWay[Rows]:
        return UnderWay(lambda: self.read(aliases, senders, destinations))

    def read(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> Rows:
        self.calls += 1
        if self.failure:
            raise self.failure
        if destinations and self.failure_of_health:
            raise self.failure_of_health
        return Rows(
            {key: self.aliases.get(key) for key in aliases},
            {key: self.senders.get(key) for key in senders},
            {key: self.destinations.get(key) for key in destinations},
        )


@dataclass
class FakeMailer:
    """Keeps what it sends; `script` holds, per destination, what the next attempts meet."""

    sent: list[tuple[str, str, bytes]] = field(default_factory=list)
    script: dict[str, list[Exception]] = field(default_factory=dict)
    before: Callable[[str], None] = field(default=lambda destination: None)

    def send(self, raw: bytes | Halves, alias: Address, destination: Address, message_id: str) -> str:
        self.before(str(destination))
        if self.script.get(str(destination)):
            raise self.script[str(destination)].pop(0)
        self.sent.append((str(alias), str(destination), bytes(raw)))
        return f"ses-{len(self.sent)}"

    @property
    def destinations(self) -> list[str]:
        return [destination for _, destination, _ in self.sent]


@dataclass
class FakeAnswerer:
    """Keeps whom it answers; `script` holds, per recipient, what the next attempts meet."""

    sent: list[tuple[str, Answer]] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    script: dict[str, list[Exception]] = field(default_factory=dict)
    before: Callable[[], None] = field(default=lambda: None)

    def send(self, message_id: str, answers: Sequence[Answer]) -> str:
        self.before()
        for answer in answers:
            if self.script.get(str(answer.recipient)):
                raise self.script[str(answer.recipient)].pop(0)
        self.calls.append(tuple(str(answer.recipient) for answer in answers))
        self.sent += [(message_id, answer) for answer in answers]
        return f"bounce-{len(self.calls)}"


@dataclass
class FakeOwnerSettings:
    row: Row | None = None

    def read(self) -> Settings:
        try:
            return Settings.from_row(self.row)
        except BadSettings as fault:
            raise Misconfigured(str(fault)) from fault


@dataclass
class FakeAnswerLimits:
    """As many answers as there is `room` for."""

    room: int = 1_000
    domains: list[str] = field(default_factory=list)

    def admit(self, domain: str) -> None:
        if len(self.domains) >= self.room:
            raise OverCap("enough")
        self.domains.append(domain)


@dataclass
class FakeLedger:
    clock: FakeClock = field(default_factory=FakeClock)
    messages: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    claims: dict[tuple[str, str], Standing] = field(default_factory=dict)
    answers: dict[tuple[str, str], Answer | Silence | str] = field(default_factory=dict)
    owners: int = 0
    released: set[str] = field(default_factory=set)
    envelopes: dict[str, Envelope] = field(default_factory=dict)
    later: dict[str, str] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)
    attempts: dict[str, set[str]] = field(default_factory=dict)
    notes: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)

    def open(self, envelope: Envelope) -> Entry:
        self.envelopes.setdefault(envelope.message_id, envelope)
        recipients = {recipient.key for recipient in (*envelope.recipients, *envelope.unknown)}
        entry = self.messages.get(envelope.message_id)
        if entry is None:
            self.messages[envelope.message_id] = {"recipients": set(recipients), "pending": set(recipients)}
            return Entry(first=True)
        entry["pending"] |= recipients - entry["recipients"]
        entry["recipients"] |= recipients
        settled = (
            key for (message, key), o in self.outcomes.items() if message == envelope.message_id and o.state.settled
        )
        due = any(
            message == envelope.message_id and isinstance(answer, Answer)
            for (message, _), answer in self.answers.items()
        )
        return Entry(False, frozenset(settled), due, frozenset(self.released), self.reached(envelope.message_id))

    def begin(self, message_id: str, attempt: str) -> Attempts:
        self.attempts.setdefault(message_id, set()).add(f"{attempt} begun")
        return earlier(self.attempts[message_id], attempt)

    def end(self, message_id: str, attempt: str) -> None:
        if message_id in self.attempts:
            self.attempts[message_id].add(f"{attempt} ended")

    def claim(
        self, message_id: str, destination: Address, recipient: Address, others: Collection[str] = ()
    ) -> Claim | Settled:
        self.owners += 1
        until = self.clock.now() + LEASE_SECONDS
        return self._take(Claim(message_id, destination, recipient, str(self.owners), until, group=tuple(others)))

    def claim_all(self, message_id: str, wanted: Sequence[ClaimRequest]) -> list[Claim | Settled | Temporary]:
        found: list[Claim | Settled | Temporary] = []
        for one in wanted:
            try:
                found.append(self.claim(message_id, one.destination, one.recipient, one.others))
            except Temporary as failure:
                found.append(failure)
        return found

    def claim_answer(self, message_id: str, number: int, group: Sequence[Address]) -> Claim | Settled:
        self.owners += 1
        until, keys = self.clock.now() + LEASE_SECONDS, tuple(one.key for one in group)
        who = (group[0], group[0], str(self.owners))
        return self._take(Claim(message_id, *who, until, kind=DSN, number=number, group=keys))

    def _take(self, wanted: Claim) -> Claim | Settled:
        now, key = self.clock.now(), (wanted.message_id, wanted.entry)

        def swap(old: Standing, new: Standing) -> Standing | None:
            if (found := self.claims.get(key, Standing())) != old:
                return found
            self.claims[key] = new
            return None

        claim = take(wanted, now, RETRY_HOURS * 3600, swap)
        if isinstance(claim, HeldByAnother):
            raise ClaimHeld(wanted.entry)
        return claim

    def settle(self, claim: Claim, state: ClaimState, detail: str, refusals: Sequence[str] = ()) -> None:
        found = self.claims[claim.message_id, claim.entry]
        if found.owner != claim.owner:
            raise ClaimLost(claim.entry)
        if state is ClaimState.RELEASED:
            found = replace(found, first_at=None)
        found = replace(found, state=state, detail=detail, refusals=tuple(refusals))
        self.claims[claim.message_id, claim.entry] = found

    def settle_all(self, endings: Sequence[ClaimEnd]) -> list[Temporary | None]:
        found: list[Temporary | None] = []
        for one in endings:
            try:
                self.settle(one.claim, one.state, one.detail, one.refusals)
                found.append(None)
            except Temporary as failure:
                found.append(failure)
        return found

    def settle_and_close(
        self,
        envelope: Envelope,
        outcomes: Collection[Outcome],
        size: int,
        orders: int,
        notes: Mapping[str, Any] | None,
        endings: Sequence[ClaimEnd],
    ) -> bool:
        claims = [one.claim for one in endings]
        ours = all(self.claims[one.message_id, one.entry].owner == one.owner for one in claims)
        mine = {outcome.recipient.key for outcome in outcomes}
        if not ours or self.messages[envelope.message_id]["pending"] != mine:
            return False
        self.settle_all(endings)
        self.close(envelope, outcomes, size, orders, notes)
        return True

    def suspend(self, message_id: str, destination: Address, recipient: Address, reason: str) -> None:
        key = (message_id, f"{VIA}:{destination.key}")
        found = self.claims.get(key, Standing())
        if found.state is None or found.state.idle:
            self.claims[key] = replace(found, state=ClaimState.SUSPENDED, recipient=recipient.key, detail=reason)

    def close(
        self,
        envelope: Envelope,
        outcomes: Collection[Outcome],
        size: int,
        orders: int = 0,
        notes: Mapping[str, Any] | None = None,
    ) -> frozenset[Address]:
        self.notes[envelope.message_id] = notes
        stands = set()
        for outcome in outcomes:
            old = self.outcomes.get((envelope.message_id, outcome.recipient.key))
            if old is None or not old.state.settled:
                key = (envelope.message_id, outcome.recipient.key)
                self.outcomes[key] = outcome
                if outcome.answer is not None:
                    self.answers[key] = outcome.answer
            if self.outcomes[envelope.message_id, outcome.recipient.key].state == outcome.state:
                stands.add(outcome.recipient)
        deferred = {outcome.recipient.key for outcome in outcomes if not outcome.state.settled}
        self.messages[envelope.message_id]["pending"] -= {
            r.key for r in (*envelope.recipients, *envelope.unknown)
        } - deferred
        return frozenset(stands)

    def due(self, message_id: str) -> Due | None:
        found = self.envelopes.get(message_id)
        answers = [one for (of, _), one in self.answers.items() if of == message_id and isinstance(one, Answer)]
        served = {
            one.recipient
            for one in answers
            if one.recipient.key in self.reached(message_id)
            and (outcome := self.outcomes.get((message_id, one.recipient.key)))
            and outcome.state is State.REJECTED
        }
        replies = {one.recipient: one.reply for one in answers if one.recipient not in served}
        return Due(found.source, found.received_at, replies, tuple(served)) if found else None

    def reached(self, message_id: str) -> frozenset[str]:
        return frozenset(
            who
            for (message, entry), one in self.claims.items()
            if message == message_id and entry.startswith(f"{VIA}:") and one.state and one.state.reached
            for who in (one.recipient, *one.group)
        )

    def answer_due(self, message_id: str, answer: Answer) -> None:
        self.answers.setdefault((message_id, answer.recipient.key), answer)

    def answered(self, message_id: str, recipients: Collection[Address], what: str, *, missed: bool) -> None:
        self.answers |= {(message_id, recipient.key): what for recipient in recipients}
        self.missed |= {recipient.key for recipient in recipients if missed}

    def unanswered(self, message_id: str, recipient: Address, why: str) -> None:
        self.answers.setdefault((message_id, recipient.key), f"none: {why}")

    def answer_later(self, message_id: str) -> None:
        self.owners += 1
        self.later.pop(message_id, None)
        self.later[message_id] = str(self.owners)

    def waiting_answers(self) -> list[Waiting]:
        return [Waiting(message_id, note) for message_id, note in self.later.items()]

    def no_longer_waiting(self, waiting: Waiting) -> None:
        if self.later.get(waiting.message_id) == waiting.note:
            del self.later[waiting.message_id]

    def is_open(self, message_id: str) -> bool:
        return bool(self.messages[message_id]["pending"])

    def states(self, message_id: str) -> dict[str, str]:
        return {key: o.state for (message, key), o in self.outcomes.items() if message == message_id}


@dataclass
class FakeRates:
    """`cap` is in the place of the setting; 0 is no room at all."""

    cap: int | None = None
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    clock: FakeClock = field(default_factory=FakeClock)
    out: dict[str, set[str]] = field(default_factory=dict)
    arrived: Counter[str] = field(default_factory=Counter)
    begun_at: dict[str, float] = field(default_factory=dict)
    seen: dict[Echo, set[str]] = field(default_factory=dict)

    def note(self, echo: Echo, mine: str) -> Collection[str]:
        there = self.seen.setdefault(echo, set())
        there.difference_update(outdated(there, self.clock.now()))
        if len(there) < KEPT:
            there.add(mine)
        return there

    def begin(self, message_id: str, destination: Address) -> None:
        domain, one = domain_key(destination.key), f"{message_id} {destination.key}"
        there = self.out.setdefault(domain, set())
        if one not in there and len(there) >= min(UNCONFIRMED + self.arrived[domain], 100):
            if self.begun_at[domain] >= self.clock.now() - SILENCE:
                raise NotYet(domain)
            there.clear()
        there.add(one)
        self.begun_at[domain] = self.clock.now()

    def forgo(self, message_id: str, destination: Address) -> None:
        self.out[domain_key(destination.key)].discard(f"{message_id} {destination.key}")

    def counting(self, destination: Address, sender: str, cap: int, *, by_domain: bool) -> tuple[()]:
        return ()  # FakeLedger writes nothing along

    def admit(self, destination: Address, sender: str, cap: int, *, by_domain: bool, again: bool = False) -> None:
        cap = cap if self.cap is None else self.cap
        most = cap - cap // 4 if again else cap
        whom, hour = destination.untagged.key, str(self.clock.now() // 3600)
        for one, cap in [(sender, -(-most // 3)), ("*", most)] if by_domain else [(sender, most)]:
            if self.counts[whom, f"{one} {hour}"] >= cap:
                raise OverCap(f"{sender} to {destination}")
            self.counts[whom, f"{one} {hour}"] += 1


@dataclass
class FakeBucket:
    """Objects with their times, listed so many at once."""

    stored: dict[str, float] = field(default_factory=dict)
    page_size: int = 2
    pages: int = 0

    def page(self, after: str) -> tuple[dict[str, float], str]:
        self.pages += 1
        later = sorted(message_id for message_id in self.stored if message_id > after)
        listed = later[: self.page_size]
        return {one: self.stored[one] for one in listed}, listed[-1] if len(later) > self.page_size else ""


@dataclass
class FakeWatchState:
    """`own` are the messages' own entries: opened_at, and reopened_at if they were; `open` in those that are. `others` are
    those of their recipients."""

    own: dict[str, dict[str, Any]] = field(default_factory=dict)
    others: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    notes: dict[str, float] = field(default_factory=dict)
    saved: Progress = field(default_factory=Progress)
    asked: list[str] = field(default_factory=list)

    def open_since_before(self, moment: float) -> Iterator[str]:
        found = [(entry["opened_at"], name) for name, entry in self.own.items() if "open" in entry]
        return (name for opened_at, name in sorted(found) if opened_at < moment)

    def message_entries(self, message_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        self.asked += message_ids
        return {one: self.own[one] for one in message_ids if one in self.own}

    def entries(self, message_id: str) -> dict[str, dict[str, Any]]:
        return {"message": self.own[message_id], **self.others.get(message_id, {})}

    def progress(self) -> Progress:
        return self.saved

    def save(self, progress: Progress) -> None:
        self.saved = progress

    def remember(self, message_id: str, stored_at: float) -> None:
        self.notes[message_id] = stored_at

    def remembered(self) -> dict[str, float]:
        return dict(self.notes)

    def forget(self, message_id: str) -> None:
        self.notes.pop(message_id, None)


@dataclass
class FakeWatchLog:
    found: list[Overlooked] = field(default_factory=list)

    def overlooked(self, found: Overlooked) -> None:
        self.found.append(found)


@dataclass
class FakeQueue:
    hidden: list[tuple[str, int]] = field(default_factory=list)
    woken: list[tuple[Mapping[str, Any], float]] = field(default_factory=list)
    failure: Temporary | None = None

    def hide(self, receipt: str, seconds: int) -> None:
        self.hidden.append((receipt, seconds))

    def wake(self, event: Mapping[str, Any], release_at: float, now: float) -> None:
        if self.failure is not None:
            raise self.failure
        self.woken.append((event, release_at))


@dataclass
class FakeGreyBook:
    first: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    counted: dict[str, float] = field(default_factory=dict)
    until: dict[str, float] = field(default_factory=dict)

    def first_seen(self, triplet: str, now: float, keep: float) -> float:
        if self.until.get(triplet, now) < now:
            del self.first[triplet]
        self.until[triplet] = now + keep
        return self.first.setdefault(triplet, now)

    def passes(self, client: str, now: float) -> int:
        return self.counts.get(client, 0)

    def passed(self, client: str, now: float, keep: float) -> None:
        if self.counted.get(client, 0) <= now - 3600:
            self.counts[client], self.counted[client] = self.counts.get(client, 0) + 1, now


@dataclass
class FakeFeedbackLedger:
    """`envelopes` are those of the messages that have one; every claim is for INFO, and each message of a sender of
    its own unless `senders` says whose it is."""

    entries: dict[tuple[str, str], dict[str, tuple[int, str, str]]] = field(default_factory=dict)
    envelopes: dict[str, Envelope] = field(default_factory=dict)
    noted: set[tuple[str, str]] = field(default_factory=set)
    hosts: list[HostMail] = field(default_factory=list)
    sent_as: list[SentAs] = field(default_factory=list)
    senders: dict[str, str] = field(default_factory=dict)
    claims: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    rates: FakeRates = field(default_factory=FakeRates)
    replies: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # alias and replier

    def feedback_came(self, message_id: str, destination: str, *, arrived: bool) -> None:
        domain, one = domain_key(destination), f"{message_id} {destination}"
        if one in self.rates.out.get(domain, ()):
            self.rates.out[domain].remove(one)
            self.rates.arrived[domain] = self.rates.arrived[domain] + 1 if arrived else 0

    def note(self, feedback: Feedback) -> Sending | None:
        for (message_id, destination), said in self.entries.items():
            if (
                message_id == feedback.message_id
                and entry_tag(TAG_KEY, message_id, f"via:{destination}") == feedback.destination
            ):
                if contradicts(self.claims.get((message_id, destination), {}), feedback.ses_id):
                    return None
                new, old = (feedback.at, feedback.id, feedback.why), said.get(feedback.kind)
                news = old is None or old[:2] < new[:2]
                if news:
                    said[feedback.kind] = new
                alias, replier = self.replies.get((message_id, destination), ("", ""))
                return Sending(destination, INFO, news, self.senders.get(message_id, message_id), alias, replier)
        raise EntryMissing(f"message {feedback.message_id}")

    def note_host(self, mail: HostMail) -> bool:
        news = mail not in self.hosts
        self.hosts.append(mail)
        return news

    def note_sent_as(self, mail: SentAs) -> bool:
        news = mail not in self.sent_as
        self.sent_as.append(mail)
        return news

    def lost(self, message_id: str, recipient: str, destination: str) -> Envelope | None:
        found = self.envelopes.get(message_id)
        if found is None:
            return None
        self.noted.add((message_id, recipient))
        return replace(found, recipients=(Address.parse(recipient),))


@dataclass
class FakeHealth:
    clock: FakeClock = field(default_factory=FakeClock)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def failed(self, address: str, failure: Failure) -> Row:
        row = self.rows.setdefault(address, {"address": address})
        row["failures"] = {*row.get("failures", ()), str(failure)}
        return dict(row)

    def delivered(self, address: str, at: int) -> None:
        row = self.rows.setdefault(address, {"address": address})
        if "delivered_at" not in row or ("failures" in row and row["delivered_at"] < at):
            row["delivered_at"] = at

    def forget(self, address: str, failures: Collection[str]) -> None:
        self.rows[address]["failures"] -= set(failures)

    def suspend(self, address: str, reason: str, failed_at: int) -> Row:
        row = self.rows.setdefault(address, {"address": address})
        if "suspended_at" not in row and row.get("resumed_at", failed_at - 1) < failed_at:
            row |= {"suspended_at": int(self.clock.now()), "reason": reason}
        return dict(row)

    def note_told(self, address: str) -> None:
        if "suspended_at" in self.rows.get(address, {}):
            self.rows[address]["told_at"] = int(self.clock.now())


@dataclass
class FakeAnswerLog:
    """What both logs say of answers to senders."""

    lines: list[str] = field(default_factory=list)

    def answered(self, message_id: str, recipients: Collection[str], state: ClaimState, detail: str) -> None:
        self.lines.append(f"answer {state} {', '.join(recipients)}")

    def too_many_answers(self, message_id: str, recipients: Collection[str], why: str) -> None:
        self.lines.append(f"too many answers {', '.join(recipients)}")

    def answer_waits(self, message_id: str, failure: Temporary) -> None:
        self.lines.append(f"answer waits: {failure}")

    def failure(self, error: Exception) -> None:
        self.lines.append(f"failure {type(error).__name__}")


@dataclass
class FakeFeedbackLog(FakeAnswerLog):
    def feedback(self, feedback: Feedback, destination: str, *, first: bool) -> None:
        self.lines.append(f"{feedback.kind} {destination}" + ("" if first else " again"))

    def suspended(self, destination: str, reason: str) -> None:
        self.lines.append(f"suspended {destination}: {reason}")

    def host_mail(self, mail: HostMail, *, first: bool) -> None:
        self.lines.append(f"host's mail lost{'' if first else ' (again)'}")

    def sent_as(self, mail: SentAs, *, first: bool) -> None:
        self.lines.append(f"sent as {mail.address} and lost{'' if first else ' (again)'}")

    def untold(self, mail: SentAs, reason: str) -> None:
        self.lines.append(f"untold: {reason}")

    def resent(self, claim: Claim) -> None:
        self.lines.append(f"resent {claim.destination}")

    def contradicting(self, feedback: Feedback) -> None:
        self.lines.append("contradicting")

    def unrelated(self) -> None:
        self.lines.append("unrelated")

    def daily_test(self, domain: str, what: str, why: str) -> None:
        self.lines.append(f"daily test of {domain} {what}: {why}")


@dataclass
class FakeTeller:
    """Keeps what it was to tell."""

    told: list[SentAs] = field(default_factory=list)
    repliers: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, mail: SentAs) -> None:
        self.told.append(mail)

    def tell_replier(self, feedback: Feedback, sending: Sending) -> None:
        self.repliers.append((sending.replier, feedback.why))


@dataclass
class FakeReturnedLimits:
    """The events of each alias and hour."""

    admitted: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def admit(self, mail: SentAs) -> None:
        told = self.admitted.setdefault((mail.address.key, mail.at // 3600), set())
        if mail.message_id not in told and len(told) >= MOST_AN_HOUR:
            raise OverCap(f"told {MOST_AN_HOUR} times within this hour")
        told.add(mail.message_id)


@dataclass
class FakeMailLog(FakeAnswerLog):
    resendings: list[tuple[str, str]] = field(default_factory=list)
    measured: list[tuple[str, int, float | None]] = field(default_factory=list)

    def received(self, envelope: Envelope, entry: Entry) -> None:
        self.lines.append("received" if entry.first else "received again")

    def outcome(self, envelope: Envelope, outcome: Outcome, size: int, now: float) -> None:
        self.lines.append(f"{outcome.state} {outcome.recipient}")

    def sent(self, envelope: Envelope, claim: Claim, size: int, now: float) -> None:
        self.measured.append((str(claim.destination), size, envelope.age(now)))

    def resent(self, claim: Claim) -> None:
        self.lines.append(f"resent {claim.destination}")
        self.resendings.append((claim.message_id, str(claim.destination)))

    def thread_lost(self, envelope: Envelope, failure: Temporary) -> None:
        self.lines.append(f"thread lost {failure}")

    def learned(self, envelope: Envelope, alias: str) -> None:
        self.lines.append(f"learned {alias}")

    def not_learned(self, envelope: Envelope, alias: str, failure: Exception) -> None:
        self.lines.append(f"not learned {alias} {type(failure).__name__}")

    def rescued(self, claim: Claim, form: str) -> None:
        self.lines.append(f"rescued {claim.destination} {form}")

    def bad_row(self, envelope: Envelope, reason: str) -> None:
        self.lines.append(f"bad row {reason}")

    def deferred(self, envelope: Envelope, destination: Address, failure: Temporary) -> None:
        self.lines.append(f"deferred {destination} {type(failure).__name__}")
