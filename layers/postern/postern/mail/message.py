"""A message as lines: header fields as the bytes they came in, and everything after them untouched.

Nothing is parsed that need not be and nothing is ever serialised again: what is not edited goes
out byte for byte (RFC 5322 2.1: a message is lines; 2.2.3: a field goes on over folded lines).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CRLF = b"\r\n"
LF = b"\n"
_BLANK = (CRLF, LF, b"\r")  # a lone CR can only be the last line; a LF added to it would make it one


# A name is printable ASCII without the colon; white space before the colon is tolerated (4.5.8).
_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")


@dataclass(frozen=True, slots=True)
class Field:
    """One header field with its folded lines and its line ending; `name` is in lower case.

    A line that is no field (no colon, or nothing before it) is kept as one whose name is "".
    """

    raw: bytes
    name: str

    @classmethod
    def read(cls, raw: bytes) -> "Field":
        """The field in these bytes; any bytes are one."""
        found = _NAME.match(raw)
        return cls(raw, found[1].decode("ascii").lower() if found else "")

    @property
    def value(self) -> bytes:
        """What follows the colon, unfolded: line breaks taken out, white space kept (2.2.3)."""
        return self.raw.partition(b":")[2].replace(b"\r", b"").replace(b"\n", b"").strip(b" \t")


@dataclass(frozen=True, slots=True)
class Message:
    """A message split at the end of its header.

    `rest` starts with the blank line, if there is one, and is a view of the original bytes: a
    40 MB body is not copied. `newline` is the line ending of the header's first line.
    """

    fields: tuple[Field, ...]
    rest: memoryview
    newline: bytes = CRLF

    @classmethod
    def split(cls, raw: bytes) -> "Message":
        """Split a message; any bytes at all are a message."""
        fields: list[list[bytes]] = []
        end = 0
        for line in _lines(raw):
            if line in _BLANK:
                break
            end += len(line)
            if fields and line[:1] in (b" ", b"\t"):
                fields[-1].append(line)
            else:
                fields.append([line])
        newline = LF if fields and not fields[0][0].endswith(CRLF) and fields[0][0].endswith(LF) else CRLF
        return cls(tuple(Field.read(b"".join(lines)) for lines in fields), memoryview(raw)[end:], newline)

    def named(self, name: str) -> tuple[Field, ...]:
        """All fields of this lower-case name, in order."""
        return tuple(field for field in self.fields if field.name == name)

    def join(self, fields: Iterable[Field]) -> bytes:
        """The message with these fields instead of its own.

        A field without a line ending (the header was cut short) gets one unless it comes last.
        """
        parts: list[bytes | memoryview] = []
        for field in fields:
            if parts and parts[-1][-1:] != LF:
                parts.append(self.newline)
            parts.append(field.raw)
        if parts and self.rest and parts[-1][-1:] != LF:
            parts.append(self.newline)
        return b"".join((*parts, self.rest))


def _lines(raw: bytes) -> Iterator[bytes]:
    """The lines of a message with their endings, without looking beyond the one asked for."""
    start = 0
    while start < len(raw):
        end = raw.find(LF, start) + 1 or len(raw)
        yield raw[start:end]
        start = end
