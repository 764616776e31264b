"""Rewriting: the header fields SES will not take, or that would lie, edited in place.

SES sends only in the name of an identity it has verified, so From becomes the alias and the
author moves into its display name and into Reply-To. Every field that is not named here, and
the whole body, goes out byte for byte.
"""

import base64
from collections.abc import Iterator

from .address import Address
from .authors import Author, authors
from .envelope import Envelope
from .message import Field, Message

# SES wants a verified identity in Return-Path and Sender and writes its own DKIM-Signature; with
# two of those it refuses the message (docs.aws.amazon.com/ses, "Header fields").
_REMOVED = frozenset({"return-path", "sender", "dkim-signature"})
# X-SES-CONFIGURATION-SET and its kin are orders to SES: a stranger's would make forwards fail.
_REMOVED_PREFIX = "x-ses-"

MAX_LINE = 76  # characters of a line we write, as RFC 2047 2 wants it for encoded-words
MAX_NAME = 120  # characters of an author's name that we repeat in ours
_MAX_WORD = MAX_LINE - len("Reply-To: ")  # of what is never folded within
_ENCODED_WORD_OCTETS = 39  # of UTF-8 in one encoded-word: 52 of base64 and 12 around them


def rewrite(raw: bytes, alias: Address, envelope: Envelope) -> bytes:
    """The message as it is forwarded in the name of `alias`.

    Raises nothing: any bytes at all come out as a message with exactly one From. The author is
    the envelope's sender where the header names none.
    """
    message = Message.split(raw)
    senders = _authors(message, envelope)
    ours = [_from_field(senders, alias, message.newline)]
    if not message.named("reply-to"):
        ours += _reply_to_fields(senders, message.newline)
    return message.join(_edited(message, ours))


def _edited(message: Message, ours: list[Field]) -> Iterator[Field]:
    """The fields to send: ours where From was, at the end of the header if there was none."""
    placed = seen_message_id = False
    for field in message.fields:
        name = field.name
        if name in _REMOVED or name.startswith(_REMOVED_PREFIX):
            continue
        if name == "from":
            if not placed:
                yield from ours
            placed = True
            continue
        if name == "message-id":
            if seen_message_id:
                continue  # RFC 5322 3.6: at most one; SES refuses the second
            seen_message_id = True
        yield field
    if not placed:
        yield from ours


def _authors(message: Message, envelope: Envelope) -> tuple[Author, ...]:
    """Everybody the header names as author; the envelope's sender if it names nobody."""
    found = tuple(author for field in message.named("from") for author in authors(field.value))
    if found or envelope.sender is None:
        return found
    return (Author("", envelope.sender),)


def _from_field(senders: tuple[Author, ...], alias: Address, newline: bytes) -> Field:
    """`From: "Jane Doe (jane@x.example) via example.com" <info@example.com>`."""
    said = "unknown sender"
    if senders:
        address, name = str(senders[0].address), _shortened(senders[0].name)
        said = f"{name} ({address})" if name and name.lower() != address.lower() else address
    return _field("From", [*_phrase(f"{said} via {alias.domain}"), f"<{alias}>"], newline)


def _reply_to_fields(senders: tuple[Author, ...], newline: bytes) -> list[Field]:
    """A Reply-To with all authors; none if nobody can be replied to."""
    words: list[str] = []
    for author in senders:
        if not str(author.address).isascii():
            continue  # SES takes no address with 8-bit characters (no SMTPUTF8)
        words += [*_phrase(_shortened(author.name)), f"<{author.address}>,"] if author.name else [f"{author.address},"]
    if not words:
        return []
    words[-1] = words[-1].removesuffix(",")
    return [_field("Reply-To", words, newline)]


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _phrase(text: str) -> list[str]:
    """A display name as words that may be folded between: quoted, or encoded (RFC 2047 5)."""
    if text.isascii():
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        words = f'"{escaped}"'.split(" ")
        if all(len(word) <= _MAX_WORD for word in words):
            return words
    return [_encoded_word(piece) for piece in _pieces(text)]


def _pieces(text: str) -> Iterator[bytes]:
    """UTF-8 in pieces that fit one encoded-word and never cut a character (RFC 2047 5)."""
    piece = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(piece) + len(octets) > _ENCODED_WORD_OCTETS:
            yield piece
            piece = b""
        piece += octets
    yield piece


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?="


def _field(name: str, words: list[str], newline: bytes) -> Field:
    """A field folded at its words, so that no line is longer than need be (RFC 5322 2.1.1)."""
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > MAX_LINE and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    return Field(newline.join(line.encode("utf-8") for line in lines) + newline)
