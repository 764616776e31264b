"""The parameters of main.cf that decide how addresses are read, and the verdicts on their lines."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from postern_mail.mail.address import RECIPIENT_DELIMITER

from .access5 import Style
from .box import Kind
from .domains import BOX_NAMES, DomainList, Domains, listed
from .files import Files
from .main_cf import MainCf, Parameter
from .maps import Map
from .parameters import judge
from .report import Part, Report, changed, impossible, taken, unneeded, unreadable
from .restrictions import LISTS, RejectOthers, SenderAccess, restrictions
from .screening import Screening, Screens, postscreen
from .source import Line, Table

SES_MESSAGE_BYTES = 41943040  # 40 MB, with headers: SES's limit for received and for sent mail
_MAPS = {
    "alias_maps": Table.ALIASES,
    "virtual_alias_maps": Table.VIRTUAL,
    "virtual_maps": Table.VIRTUAL,
    "virtual_mailbox_maps": Table.MAILBOXES,
    "header_checks": Table.HEADER_CHECKS,
}
_LISTS = {
    "mydestination": Kind.LOCAL,
    "virtual_alias_domains": Kind.ALIAS,
    "virtual_mailbox_domains": Kind.MAILBOX,
    "relay_domains": Kind.RELAY,
}


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table, and the line of main.cf that names it; None if the user gave the table, or Postfix has it by default."""

    map: Map
    line: Line | None = None
    by_default: bool = False
    warns: bool = False  # behind warn_if_reject


@dataclass(slots=True)
class Decisions:
    """What main.cf decides. The defaults are Postfix's, except for what only main.cf can tell."""

    domains: Domains = field(default_factory=lambda: Domains({}))
    origin: str = ""  # $myorigin, "" if unknown
    hosts: frozenset[str] = frozenset()  # names of the box
    mydomain: str = ""  # what is appended to a host name without a dot, "" for nothing
    delimiter: str = RECIPIENT_DELIMITER
    style: Style = field(default_factory=Style)
    virtual_keeps_tag: bool = True
    alias_keeps_tag: bool = False
    included_keeps_tag: bool = False
    owners_hear: bool = True
    everybody: Line | None = None  # the line of main.cf that rejects every sender who is in no map
    maps: dict[Table, list[NamedTable]] = field(default_factory=dict)
    screening: Screening = field(default_factory=Screening)


def decide(
    config: MainCf, domains: Collection[str], given: Collection[Table], files: Files, report: Report
) -> Decisions:
    """What the parameters decide. Reports each line.

    `given` are the tables that the user named, which are read instead of those in main.cf.
    """
    host = config.value("myhostname").lower()
    mydomain = config.value("mydomain").lower()
    settled = Decisions(
        domains=_lists(config, files, mydomain),
        origin=_origin(config, files, report),
        hosts=frozenset(filter(None, (host, f"localhost.{mydomain}"))),
        mydomain=mydomain if config.value("append_dot_mydomain") == "yes" else "",
        delimiter=config.value("recipient_delimiter"),
        style=Style("smtpd_access_maps" in _parents(config), config.value("smtpd_null_access_lookup_key") or "<>"),
        owners_hear=config.value("owner_request_special") != "no",
    )
    propagates = config.items("propagate_unmatched_extensions")
    settled.virtual_keeps_tag = bool(settled.delimiter) and "virtual" in propagates
    settled.alias_keeps_tag = bool(settled.delimiter) and "alias" in propagates
    settled.included_keeps_tag = bool(settled.delimiter) and "include" in propagates
    for parameter in config.parameters.values():
        _say(parameter, config, settled, domains, given, report)
    if not config.is_set("alias_maps") and Table.ALIASES not in given:
        settled.maps[Table.ALIASES] = [NamedTable(Map.parse(config.value("alias_maps")), by_default=True)]
    _say_domain_files(files, domains, report)
    return settled


def _lists(config: MainCf, files: Files, mydomain: str) -> Domains:
    """The domain lists. Tables of virtual(5) are left out: they declare their domains themselves."""
    virtual = {*config.items("virtual_alias_maps"), *config.items("virtual_maps")}
    mailboxes = [Map.parse(item) for item in config.items("virtual_mailbox_maps")]
    styles = _parents(config)

    def reading(map_: Map) -> tuple[Line, ...] | None:
        try:
            if not (map_.is_text or map_.is_patterns or map_.type == "file"):
                return None
            return files.lines(map_, Table.MAILBOXES if map_ in mailboxes else Table.DOMAINS, as_typed=False)
        except OSError:
            return None

    lists = {
        kind: DomainList.read([item for item in config.items(name) if item not in virtual], reading, name in styles)
        for name, kind in _LISTS.items()
    }
    return Domains(lists, frozenset((*BOX_NAMES, f"localhost.{mydomain}")))


def _origin(config: MainCf, files: Files, report: Report) -> str:
    """$myorigin; on Debian it may be a file, of which the first line counts."""
    value = config.value("myorigin")
    if not value.startswith("/"):
        return value.lower()
    try:
        lines = Map("file", value).path(files.root).read_text("utf-8", "replace").split()
    except OSError as fault:
        report.remark(f"myorigin = {value}: {fault.strerror}; bare names are taken as names on the box")
        return ""
    return lines[0].lower() if lines else ""


