"""The steps of a person's order, as `postern_command.reruns` takes them: open destinations, then recipients, then the event."""

from collections.abc import Iterator, Mapping
from typing import Any

from postern_mail.mail.claims import Standing
from postern_mail.mail.digest import LOST
from postern_mail.mail.orders import CannotOrder, Order, release, replay
from postern_mail.mail.outcomes import ClaimState, State

from .world import Case, Message, Person, Step, World, entries, message_of, more, put


def steps(case: Case, world: World) -> Iterator[Step]:
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
        return world.ordered or bool(world.holds) or State.QUARANTINED in dict(world.outcomes).values()
    return world.ordered or any(state.replayable for _, state in world.outcomes)


def _ordered(case: Case, world: World) -> World:
    found = entries(world)
    try:
        order = release(found, ()) if case.order == "release" else replay(found, (), again=False, failed=True)
    except CannotOrder:
        return world._replace(orders=0)
    claims = tuple((name, standing.state) for name, standing in world.claims)
    return world._replace(
        ordered=True,
        person=Person(_writes(found, order), world.outcomes, order.recipients, world.number, claims),
    )


def _writes(found: Mapping[str, Mapping[str, Any]], order: Order) -> tuple[tuple[str, str], ...]:
    """The writes of `postern_command.reruns.carry_out`, in its order."""
    opened = order.opened(found)
    writes = [("destination", one) for one in order.destinations]
    writes += [("open", ",".join(opened) + ":" + ",".join(order.reopened))] if opened else []
    return (*writes, ("event", ""))


def _carried_out(case: Case, world: World, what: str, about: str, person: Person) -> World | None:
    if what == "open":  # one transaction
        return _opened(case, world, about, person)
    if what == "destination":
        found = dict(world.claims)[about]
        if found.state is not dict(person.claims)[about]:
            return None
        free = Standing(
            state=ClaimState.RELEASED, owner=found.owner, lease_until=found.lease_until, attempts=found.attempts,
            recipient=found.recipient, before=found.before, group=found.group,
        )  # fmt: skip
        return world._replace(
            claims=put(world.claims, about, free),
            explained=more(world.explained, about),
            bounced=world.bounced - {about},
        )
    return world._replace(queue=tuple(sorted((*world.queue, frozenset(person.recipients)), key=sorted)))


def _opened(case: Case, world: World, about: str, person: Person) -> World | None:
    message = message_of(world)
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
        ordered_since=world.ordered_since | {who for who in reopened if f"{LOST} {who}" in gone},
        lifted=world.lifted | {*reopened} if case.order == "release" else world.lifted,
        answers=tuple((who, what) for who, what in world.answers if who not in reopened),
    )  # fmt: skip
