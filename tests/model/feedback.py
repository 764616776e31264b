"""The steps of a bounce, as `feedback.Listener` takes them: into the claim, to the owner, to the sender."""

from collections.abc import Iterator

from postern_mail.mail.digest import LOST

from . import telling
from .world import DUE, Bounce, Case, Step, Telling, World, message_of, new_owner, put, short


def steps(case: Case, world: World) -> Iterator[Step]:
    """A mailbox gives back what SES took; its event is taken, one at a time, and tried again until it is done."""
    if world.bounces:
        for destination, _ in world.copies:
            if destination not in world.bounced | world.events:
                after = world._replace(events=world.events | {destination}, bounces=world.bounces - 1)
                yield f"a bounce of {destination}", after
    mine = world.feedback
    if mine is None:
        for destination in sorted(world.events):
            if destination in dict(world.claims):
                yield f"feedback from {destination}", world._replace(feedback=Bounce(destination))
        return
    yield from _steps(case, world, mine)
    if world.faults:
        yield f"kill feedback before {mine.at}", world._replace(feedback=None, faults=world.faults - 1)


def _steps(case: Case, world: World, mine: Bounce) -> Iterator[Step]:
    match mine.at:
        case "bounced":
            who = short(dict(world.claims)[mine.destination].recipient)
            after = world._replace(bounced=world.bounced | {mine.destination})
            yield f"via:{mine.destination} bounced", after._replace(feedback=mine._replace(at="lost", recipient=who))
        case "lost":
            message = message_of(world)
            noted = message._replace(noted=message.noted | {f"{LOST} {mine.recipient}"})
            after = world._replace(message=noted, ordered_since=world.ordered_since - {mine.recipient})
            yield "message lost", after._replace(feedback=mine._replace(at="due"))
        case "due":
            yield from _due(case, world, mine)
        case _:
            assert mine.telling is not None
            for step, after, told in telling.steps(case, world, mine.telling):
                yield (
                    step,
                    _ended(after, mine)
                    if told.at in telling.ENDED
                    else after._replace(feedback=mine._replace(telling=told)),
                )


def _due(case: Case, world: World, mine: Bounce) -> Iterator[Step]:
    """Unless something is said of the answer already."""
    says = DUE if case.answered else "none"
    answers = dict(world.answers)
    after = world._replace(answers=put(world.answers, mine.recipient, answers.get(mine.recipient, says)))
    if not case.answered:
        yield f"to:{mine.recipient} answer", _ended(after, mine)
        return
    told = mine._replace(at="tell", telling=Telling(new_owner(world, "f")))
    yield f"to:{mine.recipient} due", after._replace(feedback=told)


def _ended(world: World, mine: Bounce) -> World:
    return world._replace(feedback=None, events=world.events - {mine.destination})
