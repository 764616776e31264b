"""The template with parameters, what CloudFormation would say to them, and what its roles may do."""

from collections.abc import Mapping
from typing import Any

from emulator.template import Template, UnknownConstruct
from tests.builders import ROOT


def loaded(**parameters: str) -> Template:
    """The stack `postern` for example.com, and these parameters."""
    return Template.load(ROOT / "template.yaml", "postern", {"Domains": "example.com", **parameters})


class Symbolic(Template):
    """A template in which what only AWS knows stands as LogicalId.Attribute, and an unnamed resource as its id."""

    def _attribute(self, logical_id: str, attribute: str) -> str:
        return f"{logical_id}.{attribute}"

    def name(self, logical_id: str) -> str:
        """The physical name if the template gives one."""
        try:
            return super().name(logical_id)
        except UnknownConstruct:
            return logical_id


def symbolic(document: Mapping[str, Any] | None = None, /, **parameters: str) -> Symbolic:
    """`loaded`, of the template or of what SAM makes of it."""
    plain = loaded(**parameters)
    return Symbolic(document or plain.document, plain.folder, plain.stack, plain.parameters)


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


def policy(template: Template, logical_id: str, field: str = "PolicyDocument") -> list[dict[str, Any]]:
    """The statements of a policy resource, or of a role's trust, references filled in."""
    body = template.document["Resources"][logical_id]["Properties"]
    found: list[dict[str, Any]] = template.resolve(body[field])["Statement"]
    return found


def granted(template: Template, role: str) -> list[dict[str, Any]]:
    """What the statements of a role's policies allow it, references filled in."""
    return [one for one in _stated(template, role) if one["Effect"] == "Allow"]


def denied(template: Template, role: str) -> list[dict[str, Any]]:
    """What the statements of a role's policies forbid it, references filled in."""
    return [one for one in _stated(template, role) if one["Effect"] == "Deny"]


def _stated(template: Template, role: str) -> list[dict[str, Any]]:
    """The statements of a role's own policies and of the stack's that are attached to it."""
    resources = template.document["Resources"]
    body = resources[role]["Properties"]
    attached = [resources[one["Ref"]]["Properties"] for one in body.get("ManagedPolicyArns", ())]
    policies = template.resolve([one["PolicyDocument"] for one in (*body["Policies"], *attached)])
    return [one for each in policies for one in each["Statement"]]


def actions(statements: list[dict[str, Any]]) -> set[str]:
    """All actions that statements name."""
    named = [one["Action"] if isinstance(one["Action"], list) else [one["Action"]] for one in statements]
    return {action for each in named for action in each}
