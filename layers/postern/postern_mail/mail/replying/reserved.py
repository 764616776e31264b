"""The local part of reply addresses, which no alias may have while replies are on.

A reply address is recognised by its token, whatever rows exist. But an alias of this name, or a pattern that matches
it, would give a second meaning to an address that people see every day; and if unknown recipients are refused, the name
has a rule of its own.
"""

from collections.abc import Collection, Iterator, Mapping

from ..address import Address, InvalidAddress
from ..alias_attributes import REPLIES
from ..aliases import Alias
from ..envelope import TOKEN_LENGTH
from ..rows import BadRow, Row
from ..settings import BadSettings, Settings


def reserved_name(rows: Mapping[str, Row], settings: Row | None) -> str:
    """The local part of reply addresses if any alias takes replies, "" if none does."""
    try:
        found = Settings.from_row(settings)
    except BadSettings:
        return ""  # reported elsewhere
    is_on = found.reply != REPLIES[0] or any(row.get("reply") not in (None, REPLIES[0]) for row in rows.values())
    return found.reply_local_part if is_on else ""


def clashes(rows: Mapping[str, Row], settings: Row | None, domains: Collection[str]) -> Iterator[str]:
    """The faults of rows that match the name, as sentences; `rows` is the whole table by key."""
    name = reserved_name(rows, settings)
    for key, row in rows.items() if name else ():
        if key.rpartition("@")[2] in domains and _answers(name, key, row):
            yield (
                f"alias {key}: replies are on, and {name}+...@ is the form of their addresses; remove it, or choose"
                " another name: `postern settings set reply_local_part`"
            )


def concerns(row: Row, settings: Row | None) -> bool:
    """Whether `clashes` needs this row of a large table."""
    name = str((settings or {}).get("reply_local_part") or Settings().reply_local_part)
    return bool(row.get("reply") or row.get("patterns")) or str(row["address"]).startswith((f"{name}@", f"{name}+"))


def _answers(name: str, key: str, row: Row) -> bool:
    if not key.startswith("@"):
        try:
            return Address.parse(key).untagged.local.lower() == name
        except InvalidAddress:
            return False
    try:
        patterns = Alias.from_row(key, row).patterns
        return any(one.expand(f"{name}+{'a' * TOKEN_LENGTH}") is not None for one in patterns)
    except (BadRow, ValueError):
        return False  # reported elsewhere
