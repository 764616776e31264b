"""Reads template.yaml as CloudFormation would, as far as the emulator needs it.

It raises for any construct that it does not know: what runs here must not differ from what deploys.
"""

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .account import ACCOUNT, REGION

# The property that names a resource, and the form of its ARN.
_NAMES = {
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{name}"),
    "AWS::DynamoDB::Table": ("TableName", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{name}}"),
    "AWS::SNS::Topic": ("TopicName", f"arn:aws:sns:{REGION}:{ACCOUNT}:{{name}}"),
    "AWS::SQS::Queue": ("QueueName", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}"),
    "AWS::IAM::Role": ("RoleName", f"arn:aws:iam::{ACCOUNT}:role/{{name}}"),
    "AWS::Logs::LogGroup": ("LogGroupName", ""),
    "AWS::SES::ReceiptRuleSet": ("RuleSetName", ""),
    "AWS::SES::ConfigurationSet": ("Name", ""),
    "AWS::Events::Rule": ("Name", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{name}}"),
    "AWS::Serverless::Function": ("FunctionName", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}"),
}

_NO_VALUE = object()  # the value of `Ref: AWS::NoValue`: the property or list member is absent


class UnknownConstruct(ValueError):
    """The template uses something the emulator does not know."""


def parsed(path: Path) -> dict[str, Any]:
    """A template as written; each caller gets its own copy. A file is parsed again only after it changed."""
    document: dict[str, Any] = pickle.loads(_pickled(path.resolve(), path.stat().st_mtime_ns))  # noqa: S301 (our own)
    return document


@cache
def _pickled(path: Path, _changed: int) -> bytes:
    return pickle.dumps(yaml.load(path.read_text(encoding="utf-8"), _Loader))  # noqa: S506 (a SafeLoader)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!GetAtt A.Arn` is {"Fn::GetAtt": ["A", "Arn"]}."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # the third kind of node
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _short_form)


