"""One contract for the fakes and for the adapters of SES and Route 53.

SES is played by emulator/sending/identities.py, because moto lacks what sets an identity's attributes; Route 53 by moto, which
takes a CREATE where another set is (`make test-deploy` has one that does not).
"""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto.route53 import models
from postern_mail.aws import clients
from postern_mail.aws.domains.identities import SesIdentities
from postern_mail.aws.domains.onward import NextInvocation
from postern_mail.aws.domains.zones import Route53Zones
from postern_mail.aws.ruleset.rule_sets import CloudFormationStacks
from postern_mail.domains.plan import (
    CONFIGURATION_SET,
    FEEDBACK_BY_MAIL,
    KEY_LENGTH,
    LONG_KEY,
    MAIL_FROM_DOMAIN,
    SIGN,
    Change,
    Step,
    identity_steps,
)
from postern_mail.domains.ports import Identities, Zones
from postern_mail.domains.records import RecordSet
from postern_mail.domains.wish import Wish
from postern_mail.errors import Misconfigured, Refused, Throttled, Unavailable

from emulator.sending import identities as emulated
from tests.domain_fakes import STACK, FakeIdentities, FakeZones, properties
from tests.identities_here import answer_with, answered, answered_by
from tests.rights import STACK as NAME
from tests.rights import WIDEST

pytestmark = pytest.mark.function("DomainsFunction")

COM = "example.com"
ZONE = WIDEST["HostedZones"]
WISH = Wish.of(STACK, properties(COM))


def ses() -> SesIdentities:
    there = emulated.Identities(lambda: [WISH.configuration_set])
    return SesIdentities(answered_by(clients.identities(brief=True), there))


@pytest.fixture(params=["fake", "ses"])
def identities(request: pytest.FixtureRequest, aws: Any) -> Identities:
    return FakeIdentities() if request.param == "fake" else ses()


def test_an_identity_is_made_with_all_that_one_call_can_say(identities: Identities) -> None:
    assert identities.look(COM) is None
    identities.make(COM, WISH)
    found = identities.look(COM)
    assert found is not None
    assert (found.made_by, found.configuration_set, found.next_key) == ("postern", "postern-forward", LONG_KEY)
    assert (found.easy, found.mail_from, found.feedback_by_mail, found.verified) == (True, "", True, False)
    assert len(found.dkim.tokens) == 3
    assert found.dkim.zone == "dkim.amazonses.com"


def test_one_that_is_there_stays_as_it_is(identities: Identities) -> None:
    identities.make(COM, WISH)
    identities.carry_out(Step(MAIL_FROM_DOMAIN, COM, f"m.{COM}"))
    before = identities.look(COM)
    identities.make(COM, Wish.of(STACK.replace("postern", "other"), properties(COM)))
    assert identities.look(COM) == before


def test_each_thing_can_be_set_and_unset(identities: Identities) -> None:
    identities.make(COM, WISH)
    for kind, value, attribute, said in [
        (MAIL_FROM_DOMAIN, f"b.{COM}", "mail_from", f"b.{COM}"),
        (MAIL_FROM_DOMAIN, "", "mail_from", ""),
        (CONFIGURATION_SET, "", "configuration_set", ""),
        (CONFIGURATION_SET, "postern-forward", "configuration_set", "postern-forward"),
        (FEEDBACK_BY_MAIL, "", "feedback_by_mail", False),
        (FEEDBACK_BY_MAIL, "on", "feedback_by_mail", True),
        (SIGN, "", "signs", False),
        (SIGN, "on", "signs", True),
        (KEY_LENGTH, "RSA_1024_BIT", "next_key", "RSA_1024_BIT"),
        (KEY_LENGTH, LONG_KEY, "next_key", LONG_KEY),
    ]:
        identities.carry_out(Step(kind, COM, value))
        assert getattr(identities.look(COM), attribute) == said


def test_what_is_planned_is_what_it_takes(identities: Identities) -> None:
    identities.make(COM, WISH)
    for step in identity_steps(COM, identities.look(COM), WISH):
        assert isinstance(step, Step)
        identities.carry_out(step)
    assert identity_steps(COM, identities.look(COM), WISH) == []


def test_what_ses_refuses_is_told_from_what_is_missing(aws: Any) -> None:
    identities = ses()
    identities.make(COM, WISH)
    with pytest.raises(Refused, match="not subdomain"):
        identities.carry_out(Step(MAIL_FROM_DOMAIN, COM, "b.example.org"))
    with pytest.raises(Misconfigured, match="Configuration set <gone> does not exist"):
        identities.carry_out(Step(CONFIGURATION_SET, COM, "gone"))


def failing_client(code: str, status: int, service: str) -> Any:
    client = clients.identities(brief=True) if service == "sesv2" else clients.functions(brief=True)

    def answer(request: Any, **_: object) -> AWSResponse:
        return answered(request, status, b'{"message": "no"}', code)

    answer_with(client, answer)
    return client


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("TooManyRequestsException", 429, Throttled),
        ("ConcurrentModificationException", 500, Unavailable),
        ("AccessDeniedException", 403, Misconfigured),
        ("InternalFailure", 500, Unavailable),
    ],
)
def test_what_may_pass_is_temporary(aws: Any, code: str, status: int, kind: type[Exception]) -> None:
    client = SesIdentities(failing_client(code, status, "sesv2"))
    with pytest.raises(kind):
        client.look(COM)
    with pytest.raises(kind):
        client.make(COM, WISH)
    with pytest.raises(kind):
        client.carry_out(Step(SIGN, COM, "on"))


