"""A second form for a message whose header SES refuses: only allowed fields, each once, rewritten.

This is the only place that changes fields that are not ours, and only after SES has refused the message unchanged. The
body stays byte for byte, and so does its meaning: if that cannot be kept, there is no repaired form.
"""

import re
from collections.abc import Callable, Collection, Iterator

from . import fields, stamp
from .address import Address
from .address_writer import written
from .authors import authors, decode_phrase
from .envelope import Envelope
from .fields import LINE_LIMIT, MAX_LIST
from .message import CRLF, Field, Message
from .parameters import Parameter, SpoiltField, parameters
from .rewrite import MAX_LISTED, Style, mailboxes, prepended, rewrite
from .thread import identifiers

_MAX_TEXT = 900  # octets of a text that is rewritten, and of a word in one that is not
_MAX_VALUE = 4_000  # octets of a value with parameters; parsing takes more than linear time
_MAX_STAMPS = 200
_IDENTIFIER_OR_URL = re.compile(rb"<[^<>\s\x00-\x20\x7f-\xff]{1,900}>")
_MEDIA_TYPE = re.compile(r"[\s;]*([A-Za-z0-9!#$&^_.+-]+)\s*/\s*([A-Za-z0-9!#$&^_.+-]+)", re.ASCII)
_KIND = re.compile(r"""[\s;"]*([A-Za-z0-9!#$&^_.+-]+)"?(?!\s*=)(?![A-Za-z0-9!#$&^_.+-])""", re.ASCII)
_CONTROL = re.compile(rb"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STAMP = re.compile(rb"v1 [0-9a-f]{32}")
_ENCODING = re.compile(r"""[\s"']*([A-Za-z0-9_.+-]+)["']?\s*(?:;.*|\(.*\)\s*)?\Z""", re.ASCII)


def repaired(raw: bytes, alias: Address, envelope: Envelope, style: Style) -> bytes | None:
    """The rewritten message with a header that breaks no rule we know of; None if its body would then be read
    differently: with other parts, file names or charsets."""
    message = Message.split(rewrite(raw, alias, envelope, style))
    try:
        kept = list(_fields(message))
    except SpoiltField:
        return None
    if not any(field.name in ("to", "cc") for field in kept):
        kept.append(fields.field("To", [f"<{written(alias)}>"], CRLF))
    kept.extend(prepended(style, CRLF))
    kept.extend(stamps(message, alias, style))
    return b"".join((*(field.raw for field in kept), CRLF, message.body))


def stamps(message: Message, alias: Address, style: Style) -> list[Field]:
    """The loop stamps of a rewritten message: ours, and those it came with."""
    own = stamp.stamp(style.stamp_key, alias)
    came = (one.value for one in message.named(stamp.NAME.lower()) if _STAMP.fullmatch(one.value))
    values = dict.fromkeys((own, *(value.decode("ascii") for value in came)))
    return [fields.field(stamp.NAME, [value], CRLF) for value in [*values][:_MAX_STAMPS]]


def _fields(message: Message) -> Iterator[Field]:
    """The fields that are kept. Raises SpoiltField."""
    seen: set[str] = set()
    for field in message.fields:
        if field.name == "received" and _is_plain(field.raw):
            _, _, value = field.raw.partition(b":")  # without a blank before it
            yield Field.read(b"Received:" + value.rstrip(b"\r\n") + CRLF)
        if field.name in seen or field.name not in _WRITERS:
            continue
        if field.name == "from":  # ours
            seen.add(field.name)
            yield Field.read(field.raw.replace(CRLF, b"\n").replace(b"\n", CRLF))
        elif words := _WRITERS[field.name](field.value, message.body):
            seen.add(field.name)
            yield fields.field(_spelling(field.name), words, CRLF)


def _mailboxes(value: bytes) -> list[str]:
    return mailboxes(authors(value[:MAX_LISTED]), MAX_LIST)


def _text(value: bytes) -> list[str]:
    """The words unchanged, encoded ones too, if they are plain and short; else the text, rewritten."""
    words = value.split()
    if all(word.isascii() and word.decode("ascii").isprintable() and len(word) <= _MAX_TEXT for word in words):
        return [word.decode("ascii") for word in words]
    text = fields.shortened(decode_phrase(fields.text_of(value)), _MAX_TEXT)
    return fields.unstructured(text) if text else []


def _is_plain(raw: bytes) -> bool:
    """Whether every reader sees the same lines: to some a bare CR ends one."""
    return raw.isascii() and not _CONTROL.search(raw) and all(len(line) <= LINE_LIMIT for line in raw.split(b"\n"))


def _octets(value: bytes) -> str:
    """A character for each octet. Raises SpoiltField for a value too long to parse."""
    if len(value) > _MAX_VALUE:
        raise SpoiltField(f"{len(value)} octets")
    return value.decode("latin-1")


def _content_type(value: bytes, body: memoryview) -> list[str]:
    """The type and every valid parameter. Raises SpoiltField."""
    text = _octets(value)
    found = _MEDIA_TYPE.match(text)
    media_type = f"{found[1]}/{found[2]}" if found else "text/plain"
    said = [_closed(one, body) if one.name.lower() == "boundary" and one.is_open else one
            for one in parameters(text[found.end() :] if found else text)]  # fmt: skip
    names = {one.name.lower().partition("*")[0] for one in said}
    if media_type.lower().startswith("multipart/") and "boundary" not in names:
        raise SpoiltField("no boundary")
    if not all(_is_known(one.value) for one in said if one.name.lower() == "charset"):
        raise SpoiltField("SES does not know the charset")
    return _with_parameters(media_type, said)


def _closed(boundary: Parameter, body: memoryview) -> Parameter:
    """An unclosed boundary, completed as the body has it. Raises SpoiltField."""
    for value in (boundary.value, boundary.value.partition(";")[0].rstrip(" \t"), boundary.value.partition(" ")[0]):
        if re.search(rb"^--" + re.escape(value.encode("latin-1")), body, re.MULTILINE):
            return Parameter(boundary.name, value)
    raise SpoiltField("the boundary is not in the body")


def _disposition(value: bytes, body: memoryview) -> list[str]:
    del body
    text = _octets(value)
    kind = _KIND.match(text)
    said = list(parameters(text[kind.end() :] if kind else text))
    return _with_parameters(kind[1] if kind else "attachment", said) if kind or said else []


def _with_parameters(value: str, said: Collection[Parameter]) -> list[str]:
    words = [value, *(one.written() for one in said)]
    return [f"{word};" for word in words[:-1]] + words[-1:]


def _is_known(charset: str) -> bool:
    try:
        "".encode(charset.strip("'\" "))
    except (LookupError, ValueError):
        return False  # also a codec that is not for text
    return True


def _transfer_encoding(value: bytes, body: memoryview) -> list[str]:
    """The encoding without surrounding text; 8bit for binary, which is equivalent for lines. Raises SpoiltField."""
    del body
    if not value:
        return []
    word = _ENCODING.match(_octets(value))
    if word is None:
        raise SpoiltField("an unknown encoding")
    return ["8bit" if word[1].lower() == "binary" else word[1].lower()]


def _links(value: bytes) -> list[str]:
    """URLs in brackets (RFC 2369), never encoded: programs would not decode them."""
    found = [link.decode("ascii") for link in _IDENTIFIER_OR_URL.findall(value)]
    return [f"{link}," for link in found[:-1]] + found[-1:]


def _version(value: bytes) -> list[str]:
    del value
    return ["1.0"]


_Writer = Callable[[bytes, memoryview], list[str]]


def _plain(write: Callable[[bytes], list[str]]) -> _Writer:
    """A writer that ignores the body."""
    return lambda value, _: write(value)


_TEXTS = (
    "subject", "content-description", "content-language", "content-location", "auto-submitted", "precedence",
    "list-id", "x-postern-authentication-results", "x-postern-original-date", "x-postern-received-spf",
    "x-forwarded-to", "x-forwarded-for",
)  # fmt: skip
_IDENTIFIERS = ("message-id", "in-reply-to", "references", "content-id", "x-postern-original-message-id")
_WRITERS: dict[str, _Writer] = {
    **dict.fromkeys(("from", "reply-to", "to", "cc"), _plain(_mailboxes)),
    **dict.fromkeys(_TEXTS, _plain(_text)),
    **dict.fromkeys(_IDENTIFIERS, _plain(identifiers)),
    "mime-version": _plain(_version),
    "date": _plain(lambda value: _text(value) if value.isascii() else []),
    "content-type": _content_type,
    "content-transfer-encoding": _transfer_encoding,
    "content-disposition": _disposition,
    "list-unsubscribe": _plain(_links),
}


def _spelling(name: str) -> str:
    """A field's name in its usual capitals."""
    return "-".join("ID" if part == "id" else "MIME" if part == "mime" else part.title() for part in name.split("-"))
