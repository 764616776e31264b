"""The parameters of a template and their allowed values (docs.aws.amazon.com/AWSCloudFormation, "Parameters"). They are
read from the template that is about to be deployed, so a new one needs no change here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import yaml

from ..status import UsageError

MAX_VALUE = 4096  # characters of one value, AWS CloudFormation quotas
OTHERS = "Others"  # the heading for parameters without a group


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter; `default` is None if a value is required. `allowed` is the text for people on allowed values."""

    name: str
    group: str
    default: str | None
    meaning: str
    allowed: str
    is_list: bool
    choices: tuple[str, ...]
    pattern: str | None
    least: float | None
    most: float | None
    longest: int

    def fault(self, value: str) -> str | None:
        """Why CloudFormation would refuse this value, or None; each entry of a list is checked."""
        if len(value) > MAX_VALUE:
            return f"is longer than {MAX_VALUE} characters"
        for one in value.split(",") if self.is_list else [value]:
            if not self._takes(one):
                expected = f"expected {self.allowed or 'a value'}"
                return f"{expected}, found {one!r}" if one else f"{expected}, and it is empty"
        return None

    def _takes(self, value: str) -> bool:
        if self.choices:
            return value in self.choices
        if self.least is not None or self.most is not None:
            number = float(value) if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value) else float("nan")
            return (-inf if self.least is None else self.least) <= number <= (inf if self.most is None else self.most)
        if self.pattern is not None:
            return len(value) <= self.longest and re.fullmatch(self.pattern, value) is not None
        return bool(value) or self.default == ""


def load(template: Path) -> dict[str, Parameter]:
    """The parameters of a template by name, in the order of its groups. Raises UsageError if it cannot be read."""
    read = _read(template)
    try:
        groups = read.get("Metadata", {}).get("AWS::CloudFormation::Interface", {}).get("ParameterGroups", [])
        group = {name: each["Label"]["default"] for each in groups for name in each["Parameters"]}
        made = [_parameter(name, spec, group.get(name, OTHERS)) for name, spec in read["Parameters"].items()]
    except (AttributeError, KeyError, TypeError) as fault:
        raise UsageError(f"{template}: {fault}") from fault
    order = list(dict.fromkeys([*group.values(), OTHERS]))
    return {one.name: one for one in sorted(made, key=lambda one: order.index(one.group))}


def receiving_regions(template: Path) -> frozenset[str]:
    """The regions that a template's rule ReceivingRegion allows. Raises UsageError."""
    try:
        (assertion,) = _read(template)["Rules"]["ReceivingRegion"]["Assertions"]
        return frozenset(map(str, assertion["Assert"][0]))
    except (KeyError, TypeError, ValueError) as fault:
        raise UsageError(f"{template} has no rule for its regions: {fault}") from fault


def _read(template: Path) -> Any:
    try:
        return yaml.load(template.read_text(encoding="utf-8"), _loader())  # noqa: S506 (it makes plain values only)
    except FileNotFoundError:
        raise UsageError(f"there is no {template} here: run this in the folder of Postern's source") from None
    except (OSError, yaml.YAMLError) as fault:
        raise UsageError(f"{template}: {fault}") from fault


def _parameter(name: str, spec: Mapping[str, Any], group: str) -> Parameter:
    choices = tuple(map(str, spec.get("AllowedValues", ())))
    least, most = (None if spec.get(bound) is None else float(spec[bound]) for bound in ("MinValue", "MaxValue"))
    default = spec.get("Default")
    return Parameter(
        name=name,
        group=group,
        default=None if default is None else str(default),
        meaning=" ".join(str(spec.get("Description", "")).split()),
        allowed=allowed(spec),
        is_list=spec["Type"] == "CommaDelimitedList" or str(spec["Type"]).startswith("List<"),
        choices=choices,
        pattern=spec.get("AllowedPattern"),
        least=least,
        most=most,
        longest=int(spec.get("MaxLength", MAX_VALUE)),
    )


def allowed(spec: Mapping[str, Any]) -> str:
    """The allowed values of a parameter, for people; "" if the template does not say."""
    if choices := spec.get("AllowedValues"):
        return " or ".join(map(str, choices))
    if "ConstraintDescription" in spec:
        return str(spec["ConstraintDescription"])
    if "MinValue" in spec or "MaxValue" in spec:
        return f"a number from {spec.get('MinValue', '')} to {spec.get('MaxValue', '')}".removesuffix(" to ")
    return ""


@cache
def _loader() -> Any:
    """PyYAML's safe loader, in C if available, extended for CloudFormation's !Ref and other short forms."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        """Reads a CloudFormation short form as the plain value behind it, which is enough here."""

    def plain(loader: Any, _: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("!", plain)
    return Loader
