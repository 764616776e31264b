"""A message as lines: header fields as the bytes they came in, and everything after them untouched.

Nothing is parsed unnecessarily and nothing is ever serialised again: unedited parts go out byte for byte (RFC 5322 2.1:
a message is lines; 2.2.3: a field continues over folded lines).
"""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .records import dataclass, field

CRLF = b"\r\n"
LF = b"\n"
CR = b"\r"

# Octets. Ten times what Postfix accepts (header_size_limit); a header of 10 MB takes 830 MB in memory, which kills a
# function.
MAX_HEADER = 1024 * 1024

_NAMES = 1000  # octets within which a field's name must end

# A name is printable ASCII without the colon; white space before the colon is tolerated (4.5.8).
_NAME = re.compile(rb"\r*([!-9;-~]+)[ \t]*:")
_EMPTY_LINE = re.compile(rb"\r*(?:\n|\Z)")
_SEPARATOR = re.compile(rb"[ \t\r]*\n|\r|[ \t]+\Z")
_MBOX = re.compile(rb">*From ")
_TRACE = frozenset({"return-path", "received", "received-spf", "authentication-results"})  # SES's, and x-ses-*
# Of RFC 5322 3.6, RFC 2045: a second one after a doubtful line belongs to a quoted header, or to a part's.
_ONCE = frozenset({
    "date", "from", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to", "references", "subject",
    "mime-version", "content-type", "content-transfer-encoding", "content-disposition",
})  # fmt: skip


class Field(NamedTuple):
    """One header field with its folded lines and its line ending; `name` is in lower case. A message has some fifty.

    A line without a name (a colon alone, or an mbox's From) is kept as a field whose name is "".
    """

    raw: bytes
    name: str

    @classmethod
    def read(cls, raw: bytes) -> "Field":
        """The field in these bytes; any bytes form one."""
        found = _NAME.match(raw)
        return cls(raw, sys.intern(found[1].decode("ascii").lower()) if found else "")

    @property
    def value(self) -> bytes:
        """What follows the colon, unfolded: without line breaks, white space kept (2.2.3)."""
        return self.raw.partition(b":")[2].replace(b"\r", b"").replace(b"\n", b"").strip(b" \t")


@dataclass(frozen=True, slots=True)
class Message:
    """A message split at the end of its header.

    `rest` starts with the line that separates header and body, if there is one, and is a view of the original bytes: a
    40 MB body is not copied. `newline` is the line ending of the header's first line. `is_cut` says that the header
    continues after the fields; `raw` is the whole, as it was split.
    """

    fields: tuple[Field, ...]
    rest: memoryview
    newline: bytes = CRLF
    is_cut: bool = False
    raw: bytes = field(default=b"", compare=False, repr=False)

    @classmethod
    def split(cls, raw: bytes, most: int = sys.maxsize) -> "Message":
        """Split a message; any bytes are a message. At most `most` octets of the header are read.

        The header ends before the first line of only CR and LF, and before the first that is not a field, as in Postfix
        (mime_state.c). Within the header a bare CR ends a line too, as many parsers see it: a field must not hide
        behind one.
        """
        reader = _Reader(raw, most)
        end = reader.read()
        fields = tuple(
            [
                Field(lines[0] if len(lines) == 1 else b"".join(lines), name)
                for name, lines in zip(reader.names, reader.lines, strict=True)
            ]
        )
        newline = LF if fields and not raw[:end].partition(LF)[0].endswith(CR) and LF in raw[:end] else CRLF
        return cls(fields, memoryview(raw)[end:], newline, reader.is_cut, raw)

    @property
    def body(self) -> memoryview:
        """What follows the line that separates header and body; all of `rest` if there is no such line."""
        found = _SEPARATOR.match(self.rest)
        return self.rest[found.end() :] if found else self.rest

    @property
    def is_separated(self) -> bool:
        """Whether an empty line, which every parser recognises, ends the header."""
        return bool(self.rest) and _EMPTY_LINE.match(self.rest) is not None

    def named(self, name: str) -> tuple[Field, ...]:
        """All fields of this lower-case name, in order."""
        return tuple([one for one in self.fields if one.name == name])

    def join(self, fields: Iterable[Field]) -> bytes:
        """The message with these fields instead of its own; for details see `halves`."""
        return bytes(self.halves(fields))

    def halves(self, fields: Iterable[Field]) -> "Halves":
        """The message with these fields instead of its own; the body is not copied.

        A field that does not end in a line feed (a bare CR, or the header was cut short) gets one if another line now
        follows it. A body without a separating empty line gets one, as in Postfix: no parser may continue reading
        fields there.
        """
        after = dict(zip(map(id, self.fields), map(id, self.fields[1:]), strict=False))
        parts: list[bytes | memoryview] = []
        previous: Field | None = None
        for one in fields:
            if previous is not None and after.get(id(previous)) != id(one):
                parts.append(self._ending(previous))
            parts.append(one.raw)
            previous = one
        separated = self.is_separated or not self.rest
        if previous is not None and self.rest and not (separated and self.fields and previous is self.fields[-1]):
            parts.append(self._ending(previous))
        if not separated:
            return Halves(b"".join((*parts, self.newline)), self.body)
        return Halves(b"".join(parts), self.rest)

    def _ending(self, field: Field) -> bytes:
        """The part of a line ending that a field lacks."""
        if field.raw.endswith(LF):
            return b""
        return LF if field.raw.endswith(CR) else self.newline


