"""Postgrey's own files: its options from a command line, and its whitelists. Source: postgrey(8) 1.37.

The command line is in a systemd unit, in master.cf, or in /etc/default/postgrey, which Debian's unit reads.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from postern_mail.mail.greylist import MAX_LINE, MOST_LINES, Whitelist

from .files import Files
from .maps import Map
from .report import Part, Report, changed, impossible, left_behind, taken, unneeded
from .source import Line, Table

_DELAY, _PASSES = 300, 5  # Postgrey's defaults: seconds, messages
_MOST_DELAY, _MOST_AGE, _MOST_PASSES = 86_400, 365, 1_000
_DEFAULTS = ("/etc/default/postgrey", "/etc/sysconfig/postgrey", "/etc/conf.d/postgrey")
_UNITS = tuple(f"{folder}/systemd/system/postgrey.service" for folder in ("/etc", "/usr/lib", "/lib"))
_CLIENTS, _RECIPIENTS = "whitelist-clients", "whitelist-recipients"
_FOLDERS = ("/etc/postgrey/", "/etc/postfix/postgrey_")  # Debian's, and Postgrey's own
_ENDINGS = ("", ".local")
_COMMAND = re.compile(r"\bpostgrey\b")
_ASSIGNED = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)(\+?)=(.*)\Z", re.DOTALL)
_VALUE_FOLLOWS = ("delay", "max-age", "retry-window", _CLIENTS, _RECIPIENTS, "greylist-text", "greylist-action")
_NO_ANSWER = "SES has already accepted, so there is no SMTP reply to change"
_OTHERS: dict[str, Part] = {
    "retry-window": unneeded("--retry-window: senders are not asked to retry"),
    "greylist-text": unneeded(f"--greylist-text: {_NO_ANSWER}"),
    "greylist-action": unneeded(f"--greylist-action: {_NO_ANSWER}"),
    "hostname": unneeded(f"--hostname: {_NO_ANSWER}"),
    "x-greylist-header": unneeded("--x-greylist-header: the ledger has how long it was held"),
    "privacy": taken("--privacy: only hashes are stored"),
    "lookup-by-subnet": taken("--lookup-by-subnet: the client's network is what counts"),
    "lookup-by-host": left_behind("--lookup-by-host: the client's network counts", "do nothing: it holds less mail"),
}


@dataclass(slots=True)
class Postgrey:
    """What is in Postgrey's files: settings, and the lines of both whitelists."""

    settings: dict[str, object] = field(default_factory=dict)
    clients: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)


def read(files: Files, master_cf: Iterable[Line], report: Report) -> Postgrey:
    """Read Postgrey's files within the root, and its command in master.cf. Reports each line."""
    found = Postgrey()
    options = [*_units(files, report), *_spawned(master_cf), *_defaults(files, report)]
    named: dict[str, list[tuple[str, Line | None]]] = {_CLIENTS: [], _RECIPIENTS: []}
    for line, name, value in options:
        if name in named:
            named[name].append((value, line))
        else:
            report.say(line, _option(name, value, found.settings))
    _say_delay(found.settings, any_options=bool(options), report=report)
    for name, kept in ((_CLIENTS, found.clients), (_RECIPIENTS, found.recipients)):
        for path, naming in named[name] or _usual(name):
            _whitelist(_Named(name, path, naming), kept, files, report)
    return found


def _say_delay(settings: dict[str, object], *, any_options: bool, report: Report) -> None:
    """Report the delay that applies if Postgrey's command line has none, and set it."""
    if not any_options:
        report.remark(
            "Postgrey's options are not in /etc/default/postgrey, a unit or master.cf: held mail waits 60 seconds; for"
            " another time, postern settings set greylist_delay"
        )
    elif "greylist_delay" not in settings:
        settings["greylist_delay"] = _DELAY
        report.remark(f"Postgrey's command line has no --delay: its default of {_DELAY} seconds is used")


@dataclass(frozen=True, slots=True)
class _Named:
    """A whitelist: its option, its path on the box, and the line that names it, None for a default path."""

    name: str
    path: str
    line: Line | None


def _usual(name: str) -> list[tuple[str, Line | None]]:
    """The default paths of a whitelist, Debian's and Postgrey's own."""
    what = name.replace("-", "_")
    return [(f"{folder}{what}{ending}", None) for folder in _FOLDERS for ending in _ENDINGS]


def _whitelist(named: _Named, kept: list[str], files: Files, report: Report) -> None:
    table = Table.POSTGREY_CLIENTS if named.name == _CLIENTS else Table.POSTGREY_RECIPIENTS
    read_lines = Whitelist.clients if named.name == _CLIENTS else Whitelist.recipients
    try:
        lines = files.at(Map("", named.path).path(files.root), table, named.path)
    except OSError as fault:
        if named.line is not None:
            instead = "copy the file too and give --root, or use postern settings whitelist"
            report.say(named.line, left_behind(f"--{named.name}: {named.path}: {fault}", instead))
        return
    if named.line is not None:
        report.say(named.line, taken(f"--{named.name}: {named.path} is read"))
    for one in lines:
        report.say(one, _entry(one, kept, read_lines))


