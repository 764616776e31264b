"""Header rules: list, add, edit, move to another number, and remove."""

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

SHOWN = 500  # rules on the page; 50 numbers may be on, in each scope
_LIST = "/header-rules"
_NAMES = {name: FIELDS[name].title() for name in FIELDS}  # header field names of conditions
_LISTED = {"": None, "yes": True, "no": False}  # the form's values


def header_rules(desk: Desk, _: Asked) -> Shown:
    """The list, in the order in which the rules apply."""
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
    """One rule, with the forms to edit, move and remove it."""
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
    """The form for a new rule."""
    numbers = [int(number) for row in _all(desk) if (number := _number(row["sender"])).isdigit()]
    free = next((one for one in range(10, LAST_RULE, 10) if one > max(numbers, default=0)), "")
    empty = _form({"sender": "", "scope": EVERYWHERE})
    return Shown("new_header_rule.html", {**empty, "title": "New header rule", "number": free, "last": LAST_RULE})


def add(desk: Desk, asked_for: Asked) -> Shown | Done:
    """Add a rule, and turn it on in the settings."""
    number = _typed_number(asked_for.text("number"))
    scope = asked_for.text("scope", EVERYWHERE) or EVERYWHERE
    key = key_of(number, scope if scope == EVERYWHERE else desk.stack.with_domain(scope))
    before = desk.edited.tables.read((), [key]).senders[key]
    if before is not None:
        raise Refused(f"{named('senders', key)} already exists")
    row = {"sender": key[0], "scope": key[1], **_typed(asked_for, {})}
    change = Change("senders", key, None, row)
    edit = Edit(change, _command(desk, row), "/header-rule/add", _LIST, along=_asking(desk, add=number))
    return carried_out(desk, asked_for, edit, shown_first=True)


def save(desk: Desk, asked_for: Asked) -> Shown | Done:
    """Change a rule's action, conditions or note."""
    row = _row(desk, asked_for)
    number = _number(row["sender"])
    after = {name: value for name, value in row.items() if name not in (*CONDITIONS, "action", "note")}
    after |= _typed(asked_for, row)
    along = _asking(desk, add=int(number)) if number.isdigit() else ()
    change = Change("senders", _key(row), row, after)
    edit = Edit(change, _command(desk, after, "--replace"), "/header-rule/save", _page(row), along=along)
    return carried_out(desk, asked_for, edit, shown_first=True)


def move(desk: Desk, asked_for: Asked) -> Shown | Done:
    """Give a rule another number."""
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
    """Remove a rule."""
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
    """The change of the live settings when a rule is added or removed, or both for a move. For a file, writing the rule
    updates them. Raises Refused."""
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
    """The rule that a form or URL names. Raises Refused if it does not exist."""
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
    """The rule's number without leading zeros; other text is unchanged."""
    text = str(sender).removeprefix(HEADER_RULE)
    return str(int(text)) if text.isascii() and text.isdigit() else text


def _typed_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{text!r} is not a number of a header rule, 1 to {LAST_RULE}")
    return int(text)


def _holds(row: Row) -> list[str]:
    """The conditions, in TOML."""
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
    """The action, conditions and note from the form; fields that were not edited keep their stored form. Raises
    UsageError."""
    before = as_typed(row)
    found = {name: row.get(name) if _is_left(asked_for, name, [str(row.get(name) or "")])
             else asked_for.text(name) for name in ("action", "note")}  # fmt: skip
    if not found["action"]:
        raise UsageError("a rule needs an action: TAG and a text, HOLD, REJECT, DISCARD, OK, DUNNO")
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
    """Whether a field was not edited."""
    return asked_for.exact(name).replace("\r\n", "\n") == shown("\n".join(lines))


def _lines(asked_for: Asked, name: str) -> list[str]:
    """One condition per line; commas and trailing spaces are part of it."""
    return [line.lstrip() for line in asked_for.exact(name).replace("\r", "").split("\n") if line.strip()]


def _octets(text: str, before: Any) -> Any:
    """The number that was typed, None for nothing. Raises UsageError for other text."""
    if text == ("" if before is None else str(before)):
        return before
    if text and not (text.isascii() and text.isdigit()):
        raise UsageError(f"{text!r} is not a number of bytes")
    return int(text) if text else None


def _command(desk: Desk, row: Mapping[str, Any], *more: str) -> str:
    return desk.command("rule", "add", _number(row["sender"]), str(row["action"]), *words(row), *more)
