"""The steps of an invocation, as `forward.Forwarder` takes them: open, claim and send and settle each destination, record."""

from collections.abc import Iterator

from postern_mail.aws.forward.answer_entries import reached
from postern_mail.mail.claims import Claim, HeldByAnother, Settled, Standing, take
from postern_mail.mail.outcomes import ClaimState, State

from . import telling
from .world import (
    DUE,
    LEASE,
    PATIENCE,
    Case,
    Invocation,
    Message,
    Step,
    Telling,
    World,
    address,
    entries,
    message_of,
    more,
    new_owner,
    put,
)  # fmt: skip


def start(world: World, slot: int) -> World:
    """The next event is taken from the queue."""
    first, *rest = world.queue
    mine = Invocation(first, new_owner(world, "i"))
    return at(world._replace(queue=tuple(sorted(rest, key=sorted))), slot, mine)


def steps(case: Case, world: World, slot: int, mine: Invocation) -> Iterator[Step]:
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
        message = message_of(world)
        after = world._replace(message=message._replace(noted=message.noted | noted))
        yield "message note", at(after, slot, mine._replace(at=_first_record(case, mine)))
    elif verb == "close":
        yield _close(case, world, slot, mine)
    elif verb == "record":
        yield f"to:{about} record", _record(case, world, slot, mine, about)
    elif verb == "pending":
        yield "message pending", _pending(case, world, slot, mine)
    elif verb == "shut":
        yield "message shut", _shut(case, world, slot, mine)
    elif mine.telling is not None:
        for step, after, told in telling.steps(case, world, mine.telling):
            yield (
                step,
                _end(after, slot, mine) if told.at in telling.ENDED else at(after, slot, mine._replace(telling=told)),
            )


def _open(case: Case, world: World, slot: int, mine: Invocation) -> World:
    message = world.message or Message(mine.wanted, mine.wanted)
    new = mine.wanted - message.recipients
    message = message._replace(
        recipients=message.recipients | new, pending=message.pending | new, open=message.open or bool(new)
    )
    world = world._replace(message=message)
    settled = {who for who, state in world.outcomes if state.settled}
    mine = mine._replace(
        waiting=tuple(sorted(mine.wanted - settled)), released=world.lifted, orders=world.number,
        rejected=frozenset(who for who in mine.wanted if who in world.gone or not case.leads[who]),
        reached=reached(entries(world)), due=DUE in dict(world.answers).values(),
    )  # fmt: skip
    return at(world, slot, mine._replace(at=_next(case, mine)))


def _deliveries(case: Case, mine: Invocation) -> dict[str, list[str]]:
    """Destination -> the recipients that lead there; it is claimed for the first."""
    found: dict[str, list[str]] = {}
    for who in mine.waiting:
        if who in mine.rejected or (who in case.quarantined and who not in mine.released):
            continue
        for destination in case.leads[who]:
            found.setdefault(destination, []).append(who)
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
    """All that is left is one write if everybody is settled."""
    if not mine.waiting:
        return "pending"
    return "close" if all(one.settled for one in _outcomes(case, mine).values()) else f"record {mine.waiting[0]}"


def _claim(case: Case, world: World, slot: int, mine: Invocation, destination: str) -> World:
    claims = dict(world.claims)
    recipient, *others = _deliveries(case, mine)[destination]

    def swap(old: Standing, new: Standing) -> Standing | None:
        if (found := claims.get(destination, Standing())) != old:
            return found
        claims[destination] = new
        return None

    wanted = Claim(
        "m",
        address(destination),
        address(recipient),
        mine.owner,
        world.now + LEASE,
        group=tuple(address(one).key for one in others),
    )
    claim = take(wanted, world.now, PATIENCE, swap)
    world = world._replace(claims=tuple(sorted(claims.items())))
    if isinstance(claim, Claim):
        if claim.uncertain:  # the log counts Resent now, before anything is sent
            world = world._replace(explained=more(world.explained, destination))
        return at(world, slot, mine._replace(at=f"send {destination}", uncertain=claim.uncertain))
    result = "deferred" if isinstance(claim, HeldByAnother) else claim
    mine = mine._replace(results=(*mine.results, (destination, result)))
    return at(world, slot, mine._replace(at=_next(case, mine)))


def _send(case: Case, world: World, slot: int, mine: Invocation, destination: str) -> Iterator[World]:
    """SES takes it; or, once in so many, refuses it for good or for now, or its answer is lost."""
    mine_too = world.served | {*_deliveries(case, mine)[destination]}
    sent = world._replace(copies=more(world.copies, destination), served=mine_too)
    yield at(sent, slot, mine._replace(at=f"settle {destination}", answer=ClaimState.SENT))
    if world.faults:
        world, sent = (one._replace(faults=world.faults - 1) for one in (world, sent))
        unsure = ClaimState.UNANSWERED if mine.uncertain else ClaimState.RELEASED
        for after, answer in (
            (world, ClaimState.FAILED),
            (world, unsure),
            (world, ClaimState.UNANSWERED),
            (sent, ClaimState.UNANSWERED),
        ):
            yield at(after, slot, mine._replace(at=f"settle {destination}", answer=answer))


