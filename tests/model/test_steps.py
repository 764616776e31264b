"""The model's steps are the code's: what the ledger in DynamoDB is asked to write, beside what the model says."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.errors import Refused, Throttled, Unanswered, Unsettled

from emulator.template import Template
from tests.model.machine import successors
from tests.model.recorded import Recorded
from tests.model.world import Case, World

LEADS: dict[str, tuple[str, ...]] = {"a": ("d", "e"), "b": ("d",)}
UNKNOWN: dict[str, tuple[str, ...]] = {"a": (), "b": (), "c": ("d",)}
FAILURES: dict[str, Exception | None] = {
    "sent": None, "failed": Refused("no"), "released": Throttled("slower"), "unanswered": Unanswered("no answer"),
}  # fmt: skip
ANSWERS: dict[str, Exception | None] = {
    "sent": None, "failed": Refused("no"), "released": Throttled("slower"), "ambiguous": Unanswered("no answer"),
}  # fmt: skip

_OTHERS = ("kill", "order cut", "time", "watch", "wakes", "the wake")  # steps of someone else

Chosen = Callable[[str, World], bool]


def walk(case: Case, world: World, chosen: Chosen) -> tuple[list[str], World]:
    """The steps of one undisturbed run, and the world after it. `chosen` says which of SES's answers it is."""
    steps: list[str] = []
    while True:
        found = [one for one in successors(case, world) if not one[0].startswith(_OTHERS)]
        one = next((one for one in found if chosen(*one)), None)
        if one is None or (steps and one[0] in ("start", "order")):
            return [step for step in steps if not step.startswith(("start", "read ", "order ended"))], world
        steps.append(one[0])
        world = one[1]


def answers(**wanted: str) -> Chosen:
    """SES says this of destinations, and `answer` of the answer to the sender."""

    def chosen(step: str, after: World) -> bool:
        (mine,) = after.running
        told = (after.feedback or mine).telling if (after.feedback or mine) else None  # type: ignore[union-attr]
        if step.startswith("send "):
            about = step.removeprefix("send ")
            return mine is not None and dict(mine.answers)[about] == wanted.get(about, "sent")
        if step.startswith("answer "):
            return told is not None and told.says == wanted.get("answer", "sent")
        return not step.startswith(("a bounce", "order"))

    return chosen


def once(steps: list[str]) -> list[str]:
    """What is tried several times (a message in other forms) is one step."""
    return [step for number, step in enumerate(steps) if step != (steps[number - 1] if number else "")]


@pytest.fixture
def recorded(aws: Any, template: Template) -> Callable[..., Recorded]:
    return lambda leads: Recorded(clients.dynamodb(), template, leads, uuid.uuid4().hex)


@pytest.mark.parametrize("second", FAILURES)
@pytest.mark.parametrize("first", FAILURES)
def test_an_invocation_takes_the_models_steps(first: str, second: str, recorded: Callable[..., Recorded]) -> None:
    world = recorded(LEADS)
    wanted = {"d": first, "e": second}
    for one, answer in wanted.items():
        if (failure := FAILURES[answer]) is not None:
            world.mailer.script[f"{one}@example.org"] = [failure] * 5
    try:
        world.arrive()
    except Unsettled:
        assert {first, second} & {"released", "unanswered"}
    case = Case(LEADS, invocations=1, faults=2, answered=True)
    assert once(world.steps) == walk(case, case.start(), answers(**wanted))[0]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_takes_the_models_steps(answer: str, recorded: Callable[..., Recorded]) -> None:
    world = recorded(UNKNOWN)
    if (failure := ANSWERS[answer]) is not None:
        world.answerer.script["a@example.com"] = [failure]
    world.arrive()
    case = Case(UNKNOWN, invocations=1, answered=True)
    assert world.steps == walk(case, case.start(), answers(answer=answer))[0]
    assert ("#answers later" in world.steps) is (answer == "released")


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_bounce_takes_the_models_steps(answer: str, recorded: Callable[..., Recorded]) -> None:
    leads = {"a": ("d",)}
    world, case = recorded(leads), Case(leads, invocations=1, bounces=1, answered=True)
    world.arrive()
    if (failure := ANSWERS[answer]) is not None:
        world.answerer.script["a@example.com"] = [failure]
    world.steps.clear()
    world.bounces("d")
    _, sent = walk(case, case.start(), answers())
    bounced = next(after for step, after in successors(case, sent) if step == "a bounce of d")
    steps, _ = walk(case, bounced, answers(answer=answer))
    assert world.steps == steps[1:], "the first is that it comes"
    assert steps[0] == "feedback from d"


def test_a_grey_hold_takes_the_models_steps(recorded: Callable[..., Recorded]) -> None:
    leads = {"a": ("d",), "b": ("d",)}
    world, case = recorded(leads), Case(leads, invocations=1, grey={"a": ""})
    world.holds("a")
    world.arrive()
    first, held = walk(case, case.start(), answers())
    assert world.steps == first
    assert first[-1] == "wake"
    world.steps.clear()
    world.clock.time += 61
    world.wakes()
    later = next(after for step, after in successors(case, held) if step == "time passes")
    woken = next(after for step, after in successors(case, later) if step == "wakes")
    second, done = walk(case, woken, answers())
    assert world.steps == second
    assert "grey a" in second
    assert not done.message or not done.message.open


def test_an_order_takes_the_models_steps(recorded: Callable[..., Recorded]) -> None:
    world, case = recorded(LEADS), Case(LEADS, invocations=1, faults=1, answered=True, order="replay")
    world.mailer.script["d@example.org"] = [Refused("no")] * 5
    world.arrive()
    world.steps.clear()
    world.replays()
    _, failed = walk(case, case.start(), answers(d="failed"))
    ordered = next(after for step, after in successors(case, failed) if step == "order")
    steps, _ = walk(case, ordered, lambda step, after: step.startswith("order"))
    assert world.steps == steps
    assert steps[-1] == "order event"