def _say(
    parameter: Parameter,
    config: MainCf,
    settled: Decisions,
    domains: Collection[str],
    given: Collection[Table],
    report: Report,
) -> None:
    name, line = parameter.name, parameter.line
    if name in _MAPS:
        _follow(_MAPS[name], [NamedTable(Map.parse(one), line) for one in config.items(name)], settled, given, report)
        if not config.items(name):
            report.say(line, unneeded("no table"))
    elif name in LISTS:
        _restrict(config.value(name), line, settled, given, report)
    elif (screens := postscreen(name, config.value(name))) is not None:
        for one in screens:
            _screen(one, line, settled, report)
    elif name in _LISTS:
        _say_domains(parameter, config, settled, domains, report)
    elif name in _SAYINGS:
        report.say(line, _SAYINGS[name](config.value(name)))
    elif name in config.macros_used:
        part = judge(name, config.value(name))
        used = unneeded("used to read other values")
        report.say(line, used if part.says.endswith(": not known here") else part)
    else:
        report.say(line, judge(name, config.value(name)))


def _restrict(value: str, line: Line, settled: Decisions, given: Collection[Table], report: Report) -> None:
    for found in restrictions(value):
        if isinstance(found, SenderAccess):
            _follow(Table.ACCESS, [NamedTable(found.map, line, warns=found.warns)], settled, given, report)
        elif isinstance(found, RejectOthers):
            settled.everybody = line
        else:
            _screen(found, line, settled, report)
    if not value:
        report.say(line, unneeded("an empty list"))


def _screen(found: Screens | Part, line: Line, settled: Decisions, report: Report) -> None:
    if isinstance(found, Screens):
        settled.screening.add(found)
    report.say(line, found.part if isinstance(found, Screens) else found)


def _follow(
    table: Table, named: Collection[NamedTable], settled: Decisions, given: Collection[Table], report: Report
) -> None:
    for one in named:
        if table not in given:
            settled.maps.setdefault(table, []).append(one)
        elif one.line is not None:
            report.say(one.line, changed(f"{one.map}: the file that you gave for {table} is read instead"))


def _say_domains(
    parameter: Parameter, config: MainCf, settled: Decisions, domains: Collection[str], report: Report
) -> None:
    name = parameter.name
    box = {*settled.domains.box, *settled.hosts}
    tables = {*config.items("virtual_alias_maps"), *config.items("virtual_maps")}
    items = config.items(name)
    if not items:
        report.say(parameter.line, unneeded("no domain"))
    for item in items:
        if item in tables:
            part = taken(f"{item}: its lines of the form `domain anything` declare domains")
        elif item in settled.domains.lists[_LISTS[name]].unread:
            says = f"{item}: this table of domains cannot be read, so aliases(5) is assumed to apply at none of them"
            part = impossible(says, "copy the file along and give --root, or write the domains into main.cf")
        elif ":" in item or item.lstrip("!").startswith("/"):
            part = taken(f"{item} is read")
        elif item.lower() in box:
            part = unneeded(f"{item} is the box itself")
        else:
            part = _domain(name, item, domains)
        report.say(parameter.line, part)


def _domain(name: str, item: str, domains: Collection[str]) -> Part:
    if item.lower() not in domains:
        instead = f"import with --domain {item} too, if its mail moves here"
        return impossible(f"{item} is not one of the domains given", instead)
    match _LISTS[name]:
        case Kind.LOCAL:
            return taken(f"{item}: aliases(5) applies there")
        case Kind.ALIAS:
            return taken(f"{item}: only virtual(5) applies there")
        case Kind.MAILBOX:
            return changed(f"{item}: only virtual(5) applies there, as Postern has no mailboxes")
        case _:
            return changed(f"{item}: only virtual(5) applies there, as Postern does not relay to a host behind it")


def _say_domain_files(files: Files, domains: Collection[str], report: Report) -> None:
    for line in files.of(Table.DOMAINS):
        if line.unreadable:
            report.say(line, unreadable(line))
            continue
        names = [name for name in listed(line) if name.lower().lstrip("!") in domains]
        if names:
            report.say(line, taken(f"{', '.join(names)}: main.cf says whether aliases(5) applies there"))
        else:
            report.say(line, unneeded("it names none of the domains given"))


def _delimiter(value: str) -> Part:
    if value == RECIPIENT_DELIMITER:
        return taken("a tag starts at +")
    if not value:
        return changed("there were no tags: the domain's row says where info+news@ goes, see the notes")
    others = "".join(one for one in value if one != RECIPIENT_DELIMITER)
    return changed(f"a tag starts at {others}, by a pattern in each domain's row, and is not passed on")


def _propagation(value: str) -> Part:
    return changed(f"{value}: becomes keep_tag in rows, if recipient_delimiter is set")


def _parents_part(value: str) -> Part:
    if "smtpd_access_maps" in value:
        return taken("a sender rule for a domain covers its subdomains")
    return taken("a sender rule for a domain covers only the domain, one with a leading dot only its subdomains")


def _size(value: str) -> Part:
    if not value.isdigit() or not 0 < int(value[:20]) < SES_MESSAGE_BYTES:
        return changed(f"SES accepts up to {SES_MESSAGE_BYTES} bytes")
    return changed(f"SES accepts up to {SES_MESSAGE_BYTES} bytes; a lower limit cannot be set")


_SAYINGS: dict[str, Callable[[str], Part]] = {
    "recipient_delimiter": _delimiter,
    "propagate_unmatched_extensions": _propagation,
    "parent_domain_matches_subdomains": _parents_part,
    "message_size_limit": _size,
}


def _parents(config: MainCf) -> tuple[str, ...]:
    return config.items("parent_domain_matches_subdomains")
