"""Mail domains: one list that everything is told, the function that keeps them, and what is refused early."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from postern_mail.domains.records import PARTS, Dkim, DnsOptions, wanted
from postern_mail.domains.wish import MAX_BYTES, SHORT_NAME, Wish, room_for

from emulator import template as emulated
from emulator.account import ACCOUNT, REGION
from emulator.template import Template
from tests.template.deployments import actions, denied, granted, loaded, policy, refusals, symbolic

COM, ORG = "example.com", "example.org"
BOTH = f"{COM},{ORG}"
HUNDRED = ",".join(f"{number:02}{'d' * 20}.example" for number in range(100))  # of 30 letters
ZONES = ",".join(f"Z{number:020}" for number in range(100))  # ids have up to 21 letters today
LONG_STACK = "s" * 30  # docs/deploying.md; so that the bucket has a name
# AWS's quotas: the environment of a function, as JSON; the inline policies of a role and one managed policy, in characters
# without blanks; recipients of a receipt rule; the value of a parameter, in bytes.
ENVIRONMENT, INLINE, MANAGED, RECIPIENTS, PARAMETER = 4096, 10_240, 6_144, 100, 4096
EVERYTHING = {"CustomerKey": "true", "SesWritesBy": "role", "RefuseUnknownRecipients": "true", "HostedZones": ZONES}


def test_every_domain_is_received_sent_for_and_known_to_the_functions() -> None:
    template = symbolic(Domains=BOTH)
    rule = template.resources("AWS::SES::ReceiptRule")["InboundRule"]["Rule"]
    assert rule["Recipients"] == [COM, ORG]
    for function in ("InboundFunction", "FeedbackFunction", "WatchFunction", "DigestFunction", "RecipientsFunction"):
        assert template.resource(function)["Environment"]["Variables"]["POSTERN_DOMAINS"] == BOTH
    sending = next(one for one in granted(template, "InboundFunctionRole") if one["Sid"] == "SendInTheNameOfOurDomains")
    assert sending["Condition"] == {"StringLike": {"ses:FromAddress": [f"*@{COM}", f"*@{ORG}"]}}
    (answering,) = policy(template, "AnswerPolicy")
    assert answering["Resource"] == [f"arn:*:ses:*:*:identity/{COM}", f"arn:*:ses:*:*:identity/{ORG}"]
    (digest,) = [one for one in granted(template, "DigestFunctionRole") if one["Sid"] == "SendInTheNameOfOurDomain"]
    assert digest["Condition"] == {"StringLike": {"ses:FromAddress": f"postmaster@{COM}"}}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_each_domain_and_zone_is_named_in_every_partition(partition: str) -> None:
    """Also from the second one on, which a delimiter begins: it takes no function."""
    template = symbolic(Domains=f"{BOTH},c.example", HostedZones="Z1,Z2,Z3")
    (answering,) = policy(template, "AnswerPolicy")
    (keeping,) = [one for one in granted(template, "DomainsFunctionRole") if one["Sid"] == "KeepRecords"]
    for domain in (COM, ORG, "c.example"):
        arn = f"arn:{partition}:ses:{REGION}:{ACCOUNT}:identity/{domain}"
        assert sum(fnmatchcase(arn, one) for one in answering["Resource"]) == 1
    for zone in ("Z1", "Z2", "Z3"):
        assert sum(fnmatchcase(f"arn:{partition}:route53:::hostedzone/{zone}", one) for one in keeping["Resource"]) == 1


@pytest.mark.parametrize(("domains", "zones"), [(COM, ""), (BOTH, "Z1"), (HUNDRED, ZONES)])
def test_the_function_understands_what_the_template_says(domains: str, zones: str) -> None:
    template = symbolic(Domains=domains, HostedZones=zones)
    properties = template.resources("Custom::Domains")["MailDomains"]
    wish = Wish.of(f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/postern/1", properties)
    assert ",".join(wish.domains) == domains
    assert ",".join(wish.zones) == zones
    assert wish.parts == ("dkim", "mailfrom")
    assert wish.options == DnsOptions(REGION, "bounces", "none")
    assert wish.configuration_set == "postern-forward"


def test_an_upgrade_looks_at_every_domain(template: Template, expanded: dict[str, Any]) -> None:
    """The layer is another resource whenever the code is another."""
    assert template.document["Resources"]["MailDomains"]["Properties"]["Code"] == {"Ref": "PosternLayer"}
    code = expanded["Resources"]["MailDomains"]["Properties"]["Code"]["Ref"]
    assert re.fullmatch(r"PosternLayer\w{10}", code)


def test_feedback_by_mail_ends_when_events_are_there(template: Template) -> None:
    (events,) = template.resources("AWS::SES::ConfigurationSetEventDestination").values()
    assert {"bounce", "complaint"} <= set(events["EventDestination"]["MatchingEventTypes"])
    assert events["EventDestination"]["Enabled"]
    assert events["EventDestination"]["EventBridgeDestination"]["EventBusArn"].endswith(":event-bus/default")
    assert template.document["Resources"]["MailDomains"]["DependsOn"] == "SendingEvents"


def test_what_is_too_much_is_refused_before_it_is_written_anywhere(expanded: dict[str, Any]) -> None:
    """Whatever holds the list waits for the function that counts it, and that one has it in no environment."""
    resources = expanded["Resources"]
    assert "Domains" not in refs(resources["DomainsFunction"])
    holding = {name for name, one in resources.items() if "Domains" in refs(one)} - {
        "MailDomains",
        "DomainsFunctionRole",
    }
    assert len(holding) >= 10
    for name in holding:
        assert "MailDomains" in before(resources, name), name


def refs(value: Any) -> set[str]:
    """Everything that a resource refers to."""
    text = json.dumps(value)
    named = re.findall(r'"(?:Ref|DependsOn)": "(\w+)"', text) + re.findall(r'"Fn::GetAtt": \["(\w+)"', text)
    named += re.findall(r'"Fn::GetAtt": "(\w+)\.', text) + re.findall(r"\$\{(\w+)[.}]", text)
    lists = re.findall(r'"DependsOn": \[([^]]*)\]', text)
    return {*named, *(name for one in lists for name in re.findall(r"\w+", one))}


def before(resources: dict[str, Any], name: str) -> set[str]:
    """What CloudFormation makes before this resource."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        new = (refs(resources[ahead.pop()]) & resources.keys()) - found
        found |= new
        ahead += new
    return found


