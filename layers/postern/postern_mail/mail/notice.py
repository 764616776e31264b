"""Messages of our own about one that SES will not send: the original in a wrapper, or a notice.

Both are small and plain, and their headers ASCII, so that nothing the original carried can make
SES refuse them too.
"""

import hashlib
import quopri
from dataclasses import dataclass

from . import fields, stamp
from .address import Address
from .authors import Author, answerable, authors, decode_phrase, unaddressed
from .envelope import Envelope
from .message import CRLF, Field, Message
from .rewrite import MAX_NAME, Style, mailboxes, prepended
from .thread import thread_fields

_MAX_REASON = 500  # octets of SES's words that we repeat
_MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Link:
    """Where the original can be fetched, and until when (ISO 8601, UTC)."""

    url: str
    until: str


def wrapped(raw: bytes, alias: Address, envelope: Envelope, style: Style, reason: str) -> bytes:
    """The original, whole, as message/rfc822 in a clean message (RFC 2046 5.2.1)."""
    boundary = f"postern-{hashlib.sha256(raw).hexdigest()[:32]}"
    text = [
        "The message attached was sent to you through an alias. It is attached because Amazon SES",
        "does not send it as it is:",
        "",
        f"  {_shown(reason, _MAX_REASON)}",
        "",
    ]
    encoding = "7bit" if raw.isascii() else "8bit"
    header = _header(raw, alias, envelope, style, f"multipart/mixed; boundary={boundary}", "Attached", "8bit")
    top = _lines(
        [
            f"--{boundary}",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
            "",
            *text,
            f"--{boundary}",
        ]
    )
    part = _lines(["Content-Type: message/rfc822", f"Content-Transfer-Encoding: {encoding}", ""])
    return b"".join((header, CRLF, top, part, raw, CRLF, _lines([f"--{boundary}--"])))


def notice(raw: bytes, alias: Address, envelope: Envelope, style: Style, *, reason: str, link: Link | None) -> bytes:
    """A text that says what did not come, why, and how to get it."""
    message = Message.split(raw)
    text = [
        f"A message to {alias} could not be forwarded to you.",
        "",
        f"  From:    {_shown(_author(message, envelope), MAX_NAME * 2)}",
        f"  Subject: {_shown(_subject(message), _MAX_SUBJECT)}",
        f"  Size:    {len(raw)} octets",
        f"  Reason:  {_shown(reason, _MAX_REASON)}",
        "",
        "The original is kept. Whoever runs this gate can fetch it with",
        "",
        f"  postern original {envelope.message_id}",
        "",
    ]
    if link is not None:
        text += [f"and you here, until {link.until}:", "", f"  {link.url}", ""]
    header = _header(raw, alias, envelope, style, "text/plain; charset=utf-8", "Not forwarded", "quoted-printable")
    return header + CRLF + _quoted_printable(text)


def _header(  # noqa: PLR0917 (the fields of a header)
    raw: bytes, alias: Address, envelope: Envelope, style: Style, content_type: str, lead: str, encoding: str
) -> bytes:
    message = Message.split(raw)
    subject = fields.shortened(_subject(message), _MAX_SUBJECT)
    written: list[Field] = [
        fields.field("From", [*fields.phrase(f"{alias.domain} mail gate"), f"<{alias}>"], CRLF),
        fields.field("To", [f"<{alias}>"], CRLF),
        fields.field("Subject", fields.unstructured(f"{lead}: {subject}".strip()), CRLF),
        *thread_fields(message),
        fields.field("MIME-Version", ["1.0"], CRLF),
        fields.field("Content-Type", content_type.split(" "), CRLF),
        fields.field("Content-Transfer-Encoding", [encoding], CRLF),
        fields.field("Auto-Submitted", ["auto-generated"], CRLF),
        *prepended(style, CRLF),
        fields.field(stamp.NAME, [stamp.stamp(style.stamp_key, alias)], CRLF),
    ]
    people = _repliable(message, envelope)
    if people:
        written.insert(1, fields.field("Reply-To", mailboxes(people, fields.MAX_LIST), CRLF))
    return b"".join(field.raw for field in written)


def _repliable(message: Message, envelope: Envelope) -> tuple[Author, ...]:
    """Whom an answer should reach, as in the forwarded message itself."""
    for name in ("reply-to", "from"):
        for field in message.named(name):
            if found := answerable(authors(field.value)):
                return found
    return (Author("", envelope.sender),) if envelope.sender and not message.named("from") else ()


def _author(message: Message, envelope: Envelope) -> str:
    for field in message.named("from"):
        for author in authors(field.value):
            return f"{author.name} <{author.address}>" if author.name else str(author.address)
    return next(filter(None, (unaddressed(field.value) for field in message.named("from"))), envelope.source)


def _subject(message: Message) -> str:
    found = message.named("subject")
    return decode_phrase(found[0].value.decode("utf-8", "replace")) if found else ""


def _shown(text: str, octets: int) -> str:
    """Text in one line, cut to so many octets of UTF-8, without what cannot be seen."""
    return fields.shortened(" ".join("".join(one if one.isprintable() else " " for one in text).split()), octets)


def _quoted_printable(text: list[str]) -> bytes:
    """Text of which no line is long, whatever it says: a link is, and must not be broken."""
    return quopri.encodestring(_lines(text).replace(CRLF, b"\n")).replace(b"\n", CRLF)


def _lines(text: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in text).encode("utf-8", "replace")