# --- zones ----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["fake", "route53"])
def zones(request: pytest.FixtureRequest, aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zones]:
    """One public zone of example.com, and a private one. They go with the test: others of this process have zones, too."""
    if request.param == "fake":
        yield FakeZones(names={ZONE: COM})
        return
    ids = iter([ZONE, "PRIVATE"])
    monkeypatch.setattr(models, "create_route53_zone_id", lambda **_: next(ids))
    client = boto3.client("route53")
    held = models.route53_backends["123456789012"]["aws"].zones
    held.clear()
    client.create_hosted_zone(Name=COM, CallerReference="1")
    yield Route53Zones(clients.route53(brief=True))
    held.clear()


def a(name: str, type: str, *values: str, ttl: int = 300) -> RecordSet:
    return RecordSet(name, type, ttl, values)


def test_a_zone_has_a_name(zones: Zones) -> None:
    assert zones.name(ZONE) == COM


def test_a_set_is_found_by_name_and_type(zones: Zones) -> None:
    mx, txt = a(COM, "MX", "10 a.example", "20 b.example"), a(f"_dmarc.{COM}", "TXT", '"v=DMARC1; p=none"')
    for one in (mx, txt):
        assert zones.look(ZONE, one.name, one.type) is None
        zones.change(ZONE, Change(one))
    assert zones.look(ZONE, COM, "MX") == mx
    assert zones.look(ZONE, f"_dmarc.{COM}", "TXT") == txt
    assert zones.look(ZONE, COM, "TXT") is None
    assert zones.look(ZONE, f"_dmarc.{COM}", "MX") is None
    assert zones.look(ZONE, f"bounces.{COM}", "MX") is None


def test_a_set_that_is_there_is_not_made_again(zones: Zones) -> None:
    one = a(COM, "MX", "10 a.example")
    zones.change(ZONE, Change(one))
    with pytest.raises(Refused):
        zones.change(ZONE, Change(one))
    assert zones.look(ZONE, COM, "MX") == one


def test_a_change_takes_away_what_is_there_and_nothing_else(zones: Zones) -> None:
    before, after = (a(f"_dmarc.{COM}", "TXT", f'"v=DMARC1; p={policy}"') for policy in ("none", "reject"))
    zones.change(ZONE, Change(before))
    zones.change(ZONE, Change(after, before))
    assert zones.look(ZONE, before.name, "TXT") == after
    with pytest.raises(Refused):
        zones.change(ZONE, Change(a(COM, "TXT", '"x"'), a(COM, "TXT", '"not there"')))
    assert zones.look(ZONE, COM, "TXT") is None


@pytest.mark.function("")
def test_what_has_no_values_to_compare_is_seen_all_the_same(zones: Zones) -> None:
    if isinstance(zones, FakeZones):
        return
    boto3.client("route53").change_resource_record_sets(
        HostedZoneId=ZONE,
        ChangeBatch={
            "Changes": [
                {
                    "Action": "CREATE",
                    "ResourceRecordSet": {
                        "Name": COM, "Type": "MX", "SetIdentifier": "one", "Weight": 1, "TTL": 60,
                        "ResourceRecords": [{"Value": "10 a.example"}],
                    },
                }
            ]
        },
    )  # fmt: skip
    assert zones.look(ZONE, COM, "MX") == a(COM, "MX", ttl=60)


@pytest.mark.function("")
def test_a_zone_that_is_no_public_one_is_named(aws: Any) -> None:
    zones = Route53Zones(clients.route53(brief=True))
    with pytest.raises(Misconfigured, match="there is no hosted zone ZNONE"):
        zones.name("ZNONE")
    made = boto3.client("route53").create_hosted_zone(
        Name="inner.example", CallerReference="2", HostedZoneConfig={"PrivateZone": True},
        VPC={"VPCRegion": "eu-west-1", "VPCId": "vpc-1"},
    )["HostedZone"]["Id"].rpartition("/")[2]  # fmt: skip
    with pytest.raises(Misconfigured, match="private"):
        zones.name(made)


# --- the next invocation --------------------------------------------------------------------------------------


def test_the_next_invocation_gets_the_event(aws: Any) -> None:
    client = clients.functions(brief=True)
    seen: list[Any] = []

    def answer(request: Any, **_: object) -> AWSResponse:
        seen.append((request.url.rpartition("/functions/")[2], json.loads(request.body)))
        assert request.headers["X-Amz-Invocation-Type"] == b"Event"
        return answered(request, 202, b"")

    answer_with(client, answer)
    NextInvocation(client, f"{NAME}-domains").start({"RequestType": "Create"})
    assert seen == [(f"{NAME}-domains/invocations", {"RequestType": "Create"})]
    with pytest.raises(Throttled):
        NextInvocation(failing_client("TooManyRequestsException", 429, "lambda"), f"{NAME}-domains").start({})


def test_the_function_sees_whether_its_stack_rolls_back(aws: Any) -> None:
    """As the ruleset function does, by a right of its own."""
    owner = aws.client("cloudformation")
    if NAME not in [one["StackName"] for one in owner.list_stacks()["StackSummaries"]]:
        owner.create_stack(StackName=NAME, TemplateBody='{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}')
    (found,) = owner.describe_stacks(StackName=NAME)["Stacks"]
    assert not CloudFormationStacks(clients.cloudformation(brief=True)).rolling_back(found["StackId"])
