"""The steps of an invocation, as `forward.Forwarder` takes them: open; ask who is held; claim, send and settle so many
destinations at once; record; have what is held come back. What is one transaction is one step; where a condition of it
does not hold, the others go on without it."""

from collections.abc import Iterator

from postern_mail.aws.forward.answer_entries import reached
from postern_mail.mail.claims import Claim, HeldByAnother, Settled, Standing, take
from postern_mail.mail.outcomes import ClaimState, State

from . import telling
from .world import (
    AT_ONCE,
    DELAY,
    DUE,
    KNOWN,
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
    elif verb in ("grey", "wake"):
        yield mine.at, _first_seen(case, world, slot, mine, about) if about else _sleep(world, slot, mine)
    elif verb == "claim":
        yield _claim(case, world, slot, mine)
    elif verb == "send":
        for destination, _ in mine.claimed:
            yield from ((f"send {destination}", after) for after in _send(case, world, slot, mine, destination))
    elif verb == "settle":
        yield _settle(case, world, slot, mine)
    elif verb == "note":
        noted = frozenset(f"{state} {who}" for who, state in _outcomes(case, mine).items() if state.noted)
        message = message_of(world)
        after = world._replace(message=message._replace(noted=message.noted | noted))
        yield "message note", at(after, slot, mine._replace(at=_first_record(case, mine)))
    elif verb == "close":
        yield _close(case, world, slot, mine)
    elif verb == "record":
        yield f"to:{about} record", _record(case, world, slot, mine, about)
    elif verb in ("pending", "shut"):
        yield f"message {verb}", (_pending if verb == "pending" else _shut)(case, world, slot, mine)
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
    listed = (who for who, seen in world.first_seen if case.grey.get(who) == KNOWN and seen + DELAY <= world.now)
    mine = mine._replace(listed=frozenset(listed))
    asked = _asked(case, mine)
    return at(world, slot, mine._replace(at=f"grey {asked[0]}") if asked else _go_on(case, mine))


def _asked(case: Case, mine: Invocation) -> list[str]:
    """Of whom the grey hold asks when such mail came first: whose would be forwarded, and no one released."""
    return [
        who for who in mine.waiting
        if who in case.grey and who not in mine.rejected | mine.released and not _is_kept(case, mine, who)
    ]  # fmt: skip


def _is_kept(case: Case, mine: Invocation, who: str) -> bool:
    return (who in case.quarantined or who in mine.listed) and who not in mine.released


def _first_seen(case: Case, world: World, slot: int, mine: Invocation, who: str) -> World:
    seen = dict(world.first_seen).get(who, world.now)
    world = world._replace(first_seen=put(world.first_seen, who, seen))
    if seen + DELAY > world.now:
        mine = mine._replace(held=(*mine.held, (who, seen + DELAY)))
    asked = _asked(case, mine)
    following = asked[asked.index(who) + 1 :]
    return at(world, slot, mine._replace(at=f"grey {following[0]}") if following else _go_on(case, mine))


def _sleep(world: World, slot: int, mine: Invocation) -> World:
    """A delayed message: it counts as no attempt."""
    event = (frozenset(dict(mine.held)), min(dict(mine.held).values()))
    return _tell(world._replace(sleeping=tuple(sorted({*world.sleeping, event}, key=str))), slot, mine)


def _deliveries(case: Case, mine: Invocation) -> dict[str, list[str]]:
    """Destination -> the recipients that lead there; it is claimed for the first."""
    found: dict[str, list[str]] = {}
    for who in mine.waiting:
        if who in mine.rejected or who in dict(mine.held) or _is_kept(case, mine, who):
            continue
        for destination in case.leads[who]:
            found.setdefault(destination, []).append(who)
    return found


def _go_on(case: Case, mine: Invocation) -> Invocation:
    """Before the step after the last destination that has a result."""
    if left := _left(case, mine):
        return mine._replace(at="claim", batches=(left[:AT_ONCE],))
    if any(state.noted for state in _outcomes(case, mine).values()):
        return mine._replace(at="note")
    return mine._replace(at=_first_record(case, mine))


def _left(case: Case, mine: Invocation) -> tuple[str, ...]:
    """The destinations that have no result."""
    done = dict(mine.results)
    return tuple(destination for destination in _deliveries(case, mine) if destination not in done)


def _first_record(case: Case, mine: Invocation) -> str:
    """All that is left is one write if everybody is settled."""
    if not mine.waiting:
        return "pending"
    return "close" if all(one.settled for one in _outcomes(case, mine).values()) else f"record {mine.waiting[0]}"


def _claim(case: Case, world: World, slot: int, mine: Invocation) -> Step:
    """A batch is claimed where nothing stands yet; else those of it go on for which that is so, and each other alone."""
    batch, *batches = mine.batches
    claims = dict(world.claims)
    if len(batch) > 1 and (there := tuple(one for one in batch if one in claims)):
        return f"claim {','.join(batch)} refused", at(world, slot, _apart(mine, batch, there))
    mine = mine._replace(batches=tuple(batches))
    for destination in batch:
        claim = _taken(case, world, mine, destination, claims)
        if isinstance(claim, Claim):
            if claim.uncertain:  # the log counts Resent now, before anything is sent
                world = world._replace(explained=more(world.explained, destination))
            mine = mine._replace(claimed=(*mine.claimed, (destination, claim.uncertain)))
        else:
            result = "deferred" if isinstance(claim, HeldByAnother) else claim
            mine = mine._replace(results=put(mine.results, destination, result))
    world = world._replace(claims=tuple(sorted(claims.items())))
    if not batches:
        mine = mine._replace(at="send") if mine.claimed else _go_on(case, mine)
    return f"claim {','.join(batch)}" if len(batch) > 1 else f"via:{batch[0]} claim", at(world, slot, mine)


def _apart(mine: Invocation, batch: tuple[str, ...], lost: tuple[str, ...]) -> Invocation:
    """A batch without those whose condition was lost, and each of them alone."""
    rest = tuple(one for one in batch if one not in lost)
    apart = tuple((one,) for one in lost)
    return mine._replace(batches=(*((rest,) if rest else ()), *apart, *mine.batches[1:]))


def _taken(
    case: Case, world: World, mine: Invocation, destination: str, claims: dict[str, Standing]
) -> Claim | Settled | HeldByAnother:
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
    return take(wanted, world.now, PATIENCE, swap)


def _send(case: Case, world: World, slot: int, mine: Invocation, destination: str) -> Iterator[World]:
    """SES takes it; or, once in so many, refuses it for good or for now, or its answer is lost."""
    mine_too = world.served | {*_deliveries(case, mine)[destination]}
    sent = world._replace(copies=more(world.copies, destination), served=mine_too)
    unsure = ClaimState.UNANSWERED if dict(mine.claimed)[destination] else ClaimState.RELEASED
    mine = mine._replace(claimed=tuple(one for one in mine.claimed if one[0] != destination))

    def answered(after: World, answer: ClaimState) -> World:
        return at(after, slot, _sent(case, mine._replace(answers=put(mine.answers, destination, answer))))

    yield answered(sent, ClaimState.SENT)
    if world.faults:
        world, sent = (one._replace(faults=world.faults - 1) for one in (world, sent))
        for after, answer in (
            (world, ClaimState.FAILED),
            (world, unsure),
            (world, ClaimState.UNANSWERED),
            (sent, ClaimState.UNANSWERED),
        ):
            yield answered(after, answer)


def _sent(case: Case, mine: Invocation) -> Invocation:
    """When SES has answered to all of a batch, they are settled: together with all that is left where that is plain."""
    if mine.claimed:
        return mine
    plain = all(answer is ClaimState.SENT for _, answer in mine.answers)
    presumed = mine._replace(
        results=tuple(sorted((*mine.results, *((one, Settled(ClaimState.SENT, "")) for one, _ in mine.answers))))
    )
    states = set(_outcomes(case, presumed).values())
    if plain and not _left(case, presumed) and states <= {State.FORWARDED, State.MERGED}:
        return mine._replace(at="close")
    return mine._replace(at="settle", batches=(tuple(one for one, _ in mine.answers),))


def _settle(case: Case, world: World, slot: int, mine: Invocation) -> Step:
    """A batch is settled where every claim is still ours; else those of it that are, and each other alone."""
    batch, *batches = mine.batches
    if len(batch) > 1 and (lost := _lost(world, mine, batch)):
        return f"settle {','.join(batch)} refused", at(world, slot, _apart(mine, batch, lost))
    for destination in batch:
        world, mine = _settled(world, mine, destination)
    mine = mine._replace(batches=tuple(batches))
    step = f"settle {','.join(batch)}" if len(batch) > 1 else f"via:{batch[0]} settle"
    return step, at(world, slot, mine if batches else _go_on(case, mine))


def _lost(world: World, mine: Invocation, batch: tuple[str, ...]) -> tuple[str, ...]:
    """Those that another invocation claimed meanwhile."""
    return tuple(one for one in batch if dict(world.claims)[one].owner != mine.owner)


def _settled(world: World, mine: Invocation, destination: str) -> tuple[World, Invocation]:
    found, state = dict(world.claims)[destination], ClaimState(dict(mine.answers)[destination])
    result: str | Settled = "deferred"
    if found.owner == mine.owner:  # else ClaimLost
        first_at = None if state is ClaimState.RELEASED else found.first_at
        standing = Standing(
            state=state, owner=found.owner, lease_until=found.lease_until, first_at=first_at, attempts=found.attempts,
            recipient=found.recipient, before=found.before, group=found.group,
        )  # fmt: skip
        world = world._replace(claims=put(world.claims, destination, standing))
        result = standing.settled(state, "via") if state.ends else "deferred"
    answers = tuple(one for one in mine.answers if one[0] != destination)
    return world, mine._replace(results=put(mine.results, destination, result), answers=answers)


def _outcomes(case: Case, mine: Invocation) -> dict[str, State]:
    """What this invocation says of its recipients: the worst of their destinations, as forward does."""
    results, found = dict(mine.results), {}
    for who in mine.waiting:
        if who in mine.rejected:
            found[who] = State.REJECTED
            continue
        if _is_kept(case, mine, who):
            found[who] = State.QUARANTINED
            continue
        if who in dict(mine.held):
            found[who] = State.DEFERRED
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
    """Whether no one has settled a recipient since an order that this invocation knows of."""
    state = dict(world.outcomes).get(who)
    return state is None or (state is State.DEFERRED and dict(world.opened_by).get(who, 0) <= mine.orders)


def _close(case: Case, world: World, slot: int, mine: Invocation) -> Step:
    """A transaction: what is not settled yet, every record, and the message is shut; nothing of it where anything is not
    as it was read."""
    batch = tuple(one for one, _ in mine.answers)
    as_read = message_of(world).pending == {*mine.waiting} and world.number == mine.orders
    if not as_read or _lost(world, mine, batch) or not all(_is_open(world, mine, who) for who in mine.waiting):
        if batch:
            return "close refused", at(world, slot, mine._replace(at="settle", batches=(batch,)))
        return "close refused", at(world, slot, mine._replace(at=f"record {mine.waiting[0]}"))
    for destination in batch:
        world, mine = _settled(world, mine, destination)
    world = at(world, slot, mine)
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
        holds = {one: until for one, until in world.holds if one != who} | {
            one: until for one, until in mine.held if one == who
        }
        world = world._replace(holds=tuple(sorted(holds.items())))
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
    if mine.held:
        message = message._replace(release_at=min(dict(mine.held).values()))
    world = world._replace(message=message)
    if not message.pending:
        return at(world, slot, mine._replace(at="shut"))
    return at(world, slot, mine._replace(at="wake")) if mine.held else _tell(world, slot, mine)


def _shut(case: Case, world: World, slot: int, mine: Invocation) -> World:
    message = message_of(world)
    return _tell(world._replace(message=message._replace(open=message.open and bool(message.pending))), slot, mine)


def _tell(world: World, slot: int, mine: Invocation) -> World:
    return (
        at(world, slot, mine._replace(at="tell", telling=Telling(mine.owner))) if mine.due else _end(world, slot, mine)
    )


def _end(world: World, slot: int, mine: Invocation) -> World:
    """The handler returns, or raises Unsettled and its event is tried again."""
    if any(not state.settled and who not in dict(mine.held) for who, state in mine.recorded):
        return fail(world, slot, mine)
    return at(world, slot, None)


def fail(world: World, slot: int, mine: Invocation) -> World:
    """The event is tried again."""
    return at(world._replace(queue=tuple(sorted((*world.queue, mine.wanted), key=sorted))), slot, None)


def at(world: World, slot: int, mine: Invocation | None) -> World:
    """The world in which an invocation is at its next step; None when it has ended."""
    return world._replace(running=(*world.running[:slot], mine, *world.running[slot + 1 :]))
