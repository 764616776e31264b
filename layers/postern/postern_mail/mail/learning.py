"""Names that a catch-all learns: when it first forwards mail to a name without a row, it writes one for that name.

Such a row has no destinations of its own: its mail still goes where the domain's row leads, and is counted under its
name. A learned row that is disabled or expired ends the search like any other.
"""

import re
from typing import Any

from .address import Address
from .patterns import MAX_PATTERN, compiled
from .records import dataclass
from .rows import Row, flag, is_reserved

BY = "learn"  # made_by of such a row
LEARN, NAMES, LIMIT = "learn", "learn_names", "learn_limit"  # attributes of a domain's row
AT, FROM = "learned_at", "learned_from"  # of a learned row
A_DAY = 50  # names that a domain learns in a UTC day, unless its row says otherwise
MOST_A_DAY = 500  # they are stored in one item: 40 KB
MAX_FROM = 254  # characters of a sender
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}\Z")  # names that people give out; others need a pattern


@dataclass(frozen=True, slots=True)
class Learn:
    """A name to learn: the key of its row, and how many names its domain learns in a day."""

    key: str
    limit: int

    @property
    def domain(self) -> str:
        """The domain whose row learns it."""
        return self.key.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Learning:
    """What a domain's row says about learning: how many names a day, and which, by an RE2 pattern that must match the
    whole name; None for plain ones."""

    limit: int
    names: Any = None

    def takes(self, name: str) -> bool:
        """Whether this name, in lower case and without its tag, may be learned."""
        return bool(self.names.fullmatch(name) if self.names is not None else _PLAIN.match(name))

    def learn(self, recipient: Address) -> Learn | None:
        """What to learn from a recipient that the domain's row matched, None if nothing."""
        if is_reserved(recipient.untagged.key) or not self.takes(recipient.untagged.local.lower()):
            return None
        return Learn(recipient.untagged.key, self.limit)


def learning(key: str, row: Row) -> Learning | None:
    """The row's learning attributes, None if it learns nothing. Raises ValueError."""
    said = {name: row[name] for name in (LEARN, NAMES, LIMIT) if row.get(name) is not None}
    if not said:
        return None
    if not key.startswith("@"):
        raise ValueError(f"{next(iter(said))} belongs in the row of a domain, @domain")
    names, limit = said.get(NAMES), said.get(LIMIT, A_DAY)
    if names is not None and not isinstance(names, str):
        raise ValueError(f"{NAMES}: expected a pattern of at most {MAX_PATTERN} characters, found {names!r}")
    if isinstance(limit, bool) or not str(limit).isdecimal() or not 1 <= int(limit) <= MOST_A_DAY:
        raise ValueError(f"{LIMIT}: expected a number from 1 to {MOST_A_DAY}, found {limit!r}")
    found = Learning(int(limit), None if names is None else compiled(names))
    return found if flag(said.get(LEARN, False)) else None
