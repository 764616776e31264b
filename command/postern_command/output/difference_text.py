"""Changes of rows: for people as a coloured diff, for programs as JSON."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tomli_w
from postern_mail.mail.days import moment
from postern_mail.mail.rows import BOOKKEEPING, HEADER_RULE, Row, is_header_rule
from postern_mail.mail.senders import EVERYWHERE

from ..tables.change import KEY_NAMES, Change
from ..tables.text import in_toml
from .columns import CUT, Column, Columns
from .terminal import printer

_COLUMNS = (Column(1), Column(8), Column(22, 1), Column(20, 3))
_MAIN = {"aliases": "destinations", "senders": "action"}  # what a row is for
_TIME = "_at"  # how the names of times end
_SIGNS = {"add": "+", "change": "~", "remove": "-"}
_STYLES = {"+": "green", "-": "red", "~": "yellow", "!": "yellow"}


def show(changes: Iterable[Change]) -> None:
    """Print a diff; coloured on a terminal, unless NO_COLOR is set."""
    say = printer()
    for change in changes:
        for line in lines(change):
            say(line, _STYLES.get(line[0]))


def show_list(changes: Iterable[Change]) -> bool:
    """Print a line for each change, cut to the width of the terminal; the diff if the output is not a terminal.

    Returns whether anything was cut.
    """
    say, columns, cut = printer(), Columns(_COLUMNS), False
    if columns.wide:
        show(changes)
        return False
    for change in changes:
        sign, what = _SIGNS[change.kind], "; ".join(_what_changes(change))
        printed = [columns.line([sign, *_named(change), what])]
        printed += [columns.below(what)] if columns.narrow and what else []
        cut = cut or any(line.endswith(CUT) for line in printed)
        for line in printed:
            say(line, _STYLES[sign])
    return cut


def _named(change: Change) -> tuple[str, str]:
    """The kind of row and its key, each for a column."""
    if change.table == "senders":
        sender, scope = change.key
        word, name = ("rule", sender.removeprefix(HEADER_RULE)) if is_header_rule(sender) else ("sender", sender)
        return word, name if scope == EVERYWHERE else f"{name} for {scope}"
    if change.table == "whitelists":
        return "grey", str(change)
    return ("settings", "") if change.table == "settings" else ("alias", change.key[0])


def _what_changes(change: Change) -> Iterator[str]:
    """Each attribute that is added, changed or removed; the row's main attribute comes first, without its name."""
    before, after = (_told(change, row) or {} for row in (change.before, change.after))
    main = _MAIN.get(change.table)
    for name in sorted({*before, *after}, key=lambda name: (name != main, name)):
        old, new = before.get(name), after.get(name)
        label = "" if name == main else f"{name} = "
        if change.kind != "change":
            yield f"{label}{_cell(name, new if old is None else old)}"
        elif old is None or new is None:
            yield f"+{label}{_cell(name, new)}" if old is None else f"-{label}{_cell(name, old)}"
        elif isinstance(old, list) and isinstance(new, list) and old != new:
            moved = [f"+{one}" for one in new if one not in old] + [f"-{one}" for one in old if one not in new]
            yield f"{label}{' '.join(moved) or 'in another order'}"
        elif old != new:
            yield f"{label}{_cell(name, old)} -> {_cell(name, new)}"


def _cell(name: str, value: Any) -> str:
    """A value in one line, without TOML's quotes and brackets where it is clear without them."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return re.sub(r"\n\s*", " ", assignment(name, value)).removeprefix(f"{name} = ")


def lines(change: Change) -> Iterator[str]:
    """One change: the row's name, then the attributes that are removed and added, in TOML."""
    yield f"{_SIGNS[change.kind]} {change}"
    before, after = (_attributes(change, row) for row in (change.before, change.after))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield from (f"-   {line}" for line in before.get(name, "").splitlines())
            yield from (f"+   {line}" for line in after.get(name, "").splitlines())


def as_json(change: Change, **more: Any) -> str:
    """One change as a line of JSON, with further members."""
    return json.dumps({
        "change": change.kind,
        "table": change.table,
        **dict(zip(KEY_NAMES[change.table], change.key, strict=True)),
        "before": _told(change, change.before),
        "after": _told(change, change.after),
        **more,
    })  # fmt: skip


def plain(row: Row, *left_out: str) -> dict[str, Any]:
    """A row's attributes by name, except those left out; as text if TOML cannot write a value."""
    found: dict[str, Any] = {}
    for name in sorted(row):
        if name not in left_out and row[name] is not None:
            try:
                found[name] = in_toml(row[name])
            except ValueError:
                found[name] = repr(row[name])
    return found


def assignment(name: str, value: Any) -> str:
    """`name = value` in TOML, a short list in one line; times in readable form."""
    if name.endswith(_TIME) and isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{name} = {moment(value)}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        line = f"{name} = [{', '.join(json.dumps(item, ensure_ascii=False) for item in value)}]"
        if len(line) <= 100:
            return line
    return tomli_w.dumps({name: value}).rstrip()


def _told(change: Change, row: Row | None) -> dict[str, Any] | None:
    """A row without its key and bookkeeping attributes."""
    return None if row is None else plain(row, *KEY_NAMES[change.table], *BOOKKEEPING)


def _attributes(change: Change, row: Row | None) -> Mapping[str, str]:
    return {name: assignment(name, value) for name, value in (_told(change, row) or {}).items()}
