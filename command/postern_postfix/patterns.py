"""regexp_table(5) and pcre_table(5) as `patterns` of domain rows.

Postfix matches the whole address, a domain row's pattern the whole local part. A pattern comes
along where it can be proved to be two: what is before its last `@` outside of brackets, and what
is after it, which must then match whole domains of ours. RE2 must take both, so lookaround and
backreferences do not come along, and neither does what POSIX means otherwise than RE2.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .report import Part, impossible
from .source import WHITE, Line
from .targets import Target, virtual_targets
from .tokens import scan

_REPLACED = re.compile(r"\$(?:(\$)|([0-9]+)|\{([0-9]+)\}|\(([0-9]+)\)|)")
# Stands for \1 while a right-hand side is read: such characters may be in an address, a backslash may not.
_GROUP = re.compile(r"\{=([1-9])=\}")
_POSIX_ESCAPES = "wWsS"
_ANCHOR = "write it as /^local part@domain$/ with one of --domain, or add rows for the addresses that it means"
_WORDS = re.compile(r"(if|endif)(?![A-Za-z0-9])", re.IGNORECASE)


class Unproved(ValueError):
    """The pattern does not come along; the text says why."""


@dataclass(frozen=True, slots=True)
class Split:
    """A pattern for whole addresses as two: RE2 patterns for the whole local part and the whole domain."""

    local: str
    domain: str
    anchored: bool
    groups: int  # within `local`; those of the domain are numbered after them

    def of(self, domains: Iterable[str]) -> frozenset[str]:
        """Those of the domains that it is about."""
        pattern = _compiled(f"(?i:{self.domain})")
        return frozenset(domain for domain in domains if pattern.fullmatch(domain))


@dataclass(frozen=True, slots=True)
class PatternRule:
    """A line understood: one pattern for the domain rows of `domains`.

    In its targets a group is `{=1=}`; `grouped` writes it as `\\1`.
    """

    line: Line
    local: str
    domains: frozenset[str]
    targets: tuple[Target, ...]
    kept_case: bool


@dataclass(frozen=True, slots=True)
class Declared:
    """A pattern without `@` that matches domains of ours: they are virtual alias domains."""

    line: Line
    domains: frozenset[str]


@dataclass(frozen=True, slots=True)
class Condition:
    """An `if` or an `endif` that was understood."""

    line: Line
    says: str


Read = PatternRule | Declared | Condition | Part


def read(lines: Iterable[Line], kind: str, domains: Collection[str]) -> Iterator[tuple[Line, Read]]:
    """What each line of a table of type `kind` (regexp or pcre) means for our domains, in order."""
    within: list[frozenset[str] | None] = [frozenset(domains)]  # None: under a condition that does not come along
    for line in lines:
        word = _WORDS.match(line.text)
        if line.unreadable:
            yield line, impossible(line.unreadable, "mend the line or remove it")
        elif word is None:
            yield line, _rule(line, kind, within[-1])
        elif word[1].lower() == "endif":
            yield line, _endif(line, within)
        else:
            yield line, _if(line, kind, within)


def fullmatches(pattern: str, text: str) -> bool:
    """Does a domain row's pattern match this whole local part, as Postern does it?"""
    return _compiled(f"(?i:{pattern})").fullmatch(text) is not None


def grouped(text: str) -> str:
    """A destination with its groups as the alias table has them."""
    return _GROUP.sub(r"\\\1", text)


def is_template(text: str) -> bool:
    """Has the text a group, so that nobody knows yet what it will be?"""
    return _GROUP.search(text) is not None


def split(pattern: str) -> Split:
    """A pattern for addresses as two; raises Unproved."""
    pieces = _pieces(pattern)
    depth, at, closed = 0, -1, True
    for position, piece in enumerate(pieces):
        depth += (piece == "(") - (piece == ")")
        if depth == 0 and piece == "|":
            raise Unproved("it is a choice between whole addresses")
        at = position if depth == 0 and piece == "@" else at
        closed &= depth >= 0
    starts, ends = pieces[:1] == ["^"], pieces[-1:] == ["$"]
    inner = pieces[starts : len(pieces) - ends]
    if at < 0 or not closed or "^" in inner or "$" in inner:
        raise Unproved("it cannot be taken apart at an @")
    local = ("" if starts else ".*") + "".join(pieces[starts:at])
    domain = "".join(pieces[at + 1 : len(pieces) - ends]) + ("" if ends else ".*")
    groups = _compiled(local).groups
    _compiled(domain)
    return Split(local, domain, starts and ends, groups)


def _if(line: Line, kind: str, within: list[frozenset[str] | None]) -> Condition | Part:
    """`if` comes along where it asks for the domain only."""
    outer = within[-1]
    within.append(None)
    try:
        negated, pattern, flags, rest = _delimited(line.text[2:].lstrip(WHITE))
        found = split(_translated(pattern, flags, kind))
        if rest.strip(WHITE) or outer is None or found.local not in (".*", ".+", "(.*)", "(.+)"):
            raise Unproved("it asks for more than the domain")
    except Unproved as fault:
        return impossible(f"a condition: {fault}", f"write the condition into each pattern; {_ANCHOR}")
    chosen = found.of(outer)
    within[-1] = outer - chosen if negated else chosen
    return Condition(line, f"what follows holds for {_listed(within[-1] or ())}")


