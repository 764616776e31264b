"""`postern domain` on a stack with two domains, one that was taken out, and one that somebody else has."""

import json
from typing import Any

import boto3
import pytest
from moto.route53.models import route53_backends
from postern_command.aws import domains as aws_domains
from postern_command.records import public
from postern_mail.aws import clients
from postern_mail.domains.plan import TAG
from postern_mail.domains.records import Dkim, Manner, RecordSet, wanted
from postern_mail.errors import Unavailable

from emulator.account import ACCOUNT, REGION
from emulator.cloud import Cloud
from emulator.sending.identities import Identities
from tests.command import Done, run
from tests.identities_here import answered_by

STACK = "postern-domains"
COM, ORG, GONE, OTHER = "example.com", "example.org", "gone.example", "other.example"
PARAMETERS = {
    "Domains": f"{COM},{ORG}",
    "HostedZones": "",
    "Records": "dkim,mailfrom",
    "MailFromLabel": "bounces",
    "DmarcPolicy": "none",
}
SET = f"{STACK}-forward"


class Desk:
    """The stack, its account, and the command on it. `mx` is what public DNS says."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mx: list[str] = []
        self.identities = Identities(lambda: [SET])
        monkeypatch.setattr(clients, "identities", self._client)
        monkeypatch.setattr(public, "mail_exchangers", self._mx)
        monkeypatch.setattr(aws_domains, "PACE", 0)
        route53_backends[ACCOUNT]["aws"].zones.clear()
        self.zones = boto3.client("route53")
        for domain in (COM, ORG, GONE):
            self._make(domain, STACK)
        self._make(OTHER, "")

    def _make(self, domain: str, by: str) -> None:
        tags = [{"Key": TAG, "Value": by}] if by else []
        made = {"EmailIdentity": domain, "ConfigurationSetName": SET, "Tags": tags}
        status, _ = self.identities.answer("POST", "/v2/email/identities", json.dumps(made).encode())
        assert status == 200
        there = self.identities.there[domain]
        there.mail_from, there.feedback_by_mail = f"bounces.{domain}", False

    def _client(self, **_: bool) -> Any:
        return answered_by(boto3.client("sesv2"), self.identities)

    def _mx(self, _: str) -> list[str]:
        if self.mx == ["?"]:
            raise Unavailable("no resolver answers")
        return self.mx

    def zone(self, domain: str) -> str:
        made = self.zones.create_hosted_zone(Name=domain, CallerReference=domain)["HostedZone"]["Id"]
        return str(made).rpartition("/")[2]

    def write(self, zone: str, one: RecordSet) -> None:
        values = [{"Value": value} for value in one.values]
        record: Any = {"Name": one.name, "Type": one.type, "TTL": one.ttl, "ResourceRecords": values}
        self.zones.change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        )

    def records(self, zone: str) -> set[tuple[str, str]]:
        found = self.zones.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {(one["Name"].rstrip("."), one["Type"]) for one in found if one["Type"] not in ("NS", "SOA")}

    def needed(self, domain: str) -> list[RecordSet]:
        tokens = self.identities.there[domain].tokens
        return [one.set for one in wanted(domain, Dkim(tuple(tokens)), Manner(REGION, "bounces", "none"))]

    def run(self, *arguments: str, stdin: str = "") -> Done:
        return run("domain", *arguments, "--stack", STACK, stdin=stdin)


@pytest.fixture(scope="module")
def _deployed(cloud: Cloud) -> None:
    document = {
        "Parameters": {name: {"Type": "String"} for name in PARAMETERS},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": STACK}}},
        "Outputs": {"AliasTableName": {"Value": "aliases"}},
    }
    cloud.client("cloudformation").create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(document),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()],
    )


@pytest.fixture
def desk(aws: Cloud, _deployed: None, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(aws, monkeypatch)


def test_the_list_says_which_are_verified_and_which_are_left(desk: Desk) -> None:
    desk.identities.there[COM].verified = True
    del desk.identities.there[ORG]
    assert desk.run("list").out.splitlines() == [
        f"{COM}  verified", f"{ORG}  not verified: no identity", f"{GONE}  left behind",
    ]  # fmt: skip
    assert [one["listed"] for one in desk.run("list", "--json").objects] == [True, True, False]


def test_show_says_what_ses_has_and_what_was_left_alone(desk: Desk) -> None:
    vars(desk.identities.there[COM]).update(tags={}, configuration_set="shop")
    lines = desk.run("show", COM).out.splitlines()
    assert lines[0].split() == ["domain", COM]
    assert lines[-2].split() == ["made", "no"]
    assert lines[-1] == f"left alone: its configuration set is shop, not {SET}"
    (shown,) = desk.run("show", COM, "--json").objects
    assert (shown["made"], shown["mail_from"], len(shown["left"])) == (False, f"bounces.{COM}", 1)
    assert desk.run("show", ORG, "--json").objects[0]["left"] == []
    assert desk.run("show", "nowhere.example").status == 1


def test_a_domain_that_the_stack_has_is_not_removed(desk: Desk) -> None:
    done = desk.run("remove", COM, "--again", COM)
    assert (done.status, COM in desk.identities.there) == (1, True)
    assert "remove it from Domains" in done.err


@pytest.mark.parametrize(("mx", "status"), [("inbound-smtp.eu-west-1.amazonaws.com", 1), ("?", 3)])
def test_a_domain_whose_mail_comes_to_ses_or_may_is_not_removed(desk: Desk, mx: str, status: int) -> None:
    desk.mx = [mx]
    done = desk.run("remove", GONE, "--again", GONE)
    assert (done.status, GONE in desk.identities.there) == (status, True)


@pytest.mark.parametrize("typed", ["", "gone", "y", COM])
def test_it_is_typed_again(desk: Desk, typed: str) -> None:
    done = desk.run("remove", GONE, stdin=f"{typed}\n" * 3)
    assert (done.status, GONE in desk.identities.there) == (1, True)


def test_what_the_stack_made_is_taken_away_and_nothing_else(desk: Desk) -> None:
    desk.mx = ["mx.example.net"]
    zone = desk.zone(GONE)
    for one in desk.needed(GONE):
        if one.type != "MX" or one.name != GONE:
            desk.write(zone, one)
    desk.write(zone, RecordSet(GONE, "MX", 300, ("10 mx.example.net",)))
    desk.write(zone, RecordSet(f"www.{GONE}", "TXT", 300, ('"x"',)))
    before = desk.records(zone)
    shown = desk.run("remove", GONE, "--dry-run")
    assert (shown.status, desk.records(zone), GONE in desk.identities.there) == (0, before, True)
    done = desk.run("remove", GONE, stdin=f"{GONE}\n")
    assert done.status == 0, done.err
    assert done.out.startswith(shown.out)
    assert GONE not in desk.identities.there
    assert desk.records(zone) == {(GONE, "MX"), (GONE, "TXT"), (f"www.{GONE}", "TXT")}
    assert desk.run("list").out.splitlines()[-1].startswith(ORG)


def test_a_record_that_somebody_changed_stays(desk: Desk) -> None:
    zone = desk.zone(GONE)
    for one in desk.needed(GONE):
        ttl = 60 if one.name.startswith("_dmarc") else one.ttl
        desk.write(zone, RecordSet(one.name, one.type, ttl, one.values))
    assert desk.run("remove", GONE, "--again", GONE).status == 0
    assert desk.records(zone) == {(GONE, "TXT"), (f"_dmarc.{GONE}", "TXT")}


def test_an_identity_that_was_adopted_stays(desk: Desk) -> None:
    done = desk.run("remove", OTHER, "--again", OTHER)
    assert (done.status, OTHER in desk.identities.there) == (0, True)
    assert "stays: the stack did not make it" in done.out


def test_the_doctor_names_what_is_left(desk: Desk) -> None:
    done = run("doctor", "--json", "--stack", STACK)
    (left,) = [one for one in done.objects if one["check"] == "domains taken out"]
    assert left["state"] == "warning"
    assert [one["seen"] for one in left["found"]] == [f"{GONE} still has its identity and its records"]
    assert left["found"][0]["todo"] == f"`postern domain remove {GONE}`"
