"""In-memory stand-ins for the ports, held to the truth by tests/contract."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from postern.errors import ClaimHeld, ClaimLost, MessageMissing, Unavailable
from postern.mail.address import Address
from postern.mail.envelope import Envelope
from postern.mail.notice import Link
from postern.mail.rows import Row, Rows, SenderKey
from postern.ports import Claim, Entry, Outcome, Settled
from postern.recipients.plan import DELETE, UPDATE, Rule, Step
from postern.recipients.ports import Found, Progress, Turn

LEASE_SECONDS = 150
TURN_SECONDS = 120


@dataclass
class FakeClock:
    time: float = 1_795_000_000.0

    def now(self) -> float:
        return self.time


@dataclass
class FakeMailStore:
    messages: dict[str, bytes] = field(default_factory=dict)

    def fetch(self, message_id: str) -> bytes:
        if message_id not in self.messages:
            raise MessageMissing(f"no object inbound/{message_id}")
        return self.messages[message_id]

    def link(self, message_id: str) -> Link | None:
        return Link(f"https://mail.example/{message_id}", "2026-11-23 12:00 UTC")


@dataclass
class FakeTables:
    aliases: dict[str, Row] = field(default_factory=dict)
    senders: dict[SenderKey, Row] = field(default_factory=dict)
    failure: Exception | None = None
    calls: int = 0

    def read(self, aliases: Collection[str], senders: Collection[SenderKey]) -> Rows:
        self.calls += 1
        if self.failure:
            raise self.failure
        return Rows({key: self.aliases.get(key) for key in aliases}, {key: self.senders.get(key) for key in senders})


@dataclass
class FakeMailer:
    """Keeps what it sends; `script` holds, per destination, what the next attempts meet."""

    sent: list[tuple[str, str, bytes]] = field(default_factory=list)
    script: dict[str, list[Exception]] = field(default_factory=dict)
    before: Callable[[str], None] = field(default=lambda destination: None)

    def send(self, raw: bytes, alias: Address, destination: Address, message_id: str) -> str:
        self.before(str(destination))
        if self.script.get(str(destination)):
            raise self.script[str(destination)].pop(0)
        self.sent.append((str(alias), str(destination), raw))
        return f"ses-{len(self.sent)}"

    @property
    def destinations(self) -> list[str]:
        return [destination for _, destination, _ in self.sent]


@dataclass
class FakeLedger:
    clock: FakeClock = field(default_factory=FakeClock)
    messages: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    claims: dict[tuple[str, str], tuple[Claim, str, str]] = field(default_factory=dict)
    owners: int = 0

    def open(self, envelope: Envelope) -> Entry:
        recipients = {*(recipient.key for recipient in envelope.recipients), *envelope.unreadable}
        entry = self.messages.get(envelope.message_id)
        if entry is None:
            self.messages[envelope.message_id] = {"recipients": set(recipients), "pending": set(recipients)}
            return Entry(first=True)
        entry["pending"] |= recipients - entry["recipients"]
        entry["recipients"] |= recipients
        settled = (
            key for (message, key), o in self.outcomes.items() if message == envelope.message_id and o.state != "held"
        )
        return Entry(False, frozenset(settled))

    def claim(self, message_id: str, destination: Address, recipient: Address) -> Claim | Settled:
        old, state, detail = self.claims.get((message_id, destination.key), (None, "", ""))
        if old is not None:
            if state in ("sent", "noticed", "failed"):
                return Settled(state, old.recipient.key, detail)
            if state == "claimed" and old.lease_until >= self.clock.now():
                raise ClaimHeld(f"via:{destination.key}")
        self.owners += 1
        until = self.clock.now() + LEASE_SECONDS
        uncertain = state in ("claimed", "unanswered")
        claim = Claim(message_id, destination, recipient, str(self.owners), until, uncertain)
        self.claims[message_id, destination.key] = (claim, "claimed", "")
        return claim

    def settle(self, claim: Claim, state: str, detail: str, refusals: Sequence[str] = ()) -> None:
        key = (claim.message_id, claim.destination.key)
        if self.claims[key][0].owner != claim.owner:
            raise ClaimLost(f"via:{claim.destination.key}")
        self.claims[key] = (claim, state, detail if state == "failed" else ", ".join(refusals))

    def close(self, envelope: Envelope, outcomes: Collection[Outcome], size: int) -> None:
        for outcome in outcomes:
            old = self.outcomes.get((envelope.message_id, outcome.recipient.key))
            if old is None or old.state == "held":
                self.outcomes[envelope.message_id, outcome.recipient.key] = outcome
        held = {outcome.recipient.key for outcome in outcomes if outcome.state == "held"}
        self.messages[envelope.message_id]["pending"] -= {r.key for r in envelope.recipients} - held

    def is_open(self, message_id: str) -> bool:
        return bool(self.messages[message_id]["pending"])

    def states(self, message_id: str) -> dict[str, str]:
        return {key: o.state for (message, key), o in self.outcomes.items() if message == message_id}


@dataclass
class FakeMailLog:
    lines: list[str] = field(default_factory=list)

    def received(self, envelope: Envelope, entry: Entry) -> None:
        self.lines.append("received" if entry.first else "received again")

    def outcome(self, envelope: Envelope, outcome: Outcome) -> None:
        self.lines.append(f"{outcome.state} {outcome.recipient}")

    def resent(self, claim: Claim) -> None:
        self.lines.append(f"resent {claim.destination}")

    def rescued(self, claim: Claim, form: str) -> None:
        self.lines.append(f"rescued {claim.destination} {form}")

    def failure(self, error: Exception) -> None:
        self.lines.append(f"failure {type(error).__name__}")


@dataclass
class FakeLease:
    """The lease in memory; its time is the clock's."""

    clock: FakeClock = field(default_factory=FakeClock)
    owner: str = ""
    until: float = 0.0
    asked: int = 0
    behind_since: float | None = None
    owners: int = 0

    def take(self) -> Turn | None:
        if self.owner and self.until >= self.clock.now():
            self.asked += 1
            return None
        self.owners += 1
        self.owner, self.until = str(self.owners), self.clock.now() + TURN_SECONDS
        return Turn(self.owner, self.asked, self.behind_since)

    def renew(self, turn: Turn) -> None:
        self._hold(turn)
        self.until = self.clock.now() + TURN_SECONDS

    def give_back(self, turn: Turn, behind_since: float | None) -> Turn | None:
        self._hold(turn)
        if behind_since is None and self.asked != turn.asked:
            return Turn(self.owner, self.asked)
        self.owner, self.behind_since = "", behind_since
        return None

    def _hold(self, turn: Turn) -> None:
        if self.owner != turn.owner:
            raise ClaimLost(f"the turn went to {self.owner}")


