"""Changes of header rules, and of the setting that turns them on: for `postern rule` and for the page."""

from collections.abc import Iterable, Mapping
from typing import Any

from postern_mail.mail.header_rules import FIELDS, LARGER, OPERATORS, SMALLER
from postern_mail.mail.keys import scope_key
from postern_mail.mail.rows import LAST_RULE, Row, SenderKey, rule_key
from postern_mail.mail.senders import EVERYWHERE
from postern_mail.mail.settings import KEY, BadSettings, Settings
from postern_mail.mail.verdicts import SCREENED, STATUSES

from .status import Refused, UsageError
from .tables.change import Change, named
from .tables.editor import typed_key, with_attributes


def key_of(number: int, scope: str) -> SenderKey:
    """The key of a header rule. Raises UsageError for a number out of range, and for a scope that is neither `*` nor an
    alias key."""
    if not 1 <= number <= LAST_RULE:
        raise UsageError(f"a header rule has a number from 1 to {LAST_RULE}, not {number}")
    return rule_key(number), EVERYWHERE if scope_key(scope) == EVERYWHERE else typed_key(scope)


def conditions(option: str, typed: Iterable[str]) -> dict[str, list[str]] | None:
    """The conditions on a field, from `HOW TEXT` as typed; None without any. Raises UsageError."""
    found: dict[str, list[str]] = {}
    for one in typed:
        how, _, text = one.partition(" ")
        if how not in OPERATORS or not text:
            raise UsageError(f"{option} {one!r}: expected {', '.join(OPERATORS)}, a space and a text")
        found.setdefault(how, []).append(text)
    return found or None


def verdicts(typed: Iterable[str]) -> dict[str, str | list[str]] | None:
    """The conditions on SES's verdicts, from `NAME=STATUS` as typed; None without any. Raises UsageError."""
    found: dict[str, list[str]] = {}
    for one in typed:
        name, _, status = (part.strip() for part in one.partition("="))
        if name.lower() not in SCREENED or status.upper() not in STATUSES:
            raise UsageError(
                f"--verdict {one!r}: expected one of {', '.join(SCREENED)}, =, and one of {', '.join(STATUSES)}"
            )
        found.setdefault(name.lower(), []).append(status.upper())
    return {name: said[0] if len(said) == 1 else said for name, said in found.items()} or None


def as_typed(row: Row) -> dict[str, list[str]]:
    """A rule's conditions on fields and on verdicts, by name, in the form `HOW TEXT` and `NAME=STATUS`. Conditions
    that have no such form are left out."""
    found = {name: [f"{how} {text}" for how, text in _pairs(row.get(name))] for name in FIELDS}
    return {**found, "verdicts": [f"{name}={status}" for name, status in _pairs(row.get("verdicts"))]}


def words(row: Row) -> list[str]:
    """The options of `postern rule add` that would write this row."""
    typed = as_typed(row)
    found = [word for name in FIELDS for one in typed[name] for word in (f"--{name.replace('_', '-')}", one)]
    for name in (LARGER, SMALLER):
        found += [f"--{name.replace('_', '-')}", str(row[name])] if row.get(name) is not None else []
    found += [word for one in typed["verdicts"] for word in ("--verdict", one)]
    if row.get("listed") is not None:
        found.append("--listed" if row["listed"] else "--not-listed")
    found += ["--scope", str(row["scope"])] if row["scope"] != EVERYWHERE else []
    return found + (["--note", str(row["note"])] if row.get("note") else [])


def moved(before: Row, there: Row | None, key: SenderKey) -> tuple[Change, Change]:
    """The changes that give a rule another key: the new row, and the removal of the old one. Raises Refused if `there`
    is a row with the new key."""
    if there is not None:
        raise Refused(f"{named('senders', key)} already exists; remove it first, or choose another number")
    after = {**before, "sender": key[0], "scope": key[1]}
    return Change("senders", key, None, after), Change("senders", (before["sender"], before["scope"]), before, None)


def asked(settings: Row | None) -> tuple[int, ...] | None:
    """The numbers of the header rules that are on, None if the settings cannot be understood."""
    try:
        return Settings.from_row(settings).rule_numbers
    except BadSettings:
        return None


def asking(before: Row | None, *, add: int | None = None, remove: int | None = None) -> tuple[Change, ...]:
    """The change of the settings that turns a rule on or off; empty if there is none. Raises Refused if the settings
    cannot be understood, or if there would be too many rules."""
    known = asked(before)
    if known is None:
        raise Refused("the settings cannot be understood: `postern settings list` says why")
    wanted = sorted({*known, *((add,) if add else ())} - {remove})
    if list(known) == wanted:
        return ()
    text = ", ".join(map(str, wanted))
    try:
        Settings.from_row({"header_rules": text})
    except BadSettings as fault:
        raise Refused(str(fault)) from fault
    after = with_attributes(before or {"address": KEY}, {"header_rules": text or None})
    return (Change("settings", (KEY,), before, after),)


def asking_moved(before: Row | None, number: int, to: int, *, last: bool) -> tuple[Change, ...]:
    """The same for a rule that gets another number: one that is not asked stays so. `last` is whether no other scope
    has a rule with the old number. Raises Refused."""
    is_asked = number in (asked(before) or ())
    return asking(before, add=to if is_asked else None, remove=number if last else None)


def _pairs(value: Any) -> Iterable[tuple[str, str]]:
    """(key, text) for each text in a table whose values are texts or lists of texts; empty for any other value."""
    if not isinstance(value, Mapping):
        return []
    listed = ((key, [said] if isinstance(said, str) else said) for key, said in value.items())
    return [
        (str(key), str(one))
        for key, said in listed
        if isinstance(said, (list, tuple, set, frozenset))
        for one in (sorted(said) if isinstance(said, (set, frozenset)) else said)
    ]
