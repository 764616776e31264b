"""The steps of `Answering.tell`: what is due is read, claimed, sent and written down, or left to the watch."""

from collections.abc import Iterator

from postern_mail.aws.forward.answer_entries import reached
from postern_mail.mail.claims import DSN, Claim, HeldByAnother, Settled, Standing, take
from postern_mail.mail.dsn import MOST_ANSWERS, UNANSWERED
from postern_mail.mail.outcomes import ClaimState, State

from .world import DUE, LEASE, PATIENCE, Case, Telling, World, address, entries, message_of, more, put, short

ENDED = ("done", "waits")
_MANY = "none"

Told = tuple[str, World, Telling]


def steps(case: Case, world: World, mine: Telling) -> Iterator[Told]:
    """The next step; several where SES decides."""
    match mine.at:
        case "read":
            yield "read due", world, _read(world, mine)
        case "claim":
            yield f"dsn:{mine.number} claim", *_claim(world, mine)
        case "send":
            yield from ((f"answer {mine.number}", after, told) for after, told in _send(case, world, mine))
        case "settle":
            yield f"dsn:{mine.number} settle", *_settle(world, mine)
        case "note":
            message = message_of(world)
            noted = message.noted | {f"{UNANSWERED} {who}" for who in mine.about}
            yield "message note", world._replace(message=message._replace(noted=noted)), mine._replace(at="answer")
        case "answer":
            who, *rest = mine.about
            after = world._replace(answers=put(world.answers, who, mine.what))
            yield f"to:{who} answer", after, mine._replace(about=tuple(rest)) if rest else _next(mine)
        case "later":
            yield "#answers later", world._replace(waits=mine.owner), mine._replace(at="waits")
        case _:  # it has ended
            return


def _read(world: World, mine: Telling) -> Telling:
    found, outcomes = entries(world), dict(world.outcomes)
    due = {who for who, what in world.answers if what == DUE}
    served = {who for who in due if outcomes.get(who) is State.REJECTED and who in reached(found)}
    mine = mine._replace(left=frozenset(due - served))
    return _recorded(mine, tuple(sorted(served)), "none", missed=False)


def _recorded(mine: Telling, about: tuple[str, ...], what: str, *, missed: bool) -> Telling:
    if not about:
        return _next(mine)
    return mine._replace(at="note" if missed else "answer", about=about, what=what, missed=missed)


def _next(mine: Telling) -> Telling:
    """The next of a message's answers, or the end."""
    mine = mine._replace(about=(), what="", missed=False, number=mine.number + 1, group=(), says="")
    if not mine.left:
        return mine._replace(at="done")
    if mine.number > MOST_ANSWERS:
        rest = tuple(sorted(mine.left))
        return _recorded(mine._replace(left=frozenset()), rest, _MANY, missed=True)
    return mine._replace(at="claim")


def _claim(world: World, mine: Telling) -> tuple[World, Telling]:
    standings = dict(world.dsn)

    def swap(old: Standing, new: Standing) -> Standing | None:
        if (found := standings.get(mine.number, Standing())) != old:
            return found
        standings[mine.number] = new
        return None

    group = tuple(address(who).key for who in sorted(mine.left))
    first = address(min(mine.left))
    wanted = Claim("m", first, first, mine.owner, world.now + LEASE, kind=DSN, number=mine.number, group=group)
    claim = take(wanted, world.now, PATIENCE, swap)
    world = world._replace(dsn=tuple(sorted(standings.items(), key=lambda pair: pair[0])))
    if isinstance(claim, HeldByAnother):
        return world, mine._replace(at="later")
    about = tuple(short(one) for one in claim.group)
    if isinstance(claim, Settled):
        return world, _told(mine, about, claim.state, claim.reason)
    if claim.uncertain:  # never sent twice
        return world, mine._replace(at="settle", group=about, says=ClaimState.AMBIGUOUS)
    return world, mine._replace(at="send", group=about)


def _told(mine: Telling, about: tuple[str, ...], state: ClaimState, why: str) -> Telling:
    mine = mine._replace(left=mine.left - {*about}, group=())
    what = _MANY if why == _MANY else str(state)
    return _recorded(mine, about, what, missed=not (why == _MANY or state.accepted))


def _send(case: Case, world: World, mine: Telling) -> Iterator[tuple[World, Telling]]:
    """SES bounces; or, once in so many, refuses, is asked too often or by too many, or its answer is lost."""
    sent, outcomes = world, dict(world.outcomes)
    for who in mine.group:
        sent = sent._replace(answered=more(sent.answered, who))
        if outcomes.get(who) is State.REJECTED and who in world.served:
            sent = sent._replace(told_wrong=sent.told_wrong | {who})
    mine = mine._replace(at="settle")
    yield sent, mine._replace(says=ClaimState.SENT)
    if world.faults:
        world, sent = (one._replace(faults=world.faults - 1) for one in (world, sent))
        for says in (ClaimState.FAILED, _MANY, ClaimState.RELEASED, ClaimState.AMBIGUOUS):
            yield world, mine._replace(says=says)
        yield sent, mine._replace(says=ClaimState.AMBIGUOUS)


def _settle(world: World, mine: Telling) -> tuple[World, Telling]:
    found = dict(world.dsn)[mine.number]
    if found.owner != mine.owner:  # ClaimLost
        return world, mine._replace(at="later")
    state = ClaimState.FAILED if mine.says == _MANY else ClaimState(mine.says)
    settled = Standing(
        state=state, owner=found.owner, lease_until=found.lease_until, attempts=found.attempts, before=found.before,
        first_at=None if state is ClaimState.RELEASED else found.first_at, recipient=found.recipient,
        group=found.group, detail=mine.says,
    )  # fmt: skip
    world = world._replace(dsn=put(world.dsn, mine.number, settled))
    if state is ClaimState.RELEASED:
        return world, mine._replace(at="later")
    return world, _told(mine, mine.group, state, mine.says)
