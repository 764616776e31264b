"""The thread of a message (RFC 5322 3.6.4), which SES breaks with a Message-ID of its own.

Replies name the Message-ID that their author saw. If References names both, a mail program finds the thread from
either.
"""

import re

from . import fields
from .fields import LINE_LIMIT
from .message import CRLF, Field, Message

_LONGEST = LINE_LIMIT - len(" ")  # octets of an identifier, which is never folded
_IDENTIFIER = re.compile(rb"<[^<>\s\x00-\x20\x7f-\xff]{1,%d}>" % (_LONGEST - len("<>")))
_MOST = 50  # identifiers kept in a rewritten field: the last ones


def is_identifier(value: bytes) -> bool:
    """Whether this is one Message-ID that fits into a line."""
    return _IDENTIFIER.fullmatch(value) is not None


def identifiers(value: bytes) -> list[str]:
    """The identifiers in a field's value, in order, and nothing else; the last 50 of them."""
    return [found.decode("ascii") for found in _IDENTIFIER.findall(value)[-_MOST:]]


def thread_fields(message: Message) -> list[Field]:
    """In-Reply-To and References for a message of ours that replaces this one, to keep its place in the thread."""
    parents, earlier, own = (_first(message, name) for name in ("in-reply-to", "references", "message-id"))
    before = earlier or (parents if len(parents) == 1 else [])
    references = dict.fromkeys((*before, *own))
    written = {"In-Reply-To": parents, "References": list(references)}
    return [fields.field(name, words, CRLF) for name, words in written.items() if words]


def _first(message: Message, name: str) -> list[str]:
    """The identifiers in the first field of this name: SES allows one, and the first is kept."""
    return next((identifiers(one.value) for one in message.named(name)), [])
