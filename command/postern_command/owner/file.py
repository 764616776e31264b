"""owner.yaml: read as SAM reads it, checked against the template, and written without losing comments.

SAM CLI 1.170 (samcli/cli/types.py, CfnParameterOverridesType) turns each value into a string with Python's str(), joins
lists with commas, and strips quotes that are part of a value. An unquoted `true` would become `True`, which the
template does not accept, so such a value is refused here. A parameter that the file does not name keeps its value of
the previous deployment (samcli/commands/deploy/deploy_context.py, merge_parameters), so every parameter must be there.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import yaml

from .parameters import Parameter

WIDTH = 100  # columns of the comments
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What YAML 1.2 (as SAM reads it) takes for a string, or for a number that str() writes unchanged.
_PLAIN = re.compile(r"(?!(?i:true|false|yes|no|on|off|null|y|n)$)[A-Za-z_/@][^\\\"']*|0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One value and its lines, from `first` up to `end`; `fault` is why SAM would read a different value."""

    name: str
    value: str
    first: int
    end: int
    fault: str | None = None


class Unreadable(ValueError):
    """The file is not a list of names and values; the message says where."""


def entries(text: str) -> list[Entry]:
    """The values in order, including names that occur twice. Raises Unreadable."""
    try:
        root = yaml.compose(text, _LOADER)
    except yaml.YAMLError as fault:
        raise Unreadable(" ".join(str(fault).split())) from fault
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise Unreadable('expected lines of the form  Name: "value"')
    return [_entry(key, node) for key, node in root.value]


def _entry(key: yaml.Node, node: yaml.Node) -> Entry:
    name = str(key.value)
    listed = node.value if isinstance(node, yaml.SequenceNode) else [node]
    last = listed[-1] if listed and not (isinstance(node, yaml.SequenceNode) and node.flow_style) else node
    first, end = key.start_mark.line, max(last.end_mark.line + (last.end_mark.column > 0), key.start_mark.line + 1)
    if not all(isinstance(one, yaml.ScalarNode) for one in listed):
        return Entry(name, "", first, end, "expected a value, or a list of them")
    fault = next(filter(None, map(_misread, listed)), None)
    values = [one.value.strip() if isinstance(node, yaml.SequenceNode) else one.value for one in listed]
    return Entry(name, ",".join(filter(None, values)), first, end, fault)


def _misread(node: yaml.ScalarNode) -> str | None:
    """Why SAM would read a different value, None if it reads this one."""
    value = node.value
    if not node.style and value and not _PLAIN.fullmatch(value):
        return f"put it in quotes, {json.dumps(value, ensure_ascii=False)}: else SAM reads a different value"
    if "\n" in value or re.search(r"\\[ \"']", value) or re.fullmatch(r"(['\"])(.*\1)?", value, re.DOTALL):
        return f"SAM cannot read {value!r}"
    return None


def values(text: str) -> dict[str, str]:
    """The values by name; if a name occurs twice, the last. Raises Unreadable."""
    return {one.name: one.value for one in entries(text)}


def faults(text: str, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    """Why a deployment would not do what this file says: a sentence for each missing, unknown or wrong line."""
    try:
        found = entries(text)
    except Unreadable as fault:
        yield str(fault)
        return
    seen: set[str] = set()
    for one in found:
        if one.name in seen:
            yield f"{one.name}: occurs twice"
        elif one.name not in parameters:
            yield f"{one.name}: there is no such parameter; `postern init` comments the line out"
        elif wrong := one.fault or parameters[one.name].fault(one.value):
            yield f"{one.name}: {wrong}"
        seen.add(one.name)
    for name in parameters:
        if name not in seen:
            yield f"{name}: is missing, so the previous deployment's value would stay; `postern init` fills it in"


def written(parameters: Mapping[str, Parameter], chosen: Mapping[str, str], head: str) -> str:
    """A new file with every parameter: the chosen value, else the default, else an empty one."""
    lines, group = [*_comment(head)], ""
    for one in parameters.values():
        if one.group != group:
            group = one.group
            lines += ["", f"# --- {group} " + "-" * max(0, WIDTH - len(group) - 7)]
        lines += ["", *_comment(one.meaning), *_line(one, chosen.get(one.name, one.default or ""))]
    return "\n".join(lines) + "\n"


def completed(text: str, parameters: Mapping[str, Parameter]) -> tuple[str, list[str], list[str]]:
    """The file with missing parameters added and former ones commented out, and the names of both.

    All other lines stay unchanged. Raises Unreadable.
    """
    found = entries(text)
    lines = text.splitlines()
    gone = [one for one in found if one.name not in parameters]
    for entry in reversed(gone):
        lines[entry.first : entry.end] = [f"# no longer a parameter: {line}" for line in lines[entry.first : entry.end]]
    missing = [one for name, one in parameters.items() if name not in {each.name for each in found}]
    for one in missing:
        lines += ["", *_comment(one.meaning), *_line(one, one.default or "")]
    return "\n".join(lines) + "\n", [one.name for one in missing], [entry.name for entry in gone]


def changed(text: str, parameters: Mapping[str, Parameter], chosen: Mapping[str, str]) -> str:
    """The file with the chosen values for parameters that it has; all other lines stay unchanged. Raises Unreadable."""
    lines = text.splitlines()
    for one in reversed(entries(text)):
        if one.name in chosen and chosen[one.name] != one.value:
            lines[one.first : one.end] = _line(parameters[one.name], chosen[one.name])
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [
        f"# {line}"
        for paragraph in text.split("\n")
        for line in wrap(paragraph, WIDTH - 2, break_on_hyphens=False, break_long_words=False) or [""]
    ]


def _line(one: Parameter, value: str) -> list[str]:
    listed = [json.dumps(each, ensure_ascii=False) for each in value.split(",")] if one.is_list else []
    if len(listed) > 1:
        return [f"{one.name}:", *(f"  - {each}" for each in listed)]
    return [f"{one.name}: {json.dumps(value, ensure_ascii=False)}"]


def read(path: Path) -> str:
    """The text of the file. Raises Unreadable if it cannot be read, FileNotFoundError if it does not exist."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as fault:
        raise Unreadable(str(fault)) from fault
