"""The model's steps are the code's: what the ledger in DynamoDB is asked to write, beside what the model says."""

from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.errors import Refused, Throttled, Unanswered, Unsettled

from emulator.template import Template
from tests.builders import MESSAGE_ID, event, stored
from tests.contract.test_ledger import in_dynamodb
from tests.fakes import FakeMailer
from tests.forwarding_world import RAW, World
from tests.model.machine import Case, successors
from tests.model.machine import World as Modelled

# Part of an UpdateExpression -> what the model calls it.
VERBS = {
    "ADD recipients": "open", "lease_until": "claim", "refusals": "settle", "recorded_at": "record",
    "checked_at": "pending", "REMOVE #open": "shut", "ADD noted": "note",
}  # fmt: skip
LEADS = {"a": ("d", "e"), "b": ("d",)}
FAILURES: dict[str, Exception | None] = {
    "sent": None, "failed": Refused("no"), "released": Throttled("slower"), "unanswered": Unanswered("no answer"),
}  # fmt: skip


def verb(update: str) -> str:
    (found,) = {name for part, name in VERBS.items() if part in update}
    return found


class Recorded(World):
    """A real forwarder and ledger; each write and each sending is a step."""

    def __init__(self, client: Any, template: Template) -> None:
        super().__init__()
        self.steps: list[str] = []
        self.tables.aliases = {
            f"{who}@example.com": {"destinations": [f"{one}@example.org" for one in leads]}
            for who, leads in LEADS.items()
        }
        self.mailer: FakeMailer = FakeMailer(before=lambda one: self.steps.append(f"send {short(one)}"))
        client.meta.events.register("before-parameter-build.dynamodb.UpdateItem", self._written)
        self.ledger = in_dynamodb(client, template, self.clock)  # type: ignore[assignment]

    def _written(self, params: dict[str, Any], **_: Any) -> None:
        kind, _, about = params["Key"]["entry"]["S"].partition(":")
        at = f"{kind}:{short(about)}" if about else kind
        self.steps.append(f"{at} {verb(params['UpdateExpression'])}")


def short(address: str) -> str:
    return address.partition("@")[0]


def modelled(answers: dict[str, str]) -> list[str]:
    """The steps of one undisturbed invocation in the model, where SES says this of the destinations."""
    case = Case(LEADS, invocations=1, faults=len(answers))
    world, steps = case.start(), []
    while world.queue or any(world.running):
        following = [(step, after) for step, after in successors(case, world) if not step.startswith("kill")]
        step, world = next(one for one in following if one[0] == "start" or _as_wanted(one, answers))
        if step != "start":
            steps.append(step)
        elif steps:
            break
    return steps


def _as_wanted(one: tuple[str, Modelled], answers: dict[str, str]) -> bool:
    step, after = one
    (mine,) = after.running
    wanted = answers.get(step.removeprefix("send "), "sent")
    return not step.startswith("send ") or (mine is not None and mine.answer == wanted)


@pytest.mark.parametrize("second", FAILURES)
@pytest.mark.parametrize("first", FAILURES)
def test_an_invocation_takes_the_models_steps(first: str, second: str, aws: Any, template: Template) -> None:
    world = Recorded(clients.dynamodb(), template)
    answers = {"d": first, "e": second}
    for one, answer in answers.items():
        if (failure := FAILURES[answer]) is not None:
            world.mailer.script[f"{one}@example.org"] = [failure] * 4
    message_id = f"{MESSAGE_ID}{first}{second}"
    world.store.messages[message_id] = stored(RAW, message_id=message_id)
    try:
        world.handle(event("a@example.com", "b@example.com", message_id=message_id))
    except Unsettled:
        assert {first, second} & {"released", "unanswered"}
    once = [step for number, step in enumerate(world.steps) if step != (world.steps[number - 1] if number else "")]
    assert once == modelled({one: answer for one, answer in answers.items() if answer != "sent"})
