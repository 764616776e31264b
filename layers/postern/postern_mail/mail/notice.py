"""Messages of our own about a message that SES refuses to send: the original as an attachment, or a notice.

All are small and plain, with ASCII headers, so that nothing from the original can make SES refuse them too.
"""

import base64
import hashlib
from collections.abc import Iterator

from . import fields, stamp
from .address import Address
from .address_writer import is_taken
from .authors import Author, answerable, authors, decode_phrase, unaddressed
from .days import moment
from .envelope import Envelope
from .gate_mail import addressed, quoted_printable
from .message import CRLF, Message
from .repair import stamps
from .rewrite import MAX_NAME, Style, mailboxes, prepended, repliable
from .thread import thread_fields

_MAX_REASON = 500  # octets of SES's words that we repeat
_MAX_SUBJECT = 200
_LINE = 57  # octets in a line of base64: 76 characters (RFC 2045 6.8)
_CHUNK = 1024 * _LINE
_FILE_NAME = "message.eml"
Link = tuple[str, float] | None  # where the message can be fetched, and until when (epoch seconds)
_FRAME = 100_000  # octets at most around an attached original, mainly the header's lists


def attached_size(octets: int) -> int:
    """Upper bound of the octets of a message that attaches an original of this size."""
    return octets // _LINE * 78 + _FRAME


def attached(raw: bytes, alias: Address, envelope: Envelope, style: Style, reason: str) -> bytes:
    """The original, whole, as a file that SES does not look into.

    As message/rfc822 (RFC 2046 5.2.1), which allows no base64, SES would find in it again what it refused.
    """
    boundary = f"postern-{hashlib.sha256(raw).hexdigest()[:32]}"
    message = Message.split(raw)
    text = [
        "The attached message was sent to you through an alias. It is attached because Amazon SES",
        "refuses to send it unchanged:",
        "",
        f"  {_shown(reason, _MAX_REASON)}",
        "",
        *_unanswerable(message),
    ]
    header = _header(message, alias, envelope, style, f"multipart/mixed; boundary={boundary}", "Attached", "7bit")
    top = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", ""]
    part = [
        f'Content-Type: application/octet-stream; name="{_FILE_NAME}"',
        f'Content-Disposition: attachment; filename="{_FILE_NAME}"',
        "Content-Transfer-Encoding: base64",
        "",
    ]
    line, last = f"--{boundary}", f"--{boundary}--"
    return b"".join(
        (
            header,
            CRLF,
            _lines([line, *top]),
            quoted_printable(text),
            _lines([line, *part]),
            *_base64(raw),
            _lines([last]),
        )
    )


def notice(raw: bytes, alias: Address, envelope: Envelope, style: Style, reason: str, link: Link = None) -> bytes:
    """A text that says what came, why it was not forwarded, and how to get it."""
    message = Message.split(raw)
    text = [
        f"A message to {_shown(str(alias), MAX_NAME)} came in, but could not be forwarded to you.",
        "",
        f"  From:    {_shown(_author(message, envelope), MAX_NAME * 2)}",
        f"  Subject: {_shown(_subject(message), _MAX_SUBJECT)}",
        f"  Size:    {len(raw)} octets",
        "",
        *_unanswerable(message),
        *_what_to_do(alias, envelope, style, reason, link),
    ]
    header = _header(message, alias, envelope, style, "text/plain; charset=utf-8", "Not forwarded", "quoted-printable")
    return header + CRLF + quoted_printable(text)


def bare_notice(alias: Address, envelope: Envelope, style: Style, reason: str, link: Link = None) -> bytes:
    """A notice whose header holds nothing from outside: From, To, Subject and our stamp are all ours."""
    header = (
        *addressed(alias, alias),
        fields.field("Subject", fields.unstructured("A message was not forwarded"), CRLF),
        fields.field("Auto-Submitted", ["auto-generated"], CRLF),
        fields.field(stamp.NAME, [stamp.stamp(style.stamp_key, alias)], CRLF),
    )
    text = [
        f"A message to {_shown(str(alias), MAX_NAME)} came in, but could not be forwarded to you.",
        "",
        *_what_to_do(alias, envelope, style, reason, link),
    ]
    body = "".join(f"{line}\r\n" for line in text).encode("ascii", "replace")
    return b"".join((*(field.raw for field in header), CRLF, body))


