"""The authors of a message, read from From or Reply-To however they were written (RFC 5322 3.4, 4.4).

Real senders break the grammar in every way, so reading never fails: what cannot be parsed gives no author. But nothing
is guessed that could be another person's mailbox: words are never joined into an address that is not there, and a
quoted string alone is a name.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from .address import MAX_ADDRESS, Address, InvalidAddress
from .address_words import ATOM, CFWS, COMMENT, ENCODED, LITERAL, QUOTED, SPACE, WORDS, Word, words
from .address_writer import is_taken
from .encoded_words import decoded
from .records import dataclass, field

_REMEMBERED = 32  # values, enough for a few messages
MAX_PHRASE = 2_000  # characters of a name that are read; decoding takes more than linear time

# Control characters, bidirectional controls and zero-width blanks; the joiners U+200C and U+200D stay, because scripts
# and emoji need them.
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u115f\u1160\u2800\u3164\uffa0]+"
)

# Characters that show nothing, not even a blank: soft hyphen, grapheme joiners, variation selectors, tags. U+FE0F
# stays, because emoji need it. Hangul fillers and the Braille blank show as a blank.
_NOTHING = re.compile(r"[\u00ad\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0e\U000e0000-\U000e0fff]+")

_SCHEMES = ("mailto", "smtp")  # what programs write before an address
# Local parts of other scripts: RFC 6532.
_LOCAL = re.compile(r'[^\x00-\x20\x7f-\xa0"(),:;<>@\[\]\\]++|"(?:[^\x00-\x1f\x7f-\xa0"\\]|\\[ -~])*+"')
_END = Word("special", ",")
_OPENING, _CLOSING = "'`(\u2018\u201c\u00ab", "'`)\u00b4\u2019\u201d\u00bb"  # typographic quotes, around an address


@dataclass(frozen=True, slots=True)
class Author:
    """One mailbox of a From or Reply-To: its decoded display name ("" if none) and its address.

    The local part may have letters of other scripts (RFC 6532), to which SES cannot send.
    """

    name: str
    address: Address


@lru_cache(maxsize=_REMEMBERED)
def authors(value: bytes) -> tuple[Author, ...]:
    """The mailboxes in an unfolded field value, in order; () if there are none. Cached: the same fields are read for
    each destination, and a list of 64 KB takes a second."""
    return tuple(author for entry in _entries(value) for author in entry.authors)


def unaddressed(value: bytes) -> str:
    """The name of the author, as a person reads it, in a From that holds no address; "" if there is none."""
    entries = _entries(value)
    return "" if any(entry.authors for entry in entries) else next((entry.said for entry in entries if entry.said), "")


def answerable(people: Iterable[Author]) -> tuple[Author, ...]:
    """The authors that SES can send an answer to, each once."""
    return each_once(author for author in people if is_taken(author.address))


def each_once(people: Iterable[Author]) -> tuple[Author, ...]:
    """The authors without duplicate addresses; a name is kept if any of the duplicates has one."""
    found: dict[str, Author] = {}
    for author in people:
        known = found.get(author.address.key)
        if known is None or (author.name and not known.name):
            found[author.address.key] = author
    return tuple(found.values())


@lru_cache(maxsize=_REMEMBERED)
def count_mailboxes(value: bytes) -> int:
    """How many recipients a server may see in an address list: every entry counts, even if it is not an address, and
    twice if a word follows the brackets; a group's name and an empty entry do not count."""
    count, some, closed, inside = 0, False, False, False
    for word in (*words(_text(value)), _END):
        if word.is_("<>"):
            count += word.text == "<" and closed
            inside, some, closed = word.text == "<", True, word.text == ">"
        elif word.is_(",;:") and not (inside and word.text == ":"):
            count += some and word.text != ":"
            some = closed = inside = False
        elif word.kind not in CFWS:
            count += closed
            some, closed = True, False
    return count


def decode_phrase(text: str) -> str:
    """A display name as a person reads it: encoded-words decoded (RFC 2047), nothing invisible.

    Control and bidirectional characters become a space: they could make one name look like another, or start a new
    header line.
    """
    return " ".join(_INVISIBLE.sub(" ", _NOTHING.sub("", decoded(text[:MAX_PHRASE]))).split())


