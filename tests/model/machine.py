"""One message in a small world: every step that an invocation, a person's order or an event of SES can take.

A step is one write to the ledger, one sending, or one event on the queue: what happens whole or not at all. The claims are
those of `mail.claims`, the states those of `mail.outcomes`, the orders those of `orders`; the model adds who comes
when, and who is killed. `successors` says what can happen next.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

from postern_command.rerun_orders import CannotOrder, Order, release, replay
from postern_mail.mail.address import Address
from postern_mail.mail.claims import Claim, HeldByAnother, Settled, Standing, take
from postern_mail.mail.outcomes import ClaimState, State

LEASE = 10  # of a claim, in the model's seconds; longer than any invocation runs
PATIENCE = 25  # until a claim without an answer is given up


class Message(NamedTuple):
    """The message's entry."""

    recipients: frozenset[str]
    pending: frozenset[str]
    open: bool = True
    noted: frozenset[str] = frozenset()


class Invocation(NamedTuple):
    """An event that is being taken. `at` is its next step; `results` what became of the destinations so far."""

    wanted: frozenset[str]
    owner: str
    at: str = "open"
    waiting: tuple[str, ...] = ()
    released: frozenset[str] = frozenset()
    results: tuple[tuple[str, str | Settled], ...] = ()
    uncertain: bool = False
    answer: str = ""
    orders: int = 0
    recorded: tuple[tuple[str, State], ...] = ()


class Person(NamedTuple):
    """An order that is being carried out. `todo` are its writes that are left."""

    todo: tuple[tuple[str, str], ...]
    read: tuple[tuple[str, State], ...]
    recipients: tuple[str, ...]
    number: int
    claims: tuple[tuple[str, ClaimState | None], ...]


class World(NamedTuple):
    """All there is. `copies` of the message that SES took by destination, `explained` those that may be a second one."""

    queue: tuple[frozenset[str], ...]
    running: tuple[Invocation | None, ...]
    message: Message | None = None
    outcomes: tuple[tuple[str, State], ...] = ()
    lifted: frozenset[str] = frozenset()
    claims: tuple[tuple[str, Standing], ...] = ()
    copies: tuple[tuple[str, int], ...] = ()
    explained: tuple[tuple[str, int], ...] = ()
    bounced: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    person: Person | None = None
    orders: int = 0
    ordered: bool = False
    number: int = 0
    opened_by: tuple[tuple[str, int], ...] = ()
    bounces: int = 0
    faults: int = 0
    now: int = 0


class Case(NamedTuple):
    """What is tried: where aliases lead, which recipients are quarantined at first, and what a person orders."""

    leads: Mapping[str, tuple[str, ...]]
    quarantined: frozenset[str] = frozenset()
    order: str = ""
    events: int = 1
    invocations: int = 2
    faults: int = 1
    bounces: int = 0

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


def successors(case: Case, world: World) -> Iterator[Step]:
    """(what happens, the world after it), for everything that can happen next."""
    for slot, invocation in enumerate(world.running):
        if invocation is None:
            if world.queue and None not in world.running[:slot]:
                yield "start", _start(world, slot)
            continue
        yield from _invocation(case, world, slot, invocation)
        if world.faults:
            yield f"kill before {invocation.at}", _fail(world._replace(faults=world.faults - 1), slot, invocation)
    yield from _person(case, world)
    yield from _feedback(world)
    if not any(world.running) and any(_blocks(standing, world.now) for _, standing in world.claims):
        yield "time passes", world._replace(now=world.now + LEASE + 1)


def _blocks(standing: Standing, now: int) -> bool:
    """A claim that its dead owner cannot settle: only time changes what it says."""
    if standing.state is ClaimState.CLAIMED:
        return standing.lease_until >= now
    return standing.state is ClaimState.UNANSWERED and now <= PATIENCE


def _start(world: World, slot: int) -> World:
    """An owner has a name of its own; one that nothing bears any more is taken again, so that the world stays finite."""
    first, *rest = world.queue
    borne = {standing.owner for _, standing in world.claims} | {one.owner for one in world.running if one}
    owner = next(name for number in count() if (name := f"i{number}") not in borne)
    return _at(world._replace(queue=tuple(sorted(rest, key=sorted))), slot, Invocation(first, owner))


