"""A reply as it goes out: a header built from scratch, with a few fields of the person's message, and the body
unchanged.

Fields not named here stay behind: Received, X-Originating-IP, X-Mailer, User-Agent, Autocrypt, DKIM-Signature, ARC-*,
Sender, Reply-To, List-*, Thread-Index, Disposition-Notification-To, and any that a program may invent. SES writes
Message-ID itself, and Date if there is none.
"""

import re
from collections.abc import Collection, Iterator

from .. import fields
from ..address import Address
from ..address_writer import written
from ..display_names import plain
from ..message import Field, Halves, Message
from ..rewrite import MAX_NAME
from .addressees import Addressees
from .contact import Contact
from .thread import own_thread

_COPIED = (
    "subject", "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-language",
    "content-description",
)  # fmt: skip
# RFC 5322 3.3, without comments, which could hold anything.
_DATE = re.compile(
    rb"(?:[A-Z][a-z]{2},\s*)?\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}\s+\d{2}:\d{2}(?::\d{2})?\s+(?:[+-]\d{4}|GMT|UTC|UT|Z)"
)


def outgoing(
    message: Message, alias: Address, name: str, contact: Contact, people: Addressees, known: Collection[str]
) -> Halves:
    """The reply for one correspondent. `name` is the alias's display name, "" for none; `known` are the marks of
    messages that all its recipients have."""
    header = [*_addressed(message, alias, name, contact, people), *own_thread(message, known, message.newline)]
    return message.halves([*header, *copied(message)])


def copied(message: Message) -> Iterator[Field]:
    """The fields that go out unchanged: the first of each name."""
    for name in _COPIED:
        yield from message.named(name)[:1]


def _addressed(message: Message, alias: Address, name: str, contact: Contact, people: Addressees) -> Iterator[Field]:
    newline = message.newline
    said = fields.shortened(plain(name), MAX_NAME)
    address = f"<{written(alias)}>"
    yield fields.field("From", [*fields.phrase(said), address] if said else [address], newline)
    named = {field: found for field, found in people.contacts.items() if found} or {"to": (contact,)}
    for field, found in named.items():
        yield fields.field(field.capitalize(), _mailboxes(found), newline)
    for date in message.named("date")[:1]:
        if said_at := _DATE.match(date.value):
            yield fields.field("Date", said_at[0].decode("ascii").split(), newline)


def _mailboxes(contacts: Collection[Contact]) -> list[str]:
    words: list[str] = []
    for one in contacts:
        name = fields.shortened(plain(one.name), MAX_NAME)
        words += [*fields.phrase(name), f"<{written(one.address)}>,"] if name else [f"{written(one.address)},"]
    words[-1] = words[-1].removesuffix(",")
    return words
