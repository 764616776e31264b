"""A row that is to be written: shown first, with what is wrong and the command, then written if nobody was faster."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from postern_mail.errors import Overtaken
from postern_mail.mail.rows import BOOKKEEPING, Row

from ..output.difference_text import lines, plain
from ..tables.change import KEY_NAMES, Change
from ..tables.editor import findings
from .asked import Asked
from .desk import Desk
from .rendering import Done, Shown

NOTHING = "null"  # a row that was not there when it was looked at


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that a person wants, the command for it, what sends it again, and where it leads when it is done."""

    change: Change
    command: str
    action: str
    back: str


def seen(row: Row | None) -> str:
    """A row as a form carries it, to find later whether somebody has changed it."""
    return NOTHING if row is None else json.dumps(plain(row, *BOOKKEEPING), sort_keys=True)


def carried_out(desk: Desk, asked: Asked, edit: Edit, *, shown_first: bool) -> Shown | Done:
    """The change as a page to look at, or written: at once unless it is to be shown first. Raises BadTablesFile,
    Temporary."""
    change = edit.change
    was = asked.exact("seen")
    if was and was != seen(change.before):
        return _overtaken(desk, asked, edit, was)
    found = findings(change, desk.edited.tables, desk.policy)
    if found.faults or (shown_first and asked.text("do") != "write"):
        return _shown(desk, asked, edit, found.faults, found.warnings)
    try:
        desk.edited.write(change)
    except Overtaken:
        return _overtaken(desk, asked, edit, seen(change.before))
    return Done(_said(desk, change), edit.command, edit.back, tuple(found.warnings))


def now(desk: Desk, change: Change) -> Row | None:
    """The row of a change as it is now."""
    rows = desk.edited.tables.read((), [change.key]) if change.table == "senders" else None  # type: ignore[list-item]
    if rows is not None:
        return rows.senders[change.key]  # type: ignore[index]
    return desk.edited.tables.read([change.key[0]], ()).aliases[change.key[0]]


def _overtaken(desk: Desk, asked: Asked, edit: Edit, was: str) -> Shown:
    """Somebody else was faster: what he changed, and what this one would change now. Nothing was written."""
    current = now(desk, edit.change)
    before = _row(edit.change, was)
    meanwhile = [*lines(Change(edit.change.table, edit.change.key, before, current))]
    mine = Edit(
        Change(edit.change.table, edit.change.key, current, edit.change.after), edit.command, edit.action, edit.back
    )
    found = findings(mine.change, desk.edited.tables, desk.policy)
    return _shown(desk, asked, mine, found.faults, found.warnings, meanwhile)


def _row(change: Change, was: str) -> Row | None:
    try:
        read = json.loads(was)
    except ValueError:
        return None
    return dict(zip(KEY_NAMES[change.table], change.key, strict=True)) | read if isinstance(read, dict) else None


def _shown(
    desk: Desk, asked: Asked, edit: Edit, faults: list[str], warnings: list[str], meanwhile: Sequence[str] = ()
) -> Shown:
    change = edit.change
    sent = [(name, value) for name, values in asked.fields.items() if name not in ("seen", "do") for value in values]
    data: dict[str, Any] = {
        "title": f"{change.kind.capitalize()} {change}",
        "lines": list(lines(change)),
        "meanwhile": list(meanwhile),
        "faults": faults,
        "warnings": warnings,
        "command": edit.command,
        "action": edit.action,
        "back": edit.back,
        "sent": sent,
        "seen": seen(change.before),
        "goes_to": str(desk.file or "the live tables"),
    }
    return Shown("change.html", data, 409 if meanwhile else 422 if faults else 200)


def _said(desk: Desk, change: Change) -> str:
    done = {"add": "added", "change": "changed", "remove": "removed"}[change.kind]
    return f"{change} is {done} in {desk.file}; it is not live yet" if desk.file else f"{change} is {done}"
