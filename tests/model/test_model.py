"""No loss, no second copy that is not accounted for, no recipient left behind: in every order of steps there is."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from postern_mail.mail.digest import LOST
from postern_mail.mail.dsn import UNANSWERED
from postern_mail.mail.outcomes import ClaimState, State

from tests.model.explore import explore
from tests.model.machine import successors
from tests.model.world import AT_ONCE, DELAY, DUE, KNOWN, Case, World, short

ONE = {"a": ("d",)}
TWO = {"a": ("d", "e"), "b": ("d",)}
LARGE = (
    "an answer, and one about a bounce",
    "two events, merged",
    "a grey hold, two events, and a fault",
    "a release of what is held",
)
THREE = {"a": ("d", "e", "f")}
CASES = {
    "two events, one destination": Case(ONE, events=2, faults=2),
    "two events, merged": Case(TWO, events=2, faults=1),
    "more destinations than are sent at once": Case(THREE, faults=2, invocations=1),
    "two events, more destinations than are sent at once": Case(THREE, events=2, faults=0),
    "a bounce": Case(ONE, faults=2, bounces=1),
    "a release": Case({"a": ("d",), "b": ("e",)}, frozenset("ab"), "release", faults=1),
    "a release beside another event": Case(ONE, frozenset("a"), "release", events=2, faults=1),
    "a replay of what failed": Case(TWO, order="replay", faults=2, invocations=1),
    "a replay of what bounced": Case(ONE, order="replay", faults=2, bounces=1),
    "an answer": Case({"a": (), "b": ()}, faults=2, answered=True, invocations=1),
    "two events, an answer": Case({"a": ()}, events=2, faults=1, answered=True),
    "an answer, and one about a bounce": Case({"a": ("d",), "b": ()}, invocations=1, bounces=1, answered=True),
    "an answer about a bounce": Case(ONE, invocations=1, bounces=1, answered=True),
    "a replay of what was answered": Case(ONE, order="replay", invocations=1, faults=1, bounces=1, answered=True),
    "a grey hold": Case(ONE, invocations=1, faults=2, grey={"a": ""}),
    "a grey hold of one of two": Case({"a": ("d",), "b": ("d",)}, invocations=1, grey={"a": ""}),
    "a grey hold, and lists know by then": Case({"a": ("d",), "b": ("e",)}, invocations=1, grey={"a": "", "b": KNOWN}),
    "a grey hold, two events": Case(ONE, events=2, faults=0, grey={"a": ""}),
    "a grey hold, two events, and a fault": Case(ONE, events=2, grey={"a": ""}),
    "a release of what is held": Case(ONE, order="release", invocations=1, grey={"a": ""}),
    "a row that goes": Case({"a": ("d",)}, invocations=1, faults=2, answered=True, vanishing=frozenset("a")),
    "a row of one who is merged goes": Case(
        {"a": ("d",), "b": ("d",)}, invocations=1, answered=True, vanishing=frozenset("b")
    ),
}


def violations(case: Case, world: World) -> Iterator[str]:
    """What must hold in every state."""
    explained = dict(world.explained)
    for destination, copies in world.copies:
        if copies > 1 + explained.get(destination, 0):
            yield f"{destination} has {copies} copies, {explained.get(destination, 0)} explained"
    claims = dict(world.claims)
    for destination, standing in claims.items():
        if standing.state is ClaimState.SENT and not dict(world.copies).get(destination):
            yield f"{destination} is sent and got nothing"
    yield from _under_way(world)
    for who, state in world.outcomes:
        if state in (State.FORWARDED, State.MERGED):
            yield from (
                f"{who} is {state}, and {destination} got nothing"
                for destination in case.leads[who]
                if not dict(world.copies).get(destination)
            )
    for who, times in world.answered:
        if times > 1 + dict(world.opened_by).get(who, 0):
            yield f"the sender was told {times} times of {who}"
    yield from _too_early(case, world)
    if world.told_wrong:
        yield f"the sender was told that {sorted(world.told_wrong)} are unknown, and a destination has the message"
    if world.message is not None:
        unsettled = {who for who in world.message.recipients if not _state(world, who).settled}
        if unsettled - world.message.pending:
            yield f"{sorted(unsettled - world.message.pending)} are not settled and not pending"
        if world.message.pending and not world.message.open:
            yield "pending, and not open: no check finds it"


def _under_way(world: World) -> Iterator[str]:
    """What a crash leaves unknown has a bound, and who has results left nothing behind."""
    claims = dict(world.claims)
    claimed = Counter(one.owner for one in claims.values() if one.state is ClaimState.CLAIMED)
    if max(claimed.values(), default=0) > AT_ONCE:
        yield f"whoever is killed now leaves {max(claimed.values())} of which nobody knows whether they were sent"
    for mine in world.running:
        if mine is not None and mine.at.startswith(("note", "record")) and claimed[mine.owner]:
            yield f"{mine.owner} is at {mine.at}, and a destination waits although nothing stands in its way"


def _too_early(case: Case, world: World) -> Iterator[str]:
    for who, seen in world.first_seen:
        early = world.now < seen + DELAY and who not in world.lifted
        alone = [one for one in case.leads[who] if {who} == {a for a, there in case.leads.items() if one in there}]
        if early and any(dict(world.copies).get(one) for one in alone):
            yield f"{who} was held, and got it at once"


def violations_at_the_end(world: World) -> Iterator[str]:
    """What must hold when nothing more will happen by itself."""
    if world.message is None:
        yield "nothing was ever written down"
        return
    for who in world.message.recipients:
        if not _state(world, who).settled:
            yield f"{who} is {_state(world, who)}, and no event will come"
    if world.message.open or world.message.pending:
        yield "open, and nothing to wait for"
    for who, state in world.outcomes:
        if state.noted and f"{state} {who}" not in world.message.noted:
            yield f"{who} is {state} and the owner does not hear of it"
    for who in world.lifted:
        if _state(world, who) is State.QUARANTINED:
            yield f"{who} was released, and is quarantined"
    for destination in world.bounced:
        who = short(dict(world.claims)[destination].recipient)
        if f"{LOST} {who}" not in world.message.noted and who not in world.ordered_since:
            yield f"{destination} bounced and the owner does not hear of it"
    yield from _answers_at_the_end(world, world.message.noted)


def _answers_at_the_end(world: World, noted: frozenset[str]) -> Iterator[str]:
    for who, what in world.answers:
        if what == DUE:
            yield f"the sender is still to be told of {who}"
        if what in (ClaimState.FAILED, ClaimState.AMBIGUOUS) and f"{UNANSWERED} {who}" not in noted:
            yield f"the answer about {who} is {what} and the owner does not hear of it"
        if what == ClaimState.SENT and not dict(world.answered).get(who):
            yield f"the answer about {who} is sent, and was not"


def _state(world: World, who: str) -> State:
    return dict(world.outcomes).get(who, State.PENDING)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in LARGE else ()) for name in CASES]
)
def test_whatever_happens(name: str) -> None:
    case = CASES[name]
    found = explore(case.start(), partial(successors, case))
    assert len(found.before) > 100
    assert found.ends
    for world in found.before:
        assert not [*violations(case, world)], " / ".join(found.way(world))
    for world in found.ends:
        assert not [*violations_at_the_end(world)], " / ".join(found.way(world))
    for world in found.stuck():
        pytest.fail(f"no way on from {found.way(world)}")
