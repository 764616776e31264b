"""The thread a message belongs to (RFC 5322 3.6.4), which SES would tear by a Message-ID of its own.

Replies name the Message-ID that their author saw. Where References carry both, a mail program
finds the way from any of them.
"""

import re

from . import fields
from .fields import LINE_LIMIT
from .message import CRLF, Field, Message

_LONGEST = LINE_LIMIT - len(" ")  # octets of an identifier, which is never folded within
_IDENTIFIER = re.compile(rb"<[^<>\s\x00-\x20\x7f-\xff]{1,%d}>" % (_LONGEST - len("<>")))
_MOST = 50  # identifiers of a field that is written anew: the last ones


def is_identifier(value: bytes) -> bool:
    """Whether this is one Message-ID, and a line can hold it."""
    return _IDENTIFIER.fullmatch(value) is not None


def identifiers(value: bytes) -> list[str]:
    """The identifiers in a field's value, in order, without what else is there; the last 50 of them."""
    return [found.decode("ascii") for found in _IDENTIFIER.findall(value)[-_MOST:]]


def thread_fields(message: Message) -> list[Field]:
    """In-Reply-To and References of a message of ours that stands for this one, in its place in the thread."""
    parents, earlier, own = (_first(message, name) for name in ("in-reply-to", "references", "message-id"))
    before = earlier or (parents if len(parents) == 1 else [])
    references = dict.fromkeys((*before, *own))
    written = {"In-Reply-To": parents, "References": list(references)}
    return [fields.field(name, words, CRLF) for name, words in written.items() if words]


def _first(message: Message, name: str) -> list[str]:
    """The identifiers in the first field of this name: of one that SES takes once, the first stays."""
    return next((identifiers(one.value) for one in message.named(name)), [])
