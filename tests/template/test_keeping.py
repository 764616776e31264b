"""What is kept, for how long, and what goes in which order."""

import json
import re
import tomllib
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from emulator.template import Template
from tests.builders import ROOT
from tests.template.deployments import actions, granted, loaded, refusals, symbolic

DAY = 86_400
TABLES = {
    "AliasTable": "postern-aliases",
    "SenderTable": "postern-senders",
    "DestinationTable": "postern-destinations",
    "LedgerTable": "postern-ledger",
}
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
ADOPTED = {
    "ExistingAliasTable": "aliases-restored",
    "ExistingSenderTable": "old-senders",
    "ExistingDestinationTable": "old-destinations",
    "ExistingLedgerTable": "old-ledger",
    "ExistingMailBucket": "old-mail",
}


def test_lifetimes_are_tied_together(template: Template) -> None:
    """A dead letter can be redriven as long as it lives: the message is there, and the ledger knows of it longer."""
    queues = template.resources("AWS::SQS::Queue")
    assert {queue["MessageRetentionPeriod"] for queue in queues.values()} == {14 * DAY}
    days = [int(choice) for choice in template.document["Parameters"]["MailDays"]["AllowedValues"]]
    assert min(days) >= 14 + 2, "the event was on its way before it was a dead letter"
    for choice in days:
        stack = loaded(MailDays=str(choice))
        (expiry,) = stack.resource("MailBucket")["LifecycleConfiguration"]["Rules"]
        assert int(expiry["ExpirationInDays"]) == choice
        kept = int(stack.resource("InboundFunction")["Environment"]["Variables"]["POSTERN_LEDGER_DAYS"])
        assert kept == choice + 7


def test_dead_letters_come_from_the_retry_queue_alone() -> None:
    queue = symbolic().resource("DeadLetterQueue")
    assert queue["RedriveAllowPolicy"]["redrivePermission"] == "byQueue"
    (source,) = queue["RedriveAllowPolicy"]["sourceQueueArns"]
    assert source == loaded().arn("RetryQueue")


def test_every_function_has_a_log_that_ends(resources: dict[str, Any]) -> None:
    functions = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"}
    assert len(functions) >= 2
    for name, function in functions.items():
        group = function["LoggingConfig"]["LogGroup"]["Ref"]
        assert resources[group]["Properties"]["RetentionInDays"] == {"Ref": "LogDays"}, name


@pytest.mark.parametrize("setting", ["true", "false"])
def test_tables_may_be_protected(setting: str) -> None:
    made = loaded(DeletionProtection=setting).resources("AWS::DynamoDB::Table")
    assert made.keys() == TABLES.keys()
    assert {table["DeletionProtectionEnabled"] for table in made.values()} == {setting}


def test_tables_and_mail_that_are_there_are_gone_on_with() -> None:
    """Nothing is made, and everything that used what was made uses what is named."""
    template = symbolic(**ADOPTED, RefuseUnknownRecipients="true")
    assert template.resources("AWS::DynamoDB::Table") == template.resources("AWS::S3::Bucket") == {}
    variables = template.resource("InboundFunction")["Environment"]["Variables"]
    assert variables["POSTERN_ALIAS_TABLE"] == "aliases-restored"
    used = json.dumps(
        [
            variables,
            granted(template, "InboundFunctionRole"),
            granted(template, "RecipientsFunctionRole"),
            template.resource("RecipientsFunction"),
            template.resolve(template.document["Resources"]["MailBucketPolicy"]["Properties"]),
            template.resources("AWS::SES::ReceiptRule"),
            [template.resolve(template.document["Outputs"][f"{one}Name"]) for one in (*TABLES, "MailBucket")],
        ]
    )
    for name in ADOPTED.values():
        assert used.count(name) >= 3, name
    for made in (*TABLES.values(), "postern-mail-"):
        assert made not in used


def test_what_is_made_is_used() -> None:
    used = json.dumps([granted(symbolic(), "InboundFunctionRole"), loaded().resource("InboundFunction")])
    for name in (*TABLES.values(), "postern-mail-123456789012-eu-west-1"):
        assert used.count(name) >= 2


