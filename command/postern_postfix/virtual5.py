"""virtual(5): `pattern  address, address, ...`.

Source: virtual(5), postmap(1), and cleanup_map1n(): a right-hand side is an RFC 822 address list; `@other.example`
keeps the local part, and only as the first address. If a key occurs twice, the first counts.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from postern_mail.mail.address import Address, InvalidAddress

from .access5 import pair
from .report import Part, Report, impossible, left_behind, unneeded, unreadable
from .source import Line
from .targets import Mailbox, Target, virtual_targets
from .tokens import scan

_NO_ADDRESS = "write the key as an address, @domain or a bare name; SES accepts ASCII only"


@dataclass(frozen=True, slots=True)
class VirtualRow:
    """A line with targets. `key` is an alias key, `@domain`, or a bare name in lower case."""

    line: Line
    key: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """`domain.example anything`: a virtual alias domain, whose aliases are in virtual(5) alone."""

    line: Line
    domain: str


def rows(
    lines: Iterable[Line], known: dict[str, VirtualRow | Declaration], domains: Collection[str], report: Report
) -> dict[str, VirtualRow]:
    """The rows of one table that no table before it has, and these are added to `known`, with what declares a domain.

    Says what became of each other line.
    """
    found: dict[str, VirtualRow] = {}
    for line in lines:
        read = _read(line, domains)
        if isinstance(read, Part):
            report.say(line, read)
            continue
        key = read.key if isinstance(read, VirtualRow) else f"domain {read.domain}"
        if key in known:
            first = known[key].line.place
            report.say(line, unneeded(f"{key} is there already ({first}), and Postfix takes the first"))
        else:
            known[key] = read
            if isinstance(read, VirtualRow):
                found[key] = read
    return found


def _read(line: Line, domains: Collection[str]) -> VirtualRow | Declaration | Part:
    if line.unreadable:
        return unreadable(line)
    both = pair(line)
    if both is None:
        return left_behind("not a pair of key and value", "fix the line or remove it; Postfix ignores it")
    key, value = both
    if key.endswith(":"):
        return impossible("it looks like a line of aliases(5)", "give the file with --aliases")
    try:
        targets = virtual_targets(scan(value))
        if "@" not in key and "." in key and _declares(key.lower(), targets, domains):
            return Declaration(line, Address.parse(f"x@{key}").domain)
        return VirtualRow(line, _key(key), targets)
    except InvalidAddress:
        return impossible(f"{key} is not a mail address", _NO_ADDRESS)


def _declares(key: str, targets: tuple[Target, ...], domains: Collection[str]) -> bool:
    """Is it a domain and not a name with a dot? Postfix takes it for both; a name leads to an address."""
    return key in domains or not any(isinstance(target, Mailbox) for target in targets)


def _key(typed: str) -> str:
    if typed.startswith("@"):
        return f"@{Address.parse(f'x{typed}').domain}"
    if "@" in typed:
        return Address.parse(typed).key
    return Address.parse(f"{typed}@x").local.lower()
