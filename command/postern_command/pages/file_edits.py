"""Edit rows of a tables file and leave every other line unchanged, comments included."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from postern_mail.errors import Overtaken
from postern_mail.mail.address import alias_key
from postern_mail.mail.keys import scope_key, sender_key
from postern_mail.mail.rows import HEADER_RULE, Row, is_header_rule, rule_key
from postern_mail.mail.senders import EVERYWHERE
from tomlkit.items import AoT, Array

from ..rule_changes import asked
from ..tables.change import KEY_NAMES, Change, Key, named
from ..tables.differences import rows_of, same
from ..tables.file import HEADER_RULES, BadTablesFile, TablesFile, in_seconds
from ..tables.text import toml_attributes

_LINE = 60  # characters of destinations that fit in one line


def write_file(path: Path, *changes: Change) -> None:
    """Change aliases and rules in the file, if they are unchanged since they were read.

    The new file replaces the old one in one step. Raises Overtaken, and BadTablesFile for a file that cannot be read
    before or after.
    """
    read = TablesFile.load(path)
    for change in changes:
        now = rows_of(read, change.table).get(change.key)
        if (now is None) != (change.before is None) or (now and change.before and not same(now, change.before)):
            raise Overtaken(f"{change}: changed in {path} by someone else meanwhile; check it, and try again")
    document = tomlkit.parse(path.read_bytes().decode())
    _edit(document, changes)
    made = path.with_name(f".{path.name}.postern")
    try:
        made.write_bytes(tomlkit.dumps(document).encode())
        read = TablesFile.load(made)
        for change in changes:
            wanted, found = change.after, rows_of(read, change.table).get(change.key)
            if (wanted is None) != (found is None) or (wanted and found and not same(wanted, found)):
                raise BadTablesFile(f"{path}: {named(change.table, change.key)} cannot be written here; edit the file")
        made.chmod(path.stat().st_mode & 0o777)
        os.replace(made, path.resolve())
    finally:
        made.unlink(missing_ok=True)


def _edit(document: Any, changes: Sequence[Change]) -> None:
    if _is_move(changes):
        added, gone = changes
        was_asked = _number(gone.key) in _asked(document)
        _list(document, "rules", gone.key, None, added.key)
        _ask(document, added.key if was_asked else None, gone.key)
        return
    for change in changes:
        row = None if change.after is None else toml_attributes(change.after, *KEY_NAMES[change.table])
        if change.table == "aliases":
            _alias(document, change.key[0], row)
        elif is_header_rule(change.key[0]):
            _list(document, "rules", change.key, row)
            _ask(document, change.key if row else None, None if row else change.key)
        else:
            _list(document, "senders", change.key, row)


def _is_move(changes: Sequence[Change]) -> bool:
    """Whether a header rule only gets another number: then it stays in its place, with its comments."""
    if len(changes) != 2 or not all(one.table == "senders" and is_header_rule(one.key[0]) for one in changes):
        return False
    added, gone = changes
    names = KEY_NAMES["senders"]
    return (
        added.after is not None
        and gone.before is not None
        and gone.after is None
        and added.key[1] == gone.key[1]
        and toml_attributes(added.after, *names) == toml_attributes(gone.before, *names)
    )


def _asked(document: Any) -> tuple[int, ...]:
    """The numbers of header rules in the file's settings; empty if they cannot be understood."""
    return asked({HEADER_RULES: document.get("settings", {}).get(HEADER_RULES)}) or ()


def _ask(document: Any, add: Key | None, gone: Key | None) -> None:
    """Update the header rules in the file's settings, if they name any. If not, all rules of the file are on."""
    settings = document.get("settings", {})
    if settings.get(HEADER_RULES) is None:
        return
    left = {int(one["number"]) for one in document.get("rules", ())}
    numbers = {*_asked(document), *({_number(add)} if add else ())}
    text = ", ".join(map(str, sorted(numbers - ({_number(gone)} - left if gone else set()))))
    if text:
        settings[HEADER_RULES] = text
    else:
        del settings[HEADER_RULES]


def _alias(document: Any, key: str, row: Mapping[str, Any] | None) -> None:
    if "aliases" not in document:
        document["aliases"] = tomlkit.table(is_super_table=True)
    section = document["aliases"]
    spelled = next((one for one in section if alias_key(one) == key), key)
    if row is None:
        del section[spelled]
    elif spelled in section:
        _fill(section[spelled], row)
    else:
        section[spelled] = _fill(tomlkit.table(), row)


def _list(document: Any, name: str, key: Key, row: Mapping[str, Any] | None, moved: Key = ()) -> None:
    """Change, add or remove the rule with this key among `senders` or `rules`; or give it the key it has `moved` to."""
    if not document.get(name):  # also one that is written as an empty list
        document.pop(name, None)
        document[name] = tomlkit.aot()
    section, key_of = document[name], _KEYS[name]
    at = next((number for number, one in enumerate(section) if key_of(one) == key), None)
    if moved:
        section[at]["number"] = _number(moved)
    elif row is None:
        del section[at]
        if not section:
            del document[name]
    elif at is not None:
        _fill(section[at], row, "sender", "number", "scope")
    else:
        made = tomlkit.table() if isinstance(section, AoT) else tomlkit.inline_table()
        named_by = {"number": _number(key)} if name == "rules" else {"sender": key[0]}
        section.append(_fill(made, {**named_by, "scope": key[1], **row}))


def _number(key: Key) -> int:
    return int(key[0].removeprefix(HEADER_RULE))


def _sender_key(row: Mapping[str, Any]) -> tuple[str, str]:
    return sender_key(str(row["sender"])), scope_key(str(row.get("scope", EVERYWHERE)))


def _header_rule_key(row: Mapping[str, Any]) -> tuple[str, str]:
    return rule_key(int(row["number"])), scope_key(str(row.get("scope", EVERYWHERE)))


_KEYS = {"senders": _sender_key, "rules": _header_rule_key}


def _fill(table: Any, row: Row, *kept: str) -> Any:
    """The table with exactly these attributes; unchanged ones keep their comments."""
    for name in [one for one in table if one not in row and one not in kept]:
        del table[name]
    for name, value in row.items():
        if name not in table or in_seconds(name, table[name]) != value:
            table[name] = _item(value)
    return table


def _item(value: Any) -> Any:
    """A value for the file; a table within a row is written in one line, as conditions are."""
    if isinstance(value, dict):
        made = tomlkit.inline_table()
        made.update({name: _item(one) for name, one in value.items()})
        return made
    return _array(value) if isinstance(value, list) else value


def _array(values: list[Any]) -> Array:
    made: Array = tomlkit.item(values)
    if len(str(values)) > _LINE:
        made.multiline(True)
    return made
