"""One message in a small world: every step that an invocation, a person's order or an event of SES can take.

A step is one write to the ledger, one sending, or one event on the queue: what happens whole or not at all. The claims are
those of `mail.claims`, the states those of `mail.outcomes`, the orders those of `mail.orders`; the model adds who comes
when, and who is killed. `successors` says what can happen next.
"""

from collections.abc import Iterator

from postern_mail.mail.claims import Standing
from postern_mail.mail.outcomes import ClaimState, State

from . import feedback, invocation, person, telling
from .world import GRACE, LEASE, PATIENCE, Case, Step, Telling, Watch, World, new_owner


def successors(case: Case, world: World) -> Iterator[Step]:
    """(what happens, the world after it), for everything that can happen next."""
    for slot, mine in enumerate(world.running):
        if mine is None:
            if world.queue and None not in world.running[:slot]:
                yield "start", invocation.start(world, slot)
            continue
        yield from invocation.steps(case, world, slot, mine)
        if world.faults:
            after = invocation.fail(world._replace(faults=world.faults - 1), slot, mine)
            yield f"kill before {mine.telling.at if mine.telling else mine.at}", after
    yield from person.steps(case, world)
    yield from feedback.steps(case, world)
    yield from _watch(case, world)
    yield from _wakes(world)
    for who in sorted(case.vanishing - world.gone):
        yield f"the row of {who} goes", world._replace(gone=world.gone | {who})
    busy = any(world.running) or world.feedback or world.watch
    waits = any(_blocks(one, world.now) for _, one in (*world.claims, *world.dsn)) or _is_held(world)
    if not busy and waits:
        yield "time passes", world._replace(now=world.now + LEASE + 1)


def _wakes(world: World) -> Iterator[Step]:
    """The queue brings back what is held, or loses it once in so many; the watch wakes what nothing woke."""
    for event in world.sleeping:
        left = tuple(one for one in world.sleeping if one != event)
        if event[1] <= world.now:
            yield "wakes", world._replace(sleeping=left, queue=_queued(world, event[0]))
        if world.faults:
            yield "the wake is lost", world._replace(sleeping=left, faults=world.faults - 1)
    due = frozenset(_overdue(world))
    if due and due not in world.queue:
        yield "watch wakes", world._replace(queue=_queued(world, due))


def _overdue(world: World) -> Iterator[str]:
    """As `held.overdue` finds them: the message's entry and the recipient's say so."""
    message, outcomes = world.message, dict(world.outcomes)
    if message is not None and message.open and 0 < message.release_at + GRACE < world.now and message.release_at:
        yield from (
            who for who, until in world.holds if outcomes.get(who) is State.DEFERRED and until + GRACE < world.now
        )


def _is_held(world: World) -> bool:
    """Someone waits for a time that has not come."""
    held = (until + GRACE for who, until in world.holds if dict(world.outcomes).get(who) is State.DEFERRED)
    return any(until >= world.now for until in held)


def _queued(world: World, event: frozenset[str]) -> tuple[frozenset[str], ...]:
    return tuple(sorted((*world.queue, event), key=sorted))


def _watch(case: Case, world: World) -> Iterator[Step]:
    """The watch takes up the answers that were left to it. The note goes unless it was written again meanwhile."""
    mine = world.watch
    if mine is None:
        if world.waits:
            yield "watch", world._replace(watch=Watch(world.waits, Telling(new_owner(world, "w"))))
        return
    if mine.telling.at == "done":
        yield "#answers done", world._replace(watch=None, waits="" if world.waits == mine.note else world.waits)
    for step, after, told in telling.steps(case, world, mine.telling):
        yield step, after._replace(watch=None if told.at == "waits" else mine._replace(telling=told))
    if world.faults:
        yield f"kill watch before {mine.telling.at}", world._replace(watch=None, faults=world.faults - 1)


def _blocks(standing: Standing, now: int) -> bool:
    """A claim that its dead owner cannot settle: only time changes what it says."""
    if standing.state is ClaimState.CLAIMED:
        return standing.lease_until >= now
    return standing.state is ClaimState.UNANSWERED and now <= PATIENCE