def _invocation(case: Case, world: World, slot: int, mine: Invocation) -> Iterator[Step]:
    """The next step of an invocation; several where SES decides."""
    verb, _, about = mine.at.partition(" ")
    if verb == "open":
        yield "message open", _open(case, world, slot, mine)
    elif verb == "claim":
        yield f"via:{about} claim", _claim(case, world, slot, mine, about)
    elif verb == "send":
        yield from ((f"send {about}", after) for after in _send(case, world, slot, mine, about))
    elif verb == "settle":
        yield f"via:{about} settle", _settle(case, world, slot, mine, about)
    elif verb == "note":
        noted = frozenset(f"{state} {who}" for who, state in _outcomes(case, mine).items() if state.noted)
        message = _message(world)
        after = world._replace(message=message._replace(noted=message.noted | noted))
        yield "message note", _at(after, slot, mine._replace(at=_first_record(case, mine)))
    elif verb == "record":
        yield f"to:{about} record", _record(case, world, slot, mine, about)
    elif verb == "pending":
        yield "message pending", _pending(case, world, slot, mine)
    elif verb == "shut":
        yield "message shut", _shut(case, world, slot, mine)


def _open(case: Case, world: World, slot: int, mine: Invocation) -> World:
    message = world.message or Message(mine.wanted, mine.wanted)
    new = mine.wanted - message.recipients
    message = message._replace(
        recipients=message.recipients | new, pending=message.pending | new, open=message.open or bool(new)
    )
    settled = {who for who, state in world.outcomes if state.settled}
    waiting = tuple(sorted(mine.wanted - settled))
    mine = mine._replace(waiting=waiting, released=world.lifted, orders=world.number)
    return _at(world._replace(message=message), slot, mine._replace(at=_next(case, mine)))


def _deliveries(case: Case, mine: Invocation) -> dict[str, str]:
    """Destination -> the recipient that it is claimed for: the first that leads there."""
    found: dict[str, str] = {}
    for who in mine.waiting:
        if who in case.quarantined and who not in mine.released:
            continue
        for destination in case.leads[who]:
            found.setdefault(destination, who)
    return found


def _next(case: Case, mine: Invocation) -> str:
    """The step after the last destination that has a result."""
    done = dict(mine.results)
    left = [destination for destination in _deliveries(case, mine) if destination not in done]
    if left:
        return f"claim {left[0]}"
    if any(state.noted for state in _outcomes(case, mine).values()):
        return "note"
    return _first_record(case, mine)


def _first_record(case: Case, mine: Invocation) -> str:
    return f"record {mine.waiting[0]}" if mine.waiting else "pending"


def _claim(case: Case, world: World, slot: int, mine: Invocation, destination: str) -> World:
    claims = dict(world.claims)
    recipient = _deliveries(case, mine)[destination]

    def swap(old: Standing, new: Standing) -> Standing | None:
        if (found := claims.get(destination, Standing())) != old:
            return found
        claims[destination] = new
        return None

    wanted = Claim("m", _address(destination), _address(recipient), mine.owner, world.now + LEASE)
    claim = take(wanted, world.now, PATIENCE, swap)
    world = world._replace(claims=tuple(sorted(claims.items())))
    if isinstance(claim, Claim):
        if claim.uncertain:  # the log counts Resent now, before anything is sent
            world = world._replace(explained=_more(world.explained, destination))
        return _at(world, slot, mine._replace(at=f"send {destination}", uncertain=claim.uncertain))
    result = "deferred" if isinstance(claim, HeldByAnother) else claim
    mine = mine._replace(results=(*mine.results, (destination, result)))
    return _at(world, slot, mine._replace(at=_next(case, mine)))


def _send(case: Case, world: World, slot: int, mine: Invocation, destination: str) -> Iterator[World]:
    """SES takes it; or, once in so many, refuses it for good or for now, or its answer is lost."""
    sent = world._replace(copies=_more(world.copies, destination))
    yield _at(sent, slot, mine._replace(at=f"settle {destination}", answer=ClaimState.SENT))
    if world.faults:
        world, sent = (one._replace(faults=world.faults - 1) for one in (world, sent))
        unsure = ClaimState.UNANSWERED if mine.uncertain else ClaimState.RELEASED
        for after, answer in (
            (world, ClaimState.FAILED),
            (world, unsure),
            (world, ClaimState.UNANSWERED),
            (sent, ClaimState.UNANSWERED),
        ):
            yield _at(after, slot, mine._replace(at=f"settle {destination}", answer=answer))


