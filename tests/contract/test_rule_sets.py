"""One contract for the fake and for the adapter of SES's first API, which moto plays.

moto is lenient: it lets a set be deleted, and pace and permissions are not its business. It does
refuse an unknown set, and it takes a call without a name as SES does.
"""

from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.ruleset.rule_sets import CloudFormationStacks, SesRuleSets
from postern_mail.errors import Misconfigured, Throttled
from postern_mail.ruleset import Active, RuleSets

from emulator.cloud import Cloud
from tests.rule_fakes import FakeRuleSets

pytestmark = pytest.mark.function("RulesetFunction")


@pytest.fixture(params=["fake", "ses"])
def sets(request: pytest.FixtureRequest) -> RuleSets:
    """A region with the sets `one`, which has a rule, and `two`; none is active."""
    if request.param == "fake":
        return FakeRuleSets({"one": ["one-inbound"], "two": []})
    cloud: Cloud = request.getfixturevalue("aws")
    ses: Any = cloud.client("ses")
    ses.set_active_receipt_rule_set()
    for name in {"one", "two"} - {found["Name"] for found in ses.list_receipt_rule_sets()["RuleSets"]}:
        ses.create_receipt_rule_set(RuleSetName=name)
        if name == "one":
            ses.create_receipt_rule(RuleSetName=name, Rule={"Name": "one-inbound", "Recipients": [], "Actions": []})
    return SesRuleSets(clients.receipt_rules(brief=True))


def test_at_first_none_is_active(sets: RuleSets) -> None:
    assert sets.active() is None


def test_one_is_active_at_a_time_and_its_rules_are_named(sets: RuleSets) -> None:
    assert sets.activate("two")
    assert sets.activate("one")
    assert sets.active() == Active("one", ("one-inbound",))
    assert sets.activate(None)
    assert sets.active() is None


def test_a_set_that_is_not_there_changes_nothing(sets: RuleSets) -> None:
    sets.activate("two")
    assert not sets.activate("three")
    assert sets.active() == Active("two", ())


@pytest.mark.parametrize(
    ("code", "kind"),
    [("Throttling", Throttled), ("AccessDenied", Misconfigured), ("AccessDeniedException", Misconfigured)],
)
def test_refusals_are_of_one_kind(aws: Cloud, code: str, kind: type[Exception]) -> None:
    client = clients.receipt_rules(brief=True)

    def refuse(**_: object) -> tuple[Any, dict[str, Any]]:
        error = {"Error": {"Code": code, "Message": "no"}}
        return type("Answer", (), {"status_code": 400})(), error

    client.meta.events.register("before-call.ses.*", refuse)
    with pytest.raises(kind):
        SesRuleSets(client).active()
    with pytest.raises(kind):
        SesRuleSets(client).activate("one")


def test_a_stack_says_whether_it_rolls_back(aws: Cloud) -> None:
    template = '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "rolling"}}}}'
    owner = aws.client("cloudformation")
    owner.delete_stack(StackName="postern-contract")
    made = owner.create_stack(StackName="postern-contract", TemplateBody=template)
    client = clients.cloudformation(brief=True)
    assert not CloudFormationStacks(client).rolling_back(made["StackId"])
    states = iter(["UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "UPDATE_IN_PROGRESS"])

    def answer(parsed: dict[str, Any], **_: object) -> None:
        parsed["Stacks"][0]["StackStatus"] = next(states)

    client.meta.events.register("after-call.cloudformation.DescribeStacks", answer)
    stacks = CloudFormationStacks(client)
    assert [stacks.rolling_back(made["StackId"]) for _ in range(3)] == [True, True, False]