def _entry(line: Line, kept: list[str], read_line: Callable[[Iterable[str]], Whitelist]) -> Part:
    text = line.text.partition("#")[0].strip()
    fix = "write it in another form: postern settings whitelist"
    if line.unreadable or not text.isprintable() or len(text) > MAX_LINE:
        return left_behind(line.unreadable or "not a line of a whitelist", fix)
    if len(kept) >= MOST_LINES:
        return left_behind(f"a whitelist has at most {MOST_LINES} lines", "remove lines that you no longer need")
    try:
        read_line([text])
    except ValueError as fault:
        return left_behind(f"{text}: {fault}", fix)
    if text not in kept:
        kept.append(text)
    return taken(f"{text} is in the whitelist")


def _option(name: str, value: str, settings: dict[str, object]) -> Part:
    """The verdict on one option, which may add to the settings."""
    match name:
        case "delay":
            return _number(name, value, "greylist_delay", 1, _MOST_DELAY, settings)
        case "max-age":
            return _number(name, value, "greylist_max_age", 1, _MOST_AGE, settings)
        case "auto-whitelist-clients":
            return _number(name, value or str(_PASSES), "greylist_auto_whitelist_clients", 0, _MOST_PASSES, settings)
        case "ipv4cidr" | "ipv6cidr":
            same = value == {"ipv4cidr": "24", "ipv6cidr": "64"}[name]
            says = f"--{name}={value}: a client's network is its /24 or /64"
            return taken(says) if same else changed(says)
        case _:
            return _OTHERS.get(name) or unneeded(f"--{name}: how Postgrey runs on the box")


def _number(name: str, value: str, setting: str, least: int, most: int, settings: dict[str, object]) -> Part:
    if not value.isascii() or not value.isdigit():
        return impossible(f"--{name}={value}: not a number", f"postern settings set {setting} NUMBER")
    number = min(max(int(value[:9]), least), most)
    settings[setting] = number
    says = f"--{name}={value}: the setting {setting} is {number}"
    return taken(says) if number == int(value[:9]) else changed(says)


Option = tuple[Line, str, str]


def _units(files: Files, report: Report) -> list[Option]:
    """The options of the systemd unit and its drop-ins: an empty ExecStart clears the earlier ones."""
    found: list[Option] = []
    for path in _UNITS:
        lines = _lines(files, path)
        folder = Map("", f"{_UNITS[0]}.d").path(files.root)
        if lines is None:
            continue
        for drop_in in sorted(folder.glob("*.conf")) if folder.is_dir() else ():
            lines = (*lines, *(_lines(files, f"{_UNITS[0]}.d/{drop_in.name}") or ()))
        for line in lines:
            key, equals, command = line.text.partition("=")
            if key.strip() != "ExecStart" or not equals:
                report.say(line, unneeded("how Postgrey runs on the box"))
                continue
            report.say(line, taken("Postgrey's command line"))
            found = [*found, *_words(line, command)] if command.strip() else []
        break
    return found


def _spawned(lines: Iterable[Line]) -> Iterator[Option]:
    """Postgrey as a service of master.cf: `... spawn user=postgrey argv=/usr/sbin/postgrey ...`."""
    for line in lines:
        _, argv, command = line.text.partition("argv=")
        if argv and _COMMAND.search(command):
            yield from _words(line, command)


def _defaults(files: Files, report: Report) -> Iterator[Option]:
    """The options in shell variables; if one is set twice, the last counts, unless it appends."""
    for path in _DEFAULTS:
        held: dict[str, list[Option]] = {}
        for line in _lines(files, path) or ():
            found = _ASSIGNED.match(line.text)
            if found is None:
                report.say(line, unneeded("it sets nothing"))
                continue
            name, appends, value = found.groups()
            own = [f"${name}", f"${{{name}}}"]
            appended = bool(appends) or any(one in value for one in own)
            text = " ".join(_shell(value))
            options = list(_words(line, text))
            report.say(line, taken(f"{name}: Postgrey's options") if options else unneeded(f"{name}: no option"))
            held[name] = [*(held.get(name, []) if appended else []), *options]
        for options in held.values():
            yield from options


def _lines(files: Files, path: str) -> tuple[Line, ...] | None:
    try:
        return files.at(Map("", path).path(files.root), Table.POSTGREY_OPTIONS, path)
    except OSError:
        return None


def _words(line: Line, text: str) -> Iterator[Option]:
    """(line, option, value) for each option, as Getopt::Long reads a command line."""
    words = iter(_shell(text))
    for word in words:
        if not word.startswith("--") or word == "--":
            continue
        name, equals, value = word[2:].partition("=")
        yield line, name, next(words, "") if not equals and name in _VALUE_FOLLOWS else value


def _shell(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:  # quotes that do not end
        return text.split()
