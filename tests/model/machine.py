"""One message in a small world: every step that an invocation, a person's order or an event of SES can take.

A step is one write to the ledger, one sending, or one event on the queue: what happens whole or not at all. The claims are
those of `mail.claims`, the states those of `mail.outcomes`, the orders those of `mail.orders`; the model adds who comes
when, and who is killed. `successors` says what can happen next.
"""

from collections.abc import Iterator

from postern_mail.mail.claims import Standing
from postern_mail.mail.outcomes import ClaimState

from . import feedback, invocation, person, telling
from .world import LEASE, PATIENCE, Case, Step, Telling, Watch, World, new_owner


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
    for who in sorted(case.vanishing - world.gone):
        yield f"the row of {who} goes", world._replace(gone=world.gone | {who})
    busy = any(world.running) or world.feedback or world.watch
    if not busy and any(_blocks(one, world.now) for _, one in (*world.claims, *world.dsn)):
        yield "time passes", world._replace(now=world.now + LEASE + 1)


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
