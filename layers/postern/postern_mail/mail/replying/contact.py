"""A contact: the row for one alias and one correspondent, to whom the alias's people write through a reply address."""

import hashlib
from collections.abc import Iterable

from ..address import Address
from ..authors import Author, answerable, authors
from ..days import A_DAY
from ..display_names import plain
from ..message import Message
from ..records import dataclass
from ..rewrite import repliable
from ..thread import identifiers

LIFETIME = 365 * A_DAY  # seconds after its last use
TOUCHED_AFTER = A_DAY  # seconds after which a use is recorded again
MOST_CORRESPONDENTS = 10  # of one message that get a reply address
MOST_KNOWN = 100  # messages remembered as known to a contact
_MAX_LOCAL = 40  # characters shown of an address without a name


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact's row; times are epoch seconds. `known` are the marks (`mark`) of messages that the correspondent has,
    oldest first."""

    row_id: str
    alias: Address
    address: Address
    name: str = ""
    used_at: float = 0
    expires_at: float = 0
    is_revoked: bool = False
    known: tuple[str, ...] = ()

    def fault(self, now: float) -> str:
        """Why it cannot be written to, "" if it can."""
        if self.is_revoked:
            return f"the address for {self.address} was revoked"
        return f"the address for {self.address} was not used for a year" if self.expires_at <= now else ""


def correspondents(message: Message, sender: Address | None) -> tuple[Author, ...]:
    """Those to whom a reply to a message goes, by its own Reply-To or From, as far as they should get a row."""
    named = message.named("from")
    people = repliable(message) or answerable(author for one in named for author in authors(one.value))
    if not people and sender is not None and not named:
        people = answerable((Author("", sender),))
    return people[:MOST_CORRESPONDENTS]


def shown(author: Author) -> str:
    """The display name of a reply address in Reply-To: `Betsy at sender.example`."""
    name = plain(author.name) or author.address.local[:_MAX_LOCAL]
    return f"{name} at {author.address.domain}"


def mark(identifier: str) -> str:
    """The stored form of a Message-ID."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:12]


def marks(message: Message) -> tuple[str, ...]:
    """The marks of messages that this one's writer has: itself, and those before it in its thread."""
    return tuple(dict.fromkeys(map(mark, _named(message, "references", "in-reply-to", "message-id"))))


def _named(message: Message, *names: str) -> Iterable[str]:
    return (one for name in names for field in message.named(name)[:1] for one in identifiers(field.value))
