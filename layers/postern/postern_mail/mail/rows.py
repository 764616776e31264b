"""Rows as people typed them: read leniently, and never ignored in silence.

People edit both tables in the console, so a destination list may be a list, a string set or one comma-separated string,
and a flag may be a boolean or a word. What cannot be parsed is a BadRow that names the row.
"""

import math
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Literal

from .records import dataclass, field

Row = Mapping[str, Any]
SenderKey = tuple[str, str]  # (sender, scope)
# The settings are one item of the alias table, the whitelists of the grey hold two more.
TableName = Literal["settings", "whitelists", "aliases", "senders"]

# Items of the alias table whose keys begin with this are Postern's own, not aliases: readers of the table skip them.
RESERVED = "#"
# Rows of the sender table whose keys begin with this are header rules; no sender has such a key.
HEADER_RULE = "rule:"
MOST_RULES, LAST_RULE = 50, 999  # how many numbers the setting may list, and the largest
PRIVATE = "x_"  # prefix of the owner's own attributes, which are never read
FOREIGN = (PRIVATE, "aws:")  # DynamoDB itself writes aws:rep:... into the items of an older global table
BOOKKEEPING = ("updated_at", "updated_by")  # who wrote a row with the command, and when
MADE_BY = "made_by"  # in a row that no person typed: `learn`, `token NAME`, `link`

_MILLISECONDS = 1e11  # as seconds the year 5138

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


class BadRow(ValueError):
    """A row that cannot be parsed; the message names the table, the row and the fault."""

    def __init__(self, table: str, key: str, fault: str) -> None:
        super().__init__(f"{table} row {key!r}: {fault}")


@dataclass(slots=True)
class Rows:
    """Rows read so far. A key that was read and not found is present with None.

    `understood` holds the alias rows already parsed: an address that many recipients lead to is parsed once.
    """

    aliases: dict[str, Row | None] = field(default_factory=dict)
    senders: dict[SenderKey, Row | None] = field(default_factory=dict)
    destinations: dict[str, Row | None] = field(default_factory=dict)
    understood: dict[str, Any] = field(default_factory=dict, compare=False)

    def add(self, more: "Rows") -> None:
        """Add the rows of another look-up."""
        self.aliases.update(more.aliases)
        self.senders.update(more.senders)
        self.destinations.update(more.destinations)


def is_reserved(key: str) -> bool:
    """Whether a key of the alias table is not an alias's."""
    return key.startswith(RESERVED)


def made_itself(row: Row) -> bool:
    """Whether no person typed the row: a catch-all learned it, or a token or a link in a mail made it."""
    return row.get(MADE_BY) is not None


def is_header_rule(sender: str) -> bool:
    """Whether a key of the sender table is a header rule's."""
    return sender.startswith(HEADER_RULE)


def rule_key(number: int) -> str:
    """The key of a header rule, padded so that keys sort like numbers."""
    return f"{HEADER_RULE}{number:03}"


def texts(value: Any) -> list[str]:
    """The strings in a list, a string set or one comma-separated string. Raises ValueError."""
    if isinstance(value, str):
        parts = value.split(",")
    elif isinstance(value, (set, frozenset)):
        parts = sorted(value)
    elif isinstance(value, (list, tuple)):
        parts = list(value)
    else:
        raise ValueError(f"expected text or a list of texts, found {value!r}")
    if not all(isinstance(part, str) for part in parts):
        raise ValueError(f"expected texts, found {value!r}")
    return [part.strip() for part in parts if part.strip()]


def check_attributes(row: Row, known: Collection[str]) -> None:
    """Raises ValueError for an unknown attribute: it may be `enabled`, misspelt."""
    known_too = (*known, *BOOKKEEPING)
    unknown = [
        name
        for name, value in row.items()
        if value is not None and name not in known_too and not name.startswith(FOREIGN)
    ]
    if unknown:
        raise ValueError(_unknown(sorted(unknown)[0], known))


def _unknown(name: str, known: Collection[str]) -> str:
    import difflib  # noqa: PLC0415 (where something is wrong only)

    meant = difflib.get_close_matches(name.lower(), known, 1)
    hint = f" ({meant[0]}?)" if meant else ""
    return f"unknown attribute {name!r}{hint}; your own attributes begin with {PRIVATE}"


def flag(value: Any) -> bool:
    """A boolean, or a word for one in any case. Raises ValueError."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"expected true or false, found {value!r}")


def epoch(value: Any) -> float:
    """Epoch seconds from a number or its text. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise ValueError(f"expected epoch seconds, found {value!r}")
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ValueError(f"expected epoch seconds, found {value!r}")
    if abs(seconds) >= _MILLISECONDS:
        raise ValueError(f"expected epoch seconds, found {value}, which would be milliseconds")
    return seconds
