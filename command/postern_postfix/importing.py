"""`postern import postfix`: the files of a Postfix box as a tables file and a report."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from postern_command.tables.file import TablesFile, whitelist, with_rules
from postern_mail.mail.address import Address
from postern_mail.mail.aliases import Alias, resolve, unread
from postern_mail.mail.greylist import CLIENTS_KEY, RECIPIENTS_KEY
from postern_mail.mail.rows import BadRow, Row, Rows, SenderKey
from postern_mail.mail.senders import EVERYBODY, EVERYWHERE, SenderRule
from postern_mail.mail.settings import KEY

from . import access5, aliases5, header_checks, main_cf, master_cf, patterns, postgrey, virtual5
from .address_parameters import Decisions, NamedTable, decide
from .box import Box, Kind
from .domains import BOX_NAMES
from .files import Files
from .leads import Leads
from .lookups import Lookups
from .mailboxes import say_mailboxes
from .owners import owners
from .report import Report, changed, impossible, taken, unneeded
from .restrictions import lost_reject
from .rows import Draft, Drafting, switch_off_circles
from .source import Line, Table
from .tags import tags_as_they_were
from .targets import Target

_REPLACE_PATTERNS = "write a rule for each sender or domain that it means"


class CannotImport(ValueError):
    """A file that the user named cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import. Tables that are `given` are read instead of those in main.cf."""

    domains: tuple[str, ...]
    given: dict[Table, tuple[NamedTable, ...]] = field(default_factory=dict)
    main_cf: Path | None = None
    root: Path = Path("/")
    parents: bool | None = None  # None: as in main.cf
    mailboxes: Mapping[str, str] = field(default_factory=dict)  # new homes, by user or address


def import_postfix(asked: ImportRequest) -> tuple[TablesFile, Report]:
    """The tables, and the report on each line of each file. Raises CannotImport."""
    report = Report()
    files = Files(asked.root, report)
    settled = _settled(asked, files, report)
    drafts = _aliases(asked, settled, files, report)
    rules = _senders(settled, files, report)
    by_header = header_checks.rules(_header_checks(settled, files, report), frozenset(asked.domains), report)
    grey = _postgrey(settled, files, report)
    settled.screening.settings |= grey.settings
    tables = TablesFile(
        frozenset(asked.domains),
        dict(_sound_aliases(drafts, report)),
        {**dict(_sound_senders(rules, report)), **by_header},
        settings=_settings(settled.screening.row(), by_header),
        whitelists=_whitelists(grey),
    )
    _say_loops(tables, drafts, report)
    _remark(asked, settled, rules, report)
    _remark_postmasters(asked, tables, report)
    return tables, report


def _settings(screening: Row, by_header: dict[SenderKey, Row]) -> Row | None:
    """The settings for the screening in main.cf, None without any; `header_rules` is filled in from the rules."""
    return with_rules({**screening, "address": KEY}, by_header) if screening else None


def _header_checks(settled: Decisions, files: Files, report: Report) -> Iterator[tuple[str, tuple[Line, ...]]]:
    for named in settled.maps.get(Table.HEADER_CHECKS, ()):
        yield named.map.type, _lines(named, Table.HEADER_CHECKS, named.map.is_patterns, files, report)


def _postgrey(settled: Decisions, files: Files, report: Report) -> postgrey.Postgrey:
    """The contents of Postgrey's files, if main.cf uses Postgrey."""
    if not settled.screening.settings.get("greylist"):
        return postgrey.Postgrey()
    return postgrey.read(files, files.of(Table.MASTER_CF), report)


def _whitelists(grey: postgrey.Postgrey) -> dict[str, Row] | None:
    named = {CLIENTS_KEY: grey.clients, RECIPIENTS_KEY: grey.recipients}
    return {key: whitelist(key, lines) for key, lines in named.items() if lines} or None


def _settled(asked: ImportRequest, files: Files, report: Report) -> Decisions:
    settled = Decisions()
    if asked.main_cf is not None:
        try:
            lines = files.at(asked.main_cf, Table.MAIN_CF, str(asked.main_cf))
        except OSError as fault:
            raise CannotImport(f"{asked.main_cf}: {fault}") from fault
        config = main_cf.parameters(lines, report)
        config = _with_master_cf(config, asked.main_cf.parent / "master.cf", files, report)
        given = [table for table, named in asked.given.items() if named]
        settled = decide(config, asked.domains, given, files, report)
    if asked.parents is not None:
        settled.style = replace(settled.style, parents=asked.parents)
    for table, named in asked.given.items():
        if named:
            settled.maps[table] = list(named)
    return settled


