"""The report for people: first what needs a decision, each cause once; lines that need nothing only with --all."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from .report import Entry, Report, Verdict
from .source import Line, Table, printable

MOST_DIFFERENCES = 20  # shown without --all; more is too long to read before the first test
_URGENT = re.compile(
    r"\b(?:postmaster|abuse)\b", re.IGNORECASE
)  # RFC 2142: people write to them when something is wrong
_SHOWN_UNASKED = (Verdict.IMPOSSIBLE, Verdict.LEFT_BEHIND, Verdict.CHANGED)
_SHOWN = 6  # names or places of one cause


def lines(report: Report, every: bool = False) -> Iterator[str]:
    """The report, line by line; with `every` it has each line of the files."""
    counted = (f"{count} {verdict}" for verdict, count in report.counts().items() if count)
    yield f"lines: {', '.join(counted) or 'none'}"
    lost = sorted(_causes(report, Verdict.IMPOSSIBLE), key=lambda cause: not cause.is_urgent)
    yield from _section("needs a person", lost, len(lost))
    yield from _section("left behind, nothing to decide", _causes(report, Verdict.LEFT_BEHIND), MOST_DIFFERENCES)
    differ = _causes(report, Verdict.CHANGED)
    yield from _section("different from now on", differ, MOST_DIFFERENCES)
    for remark in report.remarks:
        yield printable(f"note: {remark}")
    if every:
        yield from _by_file(report)
    else:
        yield from _silent(report)


@dataclass(slots=True)
class _Cause:
    """One text, with the names and lines that it is about."""

    says: str
    instead: str
    names: dict[str, None] = field(default_factory=dict)
    lines: dict[Line, None] = field(default_factory=dict)

    @property
    def is_urgent(self) -> bool:
        return any(_URGENT.search(text) for text in (self.says, *self.names, *(line.text for line in self.lines)))


def _causes(report: Report, verdict: Verdict) -> list[_Cause]:
    """The causes of this verdict; `a: reason` and `b: reason` are one cause."""
    found: dict[tuple[str, str], _Cause] = {}
    for entry in report.entries:
        for part in entry.parts if entry.verdict is verdict else ():
            if part.verdict is verdict:
                name, colon, reason = part.says.partition(": ")
                says = reason if colon else part.says
                cause = found.setdefault((says, part.instead), _Cause(says, part.instead))
                cause.names.update({name: None} if colon else {})
                cause.lines[entry.line] = None
    return list(found.values())


def _section(title: str, causes: list[_Cause], most: int) -> Iterator[str]:
    if causes:
        yield f"{title}:"
    for cause in causes[:most]:
        instead = f"; instead: {cause.instead}" if cause.instead else ""
        names = f"{_some(list(cause.names))}: " if cause.names else ""
        where = list(cause.lines)
        yield printable(f"  {names}{cause.says}{instead}")
        yield printable(f"      {where[0].place}: {_short(where[0].text)}")
        if len(where) > 1:
            yield printable(f"      also {_some([line.place for line in where[1:]])}")
    if len(causes) > most:
        yield f"  and {len(causes) - most} more: --all shows them"


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return f"{', '.join(texts[:_SHOWN])}{more}"


def _silent(report: Report) -> Iterator[str]:
    silent = [entry for entry in report.entries if entry.verdict not in _SHOWN_UNASKED]
    settings = sum(entry.line.table is Table.MAIN_CF and entry.verdict is Verdict.UNNEEDED for entry in silent)
    if settings:
        yield f"{settings} parameters of main.cf do not affect who gets what"
    if silent:
        yield f"{len(silent)} lines need nothing from you: --all shows them"


def _by_file(report: Report) -> Iterator[str]:
    for (file, table), entries in groupby(report.entries, lambda entry: (entry.line.file, entry.line.table)):
        yield printable(f"{file} ({table})")
        for entry in entries:
            yield from _lines(entry)


def _lines(entry: Entry) -> Iterator[str]:
    place = f"{entry.line.first}" if entry.line.first == entry.line.last else f"{entry.line.first}-{entry.line.last}"
    yield printable(f"  {place}: {entry.verdict}: {_short(entry.line.text)}")
    for part in entry.parts:
        instead = f"; instead: {part.instead}" if part.instead else ""
        verdict = f"{part.verdict}: " if part.verdict is not entry.verdict else ""
        yield printable(f"      {verdict}{part.says}{instead}")


def _short(text: str) -> str:
    """A line's text, shortened to one row of a terminal."""
    words = " ".join(text.split())
    return words if len(words) <= 76 else f"{words[:73]}..."
