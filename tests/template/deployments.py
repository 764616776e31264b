"""The template with parameters, and what CloudFormation would say to them."""

from collections.abc import Mapping

from emulator.template import Template
from tests.builders import ROOT


def loaded(**parameters: str) -> Template:
    """The stack `postern` for example.com, and these parameters."""
    return Template.load(ROOT / "template.yaml", "postern", {"Domain": "example.com", **parameters})


def refusals(parameters: Mapping[str, str], *rules: str) -> list[str]:
    """What CloudFormation would say to these parameters, by the template's rules."""
    template = loaded(**parameters)
    document = template.document["Rules"]
    said = []
    for name in rules or document:
        if template.resolve(document[name].get("RuleCondition", {"Fn::Not": [False]})):
            said += [
                one["AssertDescription"] for one in document[name]["Assertions"] if not template.resolve(one["Assert"])
            ]
    return said
