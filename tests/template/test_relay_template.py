"""The relay's stack as CloudFormation gets it: expanded, linted, read, and its user data run."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from postern_mail.relay.environment import RelayEnvironment
from postern_mail.relay.rotation import PAUSES
from samtranslator.yaml_helper import yaml_parse

from emulator.bus import _EVENT_TYPES as DETAIL
from emulator.bus import wants
from tests.builders import ROOT, bounce
from tests.expansion import expand

RELAY = ROOT / "relay"
PARAMETERS = {"Domain": "example.com", "Owner": "ops@example.org", "VpcId": "vpc-1", "SubnetIds": "subnet-1"}
MAX_USER_DATA = 16384  # octets before base64 (docs.aws.amazon.com/AWSEC2, "Run commands when you launch")


@pytest.fixture(scope="module")
def expanded() -> dict[str, Any]:
    return expand(RELAY / "template.yaml", PARAMETERS)


@pytest.fixture(scope="module")
def resources(expanded: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = expanded["Resources"]
    return found


@pytest.fixture(scope="module")
def launch(resources: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resources["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    return found


def walk(value: Any) -> Iterator[Any]:
    yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(one)


def chosen(value: Any, smtp: bool) -> Any:
    """A value with the choice between both ways made, for one domain."""
    if isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        return chosen(yes if {"Smtp": smtp, "SendsFromMore": False}.get(condition, True) else no, smtp)
    if isinstance(value, dict):
        return {name: chosen(one, smtp) for name, one in value.items()}
    if isinstance(value, list):
        return [one for one in (chosen(one, smtp) for one in value) if one != {"Ref": "AWS::NoValue"}]
    return value


def statements(resources: dict[str, Any], smtp: bool) -> Iterator[dict[str, Any]]:
    for body in resources.values():
        if body["Type"].startswith("AWS::IAM::") and (smtp or body.get("Condition") != "Smtp"):
            for policy in (body["Properties"], *body["Properties"].get("Policies", [])):
                yield from chosen(policy.get("PolicyDocument", {"Statement": []}), smtp)["Statement"]


def actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return [found] if isinstance(found, str) else list(found)


def test_the_expanded_template_is_valid(expanded: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "expanded.json"
    path.write_text(json.dumps(expanded))
    lint = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run([lint, "--regions", "eu-west-1", "--", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_parameter_says_what_it_is_and_takes_nothing_else(expanded: dict[str, Any]) -> None:
    for name, spec in expanded["Parameters"].items():
        assert spec.get("Description"), name
        typed = spec["Type"] not in ("String", "Number")
        assert typed or {"AllowedPattern", "AllowedValues", "MinValue"} & spec.keys(), name


@pytest.mark.parametrize("smtp", [True, False], ids=["smtp", "api"])
def test_no_one_may_do_more_than_he_does(resources: dict[str, Any], smtp: bool) -> None:
    found = list(statements(resources, smtp))
    assert found
    for one in found:
        assert one["Effect"] == "Allow"
        assert not any("*" in action for action in actions(one)), one["Sid"]
        wide = ("BeReachedBySessionManager", "KnowTheRate", "TellTheAgeOfTheQueue")  # AWS knows no narrower resource
        assert one["Resource"] != "*" or one["Sid"] in wide, one["Sid"]
    (sending,) = [one for one in found if any(action.startswith("ses:Send") for action in actions(one))]
    assert sending["Sid"] == "SendInTheNameOfOurDomain"
    senders = {"ses:FromAddress": {"Fn::Split": [",", {"Fn::Sub": "*@${Domain},*@*.${Domain}"}]}}
    assert sending["Condition"] == {"StringLike": senders}
    assert [one["Fn::Sub"].rpartition(":")[2] for one in sending["Resource"]] == [
        "identity/*", "configuration-set/${Hosts}",
    ]  # fmt: skip
    assert set(actions(sending)) == ({"ses:SendRawEmail"} if smtp else {"ses:SendEmail", "ses:SendRawEmail"})


def test_an_instance_reads_its_secret_or_sends_and_nothing_else(resources: dict[str, Any]) -> None:
    role, policy = resources["InstanceRole"]["Properties"], resources["InstancePolicy"]["Properties"]["PolicyDocument"]
    assert role["ManagedPolicyArns"] == [{"Ref": "InstancePolicy"}]
    (manager,) = role["Policies"]
    reached = actions(manager["PolicyDocument"]["Statement"][0])
    assert {action.partition(":")[0] for action in reached} == {"ssm", "ssmmessages"}
    secret, *telling = chosen(policy, smtp=True)["Statement"]
    assert [actions(one) for one in telling] == [["ses:GetAccount"], ["cloudwatch:PutMetricData"]]
    assert telling[1]["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Postern/Relay"}}
    assert (actions(secret), secret["Resource"]) == (["secretsmanager:GetSecretValue"], {"Ref": "Secret"})
    sending, *others = chosen(policy, smtp=False)["Statement"]
    assert (actions(sending), others) == (["ses:SendEmail", "ses:SendRawEmail"], telling)


def test_more_domains_are_in_the_policy_one_by_one(expanded: dict[str, Any]) -> None:
    """As CloudFormation computes it: each domain, and what is below it."""
    condition = expanded["Resources"]["InstancePolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Fn::If"][2]
    _, listed, _ = condition["Condition"]["StringLike"]["ses:FromAddress"]["Fn::Split"][1]["Fn::If"]
    text, more = listed["Fn::Sub"]
    for name, joined in more.items():
        text = text.replace(f"${{{name}}}", joined["Fn::Join"][0].join(["b.example", "c.example"]))
    assert sorted(text.replace("${Domain}", "a.example").split(",")) == sorted(
        f"*@{below}{domain}.example" for below in ("", "*.") for domain in "abc"
    )


def test_the_function_may_touch_one_user_and_one_secret(resources: dict[str, Any]) -> None:
    role = resources["CredentialsFunctionRole"]["Properties"]
    assert len(role["ManagedPolicyArns"]) == 1
    assert "AWSLambdaBasicExecutionRole" in json.dumps(role["ManagedPolicyArns"])
    (policy,) = role["Policies"]
    keys, secret = policy["PolicyDocument"]["Statement"]
    assert set(keys["Action"]) == {"iam:ListAccessKeys", "iam:CreateAccessKey", "iam:DeleteAccessKey"}
    assert keys["Resource"] == {"Fn::GetAtt": ["SmtpUser", "Arn"]}
    needed = {"DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"}
    assert set(secret["Action"]) == {f"secretsmanager:{name}" for name in needed}
    assert secret["Resource"] == {"Ref": "Secret"}
    invoke = resources["SecretsManagerMayInvoke"]["Properties"]
    assert (invoke["SourceArn"], invoke["SourceAccount"]) == ({"Ref": "Secret"}, {"Ref": "AWS::AccountId"})


def test_the_api_way_has_no_user_no_key_and_no_secret(resources: dict[str, Any]) -> None:
    there = [body for body in resources.values() if body.get("Condition") != "Smtp"]
    assert not {body["Type"] for body in there} & {
        "AWS::IAM::User", "AWS::SecretsManager::Secret", "AWS::Lambda::Function", "AWS::IAM::AccessKey",
    }  # fmt: skip
    assert "Secret" not in [one.get("Ref") for one in walk(chosen(there, smtp=False)) if isinstance(one, dict)]


def test_what_becomes_of_hosts_mail_reaches_the_owner(expanded: dict[str, Any], resources: dict[str, Any]) -> None:
    """By a set that is not the forwarder's, the bus, and a topic; the event of a bounce is one that the rule takes."""
    events, rule = resources["HostsEvents"]["Properties"], resources["LostMailRule"]["Properties"]
    assert events["ConfigurationSetName"] == {"Ref": "Hosts"}
    subscribed = {DETAIL[one] for one in events["EventDestination"]["MatchingEventTypes"]}
    assert subscribed == set(rule["EventPattern"]["detail"]["eventType"])
    pattern = json.loads(json.dumps(rule["EventPattern"]).replace('{"Ref": "Hosts"}', '"hosts"'))
    event = bounce()
    event["detail"]["mail"]["tags"] = {"ses:configuration-set": ["hosts"], "kind": ["relay"]}
    assert wants(pattern, event)
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "Notices"}
    paths = target["InputTransformer"]["InputPathsMap"]
    assert set(re.findall(r"<(\w+)>", target["InputTransformer"]["InputTemplate"])) == paths.keys()
    assert resources["Notices"]["Properties"]["Subscription"] == [
        {"Protocol": "email", "Endpoint": expanded["Parameters"]["Owner"].get("Default", {"Ref": "Owner"})}
    ]
    may_write = resources["NoticesPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Condition"]
    assert may_write == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["LostMailRule", "Arn"]}}}


