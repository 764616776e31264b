"""`postern import postfix`: the files of a Postfix box as a tables file and a report."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from postern_command.tables.file import TablesFile
from postern_mail.mail.aliases import Alias
from postern_mail.mail.rows import BadRow, Row, SenderKey
from postern_mail.mail.senders import EVERYWHERE, SenderRule

from . import access5, aliases5, main_cf, patterns, virtual5
from .address_parameters import Named, Settled, settle
from .box import Box
from .files import Files
from .owners import owners
from .report import Report, changed, impossible, taken
from .rows import Draft, Drafting, switch_off_circles
from .source import Line, Table
from .targets import Target

_REPLACE_PATTERNS = "write a rule for each sender or domain that it means"


class CannotImport(ValueError):
    """A file that the user named cannot be read; the message names it and the fault."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to import. Tables that are given are read instead of those that main.cf names."""

    domains: tuple[str, ...]
    given: dict[Table, tuple[Named, ...]] = field(default_factory=dict)
    main_cf: Path | None = None
    root: Path = Path("/")
    parents: bool | None = None  # None: as main.cf has it


def import_postfix(asked: Asked) -> tuple[TablesFile, Report]:
    """The tables, and what became of each line of each file. Raises CannotImport."""
    report = Report()
    files = Files(asked.root, report)
    settled = _settled(asked, files, report)
    drafts = _aliases(asked, settled, files, report)
    rules = _senders(settled, files, report)
    tables = TablesFile(
        frozenset(asked.domains), dict(_sound_aliases(drafts, report)), dict(_sound_senders(rules, report))
    )
    _remark(asked, settled, rules, report)
    return tables, report


def _settled(asked: Asked, files: Files, report: Report) -> Settled:
    settled = Settled()
    if asked.main_cf is not None:
        try:
            lines = files.at(asked.main_cf, Table.MAIN_CF, str(asked.main_cf))
        except OSError as fault:
            raise CannotImport(f"{asked.main_cf}: {fault}") from fault
        config = main_cf.parameters(lines, report)
        given = [table for table, named in asked.given.items() if named]
        settled = settle(config, asked.domains, given, report)
    if asked.parents is not None:
        settled.style = replace(settled.style, parents=asked.parents)
    for table, named in asked.given.items():
        if named:
            settled.maps[table] = list(named)
    return settled


def _aliases(asked: Asked, settled: Settled, files: Files, report: Report) -> dict[str, Draft]:
    named_aliases: dict[str, aliases5.NamedAlias] = {}
    for lines in _text_tables(Table.ALIASES, settled, files, report):
        found = aliases5.aliases(lines, report)
        _say_taken_first(named_aliases, found, report)
        named_aliases = {**found, **named_aliases}
    virtual, rules = _virtual(asked, settled, files, report)
    declared = _declared(virtual, rules, asked, settled, report)
    box = Box(
        domains=asked.domains,
        local=_local(asked, settled, declared),
        origin=settled.origin,
        virtual_keeps_tag=settled.virtual_keeps_tag,
        alias_keeps_tag=settled.alias_keeps_tag,
    )
    rows = [row for row in virtual.values() if isinstance(row, virtual5.VirtualRow)]
    pattern_rules = [rule for rule in rules if isinstance(rule, patterns.PatternRule)]
    drafting = Drafting(
        box=box,
        owners=owners(box, named_aliases, rows, pattern_rules, report),
        aliases=named_aliases,
        foreign={row.key: row for row in rows if row.key.rpartition("@")[2] not in box.domains},
        included=lambda path: _included(path, files),
        report=report,
    )
    drafts = drafting.draft()
    _say_used(named_aliases, report)
    switch_off_circles(drafts, report)
    return drafts


def _included(path: str, files: Files) -> Iterator[tuple[Line, tuple[Target, ...]]]:
    return aliases5.included(files.included(path))


def _say_taken_first(
    known: dict[str, aliases5.NamedAlias], found: dict[str, aliases5.NamedAlias], report: Report
) -> None:
    for name in known.keys() & found.keys():
        says = f"{name} is there already ({known[name].line.place}), and Postfix takes the first"
        report.say(found[name].line, changed(says))


def _say_used(aliases: dict[str, aliases5.NamedAlias], report: Report) -> None:
    for name, alias in aliases.items():
        listed = name.removeprefix("owner-")
        if listed != name and listed in aliases:
            says = (
                f"bounces of what {listed} forwards do not go to it: the destination's bounces come to Postern itself"
            )
            report.say(alias.line, changed(says))


def _virtual(
    asked: Asked, settled: Settled, files: Files, report: Report
) -> tuple[dict[str, virtual5.VirtualRow | virtual5.Declaration], list[patterns.Read]]:
    rows: dict[str, virtual5.VirtualRow | virtual5.Declaration] = {}
    rules: list[patterns.Read] = []
    for named in settled.maps.get(Table.VIRTUAL, ()):
        table = Table.PATTERNS if named.map.is_patterns else Table.VIRTUAL
        lines = _lines(named, table, named.map.is_text or named.map.is_patterns, files, report)
        if table is Table.VIRTUAL:
            if rules and lines:
                report.remark(f"{named.map} comes after patterns in Postfix; here whole addresses are asked first")
            virtual5.rows(lines, rows, report)
            continue
        for line, read in patterns.read(lines, named.map.type, asked.domains):
            _say_pattern(line, read, report)
            rules.append(read)
    return rows, rules


