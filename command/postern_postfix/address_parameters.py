"""The parameters of main.cf that decide how addresses are read, and what becomes of their lines."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from postern_mail.mail.address import RECIPIENT_DELIMITER

from .access5 import Style
from .main_cf import MainCf, Parameter
from .maps import Map
from .parameters import judge
from .report import Part, Report, changed, impossible, taken, unneeded
from .restrictions import LISTS, SenderAccess, restrictions
from .source import Line, Table

SES_MESSAGE_BYTES = 41943040  # 40 MB, with headers: SES's limit for received and for sent mail
_BOX_NAMES = ("localhost", "localhost.localdomain")
_MAPS = {"alias_maps": Table.ALIASES, "virtual_alias_maps": Table.VIRTUAL, "virtual_maps": Table.VIRTUAL}


@dataclass(frozen=True, slots=True)
class Named:
    """A table, and the line of main.cf that names it; None for one that the user named."""

    map: Map
    line: Line | None = None


@dataclass(slots=True)
class Settled:
    """What main.cf decides. Without one, it is what Postfix does by default."""

    destinations: frozenset[str] = frozenset(_BOX_NAMES)  # mydestination
    without_aliases: frozenset[str] = frozenset()  # virtual alias domains and relay domains
    origin: str | None = None
    style: Style = field(default_factory=Style)
    virtual_keeps_tag: bool = True
    alias_keeps_tag: bool = False
    maps: dict[Table, list[Named]] = field(default_factory=dict)


def settle(config: MainCf, domains: Collection[str], given: Collection[Table], report: Report) -> Settled:
    """What the parameters decide; says what became of each line.

    `given` are the tables that the user named: they are read instead of those that main.cf names.
    """
    settled = Settled(
        destinations=frozenset(_domains(config, "mydestination")) | frozenset(_BOX_NAMES),
        without_aliases=frozenset((*_domains(config, "virtual_alias_domains"), *_domains(config, "relay_domains"))),
        origin=config.value("myorigin").lower() or None,
        style=Style("smtpd_access_maps" in _parents(config), config.value("smtpd_null_access_lookup_key") or "<>"),
    )
    _settle_tags(config, settled)
    for parameter in config.parameters.values():
        _say(parameter, config, settled, domains, given, report)
    return settled


def _settle_tags(config: MainCf, settled: Settled) -> None:
    propagates = config.items("propagate_unmatched_extensions")
    tagged = bool(config.value("recipient_delimiter"))
    settled.virtual_keeps_tag = tagged and "virtual" in propagates
    settled.alias_keeps_tag = tagged and "alias" in propagates


def _say(
    parameter: Parameter,
    config: MainCf,
    settled: Settled,
    domains: Collection[str],
    given: Collection[Table],
    report: Report,
) -> None:
    name, line = parameter.name, parameter.line
    if name in _MAPS:
        _follow(_MAPS[name], config.items(name), line, settled, given, report)
    elif name in LISTS:
        for found in restrictions(config.value(name)):
            if isinstance(found, SenderAccess):
                _follow(Table.ACCESS, (str(found.map),), line, settled, given, report)
            else:
                report.say(line, found)
        if not config.value(name):
            report.say(line, unneeded("an empty list"))
    elif name in _DOMAIN_LISTS:
        _say_domains(parameter, config, domains, report)
    elif name in _SAYINGS:
        report.say(line, _SAYINGS[name](config.value(name)))
    elif name in config.macros_used:
        part = judge(name)
        used = unneeded("used to read other values")
        report.say(line, used if part.says.endswith("is not known here") else part)
    else:
        report.say(line, judge(name))


def _follow(
    table: Table, names: Collection[str], line: Line, settled: Settled, given: Collection[Table], report: Report
) -> None:
    if not names:
        report.say(line, unneeded("no table"))
    for name in names:
        if table in given:
            report.say(line, changed(f"{name}: the file that was given for {table} is read instead"))
        else:
            settled.maps.setdefault(table, []).append(Named(Map.parse(name), line))


def _say_domains(parameter: Parameter, config: MainCf, domains: Collection[str], report: Report) -> None:
    name = parameter.name
    box = {*_BOX_NAMES, config.value("myhostname").lower(), f"localhost.{config.value('mydomain')}".lower()}
    tables = {*config.items("virtual_alias_maps"), *config.items("virtual_maps")}
    items = config.items(name)
    if not items:
        report.say(parameter.line, unneeded("no domain"))
    for item in items:
        report.say(parameter.line, _domain(name, item, domains, box, tables))


def _domain(name: str, item: str, domains: Collection[str], box: Collection[str], tables: Collection[str]) -> Part:
    if item.lower() in domains:
        says = f"{item}: aliases(5) holds there" if name == "mydestination" else f"{item}: only virtual(5) holds there"
        return taken(says)
    if item.lower() in box:
        return unneeded(f"{item} is the box itself")
    if item in tables:
        return taken(f"{item}: its lines `domain anything` are domains")
    if ":" in item or "/" in item:
        return impossible(f"{item}: a table of domains is not read", "name each of its domains with --domain")
    return impossible(
        f"{item} is not among the domains", f"import with --domain {item} too, if its mail is to come here"
    )


def _delimiter(value: str) -> Part:
    if value == RECIPIENT_DELIMITER:
        return taken("a tag begins at +")
    if not value:
        return changed("there were no tags; now info+news@ without a row of its own follows info@")
    if RECIPIENT_DELIMITER in value:
        return changed("of these only + begins a tag now")
    return impossible(f"a tag begins at + and not at {value}", "add a row for each tagged address that is in use")


def _propagation(value: str) -> Part:
    return changed(f"{value}: in rows, where a recipient_delimiter is set, as keep_tag")


def _parents_part(value: str) -> Part:
    if "smtpd_access_maps" in value:
        return taken("a domain's sender rule covers what is below it")
    return taken("a domain's sender rule covers the domain alone, and one with a leading dot what is below it")


def _size(value: str) -> Part:
    if not value.isdigit() or not 0 < int(value[:20]) < SES_MESSAGE_BYTES:
        return changed(f"SES takes up to {SES_MESSAGE_BYTES} octets")
    return changed(f"SES takes up to {SES_MESSAGE_BYTES} octets, and no lower limit can be set")


_DOMAIN_LISTS = ("mydestination", "virtual_alias_domains", "relay_domains")
_SAYINGS: dict[str, Callable[[str], Part]] = {
    "recipient_delimiter": _delimiter,
    "propagate_unmatched_extensions": _propagation,
    "parent_domain_matches_subdomains": _parents_part,
    "message_size_limit": _size,
}


def _domains(config: MainCf, name: str) -> list[str]:
    return [item.lower() for item in config.items(name) if ":" not in item and "/" not in item]


def _parents(config: MainCf) -> tuple[str, ...]:
    return config.items("parent_domain_matches_subdomains")