def _settle(case: Case, world: World, slot: int, mine: Invocation, destination: str) -> World:
    claims = dict(world.claims)
    found, state = claims[destination], ClaimState(mine.answer)
    if found.owner != mine.owner:
        result: str | Settled = "deferred"  # ClaimLost
    else:
        first_at = None if state is ClaimState.RELEASED else found.first_at
        claims[destination] = Standing(
            state=state, owner=found.owner, lease_until=found.lease_until, first_at=first_at, attempts=found.attempts,
            recipient=found.recipient, before=found.before,
        )  # fmt: skip
        result = claims[destination].settled(state, "via") if state.ends else "deferred"
    mine = mine._replace(results=(*mine.results, (destination, result)), answer="", uncertain=False)
    after = world._replace(claims=tuple(sorted(claims.items())))
    return _at(after, slot, mine._replace(at=_next(case, mine)))


def _outcomes(case: Case, mine: Invocation) -> dict[str, State]:
    """What this invocation says of its recipients: the worst of their destinations, as forward does."""
    results, found = dict(mine.results), {}
    for who in mine.waiting:
        if who in case.quarantined and who not in mine.released:
            found[who] = State.QUARANTINED
            continue
        own = [results.get(destination, "deferred") for destination in case.leads[who]]
        settled = [one for one in own if isinstance(one, Settled)]
        worse = [one.state.outcome for one in settled if one.state.outcome is not State.FORWARDED]
        if len(settled) < len(own):
            found[who] = State.DEFERRED
        elif worse:
            found[who] = worse[0]
        else:
            own_copy = any(one.recipient == _address(who).key for one in settled)
            found[who] = State.FORWARDED if own_copy else State.MERGED
    return found


def _record(case: Case, world: World, slot: int, mine: Invocation, who: str) -> World:
    state, outcomes = _outcomes(case, mine)[who], dict(world.outcomes)
    if who not in outcomes or (outcomes[who] is State.DEFERRED and dict(world.opened_by).get(who, 0) <= mine.orders):
        outcomes[who] = state
    following = mine.waiting[mine.waiting.index(who) + 1 :]
    mine = mine._replace(
        at=f"record {following[0]}" if following else "pending", recorded=(*mine.recorded, (who, state))
    )
    return _at(world._replace(outcomes=tuple(sorted(outcomes.items()))), slot, mine)


def _pending(case: Case, world: World, slot: int, mine: Invocation) -> World:
    deferred = {who for who, state in mine.recorded if not state.settled}
    if world.number != mine.orders:  # the entries are read again, and the write is tried on what they say
        deferred |= {who for who, state in world.outcomes if not state.settled}
    message = _message(world)
    message = message._replace(pending=message.pending - (mine.wanted - deferred))
    world = world._replace(message=message)
    if not message.pending:
        return _at(world, slot, mine._replace(at="shut"))
    return _end(world, slot, mine)


def _shut(case: Case, world: World, slot: int, mine: Invocation) -> World:
    message = _message(world)
    return _end(world._replace(message=message._replace(open=message.open and bool(message.pending))), slot, mine)


def _end(world: World, slot: int, mine: Invocation) -> World:
    """The handler returns, or raises Unsettled and its event is tried again."""
    if any(not state.settled for _, state in mine.recorded):
        return _fail(world, slot, mine)
    return _at(world, slot, None)


def _fail(world: World, slot: int, mine: Invocation) -> World:
    return _at(world._replace(queue=(*world.queue, mine.wanted)), slot, None)


def entries(world: World) -> dict[str, dict[str, Any]]:
    """The ledger as an order reads it."""
    message = _message(world)
    found: dict[str, dict[str, Any]] = {"message": {"recipients": message.recipients, "pending": message.pending}}
    for who, state in world.outcomes:
        found[f"to:{who}"] = {"state": state} | ({"released_by": "somebody"} if who in world.lifted else {})
    for destination, standing in world.claims:
        lost = {"bounced": {"lost": True}} if destination in world.bounced else {}
        found[f"via:{destination}"] = {"state": standing.state, "recipient": _short(standing.recipient), **lost}
    return found


def _person(case: Case, world: World) -> Iterator[Step]:
    """Orders what the case says once, and gives a cut-off order again until it is told that there is nothing to do."""
    if world.person is None:
        if world.orders and world.message is not None and _worth_ordering(case, world):
            yield "order", _ordered(case, world)
        return
    if world.person.todo:
        (what, about), *rest = world.person.todo
        after = _carried_out(case, world, what, about, world.person)
        if after is None:  # Overtaken: look, and try again
            yield "order overtaken", world._replace(person=None)
        else:
            person = world.person._replace(todo=tuple(rest))
            done = person if rest else None
            yield f"order {what} {about}".rstrip(), after._replace(person=done, orders=world.orders if rest else 0)
    if world.faults:
        yield "order cut off", world._replace(person=None, faults=world.faults - 1)


