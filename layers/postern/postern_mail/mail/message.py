"""A message as lines: header fields as the bytes they came in, and everything after them untouched.

Nothing is parsed that need not be and nothing is ever serialised again: what is not edited goes
out byte for byte (RFC 5322 2.1: a message is lines; 2.2.3: a field goes on over folded lines).
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CRLF = b"\r\n"
LF = b"\n"
CR = b"\r"

# A name is printable ASCII without the colon; white space before the colon is tolerated (4.5.8).
_NAME = re.compile(rb"\r*([!-9;-~]+)[ \t]*:")


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
        return cls(raw, sys.intern(found[1].decode("ascii").lower()) if found else "")

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
        """Split a message; any bytes at all are a message.

        The header ends at the first line that has nothing but CR and LF. Within the header a CR
        alone ends a line too, as many parsers see it: a field must not hide behind one.
        """
        fields: list[list[bytes]] = []
        end = 0
        for line in _lines(raw):
            if not line.strip(CRLF):
                break
            end += len(line)
            for part in _parts(line) if CR in line.rstrip(CRLF) else (line,):
                if fields and (part[:1] in (b" ", b"\t") or not part.strip(CRLF)):
                    fields[-1].append(part)
                else:
                    fields.append([part])
        newline = LF if fields and not raw[:end].partition(LF)[0].endswith(CR) and LF in raw[:end] else CRLF
        return cls(tuple(Field.read(b"".join(lines)) for lines in fields), memoryview(raw)[end:], newline)

    def named(self, name: str) -> tuple[Field, ...]:
        """All fields of this lower-case name, in order."""
        return tuple(field for field in self.fields if field.name == name)

    def join(self, fields: Iterable[Field]) -> bytes:
        """The message with these fields instead of its own.

        A field that does not end in a line feed (a CR alone, or the header was cut short) gets one
        where what follows it is not what followed it before.
        """
        after = dict(zip(map(id, self.fields), map(id, self.fields[1:]), strict=False))
        parts: list[bytes | memoryview] = []
        previous: Field | None = None
        for field in fields:
            if previous is not None and after.get(id(previous)) != id(field):
                parts.append(self._ending(previous))
            parts.append(field.raw)
            previous = field
        if previous is not None and self.rest and not (self.fields and previous is self.fields[-1]):
            parts.append(self._ending(previous))
        return b"".join((*parts, self.rest))

    def _ending(self, field: Field) -> bytes:
        """What a field lacks of a line ending."""
        if field.raw.endswith(LF):
            return b""
        return LF if field.raw.endswith(CR) else self.newline


def _parts(line: bytes) -> Iterator[bytes]:
    """The lines that CRs alone make of a line; those at its start stay with what follows them."""
    start = len(line) - len(line.lstrip(CR))
    for number, part in enumerate(line[start:].splitlines(keepends=True)):
        yield part if number else line[:start] + part


def _lines(raw: bytes) -> Iterator[bytes]:
    """The lines of a message with their endings, without looking beyond the one asked for."""
    start = 0
    while start < len(raw):
        end = raw.find(LF, start) + 1 or len(raw)
        yield raw[start:end]
        start = end
