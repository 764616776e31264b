"""The part of the template that refuses unknown recipients in SMTP."""

from fnmatch import fnmatchcase
from typing import Any

import pytest
from postern_mail.aws.recipients import lease
from postern_mail.aws.recipients.assembly import shared_properties
from postern_mail.aws.recipients.receipt_rules import SesReceiptRules
from postern_mail.custom_resource import RESERVE
from postern_mail.environment import RecipientsEnvironment
from postern_mail.recipients.keep import MARGIN
from postern_mail.recipients.plan import CREATE, MAX_RULES, Step

from emulator.template import Template
from tests.builders import ROOT
from tests.fakes import FakeClock
from tests.template.deployments import actions, granted, policy, symbolic


def load(refuse: str) -> Template:
    parameters = {"Domains": "example.com", "RefuseUnknownRecipients": refuse}
    return Template.load(ROOT / "template.yaml", "x", parameters)


@pytest.fixture(scope="module")
def template() -> Template:
    return load("true")


@pytest.fixture(scope="module")
def settings(template: Template) -> RecipientsEnvironment:
    return RecipientsEnvironment.from_environment(template.resource("RecipientsFunction")["Environment"]["Variables"])


def body(template: Template, name: str) -> dict[str, Any]:
    found: dict[str, Any] = template.document["Resources"][name]
    return found


def test_either_the_templates_rule_or_the_functions() -> None:
    kinds = ("AWS::SES::ReceiptRule", "Custom::RecipientRules", "AWS::Lambda::EventSourceMapping", "schedule")
    for refuse, there in (("false", [1, 0, 0, 0]), ("true", [0, 1, 1, 1])):
        template = load(refuse)
        assert [len(template.resources(kind)) for kind in kinds[:2]] == there[:2]
        declared = template.document["Resources"].values()
        created = [
            "schedule" if "ScheduleExpression" in one["Properties"] else one["Type"]
            for one in declared
            if "Condition" not in one or template.holds(one["Condition"])
        ]
        assert [created.count(kind) for kind in kinds[2:]] == there[2:]


def test_what_makes_rules_goes_before_they_are_removed(template: Template) -> None:
    """CloudFormation deletes what depends on a resource before it."""
    assert body(template, "RecipientsStream")["DependsOn"] == "RecipientRules"
    assert body(template, "RecipientsSchedule")["DependsOn"] == "RecipientRules"


@pytest.mark.parametrize("mode", [{}, {"RuleSetMode": "join", "ActiveRuleSet": "theirs"}])
@pytest.mark.parametrize("refuse", ["true", "false"])
def test_ses_may_do_what_it_tries_before_a_rule_is_made(mode: dict[str, str], refuse: str) -> None:
    """The policies name the rules also while there are none: when they are given up, policies change first."""
    named = symbolic(RefuseUnknownRecipients="true", **mode).resource("RecipientsFunction")["Environment"]["Variables"]
    rule = f"receipt-rule-set/{named['POSTERN_RULE_SET']}:receipt-rule/{named['POSTERN_RULE_PREFIX']}001"
    whole = symbolic(CustomerKey="true", SesWritesBy="role", RefuseUnknownRecipients=refuse, **mode)
    statements = [
        policy(symbolic(RefuseUnknownRecipients=refuse, **mode), "MailBucketPolicy")[0],
        *policy(whole, "SesWriterRole", "AssumeRolePolicyDocument"),
        *(one for one in policy(whole, "Key", "KeyPolicy") if one["Sid"] == "SesEncryptsMessages"),
    ]
    assert len(statements) == 3
    for statement in statements:
        (_, pattern) = statement["Condition"]["ArnLike"]["aws:SourceArn"]  # StringEquals does not expand `*`
        assert fnmatchcase(f"arn:aws:ses:eu-west-1:123456789012:{rule}", pattern), statement["Sid"]
    permission = whole.resource("SesMayInvokeByRecipient")["SourceArn"]
    assert fnmatchcase(f"arn:aws:ses:eu-west-1:123456789012:{rule}", permission)


