"""main.cf: parameters, their values, and the defaults that other values use.

Source: postconf(5). If a parameter is set twice, the last line counts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .macros import BadMacro, expand
from .report import Report, impossible, unneeded, unreadable
from .source import WHITE, Line

_SEPARATORS = f",{WHITE}"
_ASSIGNMENT = re.compile(rf"([^{WHITE}=]+)[{WHITE}]*=[{WHITE}]*(.*)\Z", re.DOTALL)

# Defaults of Postfix 3.7 that other values use, or that matter here.
_DEFAULTS = {
    "alias_database": "$default_database_type:/etc/aliases",
    "alias_maps": "$default_database_type:/etc/aliases",
    "append_dot_mydomain": "${{$compatibility_level} <level {1} ? {yes} : {no}}",
    "compatibility_level": "0",
    "config_directory": "/etc/postfix",
    "data_directory": "/var/lib/postfix",
    "default_database_type": "hash",
    "daemon_directory": "/usr/lib/postfix/sbin",
    "mail_name": "Postfix",
    "meta_directory": "/etc/postfix",
    "mydestination": "$myhostname, localhost.$mydomain, localhost",
    "myorigin": "$myhostname",
    "owner_request_special": "yes",
    "parent_domain_matches_subdomains": (
        "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,"
        "qmqpd_authorized_clients,relay_domains,smtpd_access_maps"
    ),
    "propagate_unmatched_extensions": "canonical, virtual",
    "queue_directory": "/var/spool/postfix",
    "shlib_directory": "/usr/lib/postfix",
    "smtpd_null_access_lookup_key": "<>",
    "virtual_alias_maps": "$virtual_maps",
    "virtual_alias_domains": "$virtual_alias_maps",
    "virtual_mailbox_domains": "$virtual_mailbox_maps",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line `name = value`, before macros are expanded."""

    line: Line
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class MainCf:
    """The parameters that are set, by name."""

    parameters: Mapping[str, Parameter]

    def is_set(self, name: str) -> bool:
        """Whether main.cf sets it."""
        return name in self.parameters

    def value(self, name: str) -> str:
        """The value with all macros expanded, or Postfix's default; "" without either. Raises BadMacro."""
        return " ".join(expand(self._raw(name) or "", self._raw).split())

    def items(self, name: str) -> tuple[str, ...]:
        """The value as a list, separated by commas or white space; `{ }` makes one item. Raises BadMacro."""
        return words(self.value(name))

    @property
    def macros_used(self) -> frozenset[str]:
        """The names that values refer to."""
        values = " ".join(parameter.value for parameter in self.parameters.values())
        return frozenset(re.findall(r"\$[{(]?\s*([A-Za-z0-9_]+)", values))

    def _raw(self, name: str) -> str | None:
        if name in self.parameters:
            return self.parameters[name].value
        if name == "mydomain":
            return self._raw("myhostname") and expand("$myhostname", self._raw).partition(".")[2]
        return _DEFAULTS.get(name)


def parameters(lines: Iterable[Line], report: Report) -> MainCf:
    """The parameters. Reports each line that sets none."""
    found: dict[str, Parameter] = {}
    for line in lines:
        if line.unreadable:
            report.say(line, unreadable(line))
            continue
        read = _ASSIGNMENT.match(line.text)
        if read is None:
            report.say(line, impossible("not `name = value`; Postfix refuses the file", "fix the line or remove it"))
            continue
        name = read[1]
        if name in found:
            earlier = found[name].line
            report.say(earlier, unneeded(f"{name} is set again ({line.place}); Postfix uses the last"))
        found[name] = Parameter(line, name, read[2].strip(WHITE))
    return checked(found, report)


def checked(found: dict[str, Parameter], report: Report) -> MainCf:
    """The parameters without those whose macros Postfix would refuse, which are reported."""
    config = MainCf(found)
    bad: set[str] = set()
    for name, parameter in found.items():
        try:
            config.value(name)
        except BadMacro as fault:
            bad.add(name)
            report.say(parameter.line, impossible(f"Postfix refuses its value: {fault}", "fix the value"))
    return MainCf({name: parameter for name, parameter in found.items() if name not in bad})


def words(value: str) -> tuple[str, ...]:
    """The items of a list; `{ a, b }` is one item and keeps its braces."""
    found: list[str] = []
    depth, item = 0, ""
    for character in value:
        depth = max(0, depth + (character == "{") - (character == "}"))
        if depth == 0 and character in _SEPARATORS:
            found.append(item)
            item = ""
        else:
            item += character
    return tuple(text for text in (*found, item) if text)