def test_the_alarms_look_at_what_the_host_tells(resources: dict[str, Any]) -> None:
    told = (RELAY / "queue-age").read_text()
    for name, metric in (("QueueAgeAlarm", "QueueAge"), ("ReportsOnHoldAlarm", "ReportsOnHold")):
        alarm = resources[name]["Properties"]
        assert (alarm["MetricName"], alarm["Namespace"]) == (metric, "Postern/Relay")
        assert f'"{metric}"' in told
        assert '"Namespace": "Postern/Relay"' in told
        assert alarm["Dimensions"] == [{"Name": "Domain", "Value": {"Ref": "Domain"}}]
        assert alarm["AlarmActions"] == [{"Ref": "Notices"}]
    assert resources["QueueAgeAlarm"]["Properties"]["TreatMissingData"] == "breaching"


def test_nothing_comes_in(resources: dict[str, Any]) -> None:
    group = resources["SecurityGroup"]["Properties"]
    assert "SecurityGroupIngress" not in group
    assert resources["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["SecurityGroupIds"] == [
        {"Ref": "SecurityGroup"}
    ]
    assert {rule["FromPort"] for rule in chosen(group["SecurityGroupEgress"], smtp=True)} == {443, 587}
    assert {rule["FromPort"] for rule in chosen(group["SecurityGroupEgress"], smtp=False)} == {443}
    others = [name for name, body in resources.items() if body["Type"] == "AWS::EC2::SecurityGroupIngress"]
    assert others == []
    assert "KeyName" not in json.dumps(resources)