# --- the limits, added up for a hundred domains of thirty letters -----------------------------------------------


def test_the_list_fits_into_a_parameter_and_a_rule() -> None:
    assert len(HUNDRED) == MAX_BYTES <= PARAMETER
    assert len(HUNDRED.split(",")) <= RECIPIENTS
    assert len(ZONES) <= PARAMETER


@pytest.fixture(scope="module", params=[SHORT_NAME, len(LONG_STACK)])
def full(request: pytest.FixtureRequest) -> Iterator[Template]:
    """The widest stack with the longest list that is taken beside its name, where regions have the longest names."""
    stack = LONG_STACK[: request.param]
    domains = HUNDRED[: room_for(stack)].rpartition(",")[0] if room_for(stack) < len(HUNDRED) else HUNDRED
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emulated, "REGION", "ap-southeast-1")
        plain = loaded(Domains=domains, **EVERYTHING)
        yield type(symbolic())(plain.document, plain.folder, stack, plain.parameters)


def test_a_hundred_domains_fit_into_every_environment(full: Template) -> None:
    functions = [name for name, one in full.document["Resources"].items() if one["Type"] == "AWS::Serverless::Function"]
    assert len(functions) >= 6
    sizes = {}
    for function in functions:
        variables = full.resource(function).get("Environment", {}).get("Variables", {})
        whole = {name: arn_sized(str(value)) for name, value in variables.items()}
        sizes[function] = len(json.dumps(whole, separators=(",", ":")))
    assert {name: size for name, size in sizes.items() if size > ENVIRONMENT} == {}


