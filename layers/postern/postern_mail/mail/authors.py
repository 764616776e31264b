"""The authors of a message, read from From or Reply-To however they were written (RFC 5322 3.4).

Real senders break the grammar in every way, so reading never fails: what cannot be understood
gives no author. Comments, quoted strings, groups, routes and encoded-words are understood.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .address import MAX_ADDRESS, Address, InvalidAddress
from .encoded_words import decoded

# The tokens of an address list. Reading takes linear time: what one alternative gives up is short,
# or happens once (a quote that is never closed, see _tokens).
_TOKEN = re.compile(
    r"""(?P<space>[\s\x00-\x1f]+)
      | (?P<encoded>=\?[^\s?]{1,40}\?[bBqQ]\?[^\s?]*\?=)
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<stray>")
      | (?P<open>\()
      | <(?P<angle>[^<>]*)>?
      | (?P<special>[,;:])
      | (?P<atom>[^\s\x00-\x1f",;:<(]+)""",
    re.VERBOSE | re.DOTALL,
)
MAX_PHRASE = 2_000  # characters of a name that are looked at; decoding takes more than linear time

# Control characters, bidirectional controls and blanks without width; the joiners U+200C and
# U+200D stay, scripts and emoji need them.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]+")


@dataclass(frozen=True, slots=True)
class Author:
    """One mailbox of a From or Reply-To: its decoded display name ("" if none) and its address."""

    name: str
    address: Address


def authors(value: bytes) -> tuple[Author, ...]:
    """The mailboxes in an unfolded field value, in order; () if there is none to be had."""
    return tuple(_authors(_text(value)))


def count_mailboxes(value: bytes) -> int:
    """How many recipients a server may see in an address list: every entry, also one that is no
    address, and two where a word follows the brackets; the name of a group and an empty entry are none."""
    count, words, closed = 0, False, False
    for kind, word in (*_tokens(_text(value)), ("special", ",")):
        if kind == "special":
            count += words and word != ":"
            words = closed = False
        elif word.strip():
            count += closed and kind != "comment"
            words, closed = True, kind == "angle" or (closed and kind == "comment")
    return count


def decode_phrase(text: str) -> str:
    """A display name as a person reads it: encoded-words decoded (RFC 2047), nothing invisible.

    Control and bidirectional characters become a space: they could make one name look like
    another, or start a new header line.
    """
    return " ".join(_INVISIBLE.sub(" ", decoded(text[:MAX_PHRASE])).split())


def _text(value: bytes) -> str:
    """Raw 8-bit headers are UTF-8 today, and from older programs Latin-1 as Windows has it."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def _authors(text: str) -> Iterator[Author]:
    phrase: list[str] = []  # words of a display name, or of a bare address
    comment: list[str] = []
    angle: str | None = None
    for kind, word in (*_tokens(text), ("special", ",")):
        if kind == "angle":
            angle = word
        elif kind == "comment":
            comment.append(word)
        elif kind != "special":
            phrase.append(word)
        else:
            if word != ":":  # a colon ends the name of a group: no mailbox
                yield from _author("".join(phrase), " ".join(comment), angle)
            phrase, comment, angle = [], [], None


def _author(phrase: str, comment: str, angle: str | None) -> Iterator[Author]:
    name = comment
    if angle is not None:
        name = phrase or comment
        # A source route, `<@a.example,@b.example:jane@c.example>`, is ignored (RFC 5322 4.4).
        address = _address(angle.rpartition(":")[2] if angle.lstrip().startswith("@") else angle)
    else:
        address = _address(phrase)
        if address is None:  # `Jane Doe jane@x.example`: no brackets, but one word is an address
            words = phrase.split()
            address = next(filter(None, map(_address, reversed(words))), None)
            name = " ".join(word for word in words if "@" not in word) or comment
    if address is not None:
        yield Author(decode_phrase(name), address)


def _address(text: str) -> Address | None:
    """The address, None if it is none; its A-labels may make it longer than an address can be."""
    try:
        address = Address.parse(text)
    except InvalidAddress:
        return None
    return address if len(str(address)) <= MAX_ADDRESS else None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """(kind, content): word, comment, angle or special. Quoted strings are words, unquoted,
    except before an @, where the quotes belong to the local part."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None  # every character starts some token
        at, kind = found.end(), found.lastgroup
        if kind == "stray":
            text = text.replace('"', " ")  # after it nothing is quoted, before it all is read
        elif kind == "open":
            content, at = _comment(text, at)
            yield "comment", content
        elif kind == "quoted":
            local = text[at : at + 1] == "@"
            yield "word", found[0] if local else re.sub(r"\\(.)", r"\1", found["quoted"])
        elif kind == "special":
            yield "special", found[0]
        elif kind == "angle":
            yield "angle", found["angle"]
        else:
            yield "word", " " if kind == "space" else found[0]


def _comment(text: str, start: int) -> tuple[str, int]:
    """The content of a comment whose parenthesis was just read, and where it ends; they nest."""
    depth, at = 1, start
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return text[start:at], at + 1
        at += 1
    return text[start:], len(text)
