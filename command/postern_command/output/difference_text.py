"""Changes of rows for people, as a coloured diff, and for programs, as JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tomli_w
from postern_mail.mail.rows import BOOKKEEPING, Row

from ..tables.change import KEY_NAMES, Change
from ..tables.text import in_toml
from ..times import moment
from .columns import one_line
from .terminal import printer

_TIME = "_at"  # how the names of times end
_SIGNS = {"add": "+", "change": "~", "remove": "-"}
_STYLES = {"+": "green", "-": "red", "~": "yellow", "!": "yellow"}


def show(changes: Iterable[Change], *, wide: bool = True) -> None:
    """Print a diff; coloured on a terminal, unless NO_COLOR is set, and cut to its width unless `wide`."""
    say, columns = printer(), one_line(wide=wide)
    for change in changes:
        for line in lines(change):
            say(columns.line([line]), _STYLES.get(line[0]))


def lines(change: Change) -> Iterator[str]:
    """One change: the row's name, then the attributes that come and go, as TOML writes them."""
    yield f"{_SIGNS[change.kind]} {change}"
    before, after = (_attributes(change, row) for row in (change.before, change.after))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield from (f"-   {line}" for line in before.get(name, "").splitlines())
            yield from (f"+   {line}" for line in after.get(name, "").splitlines())


def as_json(change: Change, **more: Any) -> str:
    """One change in one line, and what else there is to say."""
    return json.dumps({
        "change": change.kind,
        "table": change.table,
        **dict(zip(KEY_NAMES[change.table], change.key, strict=True)),
        "before": _told(change, change.before),
        "after": _told(change, change.after),
        **more,
    })  # fmt: skip


def plain(row: Row, *left_out: str) -> dict[str, Any]:
    """A row's attributes by name, but for some; as text where TOML has no form for one."""
    found: dict[str, Any] = {}
    for name in sorted(row):
        if name not in left_out and row[name] is not None:
            try:
                found[name] = in_toml(row[name])
            except ValueError:
                found[name] = repr(row[name])
    return found


def assignment(name: str, value: Any) -> str:
    """`name = value` as TOML writes it, a list in one line if that is short; a time as people write it."""
    if name.endswith(_TIME) and isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{name} = {moment(value)}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        line = f"{name} = [{', '.join(json.dumps(item, ensure_ascii=False) for item in value)}]"
        if len(line) <= 100:
            return line
    return tomli_w.dumps({name: value}).rstrip()


def _told(change: Change, row: Row | None) -> dict[str, Any] | None:
    """A row without its key and without who wrote it."""
    return None if row is None else plain(row, *KEY_NAMES[change.table], *BOOKKEEPING)


def _attributes(change: Change, row: Row | None) -> Mapping[str, str]:
    return {name: assignment(name, value) for name, value in (_told(change, row) or {}).items()}
