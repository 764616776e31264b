"""Tokens: by one, a password manager asks for a new alias. It says in which domain, and where what is made leads.

A token's row is an item of the alias table and no alias. It is found by the token's SHA-256, so that whoever reads the
table learns no token, and nothing is compared that time could tell something about.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

from .address import Address, InvalidAddress
from .records import dataclass
from .rows import RESERVED, BadRow, Row, texts

ROWS = f"{RESERVED}token:"  # what keys of their rows begin with
TABLE = "tokens"
DAILY = 50  # aliases that a token makes in a day, where nobody says another number
MOST_DAILY = 1000
_PREFIX = "postern"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CHOSEN = 43  # letters, 256 bits
# What addy's extension takes for a token: letters and digits, 40 to 60 (anonaddy/browser-extension, App.vue).
_FORM = re.compile(r"[A-Za-z0-9]{40,60}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}\Z")

Choose = Callable[[Sequence[str]], str]  # one of these, so that nobody can guess which


def new_token(choose: Choose) -> str:
    """A token that nobody has had."""
    return _PREFIX + "".join(choose(_LETTERS) for _ in range(_CHOSEN))


def key_of(token: str) -> str | None:
    """The key of a token's row; None for text that is no token."""
    if not _FORM.match(token):
        return None
    return f"{ROWS}{hashlib.sha256(token.encode('ascii')).hexdigest()}"


def is_name(text: str) -> bool:
    """Whether a token may be called so."""
    return bool(_NAME.match(text))


@dataclass(frozen=True, slots=True)
class Token:
    """A token's row, understood. `daily` is how many aliases it makes in a day at most."""

    key: str
    name: str
    domain: str
    destinations: tuple[str, ...]
    daily: int
    created_at: int

    @classmethod
    def from_row(cls, key: str, row: Row) -> "Token":
        """Read a row; raises BadRow, naming it by the token's name."""
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
        """What the rows that it makes say of it."""
        return f"token {self.name}"

    def row(self) -> dict[str, Any]:
        """The row as it is written."""
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
        raise ValueError(f"{name} is no number: {row.get(name)!r}") from None