@dataclass(frozen=True)
class Template:
    """A template with its parameters filled in. `folder` is its folder; `urls` are function URLs, by the logical id
    that SAM gives each."""

    document: Mapping[str, Any]
    folder: Path
    stack: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, stack: str, parameters: Mapping[str, str]) -> "Template":
        """Read a template. Raises UnknownConstruct for an unknown parameter, or one without a value."""
        document = parsed(path)
        known = document["Parameters"]
        surplus = set(parameters) - set(known)
        values = {name: str(parameters.get(name, spec.get("Default", ""))) for name, spec in known.items()}
        unset = [name for name, value in values.items() if not value and "Default" not in known[name]]
        if surplus or unset:
            raise UnknownConstruct(f"parameters unknown: {sorted(surplus)}, not set: {unset}")
        return cls(document, path.parent, stack, values)

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resolved properties of all resources of a type that would be created, by logical id."""
        return {
            name: self.resource(name)
            for name, body in self._resources.items()
            if body["Type"] == kind and ("Condition" not in body or self.holds(body["Condition"]))
        }

    def doors(self) -> dict[str, Any]:
        """The URL configurations, by the logical ids of the functions that would be created with one."""
        return {
            name: body["Properties"]["FunctionUrlConfig"]
            for name, body in self._resources.items()
            if "FunctionUrlConfig" in body.get("Properties", {})
            and ("Condition" not in body or self.holds(body["Condition"]))
        }

    def holds(self, condition: str) -> bool:
        """Whether the condition of this name is true."""
        return bool(self.resolve(self.document["Conditions"][condition]))

    def resource(self, name: str) -> dict[str, Any]:
        """The resolved properties of one resource, without layers and policies, which nothing here reads."""
        properties = self.declared(name)
        wanted = {
            key: value for key, value in properties.items() if key not in ("Layers", "Policies", "PolicyDocument")
        }
        resolved: dict[str, Any] = self.resolve(wanted)
        return resolved

    def declared(self, name: str) -> Mapping[str, Any]:
        """The properties of one resource as written, with SAM's Globals merged in."""
        own: Mapping[str, Any] = self._resources[name].get("Properties", {})
        if self._resources[name]["Type"] != "AWS::Serverless::Function":
            return own
        return _merged(self.document.get("Globals", {}).get("Function", {}), own)

    def name(self, logical_id: str) -> str:
        """The physical name of a resource."""
        body = self._resources[logical_id]
        if body["Type"] not in _NAMES:
            raise UnknownConstruct(f"no name is known for {logical_id}, a {body['Type']}")
        given = body.get("Properties", {}).get(_NAMES[body["Type"]][0])
        return str(self.resolve(given)) if given else f"{self.stack}-{logical_id}"

    def arn(self, logical_id: str) -> str:
        """The ARN of a resource."""
        form = _NAMES.get(self._resources[logical_id]["Type"], ("", ""))[1]
        if not form:
            raise UnknownConstruct(f"no ARN is known for {logical_id}")
        return form.format(name=self.name(logical_id))

    def resolve(self, value: Any) -> Any:
        """A value with its intrinsic functions evaluated."""
        if isinstance(value, list):
            return [found for item in value if (found := self.resolve(item)) is not _NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            function, argument = next(iter(value.items()))
            if function in ("Ref", "Condition") or function.startswith("Fn::"):
                return self._call(function, argument)
        found = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not _NO_VALUE}

    @property
    def _resources(self) -> Mapping[str, Any]:
        resources: Mapping[str, Any] = self.document["Resources"]
        return resources

    def _call(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._ref(argument)
            case "Condition":
                return self.holds(argument)
            case "Fn::If":
                condition, yes, no = argument
                return self.resolve(yes if self.holds(condition) else no)
            case "Fn::Sub":
                text, names = argument if isinstance(argument, list) else (argument, {})
                return re.sub(r"\$\{([^}!]+)\}", lambda found: self._substitute(found[1], names), text)
            case "Fn::GetAtt":
                return self._attribute(*(argument if isinstance(argument, list) else argument.split(".")))
            case _:
                return self._pure(function, argument)

    def _pure(self, function: str, argument: Any) -> Any:
        """Evaluate a function that needs only its arguments."""
        known = {"Fn::FindInMap": self._find, "Fn::Join": _join, "Fn::Equals": _equal}
        known |= {
            "Fn::Contains": lambda found: found[1] in found[0],
            "Fn::Not": lambda found: not found[0],
            "Fn::And": all,
            "Fn::Or": any,
            "Fn::Select": lambda found: found[1][int(found[0])],
            "Fn::Split": lambda found: found[1].split(found[0]),
        }
        if function not in known:
            raise UnknownConstruct(f"{function} is not known to the emulator")
        return known[function](self.resolve(argument))

    def _find(self, place: list[str]) -> Any:
        table, first, second = place
        return self.document["Mappings"][table][first][second]

    def _substitute(self, name: str, names: Mapping[str, Any]) -> str:
        if name in names:
            return str(self.resolve(names[name]))
        return str(self._attribute(*name.split(".")) if "." in name else self._ref(name))

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": _NO_VALUE,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.stack}/emulated",
            "AWS::StackName": self.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            of_commas = self.document["Parameters"][name]["Type"] == "CommaDelimitedList"
            return self.parameters[name].split(",") if of_commas else self.parameters[name]
        if self._resources[name]["Type"] == "AWS::SNS::Topic":
            return self.arn(name)
        if self._resources[name]["Type"] == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name(name)}"
        return self.name(name)

    def _attribute(self, logical_id: str, attribute: str) -> str:
        if logical_id in self.urls and attribute == "FunctionUrl":
            return self.urls[logical_id]
        if attribute != "Arn":
            raise UnknownConstruct(f"{logical_id}.{attribute} is not known to the emulator")
        return self.arn(logical_id)


def _merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Merge properties as SAM does: the resource's own win, and mappings are merged unless they are functions."""
    found = {**common, **own}
    for key in common.keys() & own.keys():
        one, other = common[key], own[key]
        if isinstance(one, Mapping) and isinstance(other, Mapping) and not any(name.startswith("Fn::") for name in one):
            found[key] = _merged(one, other)
    return found


def _join(argument: list[Any]) -> str:
    separator, parts = argument
    return str(separator).join(map(str, parts))


def _equal(argument: list[Any]) -> bool:
    return str(argument[0]) == str(argument[1])
