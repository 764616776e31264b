"""`postern init` on accounts of all kinds: what it says it found, what it writes, and what comes next."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from postern_command.aws import account
from postern_command.examinations import doors
from postern_command.owner import file
from postern_command.where import Where
from postern_mail.errors import Unavailable

from tests.builders import ROOT
from tests.command import Done
from tests.pseudo_terminal import on_a_terminal
from tests.world import DOMAIN, MX, World

from .conftest import Office
from .test_screens import COLOUR

TEMPLATE = """\
Rules:
  ReceivingRegion:
    Assertions: [{Assert: !Contains [[eu-west-1, us-east-1], !Ref AWS::Region], AssertDescription: no}]
Parameters:
  Domains: {Type: CommaDelimitedList, AllowedPattern: "[a-z0-9.-]+", ConstraintDescription: domain names in lower case}
  OwnerAddress: {Type: String, Default: "", AllowedPattern: "([^@]+@[^@]+)?", ConstraintDescription: "a mail address"}
  MailFromLabel: {Type: String, Default: bounces}
  DmarcPolicy: {Type: String, Default: none}
  HostedZones: {Type: CommaDelimitedList, Default: ""}
  Records: {Type: CommaDelimitedList, Default: "dkim,mailfrom"}
  RuleSetMode: {Type: String, Default: activate, AllowedValues: [activate, join]}
  ActiveRuleSet: {Type: String, Default: ""}
  ExistingAliasTable: {Type: String, Default: ""}
  ExistingMailBucket: {Type: String, Default: ""}
  Links: {Type: String, Default: "false"}
"""
ANSWERS = ("--domain", DOMAIN, "--owner", "me@home.example", "--yes")


@pytest.fixture
def folder(office: Office, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone, and a new account: no identity, no record but the name servers'."""
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSTERN_ENV", raising=False)
    monkeypatch.setattr(Where, "typed", Where())
    world.standing.identities.there.clear()
    for server in (world.names, world.second):
        server.zone.records.clear()
    world.put(DOMAIN, "NS", "ns1.dns.example")
    ses, zones = office.cloud.client("ses"), office.cloud.client("route53")
    ses.set_active_receipt_rule_set()  # whatever another test left, this and the zones
    for zone in zones.list_hosted_zones()["HostedZones"]:
        zones.delete_hosted_zone(Id=zone["Id"])
    yield tmp_path
    ses.set_active_receipt_rule_set()


def init(office: Office, *arguments: str, status: int = 0) -> dict[str, Any]:
    done = office.run("init", *ANSWERS, "--json", *arguments)
    assert done.status == status, done.out + done.err
    (told,) = done.objects
    return dict(told)


def said(told: dict[str, Any], check: str) -> list[tuple[str, str, str]]:
    (one,) = (one for one in told["looked"] if one["check"] == check)
    return [(each["state"], each["seen"], each["todo"]) for each in one["found"]]


def chosen(folder: Path) -> dict[str, str]:
    """What is written and is not the default."""
    defaults = {
        "MailFromLabel": "bounces",
        "DmarcPolicy": "none",
        "Records": "dkim,mailfrom",
        "RuleSetMode": "activate",
        "Links": "false",
    }
    found = file.values((folder / "owner.yaml").read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if value != defaults.get(name, "")}


def test_an_empty_account(office: Office, folder: Path) -> None:
    told = init(office)
    assert chosen(folder) == {"Domains": DOMAIN, "OwnerAddress": "me@home.example"}
    assert said(told, "region") == [("ok", "eu-west-1: SES receives mail here", "")]
    assert said(told, "credentials")[0][1].startswith("account 123456789012, as arn:aws:")
    assert said(told, "stack") == [("ok", "there is no stack postern yet", "")]
    assert said(told, "rule set") == [("ok", "no rule set is active; ours will be", "")]
    assert said(told, "identity") == [("ok", "example.com is not an SES identity yet; the stack creates it", "")]
    assert said(told, "MX") == [("ok", "example.com has no MX yet, so it gets no mail", "")]
    assert [one["command"] for one in told["next"]] == [
        "make deploy",
        "postern dns --wait",
        "postern alias add info@example.com me@home.example",
        "postern doctor",
    ]


