"""The line of Postfix's files that answers for each key of the alias table.

virtual(5) is searched first, for every address; then aliases(5), only at the domains of mydestination and by local
part. A line gets a row if Postfix finds it by exactly that key. If a pattern, the address without its tag or a
catch-all is found first, the line gets no row, and only other lines lead to it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from postern_mail.mail.address import Address, InvalidAddress

from .aliases5 import NamedAlias
from .box import Box
from .lookups import Answer, Lookups
from .report import Report, changed, impossible
from .targets import quoted
from .virtual5 import VirtualRow

Owner = VirtualRow | NamedAlias


@dataclass(frozen=True, slots=True)
class Owners:
    """The line that answers for each key; `behind` are lines whose key a pattern takes first, but not with a tag."""

    lines: Mapping[str, Owner]
    behind: Mapping[str, Owner]

    def alias_at(self, alias: NamedAlias, domain: str) -> Address | None:
        """The address at a domain whose row comes from this alias, None without one."""
        try:
            address = quoted(alias.name, domain)
        except InvalidAddress:
            return None
        return address if self.lines.get(address.key) is alias else None


def owners(box: Box, aliases: Mapping[str, NamedAlias], lookups: Lookups, report: Report) -> Owners:
    """The line that answers for each key. Reports lines that answer for none."""
    lines: dict[str, Owner] = {}
    behind: dict[str, Owner] = {}
    rows = lookups.rows.values()
    for row in rows:
        if "@" in row.key:
            _add_address(lines, row, box, lookups, report)
    _add_bare(lines, (row for row in rows if "@" not in row.key), box, lookups, report)
    for alias in aliases.values():
        _add_alias(lines, alias, box, lookups, report)
    _add_behind(behind, aliases, box, lookups)
    return Owners(lines, behind)


def _add_address(lines: dict[str, Owner], row: VirtualRow, box: Box, lookups: Lookups, report: Report) -> None:
    local, _, domain = row.key.rpartition("@")
    if domain not in box.domains:
        if box.is_local(domain):
            report.say(row.line, changed(f"{domain} is the box itself: no row, but used if other lines lead to it"))
        else:
            instead = f"import with --domain {domain} too, if its mail moves here"
            report.say(row.line, impossible(f"{domain} is not one of the domains given", instead))
        return
    answer = lookups.find(Address(local, domain)) if local and lookups.patterns else None
    if answer is None or answer.owner is row:
        lines[row.key] = row
    else:
        report.say(row.line, changed(f"no row: {answer.owner.line.place} takes that mail first, in Postfix too"))


def _add_bare(lines: dict[str, Owner], rows: Iterable[VirtualRow], box: Box, lookups: Lookups, report: Report) -> None:
    """virtual(5): a bare name matches at `$myorigin` and at the box's domains, after the whole address."""
    places = [domain for domain in box.domains if box.asks_bare(domain)]
    for row in rows:
        for domain in places:
            answer = lookups.find(Address(row.key, domain))
            if answer is not None and answer.owner is row and not answer.tag:
                lines[f"{row.key}@{domain}"] = row
            elif answer is not None:
                report.say(row.line, changed(f"not at {domain}: {answer.owner.line.place} comes first"))
        if not places:
            report.say(row.line, changed(f"{row.key}: a bare name matches nothing at a virtual alias domain"))


def _add_alias(lines: dict[str, Owner], alias: NamedAlias, box: Box, lookups: Lookups, report: Report) -> None:
    for domain in box.ours:
        try:
            address = quoted(alias.name, domain)
        except InvalidAddress:
            instead = "give the alias a name in ASCII, as SES requires"
            report.say(alias.line, impossible(f"{alias.name}@{domain} is not a mail address", instead))
            return
        answer = lookups.find(address)
        if answer is None:
            lines[address.key] = alias
        else:
            report.say(alias.line, changed(f"no row at {domain}: {_first(answer)}, in Postfix too"))
    if not box.ours:
        says = "no row of its own: aliases(5) applies at none of the domains; it is used if other lines lead to it"
        report.say(alias.line, changed(says))


def _add_behind(behind: dict[str, Owner], aliases: Mapping[str, NamedAlias], box: Box, lookups: Lookups) -> None:
    """virtual(5): a pattern is tried on the whole address only; with a tag, the name may match another line."""
    if not lookups.patterns:
        return
    names = dict.fromkeys((*(key for key in lookups.rows if not key.startswith("@")), *aliases))
    for address in _addresses(names, box):
        rule = lookups.pattern(address)
        if rule is None or rule.takes_what_follows(address.domain) or not box.takes_tag(address.local):
            continue
        answer = lookups.tagged(address)
        if answer is None and box.is_local(address.domain) and address.local in aliases:
            behind[address.key] = aliases[address.local]
        elif answer is not None and isinstance(answer.owner, VirtualRow) and not answer.key.startswith("@"):
            behind[address.key] = answer.owner


def _addresses(names: Iterable[str], box: Box) -> Iterator[Address]:
    """Each name at each of our domains, and each address that is at one."""
    for name in names:
        local, at, domain = name.rpartition("@")
        for one in box.domains:
            try:
                if not at or domain == one:
                    yield Address(local, one) if at else quoted(name, one)
            except InvalidAddress:
                continue


def _first(answer: Answer) -> str:
    return f"{answer.owner.line.place} takes that mail first"
