"""A change of the live tables: one row before and after."""

from dataclasses import dataclass
from typing import Literal

from postern_mail.mail import aliases, greylist, header_rules, senders, settings
from postern_mail.mail.row_faults import named_rule
from postern_mail.mail.rows import Row, SenderKey, TableName

Key = tuple[str, ...]  # (address,) or (sender, scope)

TABLES: tuple[TableName, ...] = ("settings", "whitelists", "aliases", "senders")
KEY_NAMES: dict[TableName, tuple[str, ...]] = {
    "settings": ("address",),
    "whitelists": ("address",),
    "aliases": ("address",),
    "senders": ("sender", "scope"),
}
# The attributes of a row besides its key (docs/tables.md).
ATTRIBUTES: dict[TableName, tuple[str, ...]] = {
    "settings": tuple(settings.descriptions()),
    "whitelists": (greylist.LINES,),
    "aliases": aliases.ATTRIBUTES,
    "senders": tuple(dict.fromkeys((*senders.ATTRIBUTES, *header_rules.ATTRIBUTES))),
}

_WHITELISTS = {greylist.CLIENTS_KEY: "clients", greylist.RECIPIENTS_KEY: "recipients"}


@dataclass(frozen=True, slots=True)
class Change:
    """One row to write. `before` is None for a new row, `after` is None for a removal."""

    table: TableName
    key: Key
    before: Row | None
    after: Row | None

    @property
    def kind(self) -> Literal["add", "change", "remove"]:
        """What happens to the row."""
        if self.before is None:
            return "add"
        return "remove" if self.after is None else "change"

    def __str__(self) -> str:
        return named(self.table, self.key)


def key_of(table: TableName, row: Row) -> Key:
    """The key of a row in DynamoDB."""
    return tuple(row[name] for name in KEY_NAMES[table])


def named(table: TableName, key: Key) -> str:
    """The name of a row for people."""
    if table == "settings":
        return "settings"
    if table == "whitelists":
        return f"whitelist of {_WHITELISTS.get(key[0], key[0])}"
    if table == "aliases":
        return f"alias {key[0]}"
    return named_rule((key[0], key[1]))


def no_rule(key: SenderKey, scopes: list[str]) -> str:
    """The message that a rule does not exist, with the scopes that have one for the same sender or number."""
    elsewhere = " and ".join("for all aliases" if scope == senders.EVERYWHERE else f"for {scope}" for scope in scopes)
    there = f"; there is one {elsewhere} (--scope)" if scopes else ""
    return f"there is no {named('senders', key)}{there}"
