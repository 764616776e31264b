"""To and Cc of a reply: reply addresses become the correspondents, the alias is removed, and no one else may be
there."""

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
    """The addressees in the header: `contacts` by field name, `others` as they stand there, `fault` if a field cannot
    be parsed."""

    contacts: Mapping[str, tuple[Contact, ...]]
    others: tuple[str, ...] = ()
    fault: str = ""


def listed(message: Message) -> tuple[Author, ...]:
    """Everyone in To and Cc that can be parsed."""
    return tuple(one for name in NAMES for field in message.named(name) for one in authors(field.value[:MAX_LISTED]))


def addressees(message: Message, alias: Address, contacts: Mapping[str, Contact]) -> Addressees:
    """The addressees of a reply. `contacts` has the contact of each reply address, by its key; a contact of another
    alias counts as one of the others."""
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
                return Addressees({}, fault=f"{name.capitalize()} holds text that is not an address")
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
