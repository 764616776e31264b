"""Mail domains: five slots that say the same, identities, DNS records, and what is refused early."""

import json
import re

import pytest

from emulator import template as emulated
from emulator.template import Template
from tests.template.deployments import granted, loaded, refusals, symbolic

SLOTS = ("", "2", "3", "4", "5")
ALL = {"Domain": "example.com", "HostedZone": "Z1", "WriteMx": "true", "WriteSpf": "true", "WriteDmarc": "true"}
GETATT = re.compile(r"DkimDNSToken(Name|Value)[123]")


def records(slot: str, **parameters: str) -> dict[tuple[str, str], list[str]]:
    """The record sets of one slot by name and type; what only SES knows stands as the attribute's name."""
    groups = symbolic(**parameters).resources("AWS::Route53::RecordSetGroup")
    found = groups.get(f"Records{slot}", {"RecordSets": []})["RecordSets"]
    return {(one["Name"], one["Type"]): one["ResourceRecords"] for one in found}


@pytest.mark.parametrize("kind", ["Identity", "Records"])
@pytest.mark.parametrize("section", ["Resources"])
def test_the_five_slots_say_the_same(template: Template, kind: str, section: str) -> None:
    written = [json.dumps(template.document[section][f"{kind}{slot}"]) for slot in SLOTS]
    names = "Identity|Records|Domain|HostedZone|CreatesIdentity|WritesRecords"
    assert {re.sub(rf"\b({names})[2-5]\b", r"\1", text) for text in written} == {written[0]}
    assert len(set(written)) == 5


@pytest.mark.parametrize("kind", ["HasDomain", "CreatesIdentity", "WritesRecords"])
def test_the_conditions_of_the_slots_say_the_same(template: Template, kind: str) -> None:
    """The first slot has no condition of its own domain."""
    for slot in SLOTS[1:]:
        written = json.dumps(template.document["Conditions"][f"{kind}{slot}"])
        first = json.dumps(template.document["Conditions"][f"{kind}2"])
        assert re.sub(rf"\b(HasDomain|Domain|HostedZone){slot}\b", r"\g<1>2", written) == first


@pytest.mark.parametrize("kind", ["Dns", "Dkim"])
def test_the_five_outputs_say_the_same(template: Template, kind: str) -> None:
    written = [json.dumps(template.document["Outputs"][f"{kind}{slot}"]["Value"]) for slot in SLOTS]
    assert {re.sub(r"\b(Domain|Identity)[2-5]\b", r"\1", text) for text in written} == {written[0]}


def test_every_domain_is_received_sent_for_and_known_to_the_function() -> None:
    domains = {f"Domain{slot}": f"example{slot}.org" for slot in SLOTS}
    template = symbolic(**domains)
    rule = template.resources("AWS::SES::ReceiptRule")["InboundRule"]["Rule"]
    assert rule["Recipients"] == list(domains.values())
    variables = template.resource("InboundFunction")["Environment"]["Variables"]
    assert variables["POSTERN_DOMAINS"].split(",") == list(domains.values())
    statements = granted(template, "InboundFunctionRole")
    sending = next(one for one in statements if one["Sid"] == "SendInTheNameOfOurDomains")
    assert sending["Condition"] == {"StringLike": {"ses:FromAddress": [f"*@{one}" for one in domains.values()]}}
    made = template.resources("AWS::SES::EmailIdentity").values()
    assert [one["EmailIdentity"] for one in made] == list(domains.values())


def test_slots_may_be_left_out() -> None:
    rule = loaded(Domain4="example.org").resources("AWS::SES::ReceiptRule")["InboundRule"]["Rule"]
    assert rule["Recipients"] == ["example.com", "example.org"]


def test_identities_are_signed_and_bounce_by_events() -> None:
    made = loaded(Domain2="example.org").resources("AWS::SES::EmailIdentity")
    assert [one["EmailIdentity"] for one in made.values()] == ["example.com", "example.org"]
    for identity in made.values():
        assert identity["DkimSigningAttributes"] == {"NextSigningKeyLength": "RSA_2048_BIT"}
        assert identity["FeedbackAttributes"] == {"EmailForwardingEnabled": False}
        assert identity["ConfigurationSetAttributes"] == {"ConfigurationSetName": "postern-forward"}
        assert identity["MailFromAttributes"]["MailFromDomain"] == f"bounces.{identity['EmailIdentity']}"
        assert identity["MailFromAttributes"]["BehaviorOnMxFailure"] == "USE_DEFAULT_VALUE"


def test_identities_that_are_there_are_left_alone() -> None:
    assert loaded(Identities="existing", Domain2="example.org").resources("AWS::SES::EmailIdentity") == {}


def test_a_domain_may_do_without_a_mail_from_of_its_own() -> None:
    (identity,) = loaded(MailFromLabel="").resources("AWS::SES::EmailIdentity").values()
    assert "MailFromAttributes" not in identity


def test_bounces_and_complaints_are_published_before_mail_about_them_is_turned_off(template: Template) -> None:
    (events,) = template.resources("AWS::SES::ConfigurationSetEventDestination").values()
    assert {"bounce", "complaint"} <= set(events["EventDestination"]["MatchingEventTypes"])
    assert events["EventDestination"]["Enabled"]
    assert events["EventDestination"]["EventBridgeDestination"]["EventBusArn"].endswith(":event-bus/default")
    for slot in SLOTS:
        assert template.document["Resources"][f"Identity{slot}"]["DependsOn"] == "SendingEvents"