def test_a_hundred_domains_fit_into_every_policy(full: Template) -> None:
    resources = full.document["Resources"]
    for name, one in resources.items():
        if one["Type"] == "AWS::IAM::Role" and "Policies" in one["Properties"]:
            inline = full.resolve(one["Properties"]["Policies"])
            size = sum(len(sized(each["PolicyDocument"])) for each in inline)
            assert size <= INLINE, (name, size)
        if one["Type"] == "AWS::IAM::ManagedPolicy":
            assert len(sized(full.resolve(one["Properties"]["PolicyDocument"]))) <= MANAGED, name


def sized(document: Any) -> str:
    return arn_sized(json.dumps(document, separators=(",", ":")))


def arn_sized(text: str) -> str:
    """What only AWS knows stands as LogicalId.Arn, and takes as much as an ARN of a long name."""
    return re.sub(r"\b[A-Z]\w+\.Arn\b", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{'f' * 64}", text)


# --- what the function may do --------------------------------------------------------------------------------------


@pytest.fixture
def may() -> list[dict[str, Any]]:
    return granted(symbolic(Domains=BOTH, HostedZones="Z1,Z2"), "DomainsFunctionRole")


def test_the_function_may_take_no_identity_away(may: list[dict[str, Any]]) -> None:
    allowed = actions(may)
    assert not [action for action in allowed if "Delete" in action or "*" in action]


def test_records_are_limited_by_zone_name_type_and_action(may: list[dict[str, Any]]) -> None:
    (keeping,) = [one for one in may if one["Sid"] == "KeepRecords"]
    assert keeping["Resource"] == ["arn:*:route53:::*/Z1", "arn:*:route53:::*/Z2"]
    exactly, like = keeping["Condition"]["ForAllValues:StringEquals"], keeping["Condition"]["ForAllValues:StringLike"]
    assert exactly["route53:ChangeResourceRecordSetsActions"] == ["CREATE", "DELETE"], "and never UPSERT"
    written = [one.set for one in wanted(COM, Dkim(("a", "b", "c")), DnsOptions(REGION, "bounces", "none"), PARTS)]
    assert set(exactly["route53:ChangeResourceRecordSetsRecordTypes"]) == {one.type for one in written}
    patterns = like["route53:ChangeResourceRecordSetsNormalizedRecordNames"]
    assert patterns == ["*._domainkey.*", "bounces.*", "_dmarc.*", COM, ORG]
    role = symbolic(HostedZones="Z1"), "DomainsFunctionRole"
    (forbidden,) = [one for one in denied(*role) if one.get("Action") == "route53:ChangeResourceRecordSets"]
    assert forbidden["Resource"] == "*"
    assert forbidden["Condition"] == {
        "ForAnyValue:StringEquals": {"route53:ChangeResourceRecordSetsActions": ["DELETE"]},
        "ForAnyValue:StringNotLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["_dmarc.*"]},
    }


def test_without_zones_nothing_of_route_53_is_allowed() -> None:
    may = granted(symbolic(), "DomainsFunctionRole")
    assert not [one for one in may if one["Effect"] == "Allow" and "route53" in json.dumps(one)]


# --- refused early ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, ""),
        ({"RuleSetMode": "join"}, "ActiveRuleSet names the rule set"),
        ({"RuleSetMode": "take-over", "ActiveRuleSet": "x"}, ""),
        ({"ActiveRuleSet": "x"}, "ActiveRuleSet names the rule set"),
    ],
)
def test_what_does_not_fit_together_is_refused_early(parameters: dict[str, str], said: str) -> None:
    found = refusals(parameters, "ReceivingRegion", "RuleSetModeAndName")
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
