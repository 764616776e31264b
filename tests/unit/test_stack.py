"""Where the command looks for the live tables, and what it says when it finds none."""

import json
from pathlib import Path

import boto3
import pytest
from postern_command.source import source
from postern_command.stack import Stack
from postern_command.status import UsageError
from postern_command.where import Where
from postern_mail.errors import Misconfigured, Temporary, Unavailable

from emulator.cloud import CREDENTIALS, HOST, Cloud
from emulator.template import Template
from tests.builders import ROOT
from tests.cloud_here import CloudHere
from tests.command import run

STACK = "postern-live"
PARTS = ("ALIAS_TABLE", "SENDER_TABLE", "DESTINATION_TABLE", "LEDGER_TABLE", "MAIL_BUCKET", "RETRY_QUEUE")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable, no samconfig.toml, and boto3's session as it was."""
    for name in ("STACK", "DOMAINS", "ENV", *PARTS):
        monkeypatch.delenv(f"POSTERN_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(Where, "typed", Where())


def deploy(aws: Cloud, stack: str, domains: str = "example.com", **outputs: str) -> None:
    """A stack that has our outputs and parameter, and a queue because a stack must have something."""
    document = {
        "Parameters": {
            "Domains": {"Type": "String"},  # moto shows a list of commas as Python would
        },
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": stack}}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    client = aws.client("cloudformation")
    client.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(document),
        Parameters=[{"ParameterKey": "Domains", "ParameterValue": domains}],
    )


@pytest.fixture(scope="module")
def _deployed(cloud: Cloud) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        deploy(cloud, STACK, AliasTableName=f"{STACK}-aliases", SenderTableName=f"{STACK}-senders")
        deploy(cloud, "not-ours")


@pytest.fixture
def stacks(aws: Cloud, _deployed: None) -> Cloud:
    return aws


def test_by_the_option(stacks: Cloud) -> None:
    found = Stack.find(STACK)
    assert (found["aliases"], found["senders"]) == (f"{STACK}-aliases", f"{STACK}-senders")
    assert found.domains == {"example.com"}


def test_a_stack_may_have_several_domains(stacks: Cloud) -> None:
    deploy(stacks, "two", "example.com,example.org", AliasTableName="a", SenderTableName="s")
    assert Stack.find("two").domains == {"example.com", "example.org"}


def test_by_the_variable(stacks: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("samconfig.toml").write_text('[default.deploy.parameters]\nstack_name = "other"\n')
    monkeypatch.setenv("POSTERN_STACK", STACK)
    assert Stack.find(None)["aliases"] == f"{STACK}-aliases"


@pytest.mark.parametrize("section", ["default.deploy", "default.global"])
def test_by_samconfig(stacks: Cloud, section: str) -> None:
    Path("samconfig.toml").write_text(f'[{section}.parameters]\nstack_name = "{STACK}"\n')
    assert Stack.find(None)["aliases"] == f"{STACK}-aliases"


def test_by_another_environment_of_samconfig(stacks: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("samconfig.toml").write_text(
        f'[default.deploy.parameters]\nstack_name = "other"\n[live.deploy.parameters]\nstack_name = "{STACK}"\n'
    )
    monkeypatch.setenv("POSTERN_ENV", "live")
    assert Stack.find(None)["aliases"] == f"{STACK}-aliases"


def test_samconfig_says_the_region_and_the_profile(stacks: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("samconfig.toml").write_text(
        f'[default.deploy.parameters]\nstack_name = "{STACK}"\nregion = "eu-north-1"\nprofile = "mail"\n'
    )
    Path("aws").write_text("[mail]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "aws")
    with pytest.raises(Unavailable, match=f"{STACK} does not exist"):  # it is in the other region
        Stack.find(None)
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE")
    with pytest.raises(Temporary, match="profile mail"):
        Stack.find(None)


def test_variables_win_over_samconfig_and_the_option_over_the_variables(
    stacks: Cloud, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("samconfig.toml").write_text('[default.deploy.parameters]\nstack_name = "other"\n')
    monkeypatch.setenv("POSTERN_STACK", "another")
    monkeypatch.setenv("POSTERN_ALIAS_TABLE", template.name("AliasTable"))
    monkeypatch.setenv("POSTERN_SENDER_TABLE", template.name("SenderTable"))
    monkeypatch.setenv("POSTERN_DOMAINS", "Example.com, bücher.example")
    found = Stack.find(None)
    assert found["aliases"] == template.name("AliasTable")
    assert found.domains == {"example.com", "xn--bcher-kva.example"}
    stacks.put("AliasTable", [{"address": "found@example.com"}])
    assert found.tables.read(["found@example.com"], []).aliases == {
        "found@example.com": {"address": "found@example.com"}
    }
    assert Stack.find(STACK)["aliases"] == f"{STACK}-aliases"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, r"Give --stack NAME .* samconfig.toml .* POSTERN_ALIAS_TABLE, "),
        ({"DOMAINS": "example.com"}, r"Give --stack NAME"),
        (
            {"ALIAS_TABLE": "a", "DOMAINS": "example.com"},
            "POSTERN_SENDER_TABLE is not set, but POSTERN_ALIAS_TABLE is: .* SenderTableName",
        ),
        (
            {"ALIAS_TABLE": "a", "SENDER_TABLE": "s", "DOMAINS": "a b"},
            "POSTERN_DOMAINS is not a list of domains: 'a b'",
        ),
    ],
)
def test_wrong_use_is_one_sentence(variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"POSTERN_{name}", value)
    with pytest.raises(UsageError, match=said):
        source(None, None)


def test_original_finds_the_bucket_by_samconfig(stacks: Cloud) -> None:
    """The notice that a mailbox gets says `postern original ID` and no more."""
    s3 = stacks.client("s3")
    s3.create_bucket(Bucket="kept-mail", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    deploy(stacks, "with-a-bucket", AliasTableName="a", SenderTableName="s", MailBucketName="kept-mail")
    s3.put_object(Bucket="kept-mail", Key="inbound/abc", Body=b"the mail")
    Path("samconfig.toml").write_text('[default.deploy.parameters]\nstack_name = "with-a-bucket"\n')
    done = run("original", "abc")
    assert (done.status, done.out) == (0, "the mail")
    done = run("original", "gone")
    assert (done.status, "no object inbound/gone" in done.err) == (1, True)


def test_parts_of_the_environment_are_not_mixed_with_those_of_a_stack(
    stacks: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger of the emulator beside the live tables would answer the wrong question."""
    monkeypatch.setenv("POSTERN_STACK", STACK)
    monkeypatch.setenv("POSTERN_LEDGER_TABLE", "ledger")
    found = Stack.find(None)
    assert found["ledger"] == "ledger"
    with pytest.raises(UsageError, match="POSTERN_ALIAS_TABLE is not set, but POSTERN_LEDGER_TABLE is"):
        _ = found["aliases"]


def test_region_and_profile_may_be_typed(stacks: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("samconfig.toml").write_text(
        f'[default.deploy.parameters]\nstack_name = "{STACK}"\nregion = "eu-north-1"\nprofile = "mail"\n'
    )
    Path("aws").write_text("[other]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "aws")
    done = run("--region", "eu-south-1", "--profile", "other", "alias", "list")
    assert (done.status, "(region eu-south-1, profile other)" in done.err) == (3, True)
    assert "is it in another region or account? postern --region REGION --profile NAME" in done.err
    done = run("--region", "eu-west-1", "--profile", "nobody", "alias", "list")
    assert (done.status, "aws configure list-profiles" in done.err) == (3, True)


def test_a_part_that_a_stack_has_not_is_named(stacks: Cloud) -> None:
    with pytest.raises(Misconfigured, match=f"stack {STACK} .* it has no output or parameter LedgerTableName"):
        _ = Stack.find(STACK).ledger


@pytest.mark.parametrize("text", ["= broken", "default = 7", "[default]\ndeploy = 7"])
def test_a_samconfig_that_cannot_be_read(text: str) -> None:
    Path("samconfig.toml").write_text(text)
    with pytest.raises(UsageError, match="samconfig.toml: "):
        Stack.find(None)


def test_a_stack_that_is_not_there_and_one_that_is_not_ours(stacks: Cloud) -> None:
    with pytest.raises(
        Unavailable, match=r"CloudFormation DescribeStacks gone \(region eu-west-1.*\): .*gone does not exist"
    ):
        Stack.find("gone")
    with pytest.raises(Misconfigured, match="stack not-ours is not a complete Postern stack: .* AliasTableName"):
        Stack.find("not-ours")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_ENDPOINT_URL": "nonsense"}, "Invalid endpoint: nonsense"),
        ({"AWS_ENDPOINT_URL": f"http://{HOST}:1"}, "Could not connect"),
        ({"AWS_DEFAULT_REGION": None}, "You must specify a region"),
        ({"AWS_PROFILE": "nobody"}, "nobody"),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "credentials"),
    ],
)
def test_aws_that_cannot_be_reached_is_one_sentence(
    aws: Cloud, variables: dict[str, str | None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"}
    for name, value in {**nowhere, **variables}.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(Temporary, match=said):
        _ = Stack.find(STACK).tables


def test_a_proxy_that_answers_in_aws_place_is_one_sentence(aws: CloudHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.listening())
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")  # moto's server answers with a 500 in HTML, as a proxy does
    with pytest.raises(Temporary, match="the response is not one that AWS gives"):
        _ = Stack.find(STACK).tables


def test_a_tables_file_in_place_of_the_live_tables() -> None:
    found = source(None, ROOT / "emulator" / "tables.toml")
    assert found.domains == {"example.com"}
    assert found.tables.read(["info@example.com"], []).aliases["info@example.com"]
