"""The report of an import: the verdict on each line."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .source import WHITE, Line, Table, printable


class Verdict(StrEnum):
    """The verdict on a line or a part of it, from least to most serious; a line has the most serious of its parts.

    What was not imported is IMPOSSIBLE if the owner must decide, because mail would go elsewhere or nowhere, or one of
    the owner's rules is lost; only that gives exit status 1. It is LEFT_BEHIND if it does not affect who gets what, if
    Postfix ignored it too, or if SES has a counterpart.
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
    """The verdict on a line or a part of it; `instead` says what to do about what was not imported."""

    verdict: Verdict
    says: str
    instead: str = ""


def taken(says: str) -> Part:
    """Imported, with the same meaning."""
    return Part(Verdict.TAKEN, says)


def changed(says: str) -> Part:
    """Imported, or done by SES, with a difference that the text names."""
    return Part(Verdict.CHANGED, says)


def outbound(says: str) -> Part:
    """It concerns sending, which a Postfix on localhost continues to do."""
    return Part(Verdict.OUTBOUND, says)


def unneeded(says: str) -> Part:
    """Nothing is lost without it."""
    return Part(Verdict.UNNEEDED, says)


def left_behind(says: str, instead: str) -> Part:
    """Not imported, and the owner has nothing to decide."""
    return Part(Verdict.LEFT_BEHIND, says, instead)


def impossible(says: str, instead: str) -> Part:
    """Not imported, and the owner must decide what happens to the mail."""
    return Part(Verdict.IMPOSSIBLE, says, instead)


def unreadable(line: Line) -> Part:
    """The verdict on an unreadable line. Postfix's tables ignored a line that starts with white space too."""
    fix = "fix the line or remove it"
    ignored = line.text[:1] in WHITE and line.table not in (Table.MAIN_CF, Table.MASTER_CF)
    return left_behind(line.unreadable, fix) if ignored else impossible(line.unreadable, fix)


@dataclass(frozen=True, slots=True)
class Entry:
    """One logical line and its verdicts."""

    line: Line
    parts: tuple[Part, ...]

    @property
    def verdict(self) -> Verdict:
        """The most serious verdict of its parts; a line without any counts as IMPOSSIBLE."""
        return max((part.verdict for part in self.parts), key=_ORDER.__getitem__, default=Verdict.IMPOSSIBLE)


@dataclass(slots=True)
class Report:
    """The lines in the order in which they were read, and remarks that do not belong to a line."""

    remarks: list[str] = field(default_factory=list)
    _said: dict[Line, list[Part]] = field(default_factory=dict)

    def enter(self, lines: Iterable[Line]) -> None:
        """Add lines that the report must account for."""
        for line in lines:
            self._said.setdefault(line, [])

    def say(self, line: Line, part: Part) -> None:
        """Add a verdict on a line, once."""
        said = self._said.setdefault(line, [])
        if part not in said:
            said.append(part)

    def remark(self, text: str) -> None:
        """Add a remark that does not belong to a line, once."""
        if text not in self.remarks:
            self.remarks.append(text)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Each line, once."""
        return tuple(Entry(line, tuple(parts)) for line, parts in self._said.items())

    def counts(self) -> dict[Verdict, int]:
        """The number of lines by verdict, including zeros."""
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
