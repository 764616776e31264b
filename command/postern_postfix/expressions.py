"""Split a regular expression for whole addresses into one for the local part at each domain.

This is done only if it is provably the same: by splitting at its `@` outside brackets; or, if it has no `@` and cannot
match one, by its anchors. RE2 must accept the parts, so lookaround and backreferences cannot be imported, nor can
anything that POSIX and RE2 read differently.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .source import WHITE

_POSIX_ESCAPES = "wWsS"
_ALL: tuple[list[str], ...] = ([], [".", "+"], ["."])
_STARS = ([".", "*"], [".", "+"])
_WITHOUT_AT = re.compile(r"[A-Za-z0-9_+*?()|{},-]|\\[^A-Za-z0-9@]|\\[dw]|\[[^^][^@\\]*\]\Z")


class Unproved(ValueError):
    """The pattern cannot be imported; the text says why."""


@dataclass(frozen=True, slots=True)
class Split:
    """A pattern for whole addresses as two: RE2 patterns for the whole local part and the whole domain."""

    local: str
    domain: str
    groups: int  # groups in `local` that a result may use; those of the domain are numbered after them

    def of(self, domains: Iterable[str]) -> frozenset[str]:
        """Those of the domains that it matches."""
        pattern = compiled(f"(?i:{self.domain})")
        return frozenset(domain for domain in domains if pattern.fullmatch(domain))


def by_domain(pattern: str, domains: Collection[str]) -> tuple[dict[str, str], int]:
    """The pattern for the local part at each domain, and how many groups a result may use. Raises Unproved."""
    choices = _choices(pieces(pattern))
    if len(choices) == 1 and "@" in choices[0]:
        found = split("".join(choices[0]))
        return dict.fromkeys(sorted(found.of(domains)), found.local), found.groups
    locals_: dict[str, list[str]] = {}
    for choice in choices:
        for domain, local in _placed(choice, domains).items():
            locals_.setdefault(domain, []).append(local)
    return {domain: texts[0] if len(texts) == 1 else f"(?:{'|'.join(texts)})" for domain, texts in locals_.items()}, 0


def is_for_domains(pattern: str) -> bool:
    """Whether it is a pattern for a domain alone, `/^domain$/`."""
    parts = pieces(pattern)
    return "@" not in parts and parts[:1] == ["^"] and parts[-1:] == ["$"] and parts[1:-1][-2:] not in _STARS


def split(pattern: str) -> Split:
    """Split a pattern for addresses in two. Raises Unproved."""
    parts = pieces(pattern)
    depth, at, closed = 0, -1, True
    for position, piece in enumerate(parts):
        depth += (piece == "(") - (piece == ")")
        if depth == 0 and piece == "|":
            raise Unproved("it is a choice between whole addresses")
        at = position if depth == 0 and piece == "@" else at
        closed &= depth >= 0
    starts, ends = parts[:1] == ["^"], parts[-1:] == ["$"]
    inner = parts[starts : len(parts) - ends]
    if at < 0 or not closed or "^" in inner or "$" in inner:
        raise Unproved("it cannot be split at an @")
    local = ("" if starts else ".*") + "".join(parts[starts:at])
    domain = "".join(parts[at + 1 : len(parts) - ends]) + ("" if ends else ".*")
    groups = compiled(local).groups
    compiled(domain)
    return Split(local, domain, groups if starts and ends else 0)


def _choices(parts: list[str]) -> list[list[str]]:
    """The alternatives of a pattern; `^(a|b)$` is opened if its choices are whole addresses."""
    if parts[:2] == ["^", "("] and parts[-2:] == [")", "$"] and _closes_at_the_end(parts[1:-1]):
        inner = _alternatives(parts[2:-2])
        if len(inner) > 1 and all("@" in one for one in inner):
            return [["^", *one, "$"] for one in inner]
    return _alternatives(parts)


def _alternatives(parts: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    depth = 0
    for piece in parts:
        depth += (piece == "(") - (piece == ")")
        if depth == 0 and piece == "|":
            found.append([])
        else:
            found[-1].append(piece)
    return found


def _closes_at_the_end(parts: list[str]) -> bool:
    depth = 0
    for position, piece in enumerate(parts):
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            return position == len(parts) - 1
    return False


def _placed(parts: list[str], domains: Collection[str]) -> dict[str, str]:
    """The local part's pattern at each domain, for one alternative; a result may not use its groups."""
    if "@" in parts:
        found = split("".join(parts))
        return dict.fromkeys(sorted(found.of(domains)), found.local)
    starts, ends = parts[:1] == ["^"], parts[-1:] == ["$"]
    inner = parts[starts : len(parts) - ends]
    while inner[:2] == [".", "*"]:
        inner, starts = inner[2:], False
    while inner[-2:] == [".", "*"]:
        inner, ends = inner[:-2], False
    if inner[:1] == ["("] and _closes_at_the_end(inner) and inner[1:-1] in (*_ALL, [".", "*"]):
        inner = []
    if inner in _ALL:
        return dict.fromkeys(sorted(domains), ".*")
    if (starts and ends) or any(_WITHOUT_AT.match(piece) is None for piece in inner):
        raise Unproved("it has no @, and it may match across one")
    return _within(f"(?:{''.join(inner)})" if "|" in inner else "".join(inner), starts, ends, domains)


