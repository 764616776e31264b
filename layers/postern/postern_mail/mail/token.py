"""Tokens: a password manager uses one to ask for a new alias. It determines the alias's domain and destinations.

A token's row is an item of the alias table, but not an alias. Its key is the token's SHA-256, so reading the table
reveals no token, and no comparison leaks one by its timing.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

from .address import Address, InvalidAddress
from .records import dataclass
from .rows import RESERVED, BadRow, Row, texts

ROWS = f"{RESERVED}token:"  # prefix of their rows' keys
TABLE = "tokens"
DAILY = 50  # aliases that a token may make in a day, unless its row says otherwise
MOST_DAILY = 1000
_PREFIX = "postern"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CHOSEN = 43  # letters, 256 bits
# The tokens that addy's extension accepts: 40 to 60 letters and digits (anonaddy/browser-extension, App.vue).
_FORM = re.compile(r"[A-Za-z0-9]{40,60}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}\Z")

Choose = Callable[[Sequence[str]], str]  # picks one of these unpredictably


def new_token(choose: Choose) -> str:
    """A new random token."""
    return _PREFIX + "".join(choose(_LETTERS) for _ in range(_CHOSEN))


def key_of(token: str) -> str | None:
    """The key of a token's row; None for text that is not a token."""
    if not _FORM.match(token):
        return None
    return f"{ROWS}{hashlib.sha256(token.encode('ascii')).hexdigest()}"


def is_name(text: str) -> bool:
    """Whether a token may have this name."""
    return bool(_NAME.match(text))


@dataclass(frozen=True, slots=True)
class Token:
    """A parsed row of a token. `daily` is how many aliases it may make in a day."""

    key: str
    name: str
    domain: str
    destinations: tuple[str, ...]
    daily: int
    created_at: int

    @classmethod
    def from_row(cls, key: str, row: Row) -> "Token":
        """Read a row. Raises BadRow, naming it by the token's name."""
        name = str(row.get("name", ""))
        try:
            domain = Address.parse(f"x@{row.get('domain', '')}").domain
            destinations = tuple(texts(row.get("destinations") or ()))
            if not destinations:
                raise ValueError("it has no destinations")
            return cls(key, name, domain, destinations, _number(row, "daily"), _number(row, "created_at"))
        except (InvalidAddress, ValueError) as fault:
            raise BadRow(TABLE, name, str(fault)) from fault

    @property
    def made_by(self) -> str:
        """The `made_by` of the rows that it makes."""
        return f"token {self.name}"

    def row(self) -> dict[str, Any]:
        """The row to write."""
        return {
            "address": self.key,
            "name": self.name,
            "domain": self.domain,
            "destinations": list(self.destinations),
            "daily": self.daily,
            "created_at": self.created_at,
        }


def _number(row: Row, name: str) -> int:
    try:
        return int(row.get(name, ""))
    except (TypeError, ValueError):
        raise ValueError(f"{name} is not a number: {row.get(name)!r}") from None
