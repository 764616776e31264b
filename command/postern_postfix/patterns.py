"""regexp_table(5) and pcre_table(5) as `patterns` of domain rows.

Postfix matches the whole address, a domain row's pattern the whole local part; `expressions` turns one into the other.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from postern_mail.mail.address import Address

from .expressions import Split, Unproved, by_domain, compiled, delimited, is_for_domains, split, translated
from .report import Part, impossible, left_behind, unreadable
from .source import WHITE, Line
from .targets import Target, virtual_targets
from .tokens import scan

_REPLACED = re.compile(r"\$(?:(\$)|([0-9]+)|\{([0-9]+)\}|\(([0-9]+)\)|)")
# Stands for \1 while a right-hand side is read: an address may have these characters, but no backslash.
_GROUP = re.compile(r"\{=([1-9])=\}")
_ANYBODY = (".*", ".+", "(.*)", "(.+)")
_OPEN_END = re.compile(r"(?:\A|[^\\])(?:\.[*+]|\(\.[*+]\))\Z")
_ANCHOR = "write it as /^local part@domain$/ with a domain of --domain, or add a row for each address"
_WORDS = re.compile(r"(if|endif)(?![A-Za-z0-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PatternRule:
    """A line as patterns for domain rows, by domain.

    In its targets a group is `{=1=}`; `grouped` writes it as `\\1`. `asked` are the patterns for whole addresses that
    Postfix tries, including those of the conditions around the line, each negated or not.
    """

    line: Line
    locals: Mapping[str, str]
    targets: tuple[Target, ...]
    kept_case: bool
    asked: tuple[tuple[bool, str], ...] = ()

    def matches(self, address: Address) -> bool:
        """Whether the line matches this address, ours or not."""
        return all(bool(compiled(f"(?i:{one})").search(address.key)) != negated for negated, one in self.asked)

    def share_of(self, domain: str) -> str:
        """Whether it matches `none`, `some` or `all` of the addresses at a domain."""
        found = "all"
        for negated, whole in self.asked:
            try:
                local = by_domain(whole, [domain])[0].get(domain)
            except Unproved:
                return "some"
            if local is None and not negated:
                return "none"
            found = found if local in _ANYBODY and not negated else "some"
        return found

    def takes_what_follows(self, domain: str) -> bool:
        """Whether it also matches any text after a name that it matches."""
        local = self.locals.get(domain, "")
        return "|" not in local and _OPEN_END.search(local) is not None


@dataclass(frozen=True, slots=True)
class Declared:
    """A pattern without `@` that matches our domains: it declares them virtual alias domains."""

    line: Line
    domains: frozenset[str]


@dataclass(frozen=True, slots=True)
class Condition:
    """An `if` or `endif` that can be imported."""

    line: Line
    says: str


Read = PatternRule | Declared | Condition | Part


@dataclass(frozen=True, slots=True)
class _Within:
    """The effect of the conditions around a line: our domains that remain, and the patterns that Postfix tries."""

    domains: frozenset[str]
    asked: tuple[tuple[bool, str], ...] = ()


_Stack = list[_Within | None]  # None: inside a condition that cannot be imported


def read(lines: Iterable[Line], kind: str, domains: Collection[str]) -> Iterator[tuple[Line, Read]]:
    """The meaning of each line of a table of type `kind` (regexp or pcre) for our domains, in order."""
    within: _Stack = [_Within(frozenset(domains))]
    for line in lines:
        word = _WORDS.match(line.text)
        if line.unreadable:
            yield line, unreadable(line)
        elif word is None:
            yield line, _rule(line, kind, within[-1])
        elif word[1].lower() == "endif":
            yield line, _endif(line, within)
        else:
            yield line, _if(line, kind, within)


def finds(lines: Iterable[Line], kind: str, text: str) -> bool | None:
    """Whether a table of patterns matches a text, None if that cannot be told."""
    for line in lines:
        try:
            negated, pattern, flags, _ = delimited(line.text)
            found = compiled(f"(?i:{translated(pattern, flags, kind)})").search(text) is not None
        except Unproved:
            return None
        if found != negated:
            return True
    return False


def grouped(text: str) -> str:
    """A destination with groups in the alias table's form, `\\1`."""
    return _GROUP.sub(r"\\\1", text)


