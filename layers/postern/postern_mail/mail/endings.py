"""Aliases that end by themselves: `expires_after` so many forwarded messages, so many days without use, or both."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from .days import A_DAY, formatted
from .records import dataclass
from .rows import texts

AFTER = "expires_after"  # an attribute of an alias
MOST_MESSAGES = 1_000  # their marks stand in one item: 16 KB
LEAST_DAYS, MOST_DAYS = 14, 390  # the owner is told a week before; uses are kept for 400 days
WEEK = 7 * A_DAY
_DATE = "%Y-%m-%d"
_FORM = re.compile(r"([0-9]{1,4}) ?(messages?|days?)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Counted:
    """A row whose messages are counted: its key, and how many messages it takes."""

    key: str
    most: int


@dataclass(frozen=True, slots=True)
class Ending:
    """When an alias ends: after so many messages, after so many days without use; 0 for never."""

    messages: int = 0
    days: int = 0

    def counted(self, key: str) -> Counted | None:
        """The row with this key, if its messages are counted."""
        return Counted(key, self.messages) if self.messages else None

    def __str__(self) -> str:
        parts = [f"{self.messages} messages"] if self.messages else []
        return ", ".join(parts + ([f"{self.days} days without use"] if self.days else []))


def ending(row: Mapping[str, Any]) -> Ending | None:
    """Parse the row's `expires_after`, None if it has none. Raises ValueError."""
    if row.get(AFTER) is None:
        return None
    found: dict[str, int] = {}
    for text in texts(row[AFTER]):
        said = _FORM.match(text)
        what = said[2].lower().rstrip("s") if said else ""
        least, most = (LEAST_DAYS, MOST_DAYS) if what == "day" else (1, MOST_MESSAGES)
        if said is None or what in found or not least <= int(said[1]) <= most:
            raise ValueError(
                f"{AFTER}: expected 1 to {MOST_MESSAGES} messages, {LEAST_DAYS} to {MOST_DAYS} days, or both,"
                f" found {row[AFTER]!r}"
            )
        found[what] = int(said[1])
    return Ending(found.get("message", 0), found.get("day", 0)) if found else None


def mark(message_id: str) -> str:
    """A message's mark in the list of counted ones: 16 characters."""
    return sha256(message_id.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Coming:
    """An ending less than a week away: why, in words, and whether it has come."""

    why: str
    over: bool = False


def coming(expires_at: float | None, ends: Ending | None, since: float, taken: int, now: float) -> Coming | None:
    """The ending of an alias, None if it is over a week away. `since`: its last use, or what counts as one; `taken`:
    messages counted for it."""
    if expires_at is not None and now < expires_at <= now + WEEK:
        return Coming(f"it expires on {formatted(expires_at, _DATE)}")
    if ends is None:
        return None
    at = since + ends.days * A_DAY
    if ends.days and at <= now + WEEK:
        why = f"no mail since {formatted(since, _DATE)}, and it ends after {ends.days} days without"
        return Coming(why, over=at <= now)
    if ends.messages and ends.messages - taken <= max(1, ends.messages // 10):
        return Coming(f"it took {taken} of {ends.messages} messages")
    return None
