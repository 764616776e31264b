"""All there is in the small world of one message, and what does not act: the case that is tried, and how it is written down.

Everything is a value, so that each state of the world is met once.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from postern_mail.mail.address import Address
from postern_mail.mail.claims import Settled, Standing
from postern_mail.mail.outcomes import ClaimState, State

LEASE = 10  # of a claim, in the model's seconds; longer than any invocation runs
PATIENCE = 25  # until a claim without an answer is given up
DELAY = 5  # of a grey hold
GRACE = 15  # after a hold until the watch wakes what nothing woke
KNOWN = "known"  # of who is held: lists know the sender when the hold ends
DUE = "due"
AT_ONCE = 2  # sendings under way; the code has ten


class Message(NamedTuple):
    """The message's entry."""

    recipients: frozenset[str]
    pending: frozenset[str]
    open: bool = True
    noted: frozenset[str] = frozenset()
    release_at: int = 0


class Telling(NamedTuple):
    """Someone who tells the sender. `at` is the next step: read, claim, send, settle, note, answer, later; or done or
    waits, when it has ended. `left` are those of whom an answer is due, `about` those of whom `what` is written down."""

    owner: str
    at: str = "read"
    number: int = 0
    left: frozenset[str] = frozenset()
    group: tuple[str, ...] = ()
    says: str = ""
    about: tuple[str, ...] = ()
    what: str = ""
    missed: bool = False


class Invocation(NamedTuple):
    """An event that is being taken. `at` is its next step; `results` what became of the destinations so far. Of those
    under way `batches` are still to be claimed or settled, `claimed` to be sent (and whether one may have been sent
    before), `answers` to be settled."""

    wanted: frozenset[str]
    owner: str
    at: str = "open"
    waiting: tuple[str, ...] = ()
    released: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()
    results: tuple[tuple[str, str | Settled], ...] = ()
    batches: tuple[tuple[str, ...], ...] = ()
    claimed: tuple[tuple[str, bool], ...] = ()
    answers: tuple[tuple[str, ClaimState], ...] = ()
    orders: int = 0
    recorded: tuple[tuple[str, State], ...] = ()
    due: bool = False
    telling: Telling | None = None
    listed: frozenset[str] = frozenset()
    held: tuple[tuple[str, int], ...] = ()


class Person(NamedTuple):
    """An order that is being carried out. `todo` are its writes that are left."""

    todo: tuple[tuple[str, str], ...]
    read: tuple[tuple[str, State], ...]
    recipients: tuple[str, ...]
    number: int
    claims: tuple[tuple[str, ClaimState | None], ...]


class Bounce(NamedTuple):
    """An event of SES's that is being taken: a mailbox gave back what SES took. `at`: bounced, lost, due, tell."""

    destination: str
    at: str = "bounced"
    recipient: str = ""
    telling: Telling | None = None


class Watch(NamedTuple):
    """The watch at an answer that was left to it, by the note that it read."""

    note: str
    telling: Telling


