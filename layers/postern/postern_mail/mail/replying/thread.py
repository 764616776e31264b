"""Threads on both sides (RFC 5322 3.6.4), without revealing a Message-ID of one side to the other.

A reply names only messages that the correspondent has: anything else in its References is SES's id of a forward, or an
id of the owner's mail program, which holds a host name. A response to a reply names SES's id of the reply, which the
owner never saw: the owner's own id is added beside it.
"""

import re
from collections.abc import Collection, Mapping

from .. import fields
from ..message import Field, Message
from ..thread import identifiers
from .contact import mark

_SES = re.compile(r"<([A-Za-z0-9_-]+)@(?:[a-z0-9-]+\.)?amazonses\.com>")
MOST_ASKED = 5  # SES ids looked up for a message, the last ones


def own_thread(message: Message, known: Collection[str], newline: bytes) -> list[Field]:
    """In-Reply-To and References of a reply: the ids in them that the correspondent has (`contact.mark`)."""
    ids = [one for name in ("references", "in-reply-to") for field in message.named(name)[:1]
           for one in identifiers(field.value)]  # fmt: skip
    kept = [one for one in dict.fromkeys(ids) if mark(one) in known]
    if not kept:
        return []
    return [fields.field("In-Reply-To", [kept[-1]], newline), fields.field("References", kept, newline)]


def sent_ids(message: Message) -> tuple[str, ...]:
    """SES's ids of the messages that this one names."""
    said = b" ".join(field.value for name in ("references", "in-reply-to") for field in message.named(name)[:1])
    return tuple(dict.fromkeys(_SES.findall(said.decode("ascii", "replace"))))[-MOST_ASKED:]


def joined(field: Field, own_ids: Mapping[str, str], newline: bytes) -> Field:
    """In-Reply-To or References with the owner's id of each reply that it names: beside SES's id, and in In-Reply-To
    instead of it. `own_ids` has them by SES's id."""
    raw = field.raw
    for found in _SES.finditer(field.raw.decode("latin-1")):
        own = own_ids.get(found[1], "").encode("ascii", "replace")
        if own and own not in raw:
            ses = found[0].encode("ascii")
            raw = raw.replace(ses, own if field.name == "in-reply-to" else ses + newline + b" " + own)
    return Field.read(raw) if raw is not field.raw else field