def test_the_key_of_kept_mail_is_kept(resources: dict[str, Any]) -> None:
    assert resources["Key"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resources["Key"]["UpdateReplacePolicy"] == "Retain"
    assert resources["Key"]["Properties"]["EnableKeyRotation"] is True


def test_the_key_of_mail_that_is_there_is_gone_on_with() -> None:
    """A new key reads nothing of what an earlier stack kept."""
    template = symbolic(CustomerKey=KEY, SesWritesBy="role", ExistingMailBucket="old-mail")
    key = f"arn:aws:kms:eu-west-1:123456789012:key/{KEY}"
    assert template.resources("AWS::KMS::Key") == {}
    assert template.resources("AWS::SNS::Topic")["AlarmTopic"]["KmsMasterKeyId"] == key
    assert template.resolve(template.document["Outputs"]["KeyId"]["Value"]) == KEY
    roles = template.resources("AWS::IAM::Role")
    decrypting = {
        role: one["Resource"] for role in roles for one in granted(template, role) if "kms:Decrypt" in actions([one])
    }
    assert {"InboundFunctionRole", "SesWriterRole"} <= decrypting.keys()
    assert set(decrypting.values()) == {key}
    assert symbolic(CustomerKey="true").resources("AWS::SNS::Topic")["AlarmTopic"]["KmsMasterKeyId"] == "Key.Arn"


def test_a_key_goes_with_the_mail_it_encrypts() -> None:
    for fine in ({}, {"CustomerKey": "true"}, {"CustomerKey": KEY, "ExistingMailBucket": "old-mail"}):
        assert refusals(fine, "TheKeyIsUsed") == []
    (said,) = refusals({"CustomerKey": KEY}, "TheKeyIsUsed")
    assert said.startswith("CustomerKey names the key of ExistingMailBucket")


def before(resources: dict[str, Any], name: str) -> set[str]:
    """What is made before this resource and goes after it, by its own words."""
    found: set[str] = set()
    waiting = {name}
    while waiting:
        body = resources[waiting.pop()]
        depends = body.get("DependsOn", [])
        named = set(depends if isinstance(depends, list) else [depends])
        for text in re.findall(r'"Ref": "(\w+)"', json.dumps(body)) + re.findall(
            r'"Fn::GetAtt": \["(\w+)"', json.dumps(body)
        ):
            named.add(text)
        named |= set(re.findall(r"\$\{(\w+)[.}]", json.dumps(body)))
        new = named & set(resources) - found
        found |= new
        waiting |= new
    return found


def test_the_set_is_active_last_and_given_up_first(resources: dict[str, Any]) -> None:
    """SES probes bucket and function while it makes the rule, and does not delete the active set."""
    assert {"InboundRule", "RuleSet", "RulesetFunction", "RulesetFunctionRole", "Log"} <= before(
        resources, "Activation"
    )
    assert {"RuleSet", "MailBucketPolicy", "SesMayInvoke", "MailBucket", "InboundFunction"} <= before(
        resources, "InboundRule"
    )
    assert {"RuleSet", "MailBucketPolicy", "SesMayInvokeByRecipient", "RecipientsFunction"} <= before(
        resources, "RecipientRules"
    )
    assert "RecipientRules" in before(resources, "Activation")
    for later in ("RecipientsStream", "RecipientsSchedule"):
        assert "RecipientRules" in before(resources, later), "nothing makes rules again after they are removed"
    assert {"InboundFunctionRole", "Log", "ConfigurationSet", "RetryQueue"} <= before(resources, "InboundFunction")
    assert not any("Activation" in before(resources, name) for name in resources)


def test_an_answer_has_time_for_all_of_lambdas_attempts(template: Template) -> None:
    timeout = template.resource("RulesetFunction")["Timeout"]
    activation = symbolic().resource("Activation")
    assert int(activation["ServiceTimeout"]) >= 3 * timeout + 60 + 120
    assert activation["OwnRules"] == ["postern-inbound", "postern-recipients-*"]
    assert template.resource("RulesetFunction")["EventInvokeConfig"]["MaximumRetryAttempts"] == 2


def test_no_account_region_or_partition_is_written_down(template: Template) -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    code = "\n".join(line.split(" #")[0] for line in text.splitlines())
    rules = code.index("\nRules:"), code.index("\nConditions:")
    code = code[: rules[0]] + code[rules[1] :]
    assert re.findall(r"\barn:(?!\$\{AWS::Partition\}:|\*:)", code) == []
    relay = (ROOT / "relay" / "template.yaml").read_text(encoding="utf-8")
    assert re.findall(r"\barn:aws", relay) == []
    assert not re.search(r"\b\d{12}\b", code)
    assert not re.search(r"\b(af|ap|ca|eu|il|me|sa|us)-[a-z]+-\d\b", code)


def test_every_name_carries_the_stacks(template: Template) -> None:
    """Several stages live side by side in one account and region."""
    names = ("BucketName", "TableName", "QueueName", "TopicName", "LogGroupName", "RuleSetName", "AlarmName", "Name")
    named = 0
    for logical_id, body in template.document["Resources"].items():
        for key in names:
            given = body.get("Properties", {}).get(key)
            if given is not None and body["Type"] != "AWS::SES::ReceiptRule":
                named += 1
                assert "AWS::StackName" in json.dumps(given), f"{logical_id}.{key}"
    assert named > 20


def test_everything_of_a_stage_is_tagged() -> None:
    """CloudFormation puts a stack's tags on all that it makes; bucket and tables keep them when the stack goes."""
    stages = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    tags = {
        name: dict(tag.split("=") for tag in one["deploy"]["parameters"]["tags"].split())
        for name, one in stages.items()
        if name != "version"
    }
    assert {"default", "dev", "relay"} == set(tags)
    assert {one["application"] for one in tags.values()} == {"postern"}
    assert len({one["stage"] for name, one in tags.items() if name != "relay"}) == 2


def test_the_second_stage_joins_the_first() -> None:
    stages = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    first, second = (stages[stage] for stage in ("default", "dev"))
    name = first["global"]["parameters"]["stack_name"]
    assert second["global"]["parameters"]["stack_name"] != name
    (overrides,) = second["deploy"]["parameters"]["parameter_overrides"]
    example = overrides.removeprefix("file://").replace(".yaml", ".example.yaml")
    joining = {name: str(value) for name, value in yaml_parse((ROOT / example).read_text(encoding="utf-8")).items()}
    rule = loaded(**joining).resources("AWS::SES::ReceiptRule")["InboundRule"]
    assert rule["RuleSetName"] == name
    assert refusals(joining) == []
    assert loaded(**joining).resources("AWS::SES::ReceiptRuleSet") == {}