class World(NamedTuple):
    """All there is. `copies` of the message that SES took by destination, `explained` those that may be a second one.
    `answers` is what the recipients' entries say of the answer, `answered` how often the sender heard of each,
    `served` are those whom a copy was for, `told_wrong` those of them who were called unknown. `waits` is the note for the watch.
    `first_seen` says when mail for a recipient came first that nothing authenticates, `holds` until when recipients' entries say
    that they wait, `sleeping` are the delayed events of the queue.
    `ordered_since` are those whose loss an order took off the owner's list: the copy that bounced was one before it."""

    queue: tuple[frozenset[str], ...]
    running: tuple[Invocation | None, ...]
    message: Message | None = None
    outcomes: tuple[tuple[str, State], ...] = ()
    lifted: frozenset[str] = frozenset()
    claims: tuple[tuple[str, Standing], ...] = ()
    copies: tuple[tuple[str, int], ...] = ()
    explained: tuple[tuple[str, int], ...] = ()
    bounced: frozenset[str] = frozenset()
    ordered_since: frozenset[str] = frozenset()
    person: Person | None = None
    orders: int = 0
    ordered: bool = False
    number: int = 0
    opened_by: tuple[tuple[str, int], ...] = ()
    bounces: int = 0
    events: frozenset[str] = frozenset()
    feedback: Bounce | None = None
    dsn: tuple[tuple[int, Standing], ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    answered: tuple[tuple[str, int], ...] = ()
    served: frozenset[str] = frozenset()
    told_wrong: frozenset[str] = frozenset()
    waits: str = ""
    watch: Watch | None = None
    gone: frozenset[str] = frozenset()
    first_seen: tuple[tuple[str, int], ...] = ()
    holds: tuple[tuple[str, int], ...] = ()
    sleeping: tuple[tuple[frozenset[str], int], ...] = ()
    faults: int = 0
    now: int = 0


class Case(NamedTuple):
    """What is tried: where aliases lead (nowhere: the recipient is unknown), which recipients are quarantined at first,
    whose row goes away at some time, what a person orders, whether the sender is one who is answered, and whose mail nothing
    authenticates (`grey`): "" if nothing speaks against it later, KNOWN if lists do."""

    leads: Mapping[str, tuple[str, ...]]
    quarantined: frozenset[str] = frozenset()
    order: str = ""
    events: int = 1
    invocations: int = 2
    faults: int = 1
    bounces: int = 0
    answered: bool = False
    vanishing: frozenset[str] = frozenset()
    grey: Mapping[str, str] = {}

    def start(self) -> World:
        """SES has stored the message and sent so many events of it."""
        everybody = frozenset(self.leads)
        return World(
            (everybody,) * self.events,
            (None,) * self.invocations,
            orders=1 if self.order else 0,
            bounces=self.bounces,
            faults=self.faults,
        )


Step = tuple[str, World]


def entries(world: World) -> dict[str, dict[str, Any]]:
    """The ledger's entries, as the code reads them."""
    message = message_of(world)
    found: dict[str, dict[str, Any]] = {"message": {"recipients": message.recipients, "pending": message.pending}}
    answers = dict(world.answers)
    for who in {*dict(world.outcomes), *answers}:
        entry: dict[str, Any] = {"answer": answers[who]} if who in answers else {}
        if who in dict(world.outcomes):
            entry["state"] = dict(world.outcomes)[who]
        entry |= {"release_at": dict(world.holds)[who]} if who in dict(world.holds) else {}
        found[f"to:{who}"] = entry | ({"released_by": "somebody"} if who in world.lifted else {})
    for destination, standing in world.claims:
        lost = {"bounced": {"lost": True}} if destination in world.bounced else {}
        mine = {"recipient": short(standing.recipient), "recipients": [short(one) for one in standing.group]}
        found[f"via:{destination}"] = {"state": standing.state, **mine, **lost}
    return found


def message_of(world: World) -> Message:
    """The message's entry, which comes before all else."""
    if world.message is None:
        raise AssertionError("nothing comes before the message's entry")
    return world.message


def put(pairs: tuple[tuple[Any, Any], ...], name: Any, value: Any) -> tuple[tuple[Any, Any], ...]:
    """The pairs with one more or another one."""
    return tuple(sorted({**dict(pairs), name: value}.items(), key=lambda pair: pair[0]))


def more(counts: tuple[tuple[str, int], ...], name: str) -> tuple[tuple[str, int], ...]:
    """The counts with one more of that name."""
    return put(counts, name, dict(counts).get(name, 0) + 1)


def address(name: str) -> Address:
    """A name as the code wants it."""
    return Address.parse(f"{name}@example.com")


def short(key: str) -> str:
    """A name as the model wants it."""
    return key.partition("@")[0]


def new_owner(world: World, role: str) -> str:
    """A name that no one and nothing bears: one that was used before is used again, so that the world stays finite."""
    tellers = [one.telling for one in (*world.running, world.feedback, world.watch) if one]
    borne = {standing.owner for _, standing in (*world.claims, *world.dsn)} | {world.waits}
    borne |= {one.owner for one in (*world.running, *tellers) if one} | ({world.watch.note} if world.watch else set())
    return next(name for number in range(99) if (name := f"{role}{number}") not in borne)
