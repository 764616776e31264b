"""The damper on robots that answer each other through an alias: it counts what keeps coming from the alias's own
destinations.

A member's vacation notice to the member's own list is forwarded like any other mail; ten within ten minutes are a loop,
which no stamp shows if a robot writes a new message each time. So mail that a destination's mailbox sends to its own
alias is counted: automatic messages, and messages with the same subject. Fifteen different mails are not a robot's.
"""

import hashlib
import re
from collections.abc import Collection

from .address import Address
from .envelope import NULL_SENDER, Envelope
from .header import Header
from .records import dataclass
from .senders import counted_as

MOST, WITHIN = 10, 600  # messages, and the seconds within which they count
KEPT = 50  # messages noted at once; more are a loop in any case
AUTOMATIC = "automatic"
_REPLIES = re.compile(rb"(?:(?:re|aw|fwd?|wg|sv|vs|antw|odp|res|tr|auto)\s{0,9}(?:[\[(]\d{1,9}[\])])?\s{0,9}:\s*)+")


@dataclass(frozen=True, slots=True)
class Echo:
    """A message from a destination to its own alias. `whom` is the sender: the destination, and the domain it counts
    for, so that a stranger cannot use up another sender's count by forging its name; `what`: `automatic`, or a digest
    of the subject."""

    alias: Address
    whom: str
    what: str


def echo(
    envelope: Envelope, header: Header, alias: Address, destinations: Collection[Address], tag: str = ""
) -> Echo | None:
    """What a message counts as, None if it comes from elsewhere. `tag` is what we put before subjects."""
    own = {destination.untagged.key for destination in destinations}
    senders = (one.untagged.key for one in (envelope.sender, *header.authors) if one is not None)
    found = next((one for one in senders if one in own), None)
    if found is None:
        return None
    what = AUTOMATIC if is_automatic(envelope, header) else subject(header.subject, tag)
    return Echo(alias, f"{found} {counted_as(envelope)}".rstrip(), what)


def is_automatic(envelope: Envelope, header: Header) -> bool:
    """Whether the message says that no person wrote it."""
    return header.is_automatic or header.null_sender or envelope.source == NULL_SENDER


def subject(raw: bytes, tag: str = "") -> str:
    """A digest of a subject: the same for a reply to it, and for a reply to that."""
    words = b" ".join(raw.lower().split())
    if tag:
        words = b" ".join(words.replace(b" ".join(tag.lower().encode().split()), b" ").split())
    return hashlib.sha256(_REPLIES.sub(b"", words, count=1)).hexdigest()[:16]


def noted(message_id: str, at: float) -> str:
    """The note for a message: the same however often it is tried."""
    return f"{int(at)} {message_id}"


def is_over(notes: Collection[str], mark: str) -> bool:
    """Whether this message is one too many, given all notes of its kind: those before it count."""
    at = _at(mark)
    return sum(1 for one in notes if at - WITHIN < _at(one) and (_at(one), one) < (at, mark)) >= MOST


def reason(found: Echo) -> str:
    """The reason, for people."""
    kind = "automatic messages" if found.what == AUTOMATIC else "messages with one subject"
    whom = found.whom.split()[0]
    return f"more than {MOST} {kind} within {WITHIN // 60} minutes from {whom}, a destination of this alias"


def outdated(notes: Collection[str], now: float) -> set[str]:
    """Notes that are too old to matter."""
    return {one for one in notes if _at(one) <= now - 2 * WITHIN}


def _at(text: str) -> int:
    return int(text.partition(" ")[0])