def _say_pattern(line: Line, read: patterns.Read, report: Report) -> None:
    """A rule's own line is told of when its row is made, a declaration's with the other declarations."""
    if isinstance(read, patterns.Condition):
        report.say(line, changed(f"the condition is in the patterns: {read.says}"))
    elif not isinstance(read, (patterns.PatternRule, patterns.Declared)):
        report.say(line, read)


def _declared(
    virtual: dict[str, virtual5.VirtualRow | virtual5.Declaration],
    rules: Iterable[patterns.Read],
    asked: Asked,
    settled: Settled,
    report: Report,
) -> frozenset[str]:
    """Virtual alias domains that lines of virtual(5) declare."""
    pairs = [(one.line, one.domain) for one in virtual.values() if isinstance(one, virtual5.Declaration)]
    pairs += [(one.line, domain) for one in rules if isinstance(one, patterns.Declared) for domain in one.domains]
    for line, domain in pairs:
        if domain not in asked.domains:
            instead = f"import with --domain {domain} too, if its mail is to come through Postern"
            report.say(line, impossible(f"{domain} is not among the domains", instead))
        elif domain in settled.destinations:
            report.say(line, changed(f"{domain} is in mydestination too, so aliases(5) goes on holding there"))
        else:
            report.say(line, taken(f"{domain} is a virtual alias domain: aliases(5) does not hold there"))
    return frozenset(domain for _, domain in pairs)


def _local(asked: Asked, settled: Settled, declared: frozenset[str]) -> frozenset[str]:
    """Where aliases(5) holds: mydestination, and what the user calls a domain unless virtual(5) has it alone."""
    without = (declared | settled.without_aliases) - settled.destinations
    return frozenset(domain for domain in (*asked.domains, *settled.destinations) if domain not in without)


def _senders(settled: Settled, files: Files, report: Report) -> dict[str, access5.Rule]:
    rules: dict[str, access5.Rule] = {}
    for lines in _text_tables(Table.ACCESS, settled, files, report):
        rules.update(access5.rules(lines, settled.style, rules, report))
    return rules


def _text_tables(table: Table, settled: Settled, files: Files, report: Report) -> Iterator[tuple[Line, ...]]:
    """The lines of each table of this kind, once each; those of pattern tables are said to be lost."""
    seen: set[str] = set()
    for named in settled.maps.get(table, ()):
        if named.map.file in seen:
            if named.line is not None:
                report.say(named.line, taken(f"{named.map} is read once"))
            continue
        seen.add(named.map.file)
        if named.map.is_patterns:
            for line in _lines(named, Table.PATTERNS, True, files, report):
                report.say(line, impossible(f"{table} has no patterns here", _REPLACE_PATTERNS))
        else:
            yield _lines(named, table, named.map.is_text, files, report)


def _lines(named: Named, table: Table, readable: bool, files: Files, report: Report) -> tuple[Line, ...]:
    """A table's lines; what cannot be read is the fault of who named it."""
    try:
        if not readable:
            raise FileNotFoundError(f"a table of type {named.map.type} is not read")
        lines = files.lines(named.map, table, as_typed=named.line is None)
    except OSError as fault:
        if named.line is None:
            raise CannotImport(f"{named.map}: {fault}") from fault
        instead = "copy the file along and give --root, or write it as text and name it"
        report.say(named.line, impossible(f"{named.map}: {fault}", instead))
        return ()
    if named.line is not None:
        report.say(named.line, taken(f"{named.map} is read"))
    return lines


def _sound_aliases(drafts: dict[str, Draft], report: Report) -> Iterator[tuple[str, Row]]:
    for key, draft in drafts.items():
        try:
            Alias.from_row(key, draft.row)
        except BadRow as fault:
            for line in draft.lines:
                report.say(line, impossible(f"left out: {fault}", "mend the line and import again"))
        else:
            yield key, draft.row


def _sound_senders(rules: dict[str, access5.Rule], report: Report) -> Iterator[tuple[SenderKey, Row]]:
    for sender, rule in rules.items():
        key, row = (sender, EVERYWHERE), {"sender": sender, "scope": EVERYWHERE, "action": rule.action}
        try:
            SenderRule.from_row(key, row)
        except BadRow as fault:
            report.say(rule.line, impossible(f"left out: {fault}", "mend the line and import again"))
        else:
            yield key, row


def _remark(asked: Asked, settled: Settled, rules: dict[str, access5.Rule], report: Report) -> None:
    if rules or asked.main_cf is not None:
        style = "parent" if settled.style.parents else "dot"
        value = str(settled.style.parents).lower()
        report.remark(
            f"the stack needs ParentDomainMatchesSubdomains={value}; offline commands need --parent-style {style}"
        )
    if asked.main_cf is None:
        return
    for domain in asked.domains:
        if domain not in settled.destinations | settled.without_aliases:
            report.remark(f"{domain} is in no list of domains of main.cf; it is taken for one where aliases(5) holds")
    if not settled.maps.get(Table.ALIASES):
        report.remark("no aliases were read: main.cf names none, so give /etc/aliases with --aliases if it was in use")