@dataclass
class FakeRules:
    """Rules of ours as `bodies`; `script` holds what the next calls meet, `before` runs before each."""

    prefix: str = "x-recipients-"
    bodies: dict[str, Rule] = field(default_factory=dict)
    others: int = 0
    script: list[Exception | None] = field(default_factory=list)
    before: Callable[[], None] = field(default=lambda: None)
    steps: list[Step] = field(default_factory=list)

    def read(self) -> Found:
        return Found(tuple(self.bodies.values()), self.others)

    def carry_out(self, step: Step) -> None:
        self.before()
        failure = self.script.pop(0) if self.script else None
        if failure:
            raise failure
        if (step.kind == UPDATE) != (step.name in self.bodies) and step.kind != DELETE:
            raise Unavailable(f"SES {step.kind} receipt rule {step.name}")
        self.steps.append(step)
        self.bodies.pop(step.name, None)
        if step.kind != DELETE:
            self.bodies[step.name] = Rule(step.name, step.recipients)

    @property
    def recipients(self) -> set[str]:
        return {recipient for rule in self.bodies.values() for recipient in rule.recipients}


@dataclass
class FakeAliasTable:
    aliases: dict[str, Row] = field(default_factory=dict)
    failure: Exception | None = None

    def rows(self) -> dict[str, Row]:
        if self.failure:
            raise self.failure
        return dict(self.aliases)


@dataclass
class FakeRecipientsLog:
    lags: list[float] = field(default_factory=list)
    looks: list[Progress] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def progress(self, progress: Progress) -> None:
        self.looks.append(progress)

    def lag(self, seconds: float) -> None:
        self.lags.append(seconds)

    def left_to_another(self) -> None:
        self.lines.append("left to another")

    def answered(self, said: str) -> None:
        self.lines.append(said)

    def failure(self, error: Exception) -> None:
        self.lines.append(f"failure {type(error).__name__}")