def _worth_ordering(case: Case, world: World) -> bool:
    if case.order == "release":
        return world.ordered or State.QUARANTINED in dict(world.outcomes).values()
    return world.ordered or any(state.replayable for _, state in world.outcomes)


def _ordered(case: Case, world: World) -> World:
    found = entries(world)
    try:
        order = release(found, ()) if case.order == "release" else replay(found, (), again=False, failed=True)
    except CannotOrder:
        return world._replace(orders=0)
    return world._replace(
        ordered=True,
        person=Person(_writes(found, order), world.outcomes, order.recipients, world.number, _states(world)),
    )


def _writes(found: Mapping[str, Mapping[str, Any]], order: Order) -> tuple[tuple[str, str], ...]:
    """The writes of `postern_command.reruns.carry_out`, in its order."""
    opened = order.opened(found)
    writes = [("destination", one) for one in order.destinations]
    writes += [("open", ",".join(opened) + ":" + ",".join(order.reopened))] if opened else []
    return (*writes, ("event", ""))


def _carried_out(case: Case, world: World, what: str, about: str, person: Person) -> World | None:
    message = _message(world)
    if what == "open":  # one transaction
        opened, reopened = ([who for who in part.split(",") if who] for part in about.split(":"))
        outcomes, read = dict(world.outcomes), dict(person.read)
        if world.number != person.number or any(outcomes[who] is not read[who] for who in reopened):
            return None
        gone = {one for one in message.noted if one.rpartition(" ")[2] in reopened}
        message = Message(message.recipients, message.pending | {*opened}, True, message.noted - gone)
        outcomes |= dict.fromkeys(reopened, State.DEFERRED)
        return world._replace(
            message=message, outcomes=tuple(sorted(outcomes.items())), number=world.number + 1,
            opened_by=tuple(sorted({**dict(world.opened_by), **dict.fromkeys(reopened, world.number + 1)}.items())),
            lifted=world.lifted | {*reopened} if case.order == "release" else world.lifted,
        )  # fmt: skip
    if what == "destination":
        claims = dict(world.claims)
        found = claims[about]
        if found.state is not dict(person.claims)[about]:
            return None
        claims[about] = Standing(
            state=ClaimState.RELEASED, owner=found.owner, lease_until=found.lease_until, attempts=found.attempts,
            recipient=found.recipient, before=found.before,
        )  # fmt: skip
        return world._replace(
            claims=tuple(sorted(claims.items())),
            explained=_more(world.explained, about),
            bounced=world.bounced - {about},
        )
    return world._replace(queue=(*world.queue, frozenset(person.recipients)))


def _feedback(world: World) -> Iterator[Step]:
    """A mailbox gives back what SES took: written beside the state of the claim, then noted for the owner."""
    for destination in sorted(world.bounced - world.told):
        message, claim = _message(world), dict(world.claims)[destination]
        noted = message._replace(noted=message.noted | {f"lost {_short(claim.recipient)}"})
        yield f"feedback tells of {destination}", world._replace(message=noted, told=world.told | {destination})
    if world.bounces:
        for destination, _ in world.copies:
            if destination not in world.bounced:
                after = world._replace(bounced=world.bounced | {destination}, bounces=world.bounces - 1)
                yield f"feedback from {destination}", after


def _states(world: World) -> tuple[tuple[str, ClaimState | None], ...]:
    return tuple((name, standing.state) for name, standing in world.claims)


def _message(world: World) -> Message:
    if world.message is None:
        raise AssertionError("nothing comes before the message's entry")
    return world.message


def _at(world: World, slot: int, mine: Invocation | None) -> World:
    return world._replace(running=(*world.running[:slot], mine, *world.running[slot + 1 :]))


def _more(counts: tuple[tuple[str, int], ...], name: str) -> tuple[tuple[str, int], ...]:
    found = dict(counts)
    return tuple(sorted({**found, name: found.get(name, 0) + 1}.items()))


def _address(name: str) -> Address:
    return Address.parse(f"{name}@example.com")


def _short(key: str) -> str:
    return key.partition("@")[0]