def _with_master_cf(config: main_cf.MainCf, path: Path, files: Files, report: Report) -> main_cf.MainCf:
    """The parameters with the overrides of the services that handle mail from outside."""
    try:
        lines = files.at(path, Table.MASTER_CF, str(path))
    except OSError as fault:
        report.remark(f"master.cf was not read ({fault}): its services may have filters and restrictions of their own")
        return config
    found = dict(config.parameters)
    for option in master_cf.overrides(lines, report):
        if option.name in config.parameters:
            says = f"{option.line.place} overrides it for mail from outside"
            report.say(config.parameters[option.name].line, unneeded(says))
        found[option.name] = option
    return main_cf.checked(found, report)


def _aliases(asked: ImportRequest, settled: Decisions, files: Files, report: Report) -> dict[str, Draft]:
    named_aliases: dict[str, aliases5.NamedAlias] = {}
    for _, lines in _text_tables(Table.ALIASES, settled, files, report):
        found = aliases5.aliases(lines, report)
        _say_taken_first(named_aliases, found, report)
        named_aliases = {**found, **named_aliases}
    virtual = _virtual(asked, settled, files, report)
    box = _box(asked, settled, virtual.declares(asked, settled, report))
    lookups = Lookups(box, tuple(virtual.tables))
    answering = owners(box, named_aliases, lookups, report)
    leads = Leads(box, answering, lookups, named_aliases, lambda path: _included(path, files), report)
    drafts = Drafting(leads, report).draft()
    _say_mailboxes(settled, box, lookups, files, report)
    _say_used(named_aliases, report)
    tags_as_they_were(drafts, box, report)
    switch_off_circles(drafts, report)
    return drafts


def _say_mailboxes(settled: Decisions, box: Box, lookups: Lookups, files: Files, report: Report) -> None:
    if any(box.kinds(domain) is Kind.MAILBOX for domain in box.domains):
        for named in settled.maps.get(Table.MAILBOXES, ()):
            lines = _lines(named, Table.MAILBOXES, named.map.is_text or named.map.is_patterns, files, report)
            say_mailboxes(lines, named.map.is_patterns, box, lookups, report)
        return
    naming = (named.line for named in settled.maps.get(Table.MAILBOXES, ()) if named.line is not None)
    for line in (*naming, *files.of(Table.MAILBOXES)):
        report.say(line, unneeded("none of the domains has virtual mailboxes"))


def _box(asked: ImportRequest, settled: Decisions, declared: frozenset[str]) -> Box:
    kinds = _kinds(asked, settled, declared)
    ours = [domain for domain in asked.domains if kinds(domain) is Kind.LOCAL]
    guess = ours[0] if ours and asked.main_cf is None else BOX_NAMES[0]
    return Box(
        domains=asked.domains,
        kinds=kinds,
        origin=settled.origin or guess,
        guessed=not settled.origin and guess in ours,
        hosts=settled.hosts | {settled.origin},
        mydomain=settled.mydomain,
        delimiter=settled.delimiter,
        virtual_keeps_tag=settled.virtual_keeps_tag,
        alias_keeps_tag=settled.alias_keeps_tag,
        included_keeps_tag=settled.included_keeps_tag,
        owners_hear=settled.owners_hear,
        mailboxes=asked.mailboxes,
    )


def _kinds(asked: ImportRequest, settled: Decisions, declared: frozenset[str]) -> Callable[[str], Kind]:
    """The class of any domain; aliases(5) is assumed to apply at a domain of --domain that is in no list."""
    unread = [kind for kind, _ in settled.domains.unread() if kind is not Kind.LOCAL]

    @cache
    def kind(domain: str) -> Kind:
        found = settled.domains.kind(domain)
        if found is not Kind.LOCAL and domain in declared:
            return Kind.ALIAS
        if found is Kind.OUTSIDE and domain in asked.domains:
            return unread[0] if unread else Kind.LOCAL
        return found

    return kind


def _included(path: str, files: Files) -> Iterator[tuple[Line, tuple[Target, ...]]]:
    return aliases5.included(files.included(path))


def _say_taken_first(
    known: dict[str, aliases5.NamedAlias], found: dict[str, aliases5.NamedAlias], report: Report
) -> None:
    for name in known.keys() & found.keys():
        says = f"{name} is already defined ({known[name].line.place}); Postfix uses the first"
        report.say(found[name].line, changed(says))