def _what_to_do(alias: Address, envelope: Envelope, style: Style, reason: str, link: Link) -> list[str]:
    fetch = []
    if link:
        fetch = [
            f"The message is kept until {moment(link[1])}. Until then you can save it from this page:",
            "",
            f"  {link[0]}",
            "",
            "Anyone who has this link can do so: do not forward it.",
            "",
        ]
    return [
        f"Why it is not here: {_why(reason)}",
        "",
        f"  {_shown(reason, _MAX_REASON)}",
        "",
        *fetch,
        f"The message is kept. The owner of {alias.domain}'s mail can fetch it for you, with this command:",
        "",
        f"  postern original {envelope.message_id} --stack {style.stack} > {_FILE_NAME}",
        "",
    ]


def _why(reason: str) -> str:
    """SES's reason in plain words."""
    if "more than is sent whole" in reason:
        return "It is too large to send."
    if "attachment" in reason.lower():
        return "It has an attachment of a kind that Amazon SES does not send."
    return "Amazon SES does not send it."


def _header(  # noqa: PLR0917 (the fields of a header)
    message: Message, alias: Address, envelope: Envelope, style: Style, content_type: str, lead: str, encoding: str
) -> bytes:
    subject = fields.shortened(_subject(message), _MAX_SUBJECT)
    answer = mailboxes(style.answer_to or _repliable(message, envelope), fields.MAX_LIST)
    return b"".join(
        field.raw
        for field in (
            *addressed(alias, alias),
            *([fields.field("Reply-To", answer, CRLF)] if answer else ()),
            fields.field("Subject", fields.unstructured(f"{lead}: {subject}".strip()), CRLF),
            *thread_fields(message),
            fields.field("MIME-Version", ["1.0"], CRLF),
            fields.field("Content-Type", content_type.split(" "), CRLF),
            fields.field("Content-Transfer-Encoding", [encoding], CRLF),
            fields.field("Auto-Submitted", ["auto-generated"], CRLF),
            *prepended(style, CRLF),
            *stamps(message, alias, style),
        )
    )


def _repliable(message: Message, envelope: Envelope) -> tuple[Author, ...]:
    """The authors that a reply should reach, as in the forwarded message itself."""
    named = repliable(message)
    for field in () if named else message.named("from"):
        named = named or answerable(authors(field.value))
    return named or ((Author("", envelope.sender),) if envelope.sender and not message.named("from") else ())


def _unanswerable(message: Message) -> list[str]:
    """Lines that name the authors a reply cannot reach, because SES accepts no such address in a header."""
    said = (authors(field.value) for name in ("reply-to", "from") for field in message.named(name))
    left_out = [str(one.address) for one in next(filter(None, said), ()) if not is_taken(one.address)]
    if not left_out:
        return []
    return [f"Answers go to {_shown(', '.join(left_out), _MAX_REASON)}; a reply to this message does not.", ""]


def _author(message: Message, envelope: Envelope) -> str:
    for field in message.named("from"):
        for author in authors(field.value):
            return f"{author.name} <{author.address}>" if author.name else str(author.address)
    return next(filter(None, (unaddressed(field.value) for field in message.named("from"))), envelope.source)


def _subject(message: Message) -> str:
    found = message.named("subject")
    return decode_phrase(fields.text_of(found[0].value)) if found else ""


def _shown(text: str, octets: int) -> str:
    """Text in one line, cut to this many octets of UTF-8, without invisible characters."""
    return fields.shortened(" ".join("".join(one if one.isprintable() else " " for one in text).split()), octets)


def _base64(raw: bytes) -> Iterator[bytes]:
    view = memoryview(raw)
    for start in range(0, len(raw), _CHUNK):
        yield base64.encodebytes(view[start : start + _CHUNK]).replace(b"\n", CRLF)


def _lines(text: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in text).encode("utf-8", "replace")