class Halves:
    """A message in two pieces: a body of 40 MB is in memory once, however often its header is rewritten."""

    def __init__(self, header: bytes, body: memoryview) -> None:
        self.header = header
        self.body = body

    def __len__(self) -> int:
        return len(self.header) + len(self.body)

    def __bytes__(self) -> bytes:
        return b"".join((self.header, self.body))


class _Reader:
    """Reads the lines of a header until it ends.

    Two kinds of lines are doubtful: one of blanks, which under RFC 5322 4.2 may continue a field, and one that begins
    with a colon, which SES reads as a field without a name. They belong to the header if it continues after them up to
    an empty line, and after blanks repeats no field that may occur only once; else the body begins there.
    """

    def __init__(self, raw: bytes, most: int) -> None:
        self.is_cut = False
        self._most = most
        self.names: list[str] = []
        self.lines: list[list[bytes]] = []
        self._raw = raw
        self._doubt: tuple[int, int, int] | None = None  # fields, lines of the last one, and octets before it
        self._after_blanks = False
        self._end = 0

    def read(self) -> int:
        """The number of octets of the header."""
        at = 0
        for line in _lines(self._raw):
            if not line.strip(CRLF):
                return at
            after, room = at + len(line), self._most - at
            plain = CR not in line.rstrip(CRLF)
            if not (
                self._takes(line, at) if plain else self._takes_parts(line[: min(room, len(line)) + _NAMES], at, after)
            ):
                return self._end
            if len(line) > room:
                self.is_cut = self._doubt is None
                return self._cut(at)
            at = after
        return self._cut(at)

    def _takes(self, line: bytes, at: int) -> bool:
        """Whether the line belongs to the header; if not, `_end` is where the header ends."""
        if self.lines and line[:1] in (b" ", b"\t"):
            if not line.strip(b" \t\r\n"):
                self._is_doubtful(at)
                self._after_blanks = self._doubt is not None
            self.lines[-1].append(line)
        elif found := _NAME.match(line):
            name = sys.intern(found[1].decode("ascii").lower())
            if self._after_blanks and name in _ONCE and name in self.names:
                self._end = self._cut(at)
                return False
            self._begin(name, line)
        elif line.lstrip(CR).startswith(b":"):
            self._is_doubtful(at)
            self._begin("", line)
        elif self._is_mbox_line(line, at):
            self._begin("", line)
        else:
            self._end = self._cut(at)
            return False
        return True

    def _takes_parts(self, line: bytes, at: int, after: int) -> bool:
        """The same for a line with CRs in it. An empty part ends the header of a message that has no other line ends; a
        part that is not a field continues the field before it, as every other parser reads it."""
        for number, part in enumerate(_parts(line)):
            if number and part == CR and not _NAME.match(self._raw, after):
                self._end = at
                return False
            if number and not (part[:1] in (b" ", b"\t") or _NAME.match(part)):
                self.lines[-1].append(part)
            elif not self._takes(part, at):
                return False
            at += len(part)
        return True

    def _begin(self, name: str, line: bytes) -> None:
        self.names.append(name)
        self.lines.append([line])

    def _is_mbox_line(self, line: bytes, at: int) -> bool:
        """Whether it is an mbox's line before a message: below what SES wrote, and above a field."""
        if not _MBOX.match(line) or not _NAME.match(self._raw, at + len(line)):
            return False
        return all(name in _TRACE or name.startswith("x-ses-") for name in self.names)

    def _is_doubtful(self, at: int) -> None:
        if self._doubt is None and "from" in self.names:
            self._doubt = (len(self.lines), len(self.lines[-1]), at)

    def _cut(self, at: int) -> int:
        """The header's end: here, or before the first doubtful line."""
        if self._doubt is None:
            return at
        fields, lines, at = self._doubt
        del self.names[fields:], self.lines[fields:], self.lines[-1][lines:]
        return at


def _parts(line: bytes) -> Iterator[bytes]:
    """The lines into which bare CRs split a line; CRs at its start stay with what follows them."""
    start = len(line) - len(line.lstrip(CR))
    for number, part in enumerate(line[start:].splitlines(keepends=True)):
        yield part if number else line[:start] + part


def _lines(raw: bytes) -> Iterator[bytes]:
    """The lines of a message with their endings, read lazily."""
    start = 0
    while start < len(raw):
        end = raw.find(LF, start) + 1 or len(raw)
        yield raw[start:end]
        start = end