def _say_used(aliases: dict[str, aliases5.NamedAlias], report: Report) -> None:
    for name, alias in aliases.items():
        listed = name.removeprefix("owner-")
        if listed != name and listed in aliases:
            says = f"bounces of mail that {listed} forwards do not go to it: they come to Postern itself"
            report.say(alias.line, changed(says))


@dataclass(slots=True)
class _Virtual:
    """Everything that was read as virtual(5)."""

    tables: list[dict[str, virtual5.VirtualRow] | tuple[patterns.PatternRule, ...]] = field(default_factory=list)
    declared: list[tuple[Line, str]] = field(default_factory=list)  # virtual alias domains

    def declares(self, asked: ImportRequest, settled: Decisions, report: Report) -> frozenset[str]:
        """The virtual alias domains that lines of virtual(5) declare. Reports these lines."""
        for line, domain in self.declared:
            if domain not in asked.domains:
                instead = f"import with --domain {domain} too, if its mail moves here"
                report.say(line, impossible(f"{domain} is not one of the domains given", instead))
            elif settled.domains.kind(domain) is Kind.LOCAL:
                report.say(line, changed(f"{domain} is in mydestination too, so aliases(5) still applies there"))
            else:
                report.say(line, taken(f"{domain} is a virtual alias domain: aliases(5) does not apply there"))
        return frozenset(domain for _, domain in self.declared)


def _virtual(asked: ImportRequest, settled: Decisions, files: Files, report: Report) -> _Virtual:
    found = _Virtual()
    known: dict[str, virtual5.VirtualRow | virtual5.Declaration] = {}
    for named in settled.maps.get(Table.VIRTUAL, ()):
        table = Table.PATTERNS if named.map.is_patterns else Table.VIRTUAL
        lines = _lines(named, table, named.map.is_text or named.map.is_patterns, files, report)
        if table is Table.VIRTUAL:
            found.tables.append(virtual5.rows(lines, known, asked.domains, report))
            continue
        rules: list[patterns.PatternRule] = []
        for line, read in patterns.read(lines, named.map.type, asked.domains):
            _say_pattern(line, read, report)
            if isinstance(read, patterns.PatternRule):
                rules.append(read)
            elif isinstance(read, patterns.Declared):
                found.declared += [(line, domain) for domain in sorted(read.domains)]
        found.tables.append(tuple(rules))
    declared = [(one.line, one.domain) for one in known.values() if isinstance(one, virtual5.Declaration)]
    found.declared = [*declared, *found.declared]
    return found


def _say_pattern(line: Line, read: patterns.Read, report: Report) -> None:
    """Report a line of a pattern table, except those of rules and declarations, which are reported elsewhere."""
    if isinstance(read, patterns.Condition):
        report.say(line, changed(f"the condition is in the patterns: {read.says}"))
    elif not isinstance(read, (patterns.PatternRule, patterns.Declared)):
        report.say(line, read)


def _senders(settled: Decisions, files: Files, report: Report) -> dict[str, access5.Rule]:
    rules: dict[str, access5.Rule] = {}
    refusing = {named.map.file for named in settled.maps.get(Table.ACCESS, ()) if not named.warns}
    for named, lines in _text_tables(Table.ACCESS, settled, files, report):
        found = access5.rules(lines, settled.style, rules, report)
        if named.map.file not in refusing:
            found = {sender: access5.warning(rule, report) for sender, rule in found.items()}
        rules.update(found)
    if settled.everybody is not None:
        _refuse_the_others(settled.everybody, settled, rules, report)
    return rules


def _refuse_the_others(line: Line, settled: Decisions, rules: dict[str, access5.Rule], report: Report) -> None:
    """Add a rule that rejects every other sender, unless a map could not be imported: its senders would be rejected."""
    maps = settled.maps.get(Table.ACCESS, ())
    if not rules or any(named.map.is_patterns or named.warns for named in maps):
        report.say(line, lost_reject())
        return
    rules[EVERYBODY] = access5.Rule(line, EVERYBODY, "REJECT")
    report.say(line, changed("reject: the sender rule * REJECT, for every sender without a rule of its own"))


