"""The facts of a message's header that a decision may use. A header is for display, and forgeable: nothing is sent to
an address read here."""

from .address import Address
from .authors import authors, unaddressed
from .message import MAX_HEADER, Message
from .records import dataclass, field
from .robots import answers
from .stamp import NAME, is_among

MAX_HOPS = 50  # Received fields of a message in a loop: hopcount_limit of Postfix
MAX_FIELDS = 5_000  # a megabyte of empty ones is 250,000, each in memory and read for each destination
MAX_PEOPLE = 100_000  # octets of From and Reply-To together: a megabyte of names takes seconds to read


@dataclass(frozen=True, slots=True)
class Header:
    """The facts about a header.

    `authors` are those of every From, `from_fields` counts these fields, and `unaddressed` is the text of From if no
    address can be read in it; `hops` counts Received; `is_automatic` says that it has the marks of an automatic answer,
    and `null_sender` that Return-Path, which SES writes at the top, is `<>`; `stamps` are the values of all loop
    stamps; `subject` is that of every Subject, as it came. `excess` says which limit the header exceeds, "" if none;
    `message` is the message read, and `size` its octets, None if there is none.
    """

    authors: tuple[Address, ...] = ()
    hops: int = 0
    is_automatic: bool = False
    null_sender: bool = False
    stamps: tuple[bytes, ...] = ()
    from_fields: int = 1
    unaddressed: str = ""
    subject: bytes = b""
    excess: str = ""
    message: Message | None = field(default=None, compare=False, repr=False)
    size: int | None = field(default=None, compare=False)

    @classmethod
    def of(cls, raw: bytes | Message) -> "Header":
        """Read a message's header; any bytes are a message."""
        message = raw if isinstance(raw, Message) else Message.split(raw, MAX_HEADER)
        named, excess = message.named("from"), _excess(message)
        read = () if excess else named
        people = tuple(author.address for field in read for author in authors(field.value))
        return cls(
            authors=people,
            hops=len(message.named("received")),
            is_automatic=any(True for _ in answers(message)),
            null_sender=any(not field.value.strip(b"<> \t") for field in message.named("return-path")[:1]),
            stamps=tuple(field.value for field in message.named(NAME.lower())),
            from_fields=len(named),
            subject=b" ".join(field.value for field in message.named("subject")),
            unaddressed="" if people else " ".join(unaddressed(field.value) for field in read),
            excess=excess,
            message=message,
            size=sum(len(one.raw) for one in message.fields) + len(message.rest),
        )

    def is_stamped(self, key: bytes, alias: Address) -> bool:
        """Whether we have forwarded this message for this alias before; a forged stamp does not count."""
        return is_among(self.stamps, key, alias)


def _excess(message: Message) -> str:
    if message.is_cut:
        return f"the header has more than {MAX_HEADER} octets"
    if len(message.fields) > MAX_FIELDS:
        return f"{len(message.fields)} header fields, more than {MAX_FIELDS}"
    people = sum(len(field.raw) for field in message.fields if field.name in ("from", "reply-to"))
    return f"{people} octets of header From and Reply-To, more than {MAX_PEOPLE}" if people > MAX_PEOPLE else ""
