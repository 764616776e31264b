"""Attributes of an alias's row beyond its destinations: replies, names that a catch-all learns, its end."""

from typing import Any

from .address import Address, InvalidAddress
from .rows import Row, texts

LEARNED_AT = "learned_at"
LEARNING = ("learn", "learn_names", "learn_limit", LEARNED_AT, "learned_from")  # mail.learning
ENDING = "expires_after"  # mail.endings
REPLIES = ("off", "author")  # of `reply`: whether a reply address stands for a correspondent (mail.replying)
_MAX_NAME = 60  # characters


def reply_fields(row: Row) -> dict[str, Any]:
    """The fields of an alias about replies; raises ValueError."""
    found: dict[str, Any] = {}
    if (reply := row.get("reply")) is not None:
        if reply not in REPLIES:
            raise ValueError(f"reply: expected {' or '.join(REPLIES)}, found {reply!r}")
        found["reply"] = reply
    if row.get("also_from"):
        found["also_from"] = tuple(map(_replier, texts(row["also_from"])))
    if (name := row.get("name")) is not None:
        if not isinstance(name, str) or not name.isprintable() or len(name) > _MAX_NAME or "@" in name:
            raise ValueError(f"name: expected at most {_MAX_NAME} characters in one line without @, found {name!r}")
        found["name"] = name
    return found


def _replier(text: str) -> Address:
    """Raises ValueError for text that is not an address."""
    try:
        return Address.parse(text)
    except InvalidAddress:
        raise ValueError(f"also_from: {text!r} is not a mail address") from None


def learning_fields(key: str, row: Row) -> dict[str, Any]:
    """The fields of an alias about names that are learned and its end; raises ValueError."""
    found: dict[str, Any] = {}
    if any(row.get(name) is not None for name in LEARNING):
        from .learning import learning  # noqa: PLC0415 (for who learns only)

        found["learning"] = learning(key, row)
    if row.get(ENDING) is not None:
        from .endings import ending  # noqa: PLC0415 (for what ends only)

        found["ending"] = ending(row)
    return found