@pytest.fixture
def zone(office: Office) -> Iterator[str]:
    """A hosted zone for the domain."""
    client = office.cloud.client("route53")
    made = client.create_hosted_zone(Name=DOMAIN, CallerReference="here")["HostedZone"]["Id"]
    yield made.rpartition("/")[2]
    client.delete_hosted_zone(Id=made)


def servers(office: Office, zone: str) -> list[str]:
    found: list[str] = office.cloud.client("route53").get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
    return found


def test_a_hosted_zone_gets_the_records_that_nothing_is_in_the_way_of(
    office: Office, folder: Path, world: World, zone: str
) -> None:
    world.put(DOMAIN, "NS", *servers(office, zone))
    world.put(DOMAIN, "TXT", "v=spf1 include:_spf.google.com -all")
    told = init(office)
    assert chosen(folder)["HostedZones"] == zone
    assert chosen(folder)["Records"] == "dkim,mailfrom,dmarc,mx"
    assert said(told, "hosted zone")[0][0] == "ok"


def test_a_hosted_zone_that_no_one_asks_is_not_written_to(office: Office, folder: Path, zone: str) -> None:
    told = init(office)
    assert "HostedZones" not in chosen(folder)
    ((state, seen, todo),) = said(told, "hosted zone")
    assert (state, seen) == (
        "warning",
        f"hosted zone {zone} of example.com is not in use: its name servers in public DNS are ns1.dns.example",
    )
    assert (
        todo == "the stack does not write to it; set its name servers at the registrar, or paste the records elsewhere"
    )


def test_mail_that_goes_elsewhere_stays_there(office: Office, folder: Path, world: World, zone: str) -> None:
    world.put(DOMAIN, "NS", *servers(office, zone))
    world.put(DOMAIN, "MX", "1 aspmx.l.google.com")
    told = init(office)
    assert "mx" not in chosen(folder)["Records"]
    ((state, seen, todo),) = said(told, "MX")
    assert (state, seen) == ("warning", "mail for example.com goes to 1 aspmx.l.google.com")
    assert todo == (
        "that stays so until you change it; mail goes to 1 aspmx.l.google.com (Google) now; to move it to Postern,"
        f" replace that with 10 {MX}"
    )


def test_a_rule_set_of_someone_else_is_joined(office: Office, folder: Path) -> None:
    ses = office.cloud.client("ses")
    ses.create_receipt_rule_set(RuleSetName="shop")
    ses.set_active_receipt_rule_set(RuleSetName="shop")
    told = init(office)
    assert (chosen(folder)["RuleSetMode"], chosen(folder)["ActiveRuleSet"]) == ("join", "shop")
    assert said(told, "rule set") == [
        (
            "warning",
            "the active rule set shop, with 0 rules, is not ours",
            "our rule will join it (RuleSetMode is join, ActiveRuleSet is shop); take-over would replace it",
        )
    ]


def test_tables_of_an_earlier_stack_are_gone_on_with(
    office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "tables", lambda names: [one for one in names if one == "postern-aliases"])
    monkeypatch.setattr(account, "has_bucket", lambda name: name == "postern-mail-123456789012-eu-west-1")
    told = init(office)
    assert chosen(folder)["ExistingAliasTable"] == "postern-aliases"
    assert chosen(folder)["ExistingMailBucket"] == "postern-mail-123456789012-eu-west-1"
    assert said(told, "tables and mail")[0] == (
        "warning",
        "the table postern-aliases of an earlier stack exists",
        "the new stack will use it: ExistingAliasTable is postern-aliases",
    )


def test_tables_and_buckets_that_are_there(office: Office) -> None:
    table, bucket = office.template.name("AliasTable"), office.template.name("MailBucket")
    assert list(account.tables(["nothing", table])) == [table]
    assert [account.has_bucket(name) for name in (bucket, "nothing-of-that-name")] == [True, False]


