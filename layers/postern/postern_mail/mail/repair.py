"""A second try for a message whose header SES refuses: an allow-list, each field once, written anew.

This is the one place where fields that are not ours are changed, and only after SES has refused
the message as it is. The body stays byte for byte.
"""

import re
from collections.abc import Callable

from . import fields, stamp
from .address import Address
from .authors import authors, decode_phrase
from .envelope import Envelope
from .fields import LINE_LIMIT, MAX_LIST
from .message import CRLF, Field, Message
from .rewrite import Style, mailboxes, prepended, rewrite
from .thread import identifiers

_MAX_TEXT = 900  # octets of a text that is written anew
_IDENTIFIER_OR_URL = re.compile(rb"<[^<>\s\x00-\x20\x7f-\xff]{1,900}>")
_MEDIA_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)")
_TOKEN = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]+)")
_PARAMETER = re.compile(r""";\s*([A-Za-z0-9!#$&^_.+*'-]+)\s*=\s*("(?:[^"\\]|\\.){0,900}"|[^\s;"()]{1,900})""")
_ENCODINGS = ("7bit", "8bit", "base64", "quoted-printable")


def repaired(raw: bytes, alias: Address, envelope: Envelope, style: Style) -> bytes:
    """The rewritten message with a header that breaks no rule we know of; raises nothing."""
    message = Message.split(rewrite(raw, alias, envelope, style))
    seen: set[str] = set()
    kept: list[Field] = []
    for field in message.fields:
        if field.name == "received" and _is_plain(field.raw):
            kept.append(Field.read(field.raw.rstrip(b"\r\n") + CRLF))
        if field.name in seen or field.name not in _WRITERS:
            continue
        words = _WRITERS[field.name](field.value)
        if words:
            seen.add(field.name)
            kept.append(fields.field(_spelling(field.name), words, CRLF))
    if "to" not in seen:
        kept.append(fields.field("To", [f"<{alias}>"], CRLF))
    kept.extend(prepended(style, CRLF))
    kept.append(fields.field(stamp.NAME, [stamp.stamp(style.stamp_key, alias)], CRLF))
    header = b"".join(field.raw for field in kept)
    return b"".join((header, CRLF, message.rest[_blank_line(message.rest) :]))


def _blank_line(rest: memoryview) -> int:
    """The octets of the blank line that the body starts after."""
    return 2 if rest[:2] == CRLF else 1 if rest else 0


def _mailboxes(value: bytes) -> list[str]:
    return mailboxes(authors(value), MAX_LIST)


def _text(value: bytes) -> list[str]:
    text = fields.shortened(decode_phrase(value.decode("utf-8", "replace")), _MAX_TEXT)
    return fields.unstructured(text) if text else []


def _is_plain(raw: bytes) -> bool:
    return raw.isascii() and all(len(line) <= LINE_LIMIT for line in raw.split(b"\n"))


def _content_type(value: bytes) -> list[str]:
    """The type and every parameter that is one; a charset only if somebody knows it."""
    text = value.decode("ascii", "replace")
    media_type = _MEDIA_TYPE.match(text)
    if media_type is None:
        return ["text/plain"]
    return _with_parameters(media_type[1], text)


def _disposition(value: bytes) -> list[str]:
    text = value.decode("ascii", "replace")
    kind = _TOKEN.match(text)
    return _with_parameters(kind[1], text) if kind else []


def _with_parameters(value: str, text: str) -> list[str]:
    words = [value]
    for name, content in _PARAMETER.findall(text):
        if content.isprintable() and (name.lower() != "charset" or _is_known(content.strip('"'))):
            words.append(f"{name}={content}")
    return [f"{word};" for word in words[:-1]] + words[-1:]


def _is_known(charset: str) -> bool:
    try:
        "".encode(charset)
    except (LookupError, UnicodeError):
        return False  # also a codec that is none of text
    return True


def _transfer_encoding(value: bytes) -> list[str]:
    word = _TOKEN.match(value.decode("ascii", "replace"))
    encoding = word[1].lower() if word else ""
    return [encoding if encoding in _ENCODINGS else "8bit"]


def _links(value: bytes) -> list[str]:
    """URLs in brackets (RFC 2369), never encoded: nobody would decode them."""
    found = [link.decode("ascii") for link in _IDENTIFIER_OR_URL.findall(value)]
    return [f"{link}," for link in found[:-1]] + found[-1:]


def _version(value: bytes) -> list[str]:
    del value
    return ["1.0"]


_Writer = Callable[[bytes], list[str]]
_WRITERS: dict[str, _Writer] = {
    "from": _mailboxes,
    "reply-to": _mailboxes,
    "to": _mailboxes,
    "cc": _mailboxes,
    "subject": _text,
    "date": _text,
    "message-id": identifiers,
    "in-reply-to": identifiers,
    "references": identifiers,
    "mime-version": _version,
    "content-type": _content_type,
    "content-transfer-encoding": _transfer_encoding,
    "content-disposition": _disposition,
    "content-id": identifiers,
    "auto-submitted": _text,
    "precedence": _text,
    "list-id": _text,
    "list-unsubscribe": _links,
    "x-postern-authentication-results": _text,
    "x-postern-original-date": _text,
    "x-postern-original-message-id": identifiers,
    "x-postern-received-spf": _text,
}


def _spelling(name: str) -> str:
    """A field's name as people write it."""
    return "-".join("ID" if part == "id" else "MIME" if part == "mime" else part.title() for part in name.split("-"))
