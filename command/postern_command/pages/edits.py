"""Edits of rows: shown first, with faults and the command, then written unless someone else changed the row."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from postern_mail.errors import Overtaken
from postern_mail.mail.rows import BOOKKEEPING, Row

from ..output.difference_text import lines, plain
from ..tables.change import KEY_NAMES, Change
from ..tables.editor import findings
from .asked import Asked
from .desk import Desk
from .rendering import Done, Shown

NOTHING = "null"  # a row that did not exist when it was shown


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to make, the equivalent command, the action that repeats it, and the page to return to.

    `along` are changes that must be made together with it; `shown` is the one whose row the form was about.
    """

    change: Change
    command: str
    action: str
    back: str
    along: tuple[Change, ...] = ()
    shown: Change | None = None

    @property
    def about(self) -> Change:
        """The change of the row that the form was about."""
        return self.shown or self.change


def seen(row: Row | None) -> str:
    """A row in the form that forms carry, to detect later whether someone changed it."""
    return NOTHING if row is None else json.dumps(plain(row, *BOOKKEEPING), sort_keys=True)


def carried_out(desk: Desk, asked: Asked, edit: Edit, *, shown_first: bool) -> Shown | Done:
    """Show a change on a page, or write it; it is written at once unless `shown_first`. Raises BadTablesFile,
    Temporary."""
    change = edit.change
    was = asked.exact("seen")
    if was and was != seen(edit.about.before):
        return _overtaken(desk, asked, edit, was)
    found = findings(change, desk.edited.tables, desk.policy)
    if found.faults or (shown_first and asked.text("do") != "write"):
        return _shown(desk, asked, edit, found.faults, found.warnings)
    try:
        desk.edited.write(change, *edit.along)
    except Overtaken:
        return _overtaken(desk, asked, edit, seen(edit.about.before))
    return Done(_said(desk, edit), edit.command, edit.back, tuple(found.warnings))


def now(desk: Desk, change: Change) -> Row | None:
    """The current row of a change."""
    rows = desk.edited.tables.read((), [change.key]) if change.table == "senders" else None  # type: ignore[list-item]
    if rows is not None:
        return rows.senders[change.key]  # type: ignore[index]
    return desk.edited.tables.read([change.key[0]], ()).aliases[change.key[0]]


def _overtaken(desk: Desk, asked: Asked, edit: Edit, was: str) -> Shown:
    """The page for a row that someone else changed first: their change, and what this one would change now."""
    about = edit.about
    current = now(desk, about)
    meanwhile = [*lines(Change(about.table, about.key, _row(about, was), current))]
    mine = replace(edit, change=replace(edit.change, before=current)) if edit.shown is None else edit
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
    change, along = edit.change, edit.along
    sent = [(name, value) for name, values in asked.fields.items() if name not in ("seen", "do") for value in values]
    data: dict[str, Any] = {
        "title": f"Move {edit.shown}" if edit.shown else f"{change.kind.capitalize()} {change}",
        "lines": [line for one in (change, *along) for line in lines(one)],
        "meanwhile": list(meanwhile),
        "faults": faults,
        "warnings": warnings,
        "command": edit.command,
        "action": edit.action,
        "back": edit.back,
        "sent": sent,
        "seen": seen(edit.about.before),
        "goes_to": str(desk.file or "the live tables"),
    }
    return Shown("change.html", data, 409 if meanwhile else 422 if faults else 200)


def _said(desk: Desk, edit: Edit) -> str:
    change = edit.change
    done = {"add": "added", "change": "changed", "remove": "removed"}[change.kind]
    said = f"{edit.shown} is now {change}" if edit.shown else f"{change} is {done}"
    return f"{said} in {desk.file}; it is not live yet" if desk.file else said
