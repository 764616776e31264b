"""Header fields we write ourselves: quoting, encoded-words and folding.

Lines are folded at 76 characters (RFC 2047 2), except inside words that cannot be folded; none is longer than
LINE_LIMIT, if no word is. No value can start another field: line breaks are removed before (`authors.decode_phrase`).
"""

import base64
from collections.abc import Iterator

from .message import Field

LINE_LIMIT = 998  # octets of a line without its ending: RFC 5322 2.1.1
MAX_LIST = 20_000  # octets of a list of mailboxes in a header we wrote entirely
MAX_LINE = 76  # characters, RFC 2047 2 for lines with encoded-words
_MAX_WORD = MAX_LINE - len("Reply-To: ")  # of a word that is never folded
_ENCODED_WORD_OCTETS = 39  # of UTF-8 in one encoded-word: 52 of base64 plus 12 of its frame


def field(name: str, words: list[str], newline: bytes) -> Field:
    """A field folded between its words (RFC 5322 2.2.3)."""
    lines = [f"{name}:"]
    for word in words:
        most = LINE_LIMIT if lines[-1] == f"{name}:" else MAX_LINE  # some parsers miss a value folded at once
        if len(lines[-1]) + 1 + len(word) > most:
            lines.append("")
        lines[-1] += f" {word}"
    return Field.read(newline.join(line.encode("utf-8") for line in lines) + newline)


def copied(name: str, value: bytes, newline: bytes) -> Iterator[Field]:
    """A field with a value as the sender wrote it, unfolded; none if it is empty, not ASCII, or too long for a line."""
    if 0 < len(value) < LINE_LIMIT and value.isascii() and value.decode("ascii").replace("\t", " ").isprintable():
        start = f"{name}:".encode()
        fold = b"" if len(start) + 1 + len(value) <= LINE_LIMIT else newline
        yield Field.read(start + fold + b" " + value + newline)


def phrase(text: str) -> list[str]:
    """A display name as words to fold between: one quoted string, or encoded-words (RFC 2047 5).

    A quoted string is one word: folding inside it is allowed, but Python's own getaddresses, for example, then reads
    the name as an address.
    """
    if not text.isascii() or "=?" in text:  # clients decode encoded-words even within quotes
        return encoded(text)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}"']


def unstructured(text: str) -> list[str]:
    """Text for a Subject as words to fold between; anything but plain ASCII is encoded."""
    words = text.split(" ")
    plain = text.isascii() and "=?" not in text and all(0 < len(word) <= _MAX_WORD for word in words)
    return words if plain else encoded(text)


def text_of(value: bytes) -> str:
    """Raw 8-bit headers are UTF-8 today; older programs wrote Windows' Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def encoded(text: str) -> list[str]:
    """Text as encoded-words, none of which splits a character (RFC 2047 5)."""
    return [f"=?utf-8?b?{base64.b64encode(piece).decode('ascii')}?=" for piece in _pieces(text)]


def shortened(text: str, octets: int) -> str:
    """Text cut to this many octets of UTF-8, with an ellipsis if it was cut."""
    if len(text.encode("utf-8", "replace")) <= octets:
        return text
    cut = text.encode("utf-8", "replace")[: octets - 3].decode("utf-8", "ignore")
    return f"{cut}\N{HORIZONTAL ELLIPSIS}"


def _pieces(text: str) -> Iterator[bytes]:
    piece = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(piece) + len(octets) > _ENCODED_WORD_OCTETS:
            yield piece
            piece = b""
        piece += octets
    yield piece
