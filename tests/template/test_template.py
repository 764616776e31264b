"""The template as CloudFormation gets it: expanded by SAM's own translator, linted, and read."""

import json
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from postern_mail.intake import LONGEST_PAUSE, pause
from postern_mail.mail.days import RETRY_HOURS

from emulator.template import Template, UnknownConstruct, parsed
from tests.builders import ROOT
from tests.template.deployments import policy, symbolic


def test_the_expanded_template_is_valid(expanded: dict[str, Any], tmp_path: Path) -> None:
    """SAM's own lint does not expand any more and lets circular dependencies pass."""
    path = tmp_path / "expanded.json"
    path.write_text(json.dumps(expanded))
    lint = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run([lint, "--regions", "eu-west-1", "--", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("writes_by", ["bucket-policy", "role"])
def test_mail_is_private_encrypted_and_expires(writes_by: str) -> None:
    template = symbolic(SesWritesBy=writes_by)
    bucket = template.resource("MailBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (default,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert default == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == "30"
    statements = {one["Sid"]: one for one in policy(template, "MailBucketPolicy")}
    assert statements["TlsOnly"]["Effect"] == "Deny"
    assert statements["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statements["TlsOnly"]["Resource"]) == 2
    assert ("SesWritesMessages" in statements) == (writes_by == "bucket-policy")


def test_tables_and_mail_outlive_the_stack(resources: dict[str, Any]) -> None:
    kept = [body for body in resources.values() if body["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")]
    assert len(kept) == 5
    assert all(
        (body["DeletionPolicy"], body["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain") for body in kept
    )
    for body in kept:
        if body["Type"] == "AWS::DynamoDB::Table":
            assert body["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
            assert body["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_rule_stores_then_invokes_and_waits_for_its_permissions(
    template: Template, resources: dict[str, Any]
) -> None:
    rule = template.resources("AWS::SES::ReceiptRule")["InboundRule"]["Rule"]
    assert [next(iter(action)) for action in rule["Actions"]] == ["S3Action", "LambdaAction"]
    assert rule["Actions"][1]["LambdaAction"]["InvocationType"] == "Event"
    assert rule["Enabled"]
    assert rule["ScanEnabled"]
    assert set(resources["InboundRule"]["DependsOn"]) == {"Keys", "MailBucketPolicy", "SesMayInvoke"}


@pytest.mark.parametrize("mode", [{}, {"RuleSetMode": "join", "ActiveRuleSet": "theirs"}])
def test_the_conditions_name_the_rule_that_is_created(mode: dict[str, str]) -> None:
    """They cannot refer to it (a cycle), so they spell its name, in whatever set; it must be the same one."""
    template = symbolic(CustomerKey="true", SesWritesBy="role", **mode)
    declared = template.resources("AWS::SES::ReceiptRule")["InboundRule"]
    rule = f"receipt-rule-set/{declared['RuleSetName']}:receipt-rule/{declared['Rule']['Name']}"
    arn = f"arn:aws:ses:eu-west-1:123456789012:{rule}"
    assert fnmatchcase(arn, template.resources("AWS::Lambda::Permission")["SesMayInvoke"]["SourceArn"])
    assert not fnmatchcase(arn + "x", template.resources("AWS::Lambda::Permission")["SesMayInvoke"]["SourceArn"])
    (trusted,) = policy(template, "SesWriterRole", "AssumeRolePolicyDocument")
    (encrypts,) = [one for one in policy(template, "Key", "KeyPolicy") if one["Sid"] == "SesEncryptsMessages"]
    by_policy = policy(symbolic(**mode), "MailBucketPolicy")[0]
    for statement in (trusted, encrypts, by_policy):
        named, _ = statement["Condition"]["ArnLike"]["aws:SourceArn"]  # the other one: test_recipients.py
        assert fnmatchcase(arn, named), statement["Sid"]
        assert not fnmatchcase(arn + "x", named), statement["Sid"]
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
        assert statement["Principal"] == {"Service": "ses.amazonaws.com"}


def test_a_claim_outlives_the_function_that_made_it(template: Template) -> None:
    functions = template.resources("AWS::Serverless::Function")
    for name in ("InboundFunction", "FeedbackFunction", "WatchFunction", "DigestFunction"):
        lease = int(functions[name]["Environment"]["Variables"]["POSTERN_LEASE_SECONDS"])
        assert functions[name]["Timeout"] < lease < 180, f"{name}: shorter than its second retry (60 + 120 s) is away"


def test_failed_events_go_to_the_retry_queue_and_from_there_to_dead_letters(resources: dict[str, Any]) -> None:
    config = resources["InboundFunctionEventInvokeConfig"]
    assert config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"] == {
        "Fn::GetAtt": ["RetryQueue", "Arn"]
    }
    assert config["Properties"]["MaximumRetryAttempts"] == 2
    redrive = resources["RetryQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}


def test_an_event_is_received_often_enough_for_the_hours_it_is_tried(expanded: dict[str, Any]) -> None:
    """SQS moves it to the dead letters after so many receipts; the pauses between them are ours."""
    receipts = expanded["Resources"]["RetryQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    waited = sum(map(pause, range(1, receipts)))
    assert RETRY_HOURS * 3600 - LONGEST_PAUSE <= waited <= RETRY_HOURS * 3600 + LONGEST_PAUSE
    source = expanded["Resources"]["InboundFunctionRetry"]["Properties"]
    assert (source["BatchSize"], source["EventSourceArn"]) == (1, {"Fn::GetAtt": ["RetryQueue", "Arn"]})


def test_an_event_that_is_being_tried_is_hidden_from_others(template: Template) -> None:
    timeout = template.resource("InboundFunction")["Timeout"]
    assert template.resource("RetryQueue")["VisibilityTimeout"] >= 6 * timeout


def test_mail_and_ledger_outlive_every_retry_and_redrive(template: Template, expanded: dict[str, Any]) -> None:
    """A dead letter lives 14 days from its first failure; its object and its ledger entries must live longer."""
    fourteen_days = 14 * 86_400
    for queue in ("RetryQueue", "DeadLetterQueue"):
        assert template.resource(queue)["MessageRetentionPeriod"] == fourteen_days
    assert min(map(int, expanded["Parameters"]["MailDays"]["AllowedValues"])) * 86_400 >= fourteen_days + 2 * 86_400


def test_the_emulator_refuses_what_it_does_not_know(template: Template) -> None:
    with pytest.raises(UnknownConstruct, match="Fn::ImportValue"):
        template.resolve({"Fn::ImportValue": "x"})
    with pytest.raises(UnknownConstruct, match="Colour"):
        Template.load(ROOT / "template.yaml", "x", {"Domains": "example.com", "Colour": "red"})
    with pytest.raises(UnknownConstruct, match="Domain"):
        Template.load(ROOT / "template.yaml", "x", {})


def test_the_templates_can_be_read() -> None:
    """In ten minutes: so many lines at most, and so many parameters, each in a group and explained."""
    for path, most in (("template.yaml", 1500), ("relay/template.yaml", 700)):
        assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= most, path
    document = parsed(ROOT / "template.yaml")
    groups = document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for name in group["Parameters"]] == list(document["Parameters"])
    assert len(document["Parameters"]) <= 29
    for name, parameter in document["Parameters"].items():
        assert len(parameter["Description"]) > 20, name
