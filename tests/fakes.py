"""In-memory stand-ins for the ports, held to the truth by tests/contract."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from postern.errors import ClaimHeld, ClaimLost, MessageMissing
from postern.mail.address import Address
from postern.mail.envelope import Envelope
from postern.mail.notice import Link
from postern.mail.rows import Row, Rows, SenderKey
from postern.ports import SETTLED, Claim, Entry, Outcome, Settled

LEASE_SECONDS = 150
RETRY_HOURS = 36


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
    first: dict[tuple[str, str], float] = field(default_factory=dict)
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
            if state in SETTLED:
                return Settled(state, old.recipient.key, detail)
            if state == "claimed" and old.lease_until >= self.clock.now():
                raise ClaimHeld(f"via:{destination.key}")
        self.owners += 1
        until = self.clock.now() + LEASE_SECONDS
        uncertain = state in ("claimed", "unanswered")
        claim = Claim(message_id, destination, recipient, str(self.owners), until, uncertain)
        self.claims[message_id, destination.key] = (claim, "claimed", "")
        first = self.first.setdefault((message_id, destination.key), self.clock.now())
        if uncertain and self.clock.now() - first >= RETRY_HOURS * 3600:
            self.settle(claim, "ambiguous", "it may have been sent")
            return Settled("ambiguous", recipient.key, "it may have been sent")
        return claim

    def settle(self, claim: Claim, state: str, detail: str, refusals: Sequence[str] = ()) -> None:
        key = (claim.message_id, claim.destination.key)
        if self.claims[key][0].owner != claim.owner:
            raise ClaimLost(f"via:{claim.destination.key}")
        self.claims[key] = (claim, state, ", ".join(refusals) if state in ("sent", "noticed") else detail)

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
class FakeQueue:
    hidden: list[tuple[str, int]] = field(default_factory=list)

    def hide(self, receipt: str, seconds: int) -> None:
        self.hidden.append((receipt, seconds))


@dataclass
class FakeMailLog:
    lines: list[str] = field(default_factory=list)
    resendings: list[tuple[str, str]] = field(default_factory=list)

    def received(self, envelope: Envelope, entry: Entry) -> None:
        self.lines.append("received" if entry.first else "received again")

    def outcome(self, envelope: Envelope, outcome: Outcome) -> None:
        self.lines.append(f"{outcome.state} {outcome.recipient}")

    def resent(self, claim: Claim) -> None:
        self.lines.append(f"resent {claim.destination}")
        self.resendings.append((claim.message_id, str(claim.destination)))

    def rescued(self, claim: Claim, form: str) -> None:
        self.lines.append(f"rescued {claim.destination} {form}")

    def failure(self, error: Exception) -> None:
        self.lines.append(f"failure {type(error).__name__}")
