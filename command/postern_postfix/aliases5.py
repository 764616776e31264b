"""aliases(5): `name: value, value, ...`.

Source: aliases(5), and postalias(1), which skips a line that is not a name:value pair or whose name has a domain. If a
name occurs twice, it keeps the first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .report import Part, Report, left_behind, unneeded, unreadable
from .source import Line
from .targets import Target, alias_targets, included_targets
from .tokens import Token, internal, scan

_FIX = "fix the line or remove it; Postfix ignores it"


@dataclass(frozen=True, slots=True)
class NamedAlias:
    """A line of aliases(5): the name in internal form and lower case, and its targets."""

    line: Line
    name: str
    targets: tuple[Target, ...]


def aliases(lines: Iterable[Line], report: Report) -> dict[str, NamedAlias]:
    """The aliases by name. Reports each line that is not an alias."""
    found: dict[str, NamedAlias] = {}
    for line in lines:
        read = _read(line)
        if isinstance(read, Part):
            report.say(line, read)
        elif read.name in found:
            first = found[read.name].line.place
            report.say(line, unneeded(f"{read.name} is already defined ({first}); Postfix uses the first"))
        else:
            found[read.name] = read
    return found


def included(lines: Iterable[Line]) -> Iterator[tuple[Line, tuple[Target, ...]]]:
    """The targets of each line of an included file."""
    for line in lines:
        if line.unreadable:
            yield line, ()
        else:
            yield line, included_targets(scan(line.text))


def pair(text: str) -> tuple[str, list[Token]] | str:
    """The name and the tokens of the value, as postalias(1) splits a line; or why it skips the line."""
    tokens = scan(text)
    colon = next((position for position, token in enumerate(tokens) if _operator(token, ":")), -1)
    before, value = tokens[: max(colon, 0)], tokens[colon + 1 :]
    if not before or not value or any(_operator(token, ",") for token in before):
        return "not a pair of name and value"
    if any(_operator(token, "@%") for token in before):
        return "its name has a domain, which belongs in virtual(5)"
    name = internal(before).lower()
    return (name, value) if name else "its name is empty"


def _read(line: Line) -> NamedAlias | Part:
    if line.unreadable:
        return unreadable(line)
    read = pair(line.text)
    if isinstance(read, str):
        return left_behind(read, _FIX)
    return NamedAlias(line, read[0], alias_targets(read[1]))


def _operator(token: Token, texts: str) -> bool:
    return token.kind == "operator" and token.text in texts
