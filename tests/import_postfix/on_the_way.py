"""Which lines of the report are about the way of an address: those of the rows that it meets in the tables."""

import re
from collections.abc import Iterator

from postern_postfix.report import Entry, Verdict

from .box import Imported

_ROW = re.compile(r"(\S+@\S+?)(?:: | is written switched off| leads form a loop)")
_PATTERN = re.compile(r"pattern (.+) at (\S+): ")
_INCLUDED = re.compile(r"the addresses in (\S+) are written here")


def is_impossible_on_the_way(done: Imported, address: str) -> bool:
    """Is one of the lines impossible from which the rows that the address meets were made, or a list in them?"""
    lines = [*_on_the_way(done, address)]
    lists = {path for entry in lines for part in entry.parts for path in _INCLUDED.findall(part.says)}
    lines += [entry for entry in done.report.entries if entry.line.file in lists]
    return any(entry.verdict is Verdict.IMPOSSIBLE for entry in lines)


def _on_the_way(done: Imported, address: str) -> Iterator[Entry]:
    met = set(done.resolved(address).matched)
    onward = {text for key in met for text in done.tables.aliases[key]["destinations"]}
    locals_ = {one.rpartition("@")[0].lower() for one in (address, *met, *onward)}
    for entry in done.report.entries:
        if any(_is_met(part.says, met, locals_) for part in entry.parts):
            yield entry


def _is_met(says: str, met: set[str], locals_: set[str]) -> bool:
    """Does the report say this of one of these rows, or of a pattern of theirs that takes one of these names?"""
    if (row := _ROW.match(says)) is not None:
        return row[1] in met
    pattern = _PATTERN.match(says)
    takes = pattern is not None and any(re.fullmatch(pattern[1], one, re.IGNORECASE) for one in locals_)
    return takes and pattern is not None and f"@{pattern[2]}" in met