def _text(value: bytes) -> str:
    """Raw 8-bit headers are UTF-8 today; older programs wrote Windows' Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


@dataclass(slots=True)
class _Entry:
    """The text between two commas: the authors in it, and the name if there are none."""

    authors: tuple[Author, ...] = ()
    said: str = ""
    encoded: str = ""  # its text if it is nothing but encoded-words
    bracketed: bool = False


def _entries(value: bytes) -> list[_Entry]:
    """The entries of a list. Encoded-words alone are an author only if the list has no other: otherwise they would be
    shown in front of the real author."""
    text = _text(value)
    found = [_read(entry) for entry in _split(words(text), groups=";" in text)]
    if not any(entry.authors for entry in found):
        for entry in found:
            if entry.encoded:
                inner = [author for one in _split(words(decode_phrase(entry.encoded))) for author in _read(one).authors]
                entry.authors = tuple(inner) if len(inner) == 1 else ()
    return list(_with_commas(found))


def _with_commas(entries: Iterable[_Entry]) -> Iterator[_Entry]:
    """The entries, rejoined where a comma belongs to a name: `Doe, John <j@x.example>`."""
    before: list[str] = []
    for entry in entries:
        if entry.authors and before and entry.bracketed:
            first, *others = entry.authors
            name = ", ".join(filter(None, (*before, first.name)))
            entry.authors = (Author(name[:MAX_PHRASE], first.address), *others)
        if entry.authors or "@" in entry.said:
            before = []
        elif entry.said and not entry.bracketed:
            before.append(entry.said)
        yield entry


@dataclass(slots=True)
class _Raw:
    """An entry as words: those outside brackets, and for each pair of brackets its words and how many words came
    before."""

    outside: list[Word] = field(default_factory=list)
    brackets: list[tuple[int, list[Word]]] = field(default_factory=list)


def _split(stream: Iterable[Word], *, groups: bool = True) -> Iterator[_Raw]:
    """The entries of a list. A colon ends a group's name, which is not a mailbox (3.4); if no semicolon ends the group,
    the colon is part of a name."""
    entry = _Raw()
    inside: list[Word] | None = None  # brackets
    for word in (*stream, _END):
        if inside is not None:
            if not word.is_("<>") and word is not _END:
                inside.append(word)
                continue
            first, *others = [inside] if word.is_(">") else _listed(inside)  # never closed: the list continues inside
            entry.brackets.append((len(entry.outside), first))
            for other in others:
                yield entry
                entry = _Raw(other)
            inside = None
        if word.is_("<"):
            inside = []
        elif word.is_(",;"):
            yield entry
            entry = _Raw()
        elif word.is_(":") and groups and not _is_scheme(entry.outside):
            entry = _Raw()
        elif not word.is_(">"):
            entry.outside.append(word)


def _listed(found: Sequence[Word]) -> list[list[Word]]:
    """Words, split at commas."""
    pieces: list[list[Word]] = [[]]
    for word in found:
        if word.is_(",;"):
            pieces.append([])
        else:
            pieces[-1].append(word)
    return pieces


def _is_scheme(before: Sequence[Word]) -> bool:
    """Whether a colon after these words belongs to `mailto:` rather than ending a group's name."""
    return bool(before) and before[-1].kind == ATOM and before[-1].text.lower() in _SCHEMES


def _read(entry: _Raw) -> _Entry:
    """The authors of an entry: one for each pair of brackets with an address, else the bare address.

    Words after the brackets are not part of the name. If the address in brackets cannot be parsed, an address in the
    name does not replace it.
    """
    outside, start, named, unread = entry.outside, 0, "", False
    found: list[Author] = []
    ends = [at for at, _ in entry.brackets[1:]]
    for (at, inside), end in zip(entry.brackets, (*ends, len(outside)), strict=False):
        addresses = _bracketed(inside)
        if addresses and found and addresses[0] == found[-1].address:
            continue  # `<a@x.example> <mailto:a@x.example>`
        if addresses:
            name = _phrase(outside[start:at]) or named or _comments(outside[at if found else 0 : end])
            found += [Author("" if number else name, address) for number, address in enumerate(addresses)]
            start, named = at, ""
        else:
            named = named or _phrase(inside)
            unread = unread or any(word.is_("@") for word in inside)
    if not found and not unread:
        found = list(_bare(outside, named))
    if found:
        return _Entry(tuple(found), bracketed=bool(entry.brackets))
    phrase, comment = _phrase(outside), _comments(outside)
    said = f"{phrase} ({comment})" if phrase and comment else phrase or comment or named
    kinds = {word.kind for word in outside} - {SPACE}
    encoded = "".join(word.text for word in outside) if kinds == {ENCODED} and not entry.brackets else ""
    return _Entry((), said, encoded, bool(entry.brackets))


def _bracketed(inside: Sequence[Word]) -> list[Address]:
    """The address between brackets; several, if a list was written there."""
    significant = _significant(inside)
    if significant and significant[0].is_("@"):  # a source route is ignored: `<@a.example,@b.example:jane@c.example>`
        colons = [number for number, word in enumerate(inside) if word.is_(":")]
        inside = inside[colons[-1] + 1 :] if colons else ()
    elif len(significant) == 1 and significant[0].kind == QUOTED:
        inside = list(words(significant[0].text))
    elif {word.kind for word in significant} == {ENCODED}:
        inside = list(words(decode_phrase("".join(word.text for word in significant))))
    return list(filter(None, map(_whole, _listed(inside))))


