"""Header rules: the list in their order, a new one, an edit, a move to another number, and one taken away."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from postern_mail.mail.header_rules import CONDITIONS, FIELDS, LARGER, OPERATORS, SIZES, SMALLER
from postern_mail.mail.rows import HEADER_RULE, LAST_RULE, Row, SenderKey, is_header_rule
from postern_mail.mail.senders import EVERYWHERE
from postern_mail.mail.settings import KEY

from ..output.difference_text import assignment, plain
from ..output.listing import Meaning
from ..rule_changes import as_typed, asked, asking, asking_moved, conditions, key_of, moved, verdicts, words
from ..status import Refused, UsageError
from ..tables.change import Change, named
from .asked import Asked
from .desk import Desk
from .edits import Edit, carried_out, seen
from .rendering import Done, Shown, shown

SHOWN = 500  # rules on the page; 50 numbers are asked, in each scope
_LIST = "/header-rules"
_NAMES = {name: FIELDS[name].title() for name in FIELDS}  # of conditions, as a header has them
_LISTED = {"": None, "yes": True, "no": False}  # as the form has it


def header_rules(desk: Desk, _: Asked) -> Shown:
    """The list, in the order in which they are asked."""
    meaning = Meaning(desk.policy, asked=asked(_settings(desk)))
    found = sorted(_all(desk), key=lambda row: (row["sender"], row["scope"]))
    data = {
        "title": "Header rules",
        "rows": [
            {**meaning.sender_object(row), "number": _number(row["sender"]), "holds": _holds(row), "seen": seen(row)}
            for row in found[:SHOWN]
        ],
        "cut": len(found) > SHOWN,
        "everywhere": EVERYWHERE,
        "command": desk.command("rule", "list"),
    }
    return Shown("header_rules.html", data)


def header_rule(desk: Desk, asked_for: Asked) -> Shown:
    """One rule, to be edited, moved or removed."""
    row = _row(desk, asked_for)
    meaning, number = Meaning(desk.policy, asked=asked(_settings(desk))), _number(row["sender"])
    scope = ["--scope", str(row["scope"])] if row["scope"] != EVERYWHERE else []
    data = {
        **_form(row),
        "title": named("senders", _key(row)).capitalize(),
        "row": meaning.sender_object(row),
        "holds": _holds(row),
        "seen": seen(row),
        "last": LAST_RULE,
        "command": desk.command("rule", "list"),
        "move": desk.command("rule", "move", number, "TO", *scope),
        "remove": desk.command("rule", "remove", number, *scope),
    }
    return Shown("header_rule.html", data)


def new(desk: Desk, _: Asked) -> Shown:
    """A form for a rule that is not there."""
    numbers = [int(number) for row in _all(desk) if (number := _number(row["sender"])).isdigit()]
    free = next((one for one in range(10, LAST_RULE, 10) if one > max(numbers, default=0)), "")
    empty = _form({"sender": "", "scope": EVERYWHERE})
    return Shown("new_header_rule.html", {**empty, "title": "New header rule", "number": free, "last": LAST_RULE})


def add(desk: Desk, asked_for: Asked) -> Shown | Done:
    """A rule that is not there, and the setting that has it asked."""
    number = _typed_number(asked_for.text("number"))
    scope = asked_for.text("scope", EVERYWHERE) or EVERYWHERE
    key = key_of(number, scope if scope == EVERYWHERE else desk.stack.with_domain(scope))
    before = desk.edited.tables.read((), [key]).senders[key]
    if before is not None:
        raise Refused(f"{named('senders', key)} is there already")
    row = {"sender": key[0], "scope": key[1], **_typed(asked_for, {})}
    change = Change("senders", key, None, row)
    edit = Edit(change, _command(desk, row), "/header-rule/add", _LIST, along=_asking(desk, add=number))
    return carried_out(desk, asked_for, edit, shown_first=True)


def save(desk: Desk, asked_for: Asked) -> Shown | Done:
    """A rule with another action, other conditions or another note."""
    row = _row(desk, asked_for)
    number = _number(row["sender"])
    after = {name: value for name, value in row.items() if name not in (*CONDITIONS, "action", "note")}
    after |= _typed(asked_for, row)
    along = _asking(desk, add=int(number)) if number.isdigit() else ()
    change = Change("senders", _key(row), row, after)
    edit = Edit(change, _command(desk, after, "--replace"), "/header-rule/save", _page(row), along=along)
    return carried_out(desk, asked_for, edit, shown_first=True)


def move(desk: Desk, asked_for: Asked) -> Shown | Done:
    """A rule under another number."""
    row, number = _row(desk, asked_for), _typed_number(asked_for.text("to"))
    key = (key_of(number, EVERYWHERE)[0], str(row["scope"]))
    added, gone = moved(row, desk.edited.tables.read((), [key]).senders[key], key)
    scope = ["--scope", key[1]] if key[1] != EVERYWHERE else []
    edit = Edit(
        added, desk.command("rule", "move", _number(row["sender"]), str(number), *scope), "/header-rule/move", _LIST,
        along=(gone, *_asking(desk, add=number, remove=row)), shown=gone,
    )  # fmt: skip
    return carried_out(desk, asked_for, edit, shown_first=True)


def remove(desk: Desk, asked_for: Asked) -> Shown | Done:
    """A rule that goes."""
    row = _row(desk, asked_for)
    number = _number(row["sender"])
    scope = ["--scope", str(row["scope"])] if row["scope"] != EVERYWHERE else []
    edit = Edit(
        Change("senders", _key(row), row, None), desk.command("rule", "remove", number, *scope), "/header-rule/remove",
        _LIST, along=_asking(desk, remove=row),
    )  # fmt: skip
    return carried_out(desk, asked_for, edit, shown_first=True)


PAGES = {_LIST: header_rules, "/header-rule": header_rule, "/header-rule/new": new}
ACTIONS = {
    "/header-rule/add": add,
    "/header-rule/save": save,
    "/header-rule/move": move,
    "/header-rule/remove": remove,
}


def _all(desk: Desk) -> list[Row]:
    return [row for row in desk.edited.scan("senders") if is_header_rule(row["sender"])]


def _settings(desk: Desk) -> Row | None:
    return desk.edited.tables.read([KEY], ()).aliases[KEY]


def _asking(desk: Desk, *, add: int | None = None, remove: Row | None = None) -> tuple[Change, ...]:
    """What the live settings say after a rule came or went, or both, which is a move. Those of a file are kept where it
    is written. Raises Refused."""
    if desk.file:
        return ()
    settings = _settings(desk)
    number = _number(remove["sender"]) if remove else ""
    if remove is None or not number.isdigit():
        return asking(settings, add=add)
    last = [row["scope"] for row in _all(desk) if row["sender"] == remove["sender"]] == [remove["scope"]]
    if add is not None:
        return asking_moved(settings, int(number), add, last=last)
    return asking(settings, remove=int(number) if last else None)


def _row(desk: Desk, asked_for: Asked) -> Row:
    """The rule that a form or an address names. Raises Refused if it is not there."""
    key = (asked_for.exact("sender"), asked_for.exact("scope"))
    row = desk.edited.tables.read((), [key]).senders[key] if is_header_rule(key[0]) and key[1] else None
    if row is None:
        raise Refused(f"there is no {named('senders', key) if is_header_rule(key[0]) else 'such header rule'}")
    return row


def _key(row: Row) -> SenderKey:
    return str(row["sender"]), str(row["scope"])


def _page(row: Row) -> str:
    return f"/header-rule?{urlencode({'sender': row['sender'], 'scope': row['scope']})}"


def _number(sender: str) -> str:
    """As people call it; what is no number is left as it is."""
    text = str(sender).removeprefix(HEADER_RULE)
    return str(int(text)) if text.isascii() and text.isdigit() else text


def _typed_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{text!r} is no number of a header rule, 1 to {LAST_RULE}")
    return int(text)


def _holds(row: Row) -> list[str]:
    """What must hold, as TOML writes it."""
    known = plain(row)
    return [assignment(name, known[name]) for name in CONDITIONS if name in known]


def _form(row: Row) -> dict[str, Any]:
    """A rule as the fields of a form."""
    typed, is_listed = as_typed(row), row.get("listed")
    return {
        "rule": str(row.get("action") or ""),
        "scope": row["scope"],
        "texts": [(name, _NAMES[name], typed[name]) for name in FIELDS],
        "sizes": [(name, words, row.get(name)) for name, words in ((LARGER, "Larger than"), (SMALLER, "Smaller than"))],
        "verdicts": typed["verdicts"],
        "listed": next((word for word, value in _LISTED.items() if value is is_listed), ""),
        "note": row.get("note") or "",
        "operators": OPERATORS,
    }


def _typed(asked_for: Asked, row: Row) -> dict[str, Any]:
    """Action, conditions and note as they were typed; what is as it was shown stays as it was written. Raises
    UsageError."""
    before = as_typed(row)
    found = {name: row.get(name) if _is_left(asked_for, name, [str(row.get(name) or "")])
             else asked_for.text(name) for name in ("action", "note")}  # fmt: skip
    if not found["action"]:
        raise UsageError("a rule has an action: TAG and a text, HOLD, REJECT, DISCARD, OK, DUNNO")
    for name in FIELDS:
        is_left = _is_left(asked_for, name, before[name])
        found[name] = row.get(name) if is_left else conditions(_NAMES[name], _lines(asked_for, name))
    for name in SIZES:
        found[name] = _octets(asked_for.text(name), row.get(name))
    is_left = _is_left(asked_for, "verdicts", before["verdicts"])
    found["verdicts"] = row.get("verdicts") if is_left else verdicts(_lines(asked_for, "verdicts"))
    found["listed"] = _LISTED.get(asked_for.text("listed"))
    return {name: value for name, value in found.items() if value is not None and value != ""}


def _is_left(asked_for: Asked, name: str, lines: list[str]) -> bool:
    """Whether a field is as it was shown."""
    return asked_for.exact(name).replace("\r\n", "\n") == shown("\n".join(lines))


def _lines(asked_for: Asked, name: str) -> list[str]:
    """One condition a line: a comma is part of it, and so is a blank at its end."""
    return [line.lstrip() for line in asked_for.exact(name).replace("\r", "").split("\n") if line.strip()]


def _octets(text: str, before: Any) -> Any:
    """Raises UsageError for what is no number."""
    if text == ("" if before is None else str(before)):
        return before
    if text and not (text.isascii() and text.isdigit()):
        raise UsageError(f"{text!r} is no number of octets")
    return int(text) if text else None


def _command(desk: Desk, row: Mapping[str, Any], *more: str) -> str:
    return desk.command("rule", "add", _number(row["sender"]), str(row["action"]), *words(row), *more)
