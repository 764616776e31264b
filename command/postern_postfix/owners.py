"""Which line of Postfix's files answers for which key of the alias table.

virtual(5) is asked first, for every address; aliases(5) only then, and only at the domains of
mydestination, by local part. So a line of virtual(5), a pattern or a catch-all takes the mail of
an alias of the same name, and that alias is reached through other aliases alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from postern_mail.mail.address import Address, InvalidAddress

from .aliases5 import NamedAlias
from .box import Box
from .patterns import PatternRule, fullmatches
from .report import Report, changed, impossible
from .source import Line
from .targets import quoted
from .virtual5 import VirtualRow


@dataclass(frozen=True, slots=True)
class Owners:
    """The line that answers for each key, and the patterns that are asked between exact keys."""

    lines: Mapping[str, VirtualRow | NamedAlias]
    patterns: tuple[PatternRule, ...]

    def exact(self, address: Address) -> VirtualRow | NamedAlias | None:
        """The line for an address, else for the address without its tag."""
        return self.lines.get(address.key) or self.lines.get(address.untagged.key)

    def cover(self, address: Address) -> bool:
        """Will a look-up of this address find anything?"""
        return (
            self.exact(address) is not None
            or f"@{address.domain}" in self.lines
            or _matched(self.patterns, address) is not None
        )


def owners(
    box: Box,
    aliases: Mapping[str, NamedAlias],
    virtual: Iterable[VirtualRow],
    patterns: Iterable[PatternRule],
    report: Report,
) -> Owners:
    """Who answers for what; says where a line answers for nothing."""
    rules = tuple(patterns)
    lines: dict[str, VirtualRow | NamedAlias] = {}
    rows = tuple(virtual)
    for row in rows:
        if "@" in row.key:
            _add_address(lines, row, box, report)
    for row in rows:
        if "@" not in row.key:
            _add_bare(lines, row, box, report)
    for alias in aliases.values():
        _add_alias(lines, alias, box, rules, report)
    return Owners(lines, rules)


def _add_address(lines: dict[str, VirtualRow | NamedAlias], row: VirtualRow, box: Box, report: Report) -> None:
    domain = row.key.rpartition("@")[2]
    if domain in box.domains:
        lines[row.key] = row
    else:
        instead = f"import with --domain {domain} too, if its mail is to come through Postern"
        report.say(row.line, impossible(f"{domain} is not among the domains", instead))


def _add_bare(lines: dict[str, VirtualRow | NamedAlias], row: VirtualRow, box: Box, report: Report) -> None:
    """virtual(5): a bare name holds at the domains of the box, after the whole address."""
    for domain in box.ours:
        first = lines.setdefault(f"{row.key}@{domain}", row)
        if first is not row:
            report.say(row.line, changed(f"not at {domain}: {first.line.place} is asked first"))
    if not box.ours:
        report.say(row.line, changed(f"{row.key}: a bare name means nothing at a virtual alias domain"))


def _add_alias(
    lines: dict[str, VirtualRow | NamedAlias],
    alias: NamedAlias,
    box: Box,
    patterns: tuple[PatternRule, ...],
    report: Report,
) -> None:
    for domain in box.ours:
        try:
            address = quoted(alias.name, domain)
        except InvalidAddress:
            instead = "give the alias a name in ASCII; SES takes no other"
            report.say(alias.line, impossible(f"{alias.name}@{domain} is not a mail address", instead))
            return
        first = _first(lines, patterns, address)
        if first is None:
            lines[address.key] = alias
        else:
            says = f"no row at {domain}: {first.place} takes that mail first, in Postfix too"
            report.say(alias.line, changed(says))
    if not box.ours:
        says = "no row of its own: aliases(5) holds at none of the domains; it is used where other lines lead to it"
        report.say(alias.line, changed(says))


def _first(
    lines: Mapping[str, VirtualRow | NamedAlias], patterns: tuple[PatternRule, ...], address: Address
) -> Line | None:
    """The line of virtual(5) that has an address before aliases(5) is asked."""
    row = lines.get(address.key) or lines.get(f"@{address.domain}")
    return row.line if row is not None else _matched(patterns, address)


def _matched(patterns: tuple[PatternRule, ...], address: Address) -> Line | None:
    return next(
        (
            rule.line
            for rule in patterns
            if address.domain in rule.domains and fullmatches(rule.local, address.local.lower())
        ),
        None,
    )
