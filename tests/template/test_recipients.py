"""The part of the template that refuses unknown recipients in SMTP."""

from dataclasses import fields
from fnmatch import fnmatchcase
from typing import Any

import pytest
from postern.aws import lease
from postern.aws.receipt_rules import SesReceiptRules
from postern.aws.recipients import actions
from postern.custom_resource import RESERVE
from postern.recipients.keep import MARGIN
from postern.recipients.plan import CREATE, MAX_RULES, Step
from postern.settings import RecipientsSettings

from emulator.template import Template
from tests.builders import ROOT
from tests.fakes import FakeClock


def load(refuse: str) -> Template:
    parameters = {"Domain": "example.com", "RefuseUnknownRecipients": refuse}
    return Template.load(ROOT / "template.yaml", "x", parameters)


@pytest.fixture(scope="module")
def template() -> Template:
    return load("true")


@pytest.fixture(scope="module")
def settings(template: Template) -> RecipientsSettings:
    return RecipientsSettings.from_environment(template.resource("RecipientsFunction")["Environment"]["Variables"])


def body(template: Template, name: str) -> dict[str, Any]:
    found: dict[str, Any] = template.document["Resources"][name]
    return found


def test_either_the_templates_rule_or_the_functions() -> None:
    kinds = ("AWS::SES::ReceiptRule", "Custom::RecipientRules", "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule")
    for refuse, there in (("false", [1, 0, 0, 0]), ("true", [0, 1, 1, 1])):
        template = load(refuse)
        assert [len(template.resources(kind)) for kind in kinds[:2]] == there[:2]
        declared = template.document["Resources"].values()
        created = [one["Type"] for one in declared if "Condition" not in one or template.holds(one["Condition"])]
        assert [created.count(kind) for kind in kinds[2:]] == there[2:]


def test_what_makes_rules_goes_before_they_are_removed(template: Template) -> None:
    """CloudFormation deletes what depends on a resource before it."""
    assert body(template, "RecipientsStream")["DependsOn"] == "RecipientRules"
    assert body(template, "RecipientsSchedule")["DependsOn"] == "RecipientRules"


def test_ses_may_do_what_it_tries_before_the_first_rule_is_made(
    template: Template, settings: RecipientsSettings
) -> None:
    assert set(body(template, "RecipientRules")["DependsOn"]) == {"MailBucketPolicy", "SesMayInvokeByRecipient"}
    policy = body(template, "MailBucketPolicy")["Properties"]["PolicyDocument"]["Statement"][0]
    arns = template.resolve(policy["Condition"]["ArnLike"]["aws:SourceArn"])
    arns = [*arns, template.resource("SesMayInvokeByRecipient")["SourceArn"]]
    rule = f"receipt-rule-set/{settings.rule_set}:receipt-rule/{settings.rule_prefix}001"
    for arn in arns[1:]:
        assert fnmatchcase(f"arn:aws:ses:eu-west-1:123456789012:{rule}", arn)
    assert not any(fnmatchcase(f"{settings.rule_prefix}001", rule["Rule"]["Name"] + "*") for rule in load("false").resources("AWS::SES::ReceiptRule").values())  # fmt: skip


def test_the_functions_rules_do_what_the_templates_rule_does(settings: RecipientsSettings) -> None:
    (declared,) = load("false").resources("AWS::SES::ReceiptRule").values()
    made: dict[str, Any] = {}

    class Client:
        def create_receipt_rule(self, **request: Any) -> None:
            made.update(request)

    rules = SesReceiptRules(Client(), settings.rule_set, settings.rule_prefix, actions(settings), clock=FakeClock())
    rules.carry_out(Step(CREATE, "name", tuple(declared["Rule"]["Recipients"])))
    assert made == {"RuleSetName": declared["RuleSetName"], "Rule": {**declared["Rule"], "Name": "name"}}


def test_there_is_time_for_every_rule_and_for_the_answer(template: Template) -> None:
    timeout = template.resource("RecipientsFunction")["Timeout"]
    assert timeout > MAX_RULES * 1.1 * 2 + MARGIN + RESERVE
    assert timeout < int(template.resource("RecipientRules")["ServiceTimeout"])


def test_every_setting_is_read_and_set(template: Template) -> None:
    variables = template.resource("RecipientsFunction")["Environment"]["Variables"]
    assert set(variables) == {one.metadata["variable"] for one in fields(RecipientsSettings)}


def test_the_function_may_do_what_it_does_and_no_more(template: Template) -> None:
    (policy,) = body(template, "RecipientsFunction")["Properties"]["Policies"]
    statements = {one["Sid"]: one for one in policy["Statement"]}
    assert {action for one in statements.values() for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])} == {
        "ses:DescribeReceiptRuleSet", "ses:CreateReceiptRule", "ses:UpdateReceiptRule", "ses:DeleteReceiptRule",
        "dynamodb:Scan", "dynamodb:UpdateItem", "dynamodb:DescribeStream", "dynamodb:GetRecords",
        "dynamodb:GetShardIterator", "dynamodb:ListStreams", "sqs:SendMessage",
    }  # fmt: skip
    assert {sid for sid, one in statements.items() if one["Resource"] == "*"} == {"KeepReceiptRules", "FindTheStream"}
    assert statements["TakeTheLease"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [lease.KEY[0]]}
    }


def test_the_name_of_a_rule_fits_into_what_ses_takes(template: Template) -> None:
    """A stack's name has at most 30 characters (docs/running.md)."""
    longest = Template.load(
        ROOT / "template.yaml", "s" * 30, {"Domain": "example.com", "RefuseUnknownRecipients": "true"}
    )
    prefix = longest.resource("RecipientsFunction")["Environment"]["Variables"]["POSTERN_RULE_PREFIX"]
    assert len(f"{prefix}{MAX_RULES:03}") <= 64
