"""`postern domain` on a stack with two domains, one that was taken out, and one that someone else has."""

import json
from typing import Any

import boto3
import pytest
from moto.route53.models import route53_backends
from postern_command.aws import account
from postern_command.aws import domains as aws_domains
from postern_command.records import public
from postern_mail.aws import clients
from postern_mail.domains.plan import TAG
from postern_mail.domains.records import Dkim, DnsOptions, RecordSet, wanted
from postern_mail.errors import Unavailable

from emulator.account import ACCOUNT, REGION
from emulator.cloud import Cloud
from emulator.sending.identities import Identities
from tests.command import Done, run
from tests.identities_here import answered_by

STACK = "postern-domains"
COM, ORG, GONE, OTHER = "example.com", "example.org", "gone.example", "other.example"
FOREIGN = "shop.example"  # an identity with which the stack never had to do
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
        self._make(FOREIGN, "")
        vars(self.identities.there[FOREIGN]).update(mail_from="mail.shop.example", configuration_set="")

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
        return [one.set for one in wanted(domain, Dkim(tuple(tokens)), DnsOptions(REGION, "bounces", "none"))]

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
        f"{OTHER}  left behind",
    ]  # fmt: skip
    assert [one["listed"] for one in desk.run("list", "--json").objects] == [True, True, False, False]


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
    assert GONE not in desk.run("list").out


def test_a_record_that_someone_changed_stays(desk: Desk) -> None:
    zone = desk.zone(GONE)
    for one in desk.needed(GONE):
        ttl = 60 if one.name.startswith("_dmarc") else one.ttl
        desk.write(zone, RecordSet(one.name, one.type, ttl, one.values))
    assert desk.run("remove", GONE, "--again", GONE).status == 0
    assert desk.records(zone) == {(GONE, "TXT"), (f"_dmarc.{GONE}", "TXT")}


def test_an_identity_that_was_adopted_stays_and_is_as_before(desk: Desk) -> None:
    zone = desk.zone(OTHER)
    for one in desk.needed(OTHER):
        desk.write(zone, one)
    shown = desk.run("remove", OTHER, "--dry-run", "--json").objects
    assert shown[0]["reset"] == ["feedback by mail", "configuration set", "MAIL FROM domain"]
    assert desk.identities.there[OTHER].configuration_set == SET
    done = desk.run("remove", OTHER, "--again", OTHER)
    assert done.status == 0, done.err
    assert "stays: the stack did not make it" in done.out
    there = desk.identities.there[OTHER]
    assert (there.mail_from, there.configuration_set, there.feedback_by_mail) == ("", "", True)
    left = desk.records(zone)
    assert len([name for name, kind in left if kind == "CNAME"]) == 3, "its DKIM records verify it"
    assert (OTHER, "TXT") in left
    assert not [name for name, _ in left if name.startswith("bounces.")]
    assert OTHER not in desk.run("list").out


def test_one_that_was_never_the_stacks_is_left_alone(desk: Desk) -> None:
    before = dict(vars(desk.identities.there[FOREIGN]))
    done = desk.run("remove", FOREIGN, "--again", FOREIGN)
    assert (done.status, vars(desk.identities.there[FOREIGN])) == (0, before)
    assert f"the stack made nothing for {FOREIGN}" in done.out


def left(told: Done) -> list[tuple[str, str]]:
    (found,) = [one for one in told.objects if one["check"] == "domains taken out"]
    return [(one["seen"], one["todo"]) for one in found["found"] if one["todo"]]


SEEN_GONE = (f"{GONE} still has its identity and its records", f"`postern domain remove {GONE}`")


@pytest.mark.parametrize(
    ("known", "mx", "trace"),
    [
        ({}, [], f"its configuration set is {SET}"),
        ({"configuration_set": ""}, [], f"its MAIL FROM domain is bounces.{OTHER}"),
        ({"configuration_set": "", "mail_from": "m.other.example"}, [f"inbound-smtp.{REGION}.amazonaws.com"],
         "its MX names SES, where no receipt rule takes its mail"),
        ({"configuration_set": "", "mail_from": ""}, ["inbound-smtp.ap-south-1.amazonaws.com"], ""),
        ({"configuration_set": "", "mail_from": ""}, ["mx.example.net"], ""),
        ({"configuration_set": "", "mail_from": ""}, ["?"], ""),
        ({"tags": {TAG: "another-stack"}}, [], ""),
    ],
)  # fmt: skip
def test_the_doctor_names_what_is_left(desk: Desk, known: dict[str, Any], mx: list[str], trace: str) -> None:
    vars(desk.identities.there[OTHER]).update(known)
    del desk.identities.there[FOREIGN]
    desk.mx = mx
    todo = f"`postern domain remove {OTHER}`, or put it back into Domains"
    seen = [(f"{OTHER} is not in Domains, but {trace}", todo)] if trace else []
    assert left(run("doctor", "--json", "--stack", STACK)) == [SEEN_GONE, *seen]


@pytest.mark.parametrize(("recipients", "is_for"), [
    ((), True), ((OTHER,), True), ((f"info@{OTHER}",), True), ((".example",), True), (("her.example",), False),
    ((f".{OTHER}",), False), ((COM,), False),
])  # fmt: skip
def test_mail_that_a_rule_takes_is_not_rejected(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, recipients: tuple[str, ...], is_for: bool
) -> None:
    vars(desk.identities.there[OTHER]).update(configuration_set="", mail_from="")
    del desk.identities.there[FOREIGN]
    desk.mx = [f"inbound-smtp.{REGION}.amazonaws.com"]
    rule = account.ReceiptRule("a", True, recipients, False)
    monkeypatch.setattr(account, "active_rules", lambda: ("set", (rule,)))
    assert (OTHER in desk.run("list").out) != is_for