def _within(text: str, starts: bool, ends: bool, domains: Collection[str]) -> dict[str, str]:
    """A pattern that matches within the local part or within the domain."""
    compiled(text)
    if starts:
        return dict.fromkeys(sorted(domains), f"{text}.*")
    domain_has = compiled(f"(?i:{text}{'$' if ends else ''})")
    everywhere = [domain for domain in sorted(domains) if domain_has.search(domain)]
    if ends:
        return dict.fromkeys(everywhere, ".*")
    return {domain: ".*" if domain in everywhere else f".*{text}.*" for domain in sorted(domains)}


def delimited(text: str) -> tuple[bool, str, str, str]:
    """(negated, pattern, flags, rest) of a line of regexp_table(5), `/pattern/flags result`. Raises Unproved."""
    bare = text.lstrip(f"!{WHITE}")
    negated = text[: len(text) - len(bare)].count("!") % 2 == 1
    if not bare or bare[0].isalnum():
        raise Unproved("it is not a pattern")
    delimiter = re.escape(bare[0])
    found = re.compile(rf"{delimiter}((?:\\.|(?!{delimiter})[^\\])*){delimiter}([A-Za-z]*)", re.DOTALL).match(bare)
    if found is None:
        raise Unproved("its pattern does not end")
    return negated, found[1], found[2], bare[found.end() :]


def translated(pattern: str, flags: str, kind: str) -> str:
    """The pattern for RE2, apart from case. Raises Unproved if the two may differ."""
    harmless = "im" if kind == "regexp" else "imsEAX"
    unknown = [flag for flag in flags if flag not in harmless]
    if unknown:
        raise Unproved(f"the flag {unknown[0]} changes the meaning of the pattern")
    if kind == "regexp" and any(_means_otherwise(piece) for piece in pieces(pattern)):
        raise Unproved("an escape or bracket in the pattern means something else in RE2")
    return f"^{pattern}" if "A" in flags and not pattern.startswith("^") else pattern


def _means_otherwise(piece: str) -> bool:
    if piece.startswith("["):
        return re.search(r"\\[A-Za-z0-9]|\[[.=]", piece) is not None
    return piece.startswith("\\") and piece[1:].isalnum() and piece[1:] not in _POSIX_ESCAPES


def pieces(pattern: str) -> list[str]:
    """A pattern's characters, with each escape and bracket expression as one."""
    bracket = r"\[\^?\]?(?:\[:[a-z^]*:\]|\\.|[^\]\\])*\]"
    return re.findall(rf"\\.|{bracket}|.", pattern, re.DOTALL)


@lru_cache(maxsize=1024)  # each pattern is tried for each alias
def compiled(pattern: str) -> Any:
    """The pattern compiled by RE2. Raises Unproved if RE2 refuses it."""
    import re2  # noqa: PLC0415 (only tables with patterns need it)

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError) as fault:
        raise Unproved("RE2 refuses the pattern (lookaround, backreference or an error)") from fault
