"""Message ids as people type them: whole, or shortened as lists show them."""

import time
from collections.abc import Iterator

from postern_mail.mail.days import A_DAY

from .stack import Stack
from .status import UsageError

SHOWN = 8  # characters in a list
LEAST = 6  # characters; shorter text is taken as an id of its own, not as the start of one
_WHOLE = 32  # characters; SES's ids have 40
_BACK = 40 * A_DAY  # seconds of the ledger that are searched; the bucket keeps mail as long by default


def short_id(message_id: str) -> str:
    """An id as lists show it."""
    return message_id[:SHOWN]


def full_id(stack: Stack, typed: str) -> str:
    """The id that was typed if it is whole, else the one that starts with it in the bucket or in the recent ledger; if
    no id does, the typed text.

    Raises UsageError for an empty id, and if several start with it; Temporary.
    """
    if not typed.strip():
        raise UsageError("an empty id")
    if not LEAST <= len(typed) < _WHOLE:
        return typed
    found = sorted(set(_beginning(stack, typed)))
    if len(found) > 1:
        raise UsageError(f"{len(found)} ids start with {typed!r}: {', '.join(found[:3])}; write more of it")
    return found[0] if found else typed


def _beginning(stack: Stack, typed: str) -> Iterator[str]:
    if stack.get("bucket"):
        from .aws import parts  # noqa: PLC0415 (boto3 takes half a second)

        yield from parts.stored(stack, typed)
    if stack.get("ledger"):
        now = time.time()
        for message in stack.ledger.messages(now - _BACK, now):
            if str(message["message_id"]).startswith(typed):
                yield str(message["message_id"])
