"""The template as CloudFormation gets it: expanded by SAM's own translator, linted, and read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from emulator.template import Template, UnknownConstruct
from tests.builders import ROOT


@pytest.fixture(scope="session")
def expanded() -> dict[str, Any]:
    """The template after the SAM transform; layer and code locations stand for what `sam package` puts there."""
    source = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    for body in source["Resources"].values():
        for place in ("CodeUri", "ContentUri"):
            if place in body.get("Properties", {}):
                body["Properties"][place] = "s3://bucket/key"
    translator = Translator({}, Parser(), boto_session=Session(region_name="eu-west-1"))
    document: dict[str, Any] = translator.translate(source, {"Domain": "example.com"}, passthrough_metadata=True)
    return document


@pytest.fixture(scope="session")
def resources(expanded: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = expanded["Resources"]
    return found


def test_the_expanded_template_is_valid(expanded: dict[str, Any], tmp_path: Path) -> None:
    """SAM's own lint does not expand any more and lets circular dependencies pass."""
    path = tmp_path / "expanded.json"
    path.write_text(json.dumps(expanded))
    lint = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run([lint, "--regions", "eu-west-1", "--", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_mail_is_private_encrypted_and_expires(resources: dict[str, Any]) -> None:
    bucket = resources["MailBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == {"Ref": "MailDays"}
    statements = {one["Sid"]: one for one in resources["MailBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]}
    assert statements["TlsOnly"]["Effect"] == "Deny"
    assert statements["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    condition = statements["SesWritesMessages"]["Condition"]
    assert {kind: set(keys) for kind, keys in condition.items()} == {
        "StringEquals": {"aws:SourceAccount"},
        "ArnLike": {"aws:SourceArn"},
    }


def test_tables_and_mail_outlive_the_stack(resources: dict[str, Any]) -> None:
    kept = [body for body in resources.values() if body["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")]
    assert len(kept) == 4
    assert all(
        (body["DeletionPolicy"], body["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain") for body in kept
    )
    for body in kept:
        if body["Type"] == "AWS::DynamoDB::Table":
            assert body["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
            assert body["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_ledger_entries_outlive_messages_by_a_week(expanded: dict[str, Any]) -> None:
    choices = expanded["Parameters"]["MailDays"]["AllowedValues"]
    assert min(map(int, choices)) >= 16
    assert {int(expanded["Mappings"]["LedgerDays"][days]["Days"]) - int(days) for days in choices} == {7}


def test_the_rule_stores_then_invokes_and_waits_for_its_permissions(
    template: Template, resources: dict[str, Any]
) -> None:
    rule = template.resources("AWS::SES::ReceiptRule")["InboundRule"]["Rule"]
    assert [next(iter(action)) for action in rule["Actions"]] == ["S3Action", "LambdaAction"]
    assert rule["Actions"][1]["LambdaAction"]["InvocationType"] == "Event"
    assert rule["Enabled"]
    assert rule["ScanEnabled"]
    assert set(resources["InboundRule"]["DependsOn"]) == {"MailBucketPolicy", "SesMayInvoke"}


def test_the_conditions_name_the_rule_that_is_created(template: Template) -> None:
    """They cannot refer to it (a cycle), so they spell its name; it must be the same one."""
    declared = template.resources("AWS::SES::ReceiptRule")["InboundRule"]
    arn = f":receipt-rule-set/{declared['RuleSetName']}:receipt-rule/{declared['Rule']['Name']}"
    permission = template.resources("AWS::Lambda::Permission")["SesMayInvoke"]
    assert permission["SourceArn"].endswith(arn)
    policy = template.document["Resources"]["MailBucketPolicy"]["Properties"]["PolicyDocument"]
    named, _ = template.resolve(policy["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"])
    assert named.endswith(arn)


def test_a_claim_outlives_the_function_that_made_it(template: Template) -> None:
    timeout = template.document["Globals"]["Function"]["Timeout"]
    lease = int(template.resource("InboundFunction")["Environment"]["Variables"]["POSTERN_LEASE_SECONDS"])
    assert timeout < lease < 180, "longer than the function, shorter than its second retry (60 + 120 s) is away"


def test_the_function_may_do_what_it_does_and_no_more(resources: dict[str, Any]) -> None:
    policies = resources["InboundFunctionRole"]["Properties"]["Policies"]
    statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    lists = [[one["Action"]] if isinstance(one["Action"], str) else one["Action"] for one in statements]
    assert {action for actions in lists for action in actions} == {
        "s3:GetObject", "s3:ListBucket", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem",
        "secretsmanager:GetSecretValue", "ses:SendEmail", "ses:SendRawEmail", "sqs:SendMessage",
    }  # fmt: skip
    assert all(one["Resource"] != "*" for one in statements)
    sending = next(one for one in statements if one.get("Sid") == "SendInTheNameOfOurDomain")
    assert sending["Condition"]["StringLike"] == {"ses:FromAddress": {"Fn::Sub": "*@${Domain}"}}
    listing = next(one for one in statements if one["Action"] == "s3:ListBucket")
    assert listing["Condition"]["StringLikeIfExists"] == {"s3:prefix": "inbound/*"}


def test_failed_events_go_to_the_retry_queue_and_from_there_to_dead_letters(resources: dict[str, Any]) -> None:
    config = resources["InboundFunctionEventInvokeConfig"]
    assert config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"] == {
        "Fn::GetAtt": ["RetryQueue", "Arn"]
    }
    assert config["Properties"]["MaximumRetryAttempts"] == 2
    redrive = resources["RetryQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}


def test_the_emulator_refuses_what_it_does_not_know(template: Template) -> None:
    with pytest.raises(UnknownConstruct, match="Fn::ImportValue"):
        template.resolve({"Fn::ImportValue": "x"})
    with pytest.raises(UnknownConstruct, match="Colour"):
        Template.load(ROOT / "template.yaml", "x", {"Domain": "example.com", "Colour": "red"})
    with pytest.raises(UnknownConstruct, match="Domain"):
        Template.load(ROOT / "template.yaml", "x", {})
