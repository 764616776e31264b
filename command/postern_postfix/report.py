"""What became of each line: the report that an import ends with."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .source import WHITE, Line, Table, printable


class Verdict(StrEnum):
    """What became of a line or of a part of it; a line has the last of those that its parts have.

    What did not come along is IMPOSSIBLE where the owner must decide, as somebody's mail would go elsewhere or
    nowhere, or a rule of the owner's own is lost; that alone is the exit status 1. It is LEFT_BEHIND where it decides
    nothing about who gets what, Postfix ignored it too, or SES has a counterpart.
    """

    UNNEEDED = "not needed"
    OUTBOUND = "stays for outbound (relay/)"
    TAKEN = "taken over"
    CHANGED = "changed"
    LEFT_BEHIND = "left behind"
    IMPOSSIBLE = "impossible"


_ORDER = {verdict: position for position, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class Part:
    """What became of a line or of a part of it; `instead` says what to do about what did not come along."""

    verdict: Verdict
    says: str
    instead: str = ""


def taken(says: str) -> Part:
    """It means the same in the tables."""
    return Part(Verdict.TAKEN, says)


def changed(says: str) -> Part:
    """It is in the tables or in SES, with a difference that the text names."""
    return Part(Verdict.CHANGED, says)


def outbound(says: str) -> Part:
    """It concerns sending, which a Postfix on localhost goes on doing."""
    return Part(Verdict.OUTBOUND, says)


def unneeded(says: str) -> Part:
    """Nothing is lost without it."""
    return Part(Verdict.UNNEEDED, says)


def left_behind(says: str, instead: str) -> Part:
    """It did not come along, and the owner has nothing to decide."""
    return Part(Verdict.LEFT_BEHIND, says, instead)


def impossible(says: str, instead: str) -> Part:
    """It did not come along, and the owner must decide what becomes of the mail."""
    return Part(Verdict.IMPOSSIBLE, says, instead)


def unreadable(line: Line) -> Part:
    """A line that says why it is unreadable. One that begins with white space held in no table either."""
    fix = "fix the line or remove it"
    ignored = line.text[:1] in WHITE and line.table not in (Table.MAIN_CF, Table.MASTER_CF)
    return left_behind(line.unreadable, fix) if ignored else impossible(line.unreadable, fix)


@dataclass(frozen=True, slots=True)
class Entry:
    """One logical line and all that is said about it."""

    line: Line
    parts: tuple[Part, ...]

    @property
    def verdict(self) -> Verdict:
        """The last of those of its parts; a line about which nothing is said did not come along."""
        return max((part.verdict for part in self.parts), key=_ORDER.__getitem__, default=Verdict.IMPOSSIBLE)


@dataclass(slots=True)
class Report:
    """The lines in the order in which they were read, and remarks that belong to no line."""

    remarks: list[str] = field(default_factory=list)
    _said: dict[Line, list[Part]] = field(default_factory=dict)

    def enter(self, lines: Iterable[Line]) -> None:
        """From now on these lines are to be accounted for."""
        for line in lines:
            self._said.setdefault(line, [])

    def say(self, line: Line, part: Part) -> None:
        """Add what became of a line; the same is said once."""
        said = self._said.setdefault(line, [])
        if part not in said:
            said.append(part)

    def remark(self, text: str) -> None:
        """Add what belongs to no line."""
        if text not in self.remarks:
            self.remarks.append(text)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Each line once."""
        return tuple(Entry(line, tuple(parts)) for line, parts in self._said.items())

    def counts(self) -> dict[Verdict, int]:
        """Lines by verdict; every verdict is there."""
        counted = Counter(entry.verdict for entry in self.entries)
        return {verdict: counted[verdict] for verdict in Verdict}


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "lines": [_entry(entry) for entry in report.entries],
        "remarks": [printable(remark) for remark in report.remarks],
        "counts": {str(verdict): count for verdict, count in report.counts().items()},
    }


def _entry(entry: Entry) -> dict[str, Any]:
    parts = [
        {"verdict": str(part.verdict), "says": printable(part.says), "instead": printable(part.instead)}
        for part in entry.parts
    ]
    line = entry.line
    return {
        "file": printable(line.file),
        "table": str(line.table),
        "line": line.first,
        "last_line": line.last,
        "text": printable(line.text),
        "verdict": str(entry.verdict),
        "parts": parts,
    }
