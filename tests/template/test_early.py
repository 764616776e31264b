"""Wrong input is refused by CloudFormation before anything is made: patterns, bounds and rules."""

import re

import pytest
from postern_mail.environment import FeedbackEnvironment, InboundEnvironment
from postern_mail.environment import variables as variables_of
from postern_mail.errors import Misconfigured

from emulator.template import Template
from tests.template.deployments import loaded, refusals

LABEL = "a" * 63


def takes(template: Template, name: str, value: str) -> bool:
    """Whether CloudFormation would take this value: the whole of it must match."""
    spec = template.document["Parameters"][name]
    if "AllowedValues" in spec and value not in map(str, spec["AllowedValues"]):
        return False
    if len(value) > int(spec.get("MaxLength", 4096)):
        return False
    return re.fullmatch(spec.get("AllowedPattern", ".*"), value) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Domain", "example.com"), ("Domain", f"{LABEL}.example"), ("Domain", "xn--bcher-kva.example"), ("Domain2", ""),
        ("ActiveRuleSet", ""), ("ActiveRuleSet", "postern"),
        ("ActiveRuleSet", "a.b_c-d"), ("ExistingAliasTable", "postern-aliases-2"), ("ExistingMailBucket", ""),
        ("ExistingMailBucket", "postern-mail-1"), ("OwnerAddress", "me+x@home.example"), ("HostedZone", "Z0123ABC"),
        ("CustomerKey", "1234abcd-12ab-34cd-56ef-1234567890ab"),
    ],
)  # fmt: skip
def test_what_is_right_is_taken(template: Template, name: str, value: str) -> None:
    assert takes(template, name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Domain", ""), ("Domain", "localhost"), ("Domain", "Example.com"), ("Domain", f"{LABEL}a.example"),
        ("Domain", "-a.example"), ("Domain", "example.com."), ("Domain", ".".join(["abcdefg"] * 32)),
        ("Domain2", "a b.example"),
        ("ActiveRuleSet", "-a"), ("ActiveRuleSet", "a" * 65), ("ExistingAliasTable", "ab"),
        ("ExistingMailBucket", "Mail"), ("ExistingMailBucket", "a" * 64), ("OwnerAddress", "me"),
        ("OwnerAddress", "me@home.example, you@home.example"), ("HostedZone", "/hostedzone/Z0123ABC"),
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


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, []),
        ({f"Domain{slot}": f"example{slot}.org" for slot in "2345"}, []),
        ({"Domain2": "example.com"}, ["Domain2 is given before."]),
        ({"Domain3": "example.com"}, ["Domain3 is given before."]),
        ({"Domain2": "example.org", "Domain4": "example.org"}, ["Domain4 is given before."]),
        ({"Domain4": "example.org", "Domain5": "example.org"}, ["Domain5 is given before."]),
    ],
)
def test_no_domain_is_given_twice(parameters: dict[str, str], said: list[str]) -> None:
    assert refusals(parameters, "DomainsDiffer") == said
