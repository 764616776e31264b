"""The two tables as the text of a tables file, in one order and one form, so that git shows what changed."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import tomli_w

from ..mail.rows import Row
from .tables_file import TablesFile

# Who wrote a row and when belongs to the live table, not to the file that git keeps.
BOOKKEEPING = ("updated_at", "updated_by")


def toml(tables: TablesFile) -> Iterator[str]:
    """The file piece by piece: domains unless they are those of the keys, aliases by domain and name,
    sender rules by scope and sender."""
    if tables.domains != {_domain(key) for key in tables.aliases}:
        yield tomli_w.dumps({"domains": sorted(tables.domains)})
    for key in sorted(tables.aliases, key=lambda key: (_domain(key), key)):
        yield "\n" + tomli_w.dumps({"aliases": {key: written(tables.aliases[key], "address")}})
    for sender, scope in sorted(tables.senders, key=lambda key: (key[1], key[0])):
        row = written(tables.senders[sender, scope], "sender", "scope")
        yield "\n[[senders]]\n" + tomli_w.dumps({"sender": sender, "scope": scope, **row})


def written(row: Row, *key_names: str) -> dict[str, Any]:
    """A row's attributes as TOML has them, without its key and without who wrote it, by name."""
    left_out = {*key_names, *BOOKKEEPING}
    return {name: _value(row[name]) for name in sorted(row) if name not in left_out and row[name] is not None}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Mapping):
        return {name: _value(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    return value


def _domain(key: str) -> str:
    return key.rpartition("@")[2]