def _endif(line: Line, within: list[frozenset[str] | None]) -> Condition | Part:
    if len(within) == 1:
        return impossible("an endif without an if, which Postfix ignores", "remove the line")
    return Condition(line, "end of the condition") if within.pop() is not None else _condition_lost()


def _condition_lost() -> Part:
    return impossible("it is under a condition that does not come along", "see the line of the condition")


def _rule(line: Line, kind: str, domains: frozenset[str] | None) -> Read:
    if domains is None:
        return _condition_lost()
    try:
        return _understood(line, kind, domains)
    except Unproved as fault:
        passes_on = "; mail that it matched goes on to what follows, and to the catch-all"
        return impossible(f"{fault}{passes_on}", _ANCHOR)


def _understood(line: Line, kind: str, domains: frozenset[str]) -> Read:
    negated, pattern, flags, rest = _delimited(line.text)
    result = rest.strip(WHITE)
    if result and rest[:1] not in tuple(WHITE):
        raise Unproved("its flags or a second pattern are not understood")
    if not result:
        raise Unproved("it has no result")
    translated = _translated(pattern, flags, kind)
    if "@" not in _pieces(translated) and not negated:
        return _declaration(line, translated, domains)
    found = split(translated)
    if negated and found.local != ".*":
        raise Unproved("it is negated")
    matched = domains - found.of(domains) if negated else found.of(domains)
    if not matched:
        return impossible("it matches none of the domains", "give its domain with --domain, or remove it")
    return PatternRule(line, found.local, matched, _results(result, found, negated), "i" in flags)


def _declaration(line: Line, pattern: str, domains: frozenset[str]) -> Read:
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise Unproved("it has no @")
    named = Split("", pattern[1:-1], True, 0).of(domains)
    return Declared(line, named) if named else impossible("it matches none of the domains", _ANCHOR)


def _results(text: str, found: Split, negated: bool) -> tuple[Target, ...]:
    """The right-hand side, each $1 as `{=1=}`."""
    if "{=" in text:
        raise Unproved("its result has {=, which stands for something here")
    numbers: list[int] = []

    def replaced(match: "re.Match[str]") -> str:
        number = match[2] or match[3] or match[4]
        if match[1]:
            return "$"
        if not number or not 1 <= int(number[:4]) <= found.groups:
            raise Unproved(f"{match[0]} is no group before the @")
        numbers.append(int(number))
        return f"{{={int(number)}=}}"

    replacement = _REPLACED.sub(replaced, text)
    if numbers and (negated or not found.anchored or max(numbers) > 9):
        raise Unproved("it uses what was matched, and is not a plain /^...$/ with at most 9 groups")
    return virtual_targets(scan(replacement))


def _delimited(text: str) -> tuple[bool, str, str, str]:
    """Negated or not, pattern, flags, and the rest: regexp_table(5), `/pattern/flags result`."""
    bare = text.lstrip(f"!{WHITE}")
    negated = text[: len(text) - len(bare)].count("!") % 2 == 1
    if not bare or bare[0].isalnum():
        raise Unproved("it is no pattern")
    delimiter = re.escape(bare[0])
    found = re.compile(rf"{delimiter}((?:\\.|(?!{delimiter})[^\\])*){delimiter}([A-Za-z]*)", re.DOTALL).match(bare)
    if found is None:
        raise Unproved("its pattern does not end")
    return negated, found[1], found[2], bare[found.end() :]


def _translated(pattern: str, flags: str, kind: str) -> str:
    """The pattern as RE2 takes it, its case aside; raises Unproved where the two may differ."""
    harmless = "im" if kind == "regexp" else "imsEAX"
    unknown = [flag for flag in flags if flag not in harmless]
    if unknown:
        raise Unproved(f"the flag {unknown[0]} changes what its pattern means")
    pieces = _pieces(pattern)
    if kind == "regexp" and any(_means_otherwise(piece) for piece in pieces):
        raise Unproved("an escape or a bracket of its pattern means something else to RE2")
    return f"^{pattern}" if "A" in flags and not pattern.startswith("^") else pattern


def _means_otherwise(piece: str) -> bool:
    if piece.startswith("["):
        return re.search(r"\\[A-Za-z0-9]|\[[.=]", piece) is not None
    return piece.startswith("\\") and piece[1:].isalnum() and piece[1:] not in _POSIX_ESCAPES


def _pieces(pattern: str) -> list[str]:
    """A pattern's characters, with each escape, bracket expression and `(?...` as one."""
    bracket = r"\[\^?\]?(?:\[:[a-z^]*:\]|\\.|[^\]\\])*\]"
    return re.findall(rf"\\.|{bracket}|.", pattern, re.DOTALL)


@lru_cache(maxsize=1024)  # each pattern is asked about each alias
def _compiled(pattern: str) -> Any:
    """The pattern by RE2; raises Unproved for what it does not take."""
    import re2  # noqa: PLC0415 (only tables with patterns need it)

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError) as fault:
        raise Unproved("RE2 does not take its pattern (lookaround, backreference or a mistake)") from fault


def _listed(domains: Iterable[str]) -> str:
    return ", ".join(sorted(domains)) or "none of the domains"