def test_instances_are_asked_for_a_token_and_their_disks_are_encrypted(launch: dict[str, Any]) -> None:
    assert launch["MetadataOptions"] == {
        "HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1,
    }  # fmt: skip
    assert all(device["Ebs"]["Encrypted"] for device in launch["BlockDeviceMappings"])


def test_the_secret_is_not_in_the_template(expanded: dict[str, Any]) -> None:
    assert expanded["Resources"]["Secret"]["Properties"]["SecretString"] == "{}"
    text = json.dumps({**expanded, "Resources": {**expanded["Resources"], "LaunchTemplate": {}}})
    assert "resolve:" not in text
    assert "SecretAccessKey" not in text
    assert not any(body["Type"] == "AWS::IAM::AccessKey" for body in expanded["Resources"].values())


def test_the_function_is_given_all_it_asks_for_and_time_enough(
    expanded: dict[str, Any], resources: dict[str, Any]
) -> None:
    function = resources["CredentialsFunction"]["Properties"]
    given = {name: "24" if name.endswith("HOURS") else "x" for name in function["Environment"]["Variables"]}
    settings = RelayEnvironment.from_environment({**given, "AWS_REGION": "eu-west-1"})
    assert settings.overlap_hours == 24
    assert expanded["Parameters"]["RotationDays"]["MinValue"] * 24 > settings.overlap_hours
    assert function["Timeout"] > sum(PAUSES) + 60
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": "CredentialsLog"}}
    assert resources["CredentialsLog"]["Properties"]["RetentionInDays"] == {"Ref": "LogDays"}


def test_keys_go_after_the_schedule_and_before_the_user(resources: dict[str, Any]) -> None:
    """CloudFormation deletes in the opposite order of dependence; else a new key would come after the last is gone."""
    assert "SmtpUserKeys" in resources["RotationSchedule"]["DependsOn"]
    assert resources["SmtpUserKeys"]["Properties"]["ServiceToken"] == {"Fn::GetAtt": ["CredentialsFunction", "Arn"]}
    assert resources["CredentialsFunction"]["Properties"]["Environment"]["Variables"]["POSTERN_SMTP_USER"] == {
        "Ref": "SmtpUser"
    }


