"""The claim on one sending, and who may send: the whole state machine, without the ledger that stores it.

The owner of a claim may send until its lease expires. The ledger reads the stored claim, `take` says what to store
instead, and the ledger writes it on the condition that nothing changed in between.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .address import Address
from .outcomes import ClaimState
from .records import dataclass, field, replace

VIA, DSN = "via", "dsn"  # kinds of claims: on a destination, and on the answer to the sender
RACES = 5  # how often another invocation may be faster


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of one invocation to send one message to one destination, until `lease_until`.

    `owner` identifies this one attempt. `uncertain`: an earlier attempt ended without an answer, so SES may have sent
    this already; `again`: there was an earlier attempt; `counted`: the items that go along with a first claim were
    written with it. `kind` is VIA, or DSN for an answer to the sender: `number` counts a message's answers from 1.
    `group` has the keys of the recipients that an answer is about, or that the copy serves besides `recipient`.
    """

    message_id: str
    destination: Address
    recipient: Address
    owner: str
    lease_until: float
    uncertain: bool = False
    kind: str = VIA
    number: int = 0
    group: tuple[str, ...] = ()
    again: bool = field(default=False, compare=False)
    counted: bool = field(default=False, compare=False)

    @property
    def entry(self) -> str:
        """The name of its entry in the ledger."""
        return f"{self.kind}:{self.number or self.destination.key}"


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """A destination to claim for a recipient, and for others, by their keys, that the same copy serves. The items
    `along` are written with a first claim."""

    destination: Address
    recipient: Address
    others: tuple[str, ...] = ()
    along: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class ClaimEnd:
    """What became of a claim; `detail` is SES's id, or why it failed, `refusals` what SES refused on the way."""

    claim: Claim
    state: ClaimState
    detail: str
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """A destination that needs no (more) sending.

    `state` is one that ends a claim; `recipient` is the key of the recipient it was sent for; `reason` says what was
    unusual, or SES's id for an answer that was sent; `group` is that of an answer.
    """

    state: ClaimState
    recipient: str
    reason: str = ""
    group: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A claim as the ledger stores it; no `state` if there is none. Times are epoch seconds.

    `before` is the state it was taken from; `first_at` the first of the attempts without an answer.
    """

    state: ClaimState | None = None
    owner: str = ""
    lease_until: float = 0
    first_at: float | None = None
    attempts: int = 0
    recipient: str = ""
    detail: str = ""
    refusals: tuple[str, ...] = ()
    before: ClaimState | None = None
    group: tuple[str, ...] = ()

    def settled(self, state: ClaimState, kind: str) -> Settled:
        """The end of this claim, which is in this state."""
        rescued = kind == VIA and state.accepted
        return Settled(state, self.recipient, ", ".join(self.refusals) if rescued else self.detail, self.group)


@dataclass(frozen=True, slots=True)
class Taken:
    """The claim is ours. `already`: our own first call had succeeded, and botocore repeated it because the answer was
    lost."""

    uncertain: bool
    already: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more is sent."""

    state: ClaimState


@dataclass(frozen=True, slots=True)
class HeldByAnother:
    """Another invocation may be sending, until then (epoch seconds)."""

    until: float


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The claim is ours, but SES has not answered for so long that nothing more is sent."""

    why: str


def ask(found: Standing, owner: str, now: float, patience: float) -> Taken | Ended | HeldByAnother | GivenUp:
    """What the stored claim means for an owner who asks now. `patience`: seconds for which SES may leave attempts
    unanswered."""
    if found.state is None:
        return Taken(uncertain=False)
    if found.state.ends:
        return Ended(found.state)
    if not found.state.free:
        if found.owner == owner:
            return Taken(uncertain=found.before is not None and found.before.uncertain, already=True)
        if found.lease_until >= now:
            return HeldByAnother(found.lease_until)
    if found.state.uncertain and found.first_at is not None and now - found.first_at >= patience:
        return GivenUp(f"SES was asked {found.attempts} times and the last answer is not known: it may have been sent")
    return Taken(found.state.uncertain)


def take(
    claim: Claim, now: float, patience: float, swap: Callable[[Standing, Standing], Standing | None]
) -> Claim | Settled | HeldByAnother:
    """Take a claim; or return why it cannot be taken.

    `swap` replaces the first by the second and returns None, or returns the stored claim if it is not the first. The
    first try assumes that none is stored, as for most mail: then nothing is read.
    """
    found = Standing()
    for _ in range(RACES):
        answer = ask(found, claim.owner, now, patience)
        match answer:
            case Ended(state):
                return found.settled(state, claim.kind)
            case HeldByAnother():
                return answer
            case Taken(uncertain, already):
                before = found.before if already else found.state
                mine = replace(claim, uncertain=uncertain, group=_group(found, claim), again=before is not None)
                instead = None if already else swap(found, _taken(found, claim, now))
                if instead is None:
                    return mine
            case GivenUp(why):
                end = replace(_taken(found, claim, now), state=ClaimState.AMBIGUOUS, detail=why)
                instead = swap(found, end)
                if instead is None:
                    return end.settled(ClaimState.AMBIGUOUS, claim.kind)
        found = instead
    return HeldByAnother(claim.lease_until)


def first(claim: Claim, now: float) -> Standing:
    """The stored form of a first claim."""
    return _taken(Standing(), claim, now)


def _taken(found: Standing, claim: Claim, now: float) -> Standing:
    return replace(
        found,
        state=ClaimState.CLAIMED,
        owner=claim.owner,
        lease_until=claim.lease_until,
        first_at=now if found.first_at is None else found.first_at,
        attempts=found.attempts + 1,
        recipient=claim.recipient.key,
        before=found.state,
        group=_group(found, claim),
    )


def _group(found: Standing, claim: Claim) -> tuple[str, ...]:
    """The recipients it is about: it may have been sent already for those of an earlier attempt. An answer is then
    about them alone; a copy serves all."""
    if found.state is None or not found.state.uncertain:
        return claim.group
    if claim.kind == DSN:
        return found.group
    served = dict.fromkeys((*claim.group, *found.group, found.recipient))
    return tuple(who for who in served if who != claim.recipient.key)
