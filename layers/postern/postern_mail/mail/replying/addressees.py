"""To and Cc of a reply: reply addresses become the correspondents, the alias goes, and nobody else may be there.

An alias with a tag is the alias, as it is for mail that comes in.
"""

from collections.abc import Mapping

from ..address import Address
from ..authors import Author, authors, count_mailboxes
from ..message import Message
from ..records import dataclass
from .contact import Contact

NAMES = ("to", "cc")
MAX_LISTED = 16 * 1024  # octets of each that are read
MOST = 49  # SES: 50 recipients of a message


@dataclass(frozen=True, slots=True)
class Addressees:
    """Whom the header names: `contacts` by the name of the field, `others` as they stand there, `fault` what cannot be
    read."""

    contacts: Mapping[str, tuple[Contact, ...]]
    others: tuple[str, ...] = ()
    fault: str = ""


def listed(message: Message) -> tuple[Author, ...]:
    """Everybody in To and Cc that can be read."""
    return tuple(one for name in NAMES for field in message.named(name) for one in authors(field.value[:MAX_LISTED]))


def addressees(message: Message, alias: Address, contacts: Mapping[str, Contact]) -> Addressees:
    """`contacts` has the contact of each reply address by its key; one of another alias is one of the others. A tag
    that has a row of its own is another alias, too, and whoever asks leaves its contacts out."""
    found: dict[str, tuple[Contact, ...]] = {}
    others: list[str] = []
    mine = alias.untagged.key
    for name in NAMES:
        kept: dict[str, Contact] = {}
        for field in message.named(name):
            if len(field.value) > MAX_LISTED:
                return Addressees({}, fault=f"{name.capitalize()} is too long")
            people = authors(field.value)
            if count_mailboxes(field.value) != len(people):
                return Addressees({}, fault=f"{name.capitalize()} has what is no address")
            for person in people:
                contact = contacts.get(person.address.key)
                if contact is not None and contact.alias.untagged.key == mine:
                    kept.setdefault(contact.address.key, contact)
                elif person.address.untagged.key != mine:
                    others.append(str(person.address))
        found[name] = tuple(kept.values())
    if sum(map(len, found.values())) > MOST:
        return Addressees({}, fault=f"more than {MOST} recipients in To and Cc")
    return Addressees(found, tuple(dict.fromkeys(others)))
