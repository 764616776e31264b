"""The report for people: what needs a person first, one cause once, and what needs nothing only if asked for."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from .report import Entry, Part, Report, Verdict
from .source import Line, Table, printable

MOST_DIFFERENCES = 20  # that are shown unasked; nobody reads more before the first test
_URGENT = re.compile(
    r"\b(?:postmaster|abuse)\b", re.IGNORECASE
)  # RFC 2142: they are written to when something is wrong
_PLACES = 5  # of one cause


def lines(report: Report, every: bool = False) -> Iterator[str]:
    """The report, line by line; with `every` also what became of each line of the files."""
    counted = (f"{count} {verdict}" for verdict, count in report.counts().items() if count)
    yield f"lines: {', '.join(counted) or 'none'}"
    lost = sorted(_causes(report, Verdict.IMPOSSIBLE).items(), key=lambda cause: not _is_urgent(*cause))
    yield from _section("needs a person", lost, len(lost))
    differ = list(_causes(report, Verdict.CHANGED).items())
    yield from _section("different from now on", differ, MOST_DIFFERENCES)
    for remark in report.remarks:
        yield printable(f"note: {remark}")
    if every:
        yield from _by_file(report)
    else:
        yield from _silent(report)


def _causes(report: Report, verdict: Verdict) -> dict[Part, list[Line]]:
    """What is said about lines of this verdict, and about which; the same once."""
    found: dict[Part, list[Line]] = {}
    for entry in report.entries:
        for part in entry.parts if entry.verdict is verdict else ():
            if part.verdict is verdict:
                found.setdefault(part, []).append(entry.line)
    return found


def _is_urgent(part: Part, where: Iterable[Line]) -> bool:
    return any(_URGENT.search(text) for text in (part.says, *(line.text for line in where)))


def _section(title: str, causes: list[tuple[Part, list[Line]]], most: int) -> Iterator[str]:
    if causes:
        yield f"{title}:"
    for part, where in causes[:most]:
        instead = f"; instead: {part.instead}" if part.instead else ""
        yield printable(f"  {part.says}{instead}")
        yield printable(f"      {where[0].place}: {_short(where[0].text)}")
        if len(where) > 1:
            others = ", ".join(line.place for line in where[1:_PLACES])
            more = f" and {len(where) - _PLACES} more" if len(where) > _PLACES else ""
            yield printable(f"      also {others}{more}")
    if len(causes) > most:
        yield f"  and {len(causes) - most} more: --all shows them"


def _silent(report: Report) -> Iterator[str]:
    silent = [entry for entry in report.entries if entry.verdict not in (Verdict.IMPOSSIBLE, Verdict.CHANGED)]
    settings = sum(entry.line.table is Table.MAIN_CF and entry.verdict is Verdict.UNNEEDED for entry in silent)
    if settings:
        yield f"{settings} parameters of main.cf decide nothing about who gets what"
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
    """A line's text in one row of a terminal."""
    words = " ".join(text.split())
    return words if len(words) <= 76 else f"{words[:73]}..."