def test_an_instance_gets_the_files_of_this_folder(resources: dict[str, Any]) -> None:
    """And the user data changes with them, so that the group replaces its instances."""
    included = resources["LaunchTemplate"]["Metadata"]["AWS::CloudFormation::Init"]["config"]["files"]["Fn::Transform"]
    assert included["Name"] == "AWS::Include"
    files = yaml_parse((RELAY / included["Parameters"]["Location"]).read_text())
    ours = {path for path in RELAY.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    ours -= {RELAY / "template.yaml", RELAY / "generate.py", RELAY / "files.yaml"}
    assert {f"/opt/postern/relay/{path.relative_to(RELAY)}" for path in ours} == files.keys()
    for path in ours:
        entry = files[f"/opt/postern/relay/{path.relative_to(RELAY)}"]
        assert entry["content"] == path.read_text()
        assert (entry["mode"] == "000755") == os.access(path, os.X_OK)
    made = run_path(str(RELAY / "generate.py"))
    text = (RELAY / "template.yaml").read_text()
    assert made["made"](text) == text, "out of date: make docs"
    assert made["listed"]() == (RELAY / "files.yaml").read_text(), "out of date: make docs"
    assert f"# relay/ {made['digest']()}\n" in user_data(resources)


def user_data(resources: dict[str, Any], smtp: bool = True) -> str:
    """As an instance gets it."""
    launch = resources["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    text, more = chosen(launch["UserData"]["Fn::Base64"]["Fn::Sub"], smtp)
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:Secret-AbCdEfGhIjKl-AbCdEf"
    values = {
        **PARAMETERS, "AWS::StackName": "postern-relay", "AWS::Region": "eu-west-1", "Secret": arn,
        "Hosts": "relay", "Instances": "2", "Credentials": "smtp" if smtp else "api",
    }  # fmt: skip

    def filled(text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: values[found[1]], text)

    for name, value in more.items():
        values[name] = filled(value["Fn::Sub"]) if isinstance(value, dict) else value
    return filled(text)


@pytest.mark.parametrize("smtp", [True, False], ids=["smtp", "api"])
def test_user_data_fits_and_names_the_secret_at_most(resources: dict[str, Any], smtp: bool) -> None:
    text = user_data(resources, smtp)
    assert len(text.encode()) < MAX_USER_DATA
    assert ("--secret arn:" in text) == smtp
    assert "AKIA" not in text
    assert "password" not in text


@pytest.mark.parametrize(
    ("install", "self_test", "expected"),
    [
        ("exit 0", "exit 0", "0"),
        ('echo x >>"$0.times"; [ $(wc -l <"$0.times") -gt 2 ]', "exit 0", "0"),
        ("exit 1", "exit 0", "1"),
        ("exit 0", "exit 1", "1"),
    ],
    ids=["works", "credentials come late", "never installed", "self-test fails"],
)
def test_what_an_instance_tells_cloudformation(
    resources: dict[str, Any], tmp_path: Path, install: str, self_test: str, expected: str
) -> None:
    """The user data is run, with everything it calls replaced."""
    bin_, relay = tmp_path / "bin", tmp_path / "relay"
    stubs = {
        bin_ / "cfn-init": 'echo "$*" >"$0.called"',
        bin_ / "cfn-signal": 'echo "$*" >"$0.called"',
        bin_ / "sleep": "exit 0",
        relay / "install": f'echo "$*" >"$0.called"; {install}',
        relay / "self-test": self_test,
    }
    for path, program in stubs.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{program}\n")
        path.chmod(0o755)
    text = user_data(resources).replace("/opt/aws/bin", str(bin_)).replace("/opt/postern/relay", str(relay))
    subprocess.run(["sh"], input=text.encode(), check=True, env={"PATH": f"{bin_}:{os.environ['PATH']}"})
    assert f"--exit-code {expected} --stack postern-relay --resource Group" in (bin_ / "cfn-signal.called").read_text()
    assert "--resource LaunchTemplate" in (bin_ / "cfn-init.called").read_text()
    assert (relay / "install.called").read_text().split() == [
        "--domain", "example.com", "--owner", "ops@example.org", "--region", "eu-west-1", "--credentials", "smtp",
        "--configuration-set", "relay", "--hosts", "2",
        "--secret", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:Secret-AbCdEfGhIjKl-AbCdEf",
        "--guard-metadata",
    ]  # fmt: skip