def test_rules_are_made_after_what_ses_tries_and_the_set_is_active_after_them(template: Template) -> None:
    assert set(body(template, "RecipientRules")["DependsOn"]) == {"Keys", "MailBucketPolicy", "SesMayInvokeByRecipient"}
    for refuse, first in (("true", "RecipientRules"), ("false", "InboundRule")):
        assert symbolic(RefuseUnknownRecipients=refuse).resource("Activation")["After"] == first


def test_the_function_does_not_mistake_the_templates_rule_for_its_own(settings: RecipientsEnvironment) -> None:
    (declared,) = load("false").resources("AWS::SES::ReceiptRule").values()
    assert not declared["Rule"]["Name"].startswith(settings.rule_prefix)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"InboundTls": "Require", "SesWritesBy": "role", "Domains": "example.com,example.org"},
        {"RuleSetMode": "join", "ActiveRuleSet": "theirs", "ExistingMailBucket": "old-mail"},
    ],
)
def test_the_functions_rules_do_what_the_templates_rule_does(parameters: dict[str, str]) -> None:
    (declared,) = symbolic(**parameters).resources("AWS::SES::ReceiptRule").values()
    refusing = symbolic(RefuseUnknownRecipients="true", **parameters)
    settings = RecipientsEnvironment.from_environment(
        refusing.resource("RecipientsFunction")["Environment"]["Variables"]
    )
    made: dict[str, Any] = {}

    class Client:
        def create_receipt_rule(self, **request: Any) -> None:
            made.update(request)

    rules = SesReceiptRules(
        Client(), settings.rule_set, settings.rule_prefix, shared_properties(settings), clock=FakeClock()
    )
    rules.carry_out(Step(CREATE, "name", settings.stack.domains))
    assert made == {"RuleSetName": declared["RuleSetName"], "Rule": {**declared["Rule"], "Name": "name"}}


def test_a_table_that_was_there_is_looked_at_every_minute() -> None:
    """The template knows no stream of it."""
    for existing, streams, rate in (("", 1, "rate(5 minutes)"), ("old-aliases", 0, "rate(1 minute)")):
        template = symbolic(RefuseUnknownRecipients="true", ExistingAliasTable=existing)
        assert len(template.resources("AWS::Lambda::EventSourceMapping")) == streams
        assert template.resource("RecipientsSchedule")["ScheduleExpression"] == rate
        granting = granted(template, "RecipientsFunctionRole")
        assert ("dynamodb:GetRecords" in actions(granting)) == bool(streams)
        (scanned,) = [one["Resource"] for one in granting if one["Action"] == "dynamodb:Scan"]
        assert scanned.endswith(f":table/{existing or 'postern-aliases'}")


def test_there_is_time_for_every_rule_and_for_the_answer(template: Template) -> None:
    timeout = template.resource("RecipientsFunction")["Timeout"]
    assert timeout > MAX_RULES * 1.1 * 2 + MARGIN + RESERVE
    assert timeout < int(template.resource("RecipientRules")["ServiceTimeout"])


def test_the_function_writes_one_row_of_the_ledger_and_passes_one_role_to_ses_alone() -> None:
    statements = granted(symbolic(RefuseUnknownRecipients="true", SesWritesBy="role"), "RecipientsFunctionRole")
    by_sid = {one["Sid"]: one for one in statements}
    assert by_sid["TakeTheLease"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [lease.KEY["message_id"]]}
    }
    assert by_sid["TakeTheLease"]["Resource"].endswith(":table/postern-ledger")
    passing = by_sid["NameTheRoleThatSesWritesBy"]
    assert passing["Resource"] == "SesWriterRole.Arn"
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ses.amazonaws.com"}}
    assert "iam:PassRole" not in actions(granted(symbolic(RefuseUnknownRecipients="true"), "RecipientsFunctionRole"))


def test_the_name_of_a_rule_fits_into_what_ses_takes(template: Template) -> None:
    """A stack's name has at most 30 characters (docs/deploying.md)."""
    longest = Template.load(
        ROOT / "template.yaml", "s" * 30, {"Domains": "example.com", "RefuseUnknownRecipients": "true"}
    )
    prefix = longest.resource("RecipientsFunction")["Environment"]["Variables"]["POSTERN_RULE_PREFIX"]
    assert len(f"{prefix}{MAX_RULES:03}") <= 64
