"""master.cf, as far as it changes what happens to mail from outside: master(5).

`-o name=value` of a service overrides main.cf. The services that count are the smtpd that accepts mail from outside
(`smtp` or 25, or behind postscreen the one of type `pass`), and cleanup, local and trivial-rewrite, which handle every
message.
"""

import re
from collections.abc import Iterable, Iterator

from .main_cf import Parameter
from .report import Report, changed, impossible, unneeded
from .source import Line

_WHOLE_WAY = ("cleanup", "local", "trivial-rewrite")
_FIELDS = 8  # service type private unpriv chroot wakeup maxproc command
# The parameters that smtpd itself uses; cleanup and trivial-rewrite decide how addresses are read.
_OF_SMTPD = re.compile(r"smtpd_|content_filter|receive_override_options|parent_domain|milter_|access_map_|maps_rbl_")
_FROM_OUTSIDE = re.compile(r"(?:.*:)?(?:smtp|25)\Z")


def overrides(lines: Iterable[Line], report: Report) -> tuple[Parameter, ...]:
    """The options that count. Reports each line."""
    found: list[Parameter] = []
    for line in lines:
        fields = line.text.split()
        if line.unreadable or len(fields) < _FIELDS:
            report.say(line, impossible(line.unreadable or "not a service of master(5)", "fix the line or remove it"))
        elif not _counts(fields):
            report.say(line, unneeded(f"{fields[0]}: mail from outside does not come through it"))
        else:
            options = [*_options(line)]
            found += [one for one in options if fields[7] != "smtpd" or _OF_SMTPD.match(one.name)]
            if not options:
                report.say(line, unneeded(f"{fields[0]}: it overrides nothing in main.cf"))
            else:
                names = ", ".join(f"{option.name} = {option.value}" for option in options)
                report.say(line, changed(f"{fields[0]}: {names} is used instead of main.cf's value"))
    return tuple(found)


def _counts(fields: list[str]) -> bool:
    name, type_, command = fields[0], fields[1], fields[7]
    if command == "smtpd":
        return type_ == "pass" or (type_ == "inet" and _FROM_OUTSIDE.match(name) is not None)
    return command in _WHOLE_WAY


def _options(line: Line) -> Iterator[Parameter]:
    """`-o name=value`, `-oname=value`, `-o { name = value }`."""
    for one in re.finditer(r"\s-o\s*(?:\{\s*([^{}]*)\}|(\S+))", line.text):
        name, equals, value = (one[1] or one[2]).partition("=")
        if equals:
            yield Parameter(line, name.strip(), value.strip())