def test_all_records() -> None:
    spf = ['"v=spf1 include:amazonses.com ~all"']
    found = records("", **ALL, DmarcPolicy="quarantine")
    dkim = {key: value for key, value in found.items() if key[1] == "CNAME"}
    assert len(dkim) == 3
    assert all(GETATT.search(name) and GETATT.search(value) for (name, _), (value,) in dkim.items())
    assert {key: value for key, value in found.items() if key not in dkim} == {
        ("example.com", "MX"): ["10 inbound-smtp.eu-west-1.amazonaws.com"],
        ("bounces.example.com", "MX"): ["10 feedback-smtp.eu-west-1.amazonses.com"],
        ("bounces.example.com", "TXT"): spf,
        ("example.com", "TXT"): spf,
        ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=quarantine"'],
    }


@pytest.mark.parametrize(
    ("switch", "lost"),
    [
        ({"WriteMx": "false"}, {("example.com", "MX")}),
        ({"WriteSpf": "false"}, {("example.com", "TXT")}),
        ({"WriteDmarc": "false"}, {("_dmarc.example.com", "TXT")}),
        ({"WriteMailFrom": "false"}, {("bounces.example.com", "MX"), ("bounces.example.com", "TXT")}),
        ({"MailFromLabel": ""}, {("bounces.example.com", "MX"), ("bounces.example.com", "TXT")}),
    ],
)
def test_each_record_has_its_switch(switch: dict[str, str], lost: set[tuple[str, str]]) -> None:
    full, less = (set(records("", **{**ALL, **more})) for more in ({}, switch))
    assert full - less == lost
    assert less <= full


def test_without_a_zone_or_a_switch_nothing_is_written() -> None:
    none = dict.fromkeys(("WriteDkim", "WriteMailFrom", "WriteMx", "WriteSpf", "WriteDmarc"), "false")
    assert records("", **{**ALL, "HostedZone": ""}) == {}
    assert records("", **{**ALL, **none}) == {}
    assert records("2", **ALL, Domain2="example.org") == {}
    assert ("example.org", "MX") in records("2", **ALL, Domain2="example.org", HostedZone2="Z2")


def test_the_mx_is_not_moved_unless_asked() -> None:
    """A box that is live goes on receiving until the switch."""
    written = records("", Domain="example.com", HostedZone="Z1")
    assert {kind for _, kind in written} == {"CNAME", "MX", "TXT"}
    assert ("example.com", "MX") not in written


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, ""),
        (ALL, ""),
        ({"HostedZone3": "Z3"}, "HostedZone3 is given, but Domain3 is not."),
        ({"WriteMx": "true"}, "need a HostedZone"),
        ({"RuleSetMode": "join"}, "ActiveRuleSet names the rule set"),
        ({"RuleSetMode": "take-over", "ActiveRuleSet": "x"}, ""),
        ({"ActiveRuleSet": "x"}, "ActiveRuleSet names the rule set"),
    ],
)
def test_what_does_not_fit_together_is_refused_early(parameters: dict[str, str], said: str) -> None:
    rules = ("ReceivingRegion", "ZonesHaveDomains", "RecordsHaveZones", "RuleSetModeAndName")
    found = refusals(parameters, *rules)
    assert len(found) == bool(said)
    assert said in "".join(found)


@pytest.mark.parametrize(("region", "refused"), [("us-east-2", False), ("me-central-1", True), ("us-gov-west-1", True)])
def test_only_regions_that_receive_mail_are_taken(monkeypatch: pytest.MonkeyPatch, region: str, refused: bool) -> None:
    monkeypatch.setattr(emulated, "REGION", region)
    assert bool(refusals({}, "ReceivingRegion")) == refused


def test_the_receiving_regions_are_those_of_the_schemas(template: Template) -> None:
    """cfn-lint's copy of CloudFormation's schemas says where receipt rules exist.

    me-south-1 has them there and in no list of receiving endpoints that we know: docs/quirks.md.
    """
    from cfnlint.helpers import REGIONS  # noqa: PLC0415 (a second to import)
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as SCHEMAS  # noqa: PLC0415

    existing = {one for one in REGIONS if "AWS::SES::ReceiptRule" in SCHEMAS.get_resource_types(one)}
    (assertion,) = template.document["Rules"]["ReceivingRegion"]["Assertions"]
    listed = assertion["Assert"]["Fn::Contains"][0]
    assert len(listed) == 21
    assert set(listed) == {one for one in existing if not re.match("us-iso|eu-iso|eusc|cn-|us-gov|me-south-1", one)}
    for region in listed:
        assert re.search(rf"{region.rsplit('-', 1)[0]}-(1|2)?", assertion["AssertDescription"])


def test_every_parameter_is_explained_and_in_a_group(template: Template) -> None:
    groups = template.document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template.document["Parameters"])
    for name, parameter in template.document["Parameters"].items():
        assert parameter["Description"], name
        bounds = {"AllowedValues", "AllowedPattern", "MaxLength", "MinValue"}
        assert bounds & set(parameter), f"{name} takes anything"