@pytest.mark.parametrize(
    ("status", "state", "seen"),
    [
        ("CREATE_COMPLETE", "ok", "stack postern exists (CREATE_COMPLETE); `make deploy` updates it"),
        ("ROLLBACK_COMPLETE", "failed", "stack postern is ROLLBACK_COMPLETE: it cannot be updated"),
        ("UPDATE_IN_PROGRESS", "warning", "stack postern is UPDATE_IN_PROGRESS"),
    ],
)
def test_a_stack_that_is_there(
    office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch, status: str, state: str, seen: str
) -> None:
    monkeypatch.setattr(account, "stack_status", lambda _: status)
    ((found, told, _),) = said(init(office, status=1 if state == "failed" else 0), "stack")
    assert (found, told) == (state, seen)


def test_a_region_where_ses_does_not_receive(office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    told = init(office, status=1)
    assert said(told, "region") == [
        (
            "failed",
            "SES does not receive mail in eu-west-2",
            "choose another with AWS_REGION or --region: eu-west-1, us-east-1",
        )
    ]


def test_a_domain_that_is_not_registered(office: Office, folder: Path, world: World) -> None:
    world.put(DOMAIN, "NS")
    ((state, seen, todo),) = said(init(office), "MX")
    assert (state, seen) == ("warning", "example.com has no MX yet, so it gets no mail")
    assert todo == "example.com is not in public DNS: is it registered, and are its name servers set at the registrar?"


def test_sandbox_and_dear_prices_are_said(office: Office, folder: Path, world: World) -> None:
    world.standing.production, world.standing.a_day, world.standing.plan = False, 200, "ESSENTIALS"
    told = init(office)
    assert said(told, "sandbox")[0][1] == "in SES's sandbox: 200 messages a day, to verified addresses only"
    assert said(told, "price plan")[0][0] == "warning"


def test_what_may_not_be_looked_at_is_said_and_the_rest_is_done(office: Office, folder: Path, world: World) -> None:
    world.standing.denied |= {"GetAccount", "GetEmailIdentity"}
    told = init(office)
    refused = [one["check"] for one in told["looked"] if one["state"] == "no answer"]
    assert refused == ["identity", "sandbox", "sending", "price plan"]
    assert said(told, "identity")[0][1].endswith("User is not authorized to perform: ses:GetEmailIdentity")
    assert chosen(folder)["Domains"] == DOMAIN


def test_without_credentials_the_file_is_written_all_the_same(
    office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> Any:
        raise Unavailable("STS GetCallerIdentity: Unable to locate credentials")

    monkeypatch.setattr(account, "caller", nobody)
    told = init(office)
    assert [one["check"] for one in told["looked"]] == ["credentials", "MX"]
    advice = "use postern --profile NAME, or sign in (aws sso login, aws configure)"
    assert said(told, "credentials") == [("no answer", "STS GetCallerIdentity: Unable to locate credentials", advice)]
    assert chosen(folder)["Domains"] == DOMAIN


@pytest.mark.parametrize("why", ["", "links must wait: 10 not reserved"])
def test_a_door_that_does_not_fit_is_said_before_a_deployment(
    office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    asked: list[list[str]] = []

    def lacks_room(doors: list[str]) -> str:
        asked.append(doors)
        return why

    monkeypatch.setattr(account, "lacks_room", lacks_room)
    assert said(init(office), "doors")[0][0] == "ok"
    assert asked == [], "nobody asks while no door is wanted"
    path = folder / "owner.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace('Links: "false"', 'Links: "true"'), encoding="utf-8")
    (found,) = said(init(office, status=1 if why else 0), "doors")
    assert found[:2] == (("failed", why) if why else ("ok", "Lambda has room for Links"))
    assert asked == [["Links"]]


@pytest.mark.parametrize(
    ("wanted", "there", "why", "grades"),
    [
        ({}, {}, "no room", ["ok"]),
        ({"Links": "true"}, {"Links": "true"}, "no room", ["ok"]),
        ({"Links": "true"}, {"Links": "false"}, "no room", ["failed"]),
        ({"Links": "true"}, {"Links": "false"}, "", ["ok"]),
        ({"Links": "false"}, {"Links": "true"}, "no room", ["ok"]),
    ],
)
def test_a_door_that_is_open_needs_no_room(
    monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str], there: dict[str, str], why: str, grades: list[str]
) -> None:
    """As `postern doctor` looks at it, with owner.yaml beside the stack."""
    monkeypatch.setattr(account, "lacks_room", lambda _: why)
    assert [one.grade for one in doors.fit(wanted, there)] == grades


def test_a_file_that_is_there_is_not_changed_by_what_is_found(office: Office, folder: Path) -> None:
    init(office)
    before = (folder / "owner.yaml").read_bytes()
    ses = office.cloud.client("ses")
    if "shop" not in [one["Name"] for one in ses.list_receipt_rule_sets()["RuleSets"]]:
        ses.create_receipt_rule_set(RuleSetName="shop")
    ses.set_active_receipt_rule_set(RuleSetName="shop")
    done: Done = office.run("init", "--json")
    (told,) = done.objects
    assert said(told, "rule set")[0][2] == (
        'our rule will join it (set RuleSetMode: "join" in the file, set ActiveRuleSet: "shop" in the file); take-over'
        " would replace it"
    )
    assert (folder / "owner.yaml").read_bytes() == before


def test_dns_knows_the_domains_before_there_is_a_stack(
    office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init(office)
    for name in ("POSTERN_DOMAINS", "POSTERN_ALIAS_TABLE"):
        monkeypatch.delenv(name)
    done = office.run("dns")
    assert (done.status, done.out.splitlines()[0]) == (1, DOMAIN)
    assert "example.com is not an SES identity yet; SES gives its DKIM records after `make deploy`" in done.err


@pytest.mark.slow  # it loads the models of all services again
def test_the_next_commands_say_the_region_and_the_stage(
    office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # the command makes another, for this region
    done = office.run("--region", "us-east-1", "init", *ANSWERS, "--json", "--config-env", "dev")
    commands = [one["command"] for one in done.objects[0]["next"]]
    assert commands[:2] == [
        "AWS_REGION=us-east-1 make deploy STAGE=dev",
        "AWS_REGION=us-east-1 POSTERN_ENV=dev postern dns --wait",
    ]


SCREEN = """\
Your mail domain, such as example.com: example.com
Your mailbox outside that domain, for alarms: me@home.example
Account
  ok           credentials
               account 123456789012, as arn:aws:sts::123456789012:user/moto
  ok           region
               eu-west-1: SES receives mail here
  ok           stack
               there is no stack postern yet
Already there
  ok           tables and mail
               no table of an earlier stack
  ok           rule set
               no rule set is active; ours will be
  ok           doors
               no door is open to the internet (Links, AliasApi)
Domains
  ok           identity
               example.com is not an SES identity yet; the stack creates it
  ok           hosted zone
               example.com has no hosted zone in this account: `postern dns`
               shows what to paste
  ok           MX
               example.com has no MX yet, so it gets no mail
Sending
  ok           sandbox
               out of the sandbox: mail goes to any address
  ok           sending
               SES finds nothing wrong with this account
  ok           price plan
               pay per feature: 0.10 USD for 1,000 messages sent

owner.yaml: Domains is 'example.com'
owner.yaml: OwnerAddress is 'me@home.example'
owner.yaml is written, with all 11 parameters; docs/parameters.md explains each.

Next:
  make deploy
      8 minutes the first time; it shows the changes, and asks before it makes
      them
  postern dns --wait
      minutes if the stack writes the records, else as long as it takes you to
      paste them
  postern alias add info@example.com me@home.example
      at once
  postern doctor
      ten seconds; says whether all is well, and what to do
"""


@pytest.mark.slow
def test_on_a_terminal_with_two_answers(office: Office, folder: Path) -> None:
    endpoint = office.cloud.listening()  # type: ignore[attr-defined]
    status, shown = on_a_terminal("init", AWS_ENDPOINT_URL=endpoint, typed=[DOMAIN, "me@home.example"])
    assert status == 0
    assert [line.rstrip() for line in COLOUR.sub("", shown).splitlines()] == SCREEN.splitlines()