def _settle(case: Case, world: World, slot: int, mine: Invocation, destination: str) -> World:
    found, state = dict(world.claims)[destination], ClaimState(mine.answer)
    if found.owner != mine.owner:
        result: str | Settled = "deferred"  # ClaimLost
    else:
        first_at = None if state is ClaimState.RELEASED else found.first_at
        standing = Standing(
            state=state, owner=found.owner, lease_until=found.lease_until, first_at=first_at, attempts=found.attempts,
            recipient=found.recipient, before=found.before, group=found.group,
        )  # fmt: skip
        world = world._replace(claims=put(world.claims, destination, standing))
        result = standing.settled(state, "via") if state.ends else "deferred"
    mine = mine._replace(results=(*mine.results, (destination, result)), answer="", uncertain=False)
    return at(world, slot, mine._replace(at=_next(case, mine)))


def _outcomes(case: Case, mine: Invocation) -> dict[str, State]:
    """What this invocation says of its recipients: the worst of their destinations, as forward does."""
    results, found = dict(mine.results), {}
    for who in mine.waiting:
        if who in mine.rejected:
            found[who] = State.REJECTED
            continue
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
            own_copy = any(one.recipient == address(who).key for one in settled)
            found[who] = State.FORWARDED if own_copy else State.MERGED
    return found


def _is_answered(case: Case, mine: Invocation, who: str, state: State) -> bool:
    """Whether the sender is to be told, as `Forwarder` and `Answering.decided` say."""
    if state is State.REJECTED:
        return case.answered and who not in mine.reached
    failed = any(isinstance(one, Settled) and one.state is ClaimState.FAILED for _, one in mine.results)
    return case.answered and state is State.FAILED and failed


def _is_open(world: World, mine: Invocation, who: str) -> bool:
    """Whether nobody has settled a recipient since an order that this invocation knows of."""
    state = dict(world.outcomes).get(who)
    return state is None or (state is State.DEFERRED and dict(world.opened_by).get(who, 0) <= mine.orders)


def _close(case: Case, world: World, slot: int, mine: Invocation) -> Step:
    """A transaction: every record, and the message is shut; nothing of it where anything is not as it was read."""
    as_read = message_of(world).pending == {*mine.waiting} and world.number == mine.orders
    if not as_read or not all(_is_open(world, mine, who) for who in mine.waiting):
        return "close refused", at(world, slot, mine._replace(at=f"record {mine.waiting[0]}"))
    for who in mine.waiting:
        world = _record(case, world, slot, _running(world, slot, mine), who)
    world = _pending(case, world, slot, _running(world, slot, mine))
    return "close", _shut(case, world, slot, _running(world, slot, mine))


def _running(world: World, slot: int, mine: Invocation) -> Invocation:
    """The invocation as the step before left it."""
    return world.running[slot] or mine


def _record(case: Case, world: World, slot: int, mine: Invocation, who: str) -> World:
    state, outcomes = _outcomes(case, mine)[who], dict(world.outcomes)
    answered = _is_answered(case, mine, who, state)
    if _is_open(world, mine, who):
        outcomes[who] = state
        if state.answerable:
            world = world._replace(answers=put(world.answers, who, DUE if answered else "none"))
    following = mine.waiting[mine.waiting.index(who) + 1 :]
    mine = mine._replace(
        at=f"record {following[0]}" if following else "pending", recorded=(*mine.recorded, (who, state)),
        due=mine.due or (answered and outcomes[who] is state),
    )  # fmt: skip
    return at(world._replace(outcomes=tuple(sorted(outcomes.items()))), slot, mine)


def _pending(case: Case, world: World, slot: int, mine: Invocation) -> World:
    deferred = {who for who, state in mine.recorded if not state.settled}
    if world.number != mine.orders:  # the entries are read again, and the write is tried on what they say
        deferred |= {who for who, state in world.outcomes if not state.settled}
    message = message_of(world)
    message = message._replace(pending=message.pending - (mine.wanted - deferred))
    world = world._replace(message=message)
    if not message.pending:
        return at(world, slot, mine._replace(at="shut"))
    return _tell(world, slot, mine)


def _shut(case: Case, world: World, slot: int, mine: Invocation) -> World:
    message = message_of(world)
    return _tell(world._replace(message=message._replace(open=message.open and bool(message.pending))), slot, mine)


def _tell(world: World, slot: int, mine: Invocation) -> World:
    return (
        at(world, slot, mine._replace(at="tell", telling=Telling(mine.owner))) if mine.due else _end(world, slot, mine)
    )


def _end(world: World, slot: int, mine: Invocation) -> World:
    """The handler returns, or raises Unsettled and its event is tried again."""
    if any(not state.settled for _, state in mine.recorded):
        return fail(world, slot, mine)
    return at(world, slot, None)


def fail(world: World, slot: int, mine: Invocation) -> World:
    """The event is tried again."""
    return at(world._replace(queue=tuple(sorted((*world.queue, mine.wanted), key=sorted))), slot, None)


def at(world: World, slot: int, mine: Invocation | None) -> World:
    """The world in which an invocation is at its next step; None when it has ended."""
    return world._replace(running=(*world.running[:slot], mine, *world.running[slot + 1 :]))
