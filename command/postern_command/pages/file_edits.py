"""One row of a tables file changed, and every other line left as somebody wrote it, comments too."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from postern_mail.errors import Overtaken
from postern_mail.mail.address import alias_key
from postern_mail.mail.keys import scope_key, sender_key
from postern_mail.mail.rows import Row
from postern_mail.mail.senders import EVERYWHERE
from tomlkit.items import AoT, Array

from ..tables.change import KEY_NAMES, Change, named
from ..tables.differences import rows_of, same
from ..tables.file import BadTablesFile, TablesFile
from ..tables.text import written

_LINE = 60  # characters of destinations that stand in one line


def write_file(path: Path, change: Change) -> None:
    """Change one alias or sender rule of the file, on the condition that it is as it was read.

    The new file takes the place of the old one at once. Raises Overtaken, and BadTablesFile for a file that cannot be
    read before or after.
    """
    now = rows_of(TablesFile.load(path), change.table).get(change.key)
    if (now is None) != (change.before is None) or (now and change.before and not same(now, change.before)):
        raise Overtaken(f"{change}: edited in {path} by someone else after it was read; look, and try again")
    document = tomlkit.parse(path.read_bytes().decode())
    row = None if change.after is None else written(change.after, *KEY_NAMES[change.table])
    if change.table == "aliases":
        _alias(document, change.key[0], row)
    else:
        _sender(document, change.key, row)
    made = path.with_name(f".{path.name}.postern")
    try:
        made.write_bytes(tomlkit.dumps(document).encode())
        wanted, found = change.after, rows_of(TablesFile.load(made), change.table).get(change.key)
        if (wanted is None) != (found is None) or (wanted and found and not same(wanted, found)):
            raise BadTablesFile(f"{path}: {named(change.table, change.key)} cannot be written here; edit the file")
        made.chmod(path.stat().st_mode & 0o777)
        os.replace(made, path.resolve())
    finally:
        made.unlink(missing_ok=True)


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


def _sender(document: Any, key: tuple[str, ...], row: Mapping[str, Any] | None) -> None:
    if not document.get("senders"):  # also one that is written as an empty list
        document.pop("senders", None)
        document["senders"] = tomlkit.aot()
    section = document["senders"]
    at = next((number for number, one in enumerate(section) if _sender_key(one) == key), None)
    if row is None:
        del section[at]
        if not section:
            del document["senders"]
    elif at is not None:
        _fill(section[at], row, "sender", "scope")
    else:
        sender, scope = key
        made = tomlkit.table() if isinstance(section, AoT) else tomlkit.inline_table()
        section.append(_fill(made, {"sender": sender, "scope": scope, **row}))


def _sender_key(row: Mapping[str, Any]) -> tuple[str, str]:
    return sender_key(str(row["sender"])), scope_key(str(row.get("scope", EVERYWHERE)))


def _fill(table: Any, row: Row, *kept: str) -> Any:
    """The table with these attributes and no others; what is as it was keeps its comment."""
    for name in [one for one in table if one not in row and one not in kept]:
        del table[name]
    for name, value in row.items():
        if name not in table or table[name] != value:
            table[name] = _array(value) if isinstance(value, list) else value
    return table


def _array(values: list[Any]) -> Array:
    made: Array = tomlkit.item(values)
    if len(str(values)) > _LINE:
        made.multiline(True)
    return made