def _significant(found: Iterable[Word]) -> list[Word]:
    return [word for word in found if word.kind not in CFWS]


def _whole(piece: Sequence[Word]) -> Address | None:
    """The address that all these words form: comments and blanks may stand around its words and dots (4.4), but no two
    words may be adjacent."""
    significant = [word for word in _significant(piece) if not word.is_("[]")]
    if len(significant) > 1 and significant[1].is_(":") and _is_scheme(significant[:1]):
        significant = significant[2:]
    ats = [number for number, word in enumerate(significant) if word.is_("@")]
    if len(ats) != 1:
        return None
    local, domain = significant[: ats[0]], significant[ats[0] + 1 :]
    return _address(local, domain) if _is_dotted(local) and _is_dotted(domain) else None


def _is_dotted(part: Sequence[Word]) -> bool:
    """Whether the words of a local part or domain have a dot between any two."""
    return bool(part) and all(map(_dot_between, part, part[1:]))


def _dot_between(before: Word, after: Word) -> bool:
    return (before.kind == ATOM and before.text.endswith(".")) or (after.kind == ATOM and after.text.startswith("."))


def _bare(outside: Sequence[Word], named: str) -> Iterator[Author]:
    """The authors without brackets: all words form an address, or some do and the others are a name."""
    whole = _whole(outside)
    if whole is not None:
        yield Author(named or _comments(outside), whole)
        return
    used: set[int] = set()
    found: dict[str, Address] = {}
    for number, word in enumerate(outside):
        if word.is_("@"):
            span = _around(outside, number)
            address = (
                _address(outside[span.start : number], _significant(outside[number + 1 : span.stop])) if span else None
            )
            if address is not None:
                used.update(span)
                found.setdefault(address.key, address)
    others = [word for number, word in enumerate(outside) if number not in used and not word.is_("[]")]
    name = named or _phrase(others) or _comments(others)
    for number, address in enumerate(found.values()):
        yield Author("" if number else name, address)


def _around(outside: Sequence[Word], at: int) -> range:
    """The range of words that form the address around an @, empty if they form none.

    Its local part is what stands before the @ up to a blank. A quoted string belongs to it only across a dot.
    """
    last = at - 1 if at and outside[at - 1].kind not in CFWS else at - 2
    stop = at + 2 if at + 1 < len(outside) and outside[at + 1].kind not in CFWS else at + 3
    if (
        last < 0
        or stop > len(outside)
        or outside[last].kind not in WORDS
        or outside[stop - 1].kind not in (ATOM, LITERAL)
    ):
        return range(0)
    start = last
    while start and outside[start - 1].kind in WORDS and _dot_between(outside[start - 1], outside[start]):
        start -= 1
    before = outside[start - 1] if start else _END
    glued = before.is_("@") or (before.kind in WORDS and outside[start].kind != ATOM)
    if glued or (stop < len(outside) and outside[stop].is_("@")):
        return range(0)
    spaced = last != at - 1 or stop != at + 2
    return range(0) if spaced and "." not in outside[stop - 1].text else range(start, stop)


def _address(local: Sequence[Word], domain: Sequence[Word]) -> Address | None:
    """The address that these words form, None if they form none; A-labels may make it longer than an address can be."""
    left = "".join(decode_phrase(word.text) if word.kind == ENCODED else word.text for word in _significant(local))
    right = "".join(word.text for word in domain).partition("?")[0]  # of a mailto: URL
    if right and right[-1] in _CLOSING:
        left, right = left.lstrip(_OPENING), right.rstrip(_CLOSING)
    right = right.removesuffix(".")
    if any(word.kind == QUOTED for word in local):
        escaped = left.replace("\\", "\\\\").replace('"', '\\"')
        left = f'"{escaped}"'
    try:
        if left.isascii():
            address = Address.parse(f"{left}@{right}")
        elif (
            _LOCAL.fullmatch(left) and left.isprintable() and not _INVISIBLE.search(left) and not _NOTHING.search(left)
        ):
            address = Address(left, Address.parse(f"x@{right}").domain)
        else:
            return None
    except InvalidAddress:
        return None
    return address if len(str(address)) <= MAX_ADDRESS else None


def _phrase(found: Sequence[Word]) -> str:
    """A display name: the words that are neither comments nor an address's scheme."""
    texts: list[str] = []
    for word in found:
        if word.is_(":") and texts and texts[-1].lower() in _SCHEMES:
            texts.pop()
        elif word.kind != COMMENT:
            texts.append(word.text)
    return decode_phrase("".join(texts))


def _comments(found: Iterable[Word]) -> str:
    return decode_phrase(" ".join(word.text for word in found if word.kind == COMMENT))
