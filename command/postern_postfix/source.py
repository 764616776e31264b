"""Logical lines of a Postfix file, each with its place.

Source: postconf(5), aliases(5) and postmap(1), "input format". A line that starts with white space continues the one
before, even across comments and empty lines; a comment is a line whose first character other than white space is `#`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

WHITE = " \t\r\n\v\f"  # exactly isspace(3) in the C locale


class Table(StrEnum):
    """The kind of a file."""

    ALIASES = "aliases"
    INCLUDE = "include"
    VIRTUAL = "virtual"
    PATTERNS = "patterns"
    ACCESS = "access"
    MAILBOXES = "virtual mailboxes"
    DOMAINS = "domains"
    MAIN_CF = "main.cf"
    MASTER_CF = "master.cf"
    HEADER_CHECKS = "header_checks"
    POSTGREY_CLIENTS = "postgrey whitelist of clients"
    POSTGREY_RECIPIENTS = "postgrey whitelist of recipients"
    POSTGREY_OPTIONS = "postgrey options"


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line: `first` and `last` are the numbers of its physical lines, from 1.

    Bytes that are not UTF-8 are kept as surrogates.
    """

    table: Table
    file: str
    first: int
    last: int
    text: str

    @property
    def place(self) -> str:
        """`file:line`, printable, for a terminal or a row's note."""
        return printable(f"{self.file}:{self.first}")

    @property
    def unreadable(self) -> str:
        """Why Postfix itself ignores or refuses this line, "" if it does not."""
        if "\0" in self.text:
            return "it has a NUL byte"
        if not self.text.isascii() and any("\udc80" <= one <= "\udcff" for one in self.text):
            return "it is not UTF-8, so Postfix ignores it"
        if self.text[:1] in tuple(WHITE):
            return "it starts with white space and continues nothing, so Postfix ignores it"
        return ""


def read(path: Path, table: Table, shown: str) -> tuple[Line, ...]:
    """The logical lines of a file; `shown` is its name in the report. Raises OSError."""
    data = path.read_bytes()
    places = _PLACES.get(table, _logical)(data)
    return tuple(
        Line(table, shown, first, last, text.decode("utf-8", "surrogateescape")) for first, last, text in places
    )


def printable(text: str) -> str:
    """The text with control characters and invalid characters escaped."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _logical(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    first, last, joined = 0, 0, b""
    for number, physical in enumerate(data.split(b"\n"), 1):
        if joined and physical and not physical[:1].isspace() and not physical.startswith(b"#"):
            yield first, last, joined
            joined = b""
        if not physical.strip() or physical.lstrip().startswith(b"#"):
            continue
        first = first if joined else number
        last, joined = number, joined + physical
    if joined:
        yield first, last, joined


def _written(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The lines of a Postgrey whitelist: no continuation, and white space may precede a comment."""
    for number, physical in enumerate(data.split(b"\n"), 1):
        if physical.strip() and not physical.strip().startswith(b"#"):
            yield number, number, physical.strip()


def _continued(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The lines of a shell file or systemd unit, where a backslash at the end continues a line."""
    first, joined = 0, b""
    for number, physical in enumerate(data.split(b"\n"), 1):
        text = physical.rstrip(b"\r")
        if not joined and (not text.strip() or text.strip()[:1] in (b"#", b";")):
            continue
        first = first if joined else number
        joined += text
        if text.endswith(b"\\"):
            joined = joined[:-1] + b" "
            continue
        yield first, number, joined.strip()
        joined = b""
    if joined.strip():
        yield first, number, joined.strip()


def _physical(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The lines of an included list: no continuation, and `#` must be the first character (local(8))."""
    for number, physical in enumerate(data.split(b"\n"), 1):
        if physical.strip() and not physical.startswith(b"#"):
            yield number, number, physical.strip()


_PLACES: dict[Table, Callable[[bytes], Iterator[tuple[int, int, bytes]]]] = {
    Table.INCLUDE: _physical,
    Table.POSTGREY_CLIENTS: _written,
    Table.POSTGREY_RECIPIENTS: _written,
    Table.POSTGREY_OPTIONS: _continued,
}
