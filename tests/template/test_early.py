"""Wrong input is refused by CloudFormation before anything is made: patterns, bounds and rules."""

import re

import pytest
from postern_mail.environment import FeedbackEnvironment, InboundEnvironment
from postern_mail.environment import variables as variables_of
from postern_mail.errors import Misconfigured

from emulator.template import Template
from tests.template.deployments import loaded

LABEL = "a" * 63


def takes(template: Template, name: str, value: str) -> bool:
    """Whether CloudFormation would take this value: the whole of it must match, or each member of a list."""
    spec = template.document["Parameters"][name]
    if spec["Type"] == "CommaDelimitedList":
        return all(re.fullmatch(spec["AllowedPattern"], one) for one in value.split(","))
    if "AllowedValues" in spec and value not in map(str, spec["AllowedValues"]):
        return False
    if len(value) > int(spec.get("MaxLength", 4096)):
        return False
    return re.fullmatch(spec.get("AllowedPattern", ".*"), value) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Domains", "example.com"), ("Domains", f"{LABEL}.example,example.org"), ("Domains", "xn--bcher-kva.example"),
        ("HostedZones", ""), ("HostedZones", "Z0123ABC,Z2"), ("Records", ""), ("Records", "mx,dkim,mailfrom,spf,dmarc"),
        ("ActiveRuleSet", ""), ("ActiveRuleSet", "postern"),
        ("ActiveRuleSet", "a.b_c-d"), ("ExistingAliasTable", "postern-aliases-2"), ("ExistingMailBucket", ""),
        ("ExistingMailBucket", "postern-mail-1"), ("OwnerAddress", "me+x@home.example"),
        ("CustomerKey", "1234abcd-12ab-34cd-56ef-1234567890ab"),
    ],
)  # fmt: skip
def test_what_is_right_is_taken(template: Template, name: str, value: str) -> None:
    assert takes(template, name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Domains", ""), ("Domains", "localhost"), ("Domains", "Example.com"), ("Domains", f"{LABEL}a.example"),
        ("Domains", "-a.example"), ("Domains", "example.com."), ("Domains", "example.com,"), ("Domains", "a b.example"),
        ("Domains", "example.com,b@example.org"), ("HostedZones", "Z1,z2"), ("Records", "dkim,MX"),
        ("ActiveRuleSet", "-a"), ("ActiveRuleSet", "a" * 65), ("ExistingAliasTable", "ab"),
        ("ExistingMailBucket", "Mail"), ("ExistingMailBucket", "a" * 64), ("OwnerAddress", "me"),
        ("OwnerAddress", "me@home.example, you@home.example"), ("HostedZones", "/hostedzone/Z0123ABC"),
        ("CustomerKey", "alias/aws/s3"), ("CustomerKey", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(template: Template, name: str, value: str) -> None:
    assert not takes(template, name, value)


@pytest.mark.parametrize("default", [True, False])
def test_every_default_is_right(template: Template, default: bool) -> None:
    """Those without a default must be given, and nothing is not enough for them."""
    for name, spec in template.document["Parameters"].items():
        if ("Default" in spec) == default:
            assert takes(template, name, str(spec.get("Default", ""))) == default, name


@pytest.mark.parametrize("settings", [InboundEnvironment, FeedbackEnvironment])
def test_no_whole_number_of_the_settings_comes_from_a_parameter_that_takes_fractions(
    template: Template, settings: type[InboundEnvironment] | type[FeedbackEnvironment]
) -> None:
    """CloudFormation's Number may be 1.5; the function would end where it starts, with every message."""
    function = "InboundFunction" if settings is InboundEnvironment else "FeedbackFunction"
    variables = template.declared(function)["Environment"]["Variables"]
    numbers = [one.metadata["variable"] for one in variables_of(settings) if one.type is int]
    assert numbers
    resolved = loaded().resource(function)["Environment"]["Variables"]
    with pytest.raises(Misconfigured):
        settings.from_environment({**resolved, numbers[0]: "1.5"})
    for variable in numbers:
        source = variables[variable]
        if isinstance(source, dict) and "Ref" in source:
            assert not takes(template, source["Ref"], "1.5"), variable
