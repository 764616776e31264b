"""What a decision may look at in a message's header: display, and forgeable. Nothing is sent to what is read here."""

from dataclasses import dataclass

from .address import Address
from .authors import authors
from .message import Message
from .stamp import NAME, is_among

MAX_HOPS = 50  # Received fields of a message that goes round: hopcount_limit of Postfix

_NOT_AUTOMATIC = b"no"  # RFC 3834 5: what a person sent


@dataclass(frozen=True, slots=True)
class Header:
    """The facts about a header.

    `authors` are those of every From; `hops` counts Received; `is_automatic` says that
    Auto-Submitted tells of a robot (RFC 3834); `stamps` are the values of all loop stamps.
    """

    authors: tuple[Address, ...] = ()
    hops: int = 0
    is_automatic: bool = False
    stamps: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, raw: bytes | Message) -> "Header":
        """Read a message's header; any bytes are a message."""
        message = raw if isinstance(raw, Message) else Message.split(raw)
        robots = (field.value.partition(b";")[0].strip().lower() for field in message.named("auto-submitted"))
        return cls(
            authors=tuple(author.address for field in message.named("from") for author in authors(field.value)),
            hops=len(message.named("received")),
            is_automatic=any(word not in (b"", _NOT_AUTOMATIC) for word in robots),
            stamps=tuple(field.value for field in message.named(NAME.lower())),
        )

    def is_stamped(self, key: bytes, alias: Address) -> bool:
        """Whether we have forwarded this message for this alias before; a counterfeit is no stamp."""
        return is_among(self.stamps, key, alias)