def is_template(text: str) -> bool:
    """Whether the text has a group, so that its value is not known yet."""
    return _GROUP.search(text) is not None


def _if(line: Line, kind: str, within: _Stack) -> Condition | Part:
    """An `if`, which can be imported if it is about the domain only."""
    outer = within[-1]
    within.append(None)
    try:
        negated, pattern, flags, rest = delimited(line.text[2:].lstrip(WHITE))
        whole = translated(pattern, flags, kind)
        found = split(whole)
        if rest.strip(WHITE) or outer is None or found.local not in _ANYBODY:
            raise Unproved("it is about more than the domain")
    except Unproved as fault:
        return impossible(f"a condition: {fault}", f"write the condition into each pattern; {_ANCHOR}")
    chosen = found.of(outer.domains)
    left = outer.domains - chosen if negated else chosen
    within[-1] = _Within(left, (*outer.asked, (negated, whole)))
    return Condition(line, f"the following lines apply to {_listed(left)}")


def _endif(line: Line, within: _Stack) -> Condition | Part:
    if len(within) == 1:
        return left_behind("an endif without an if, which Postfix ignores", "remove the line")
    return Condition(line, "end of the condition") if within.pop() is not None else _condition_lost()


def _condition_lost() -> Part:
    return impossible("it is inside an if that cannot be imported", "see the line of the if")


def _rule(line: Line, kind: str, within: _Within | None) -> Read:
    if within is None:
        return _condition_lost()
    try:
        return _understood(line, kind, within)
    except Unproved as fault:
        passes_on = "; mail that it matched now goes by the following lines, or by the catch-all"
        return impossible(f"{fault}{passes_on}", _ANCHOR)


def _understood(line: Line, kind: str, within: _Within) -> Read:
    negated, pattern, flags, rest = delimited(line.text)
    result = rest.strip(WHITE)
    if result and rest[:1] not in tuple(WHITE):
        raise Unproved("its flags or a second pattern are not understood")
    if not result:
        raise Unproved("it has no result")
    whole = translated(pattern, flags, kind)
    asked = (*within.asked, (negated, whole))
    if not negated and is_for_domains(whole):
        return _declaration(line, whole, within.domains)
    if negated:
        found = split(whole)
        if found.local != ".*":
            raise Unproved("it is negated")
        places, groups = dict.fromkeys(within.domains - found.of(within.domains), ".*"), 0
    else:
        places, groups = by_domain(whole, within.domains)
    if not places:
        return impossible("it matches none of the domains", "give its domain with --domain, or remove it")
    return PatternRule(line, places, _results(result, groups), "i" in flags, asked)


def _declaration(line: Line, pattern: str, domains: frozenset[str]) -> Read:
    named = Split("", pattern[1:-1], 0).of(domains)
    return Declared(line, named) if named else impossible("it matches none of the domains", _ANCHOR)


def _results(text: str, groups: int) -> tuple[Target, ...]:
    """The targets of the right-hand side, with each $1 as `{=1=}`; it may use `groups` groups. Raises Unproved."""
    if "{=" in text:
        raise Unproved("its result has {=, which the importer uses itself")

    def replaced(match: "re.Match[str]") -> str:
        number = match[2] or match[3] or match[4]
        if match[1]:
            return "$"
        if not number or not 1 <= int(number[:4]) <= min(groups, 9):
            raise Unproved(f"{match[0]} must be one of at most 9 groups before the @ of a plain /^...@...$/")
        return f"{{={int(number)}=}}"

    return virtual_targets(scan(_REPLACED.sub(replaced, text)))


def _listed(domains: Iterable[str]) -> str:
    return ", ".join(sorted(domains)) or "none of the domains"