def _text_tables(
    table: Table, settled: Decisions, files: Files, report: Report
) -> Iterator[tuple[NamedTable, tuple[Line, ...]]]:
    """Each table of this kind with its lines, once; lines of pattern tables are reported as impossible."""
    seen: set[str] = set()
    for named in settled.maps.get(table, ()):
        if named.map.file in seen:
            if named.line is not None:
                report.say(named.line, taken(f"{named.map} is read once"))
            continue
        seen.add(named.map.file)
        if named.map.is_patterns:
            for line in _lines(named, Table.PATTERNS, True, files, report):
                report.say(line, impossible(f"patterns for {table} cannot be imported", _REPLACE_PATTERNS))
        else:
            yield named, _lines(named, table, named.map.is_text, files, report)


def _lines(named: NamedTable, table: Table, readable: bool, files: Files, report: Report) -> tuple[Line, ...]:
    """A table's lines. If it cannot be read, the report says so, or for a table that the user named it raises
    CannotImport."""
    try:
        if not readable:
            raise FileNotFoundError(f"tables of type {named.map.type} are not supported")
        lines = files.lines(named.map, table, as_typed=named.line is None and not named.by_default)
    except OSError as fault:
        if named.by_default:
            report.remark(f"{named.map}, Postfix's default for alias_maps, cannot be read: {fault}")
            return ()
        if named.line is None:
            raise CannotImport(f"{named.map}: {fault}") from fault
        instead = "copy the file too and give --root, or write it as a text table and name it"
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
                report.say(line, impossible(f"left out: {fault}", "fix the line and import again"))
        else:
            yield key, draft.row


def _sound_senders(rules: dict[str, access5.Rule], report: Report) -> Iterator[tuple[SenderKey, Row]]:
    for sender, rule in rules.items():
        key, row = (sender, EVERYWHERE), {"sender": sender, "scope": EVERYWHERE, "action": rule.action}
        try:
            SenderRule.from_row(key, row)
        except BadRow as fault:
            report.say(rule.line, impossible(f"left out: {fault}", "fix the line and import again"))
        else:
            yield key, row


def _say_loops(tables: TablesFile, drafts: dict[str, Draft], report: Report) -> None:
    """Report loops that only a pattern closes: the rows alone do not show what it matches, so each one is resolved."""
    if not any("patterns" in row for row in tables.aliases.values()):
        return
    for key, draft in drafts.items():
        address = Address.parse(f"any-other-name{key}" if key.startswith("@") else key)
        rows = Rows()
        while needed := unread([address], rows, tables.domains, 0):
            rows.add(tables.read(needed, ()))
        found = resolve(address, rows, tables.domains, 0)
        for line in draft.lines if found.outcome == "error" else ():
            report.say(line, impossible(f"{found.detail}: its mail would wait", "name the mailbox directly"))


def _remark(asked: ImportRequest, settled: Decisions, rules: dict[str, access5.Rule], report: Report) -> None:
    if rules or asked.main_cf is not None:
        needs = "true; that is the default" if settled.style.parents else "false; with --tables, add --parent-style dot"
        report.remark(f"the stack needs ParentDomainMatchesSubdomains={needs}")
    if settled.screening.row():
        report.remark("[settings] screen mail as soon as you `postern apply`; docs/screening.md says how to test first")
    if asked.main_cf is None:
        return
    for domain in asked.domains:
        if settled.domains.kind(domain) is Kind.OUTSIDE and not list(settled.domains.unread()):
            report.remark(f"{domain} is in no domain list of main.cf; aliases(5) is assumed to apply there")
    if any(settled.domains.kind(domain) is Kind.LOCAL for domain in asked.domains):
        report.remark("users of the box that no alias names have no row: --mailbox NAME=ADDRESS adds one for each")
    if not settled.maps.get(Table.ALIASES):  # alias_maps is set, and empty
        report.remark("no aliases were read: main.cf names none, so give /etc/aliases with --aliases if it was in use")


def _remark_postmasters(asked: ImportRequest, tables: TablesFile, report: Report) -> None:
    """Warn about missing postmaster@ (RFC 5321 4.5.1) and abuse@ (RFC 2142); AWS writes to both."""
    for domain in asked.domains:
        rows = [tables.aliases.get(f"{name}@{domain}") for name in ("postmaster", "abuse")]
        everybody = tables.aliases.get(f"@{domain}", {})
        lost = [
            f"{name}@{domain}"
            for name, row in zip(("postmaster", "abuse"), rows, strict=True)
            if not (everybody.get("destinations") if row is None else row.get("enabled", True))
        ]
        if lost and tables.aliases:
            report.remarks.insert(
                0,
                f"mail for {' and '.join(lost)} reaches no one: add rows, or import again with --mailbox NAME=ADDRESS",
            )
