"""The files of an import: each is read once, and the report must account for all its lines."""

from dataclasses import dataclass, field
from pathlib import Path

from .maps import Map
from .report import Report
from .source import Line, Table, read


@dataclass(slots=True)
class Files:
    """The files that were read, by path and kind."""

    root: Path
    report: Report
    _read: dict[tuple[Path, Table], tuple[Line, ...]] = field(default_factory=dict)

    def lines(self, map_: Map, table: Table, as_typed: bool) -> tuple[Line, ...]:
        """The lines of a table's file, under the root unless `as_typed` by the user. Raises OSError."""
        return self.at(Path(map_.file) if as_typed else map_.path(self.root), table, map_.file)

    def included(self, path: str) -> tuple[Line, ...]:
        """The lines of an included file. Raises OSError, or ValueError for a path that Postfix refuses."""
        if not path.startswith("/"):
            raise ValueError("its path is not absolute")
        return self.at(Map("", path).path(self.root), Table.INCLUDE, path)

    def at(self, path: Path, table: Table, shown: str) -> tuple[Line, ...]:
        """The lines of any file. Raises OSError."""
        if "\0" in str(path):
            raise FileNotFoundError("its name has a NUL byte")
        if (path, table) not in self._read:
            if not path.is_file():
                raise FileNotFoundError("no such file")
            lines = read(path, table, shown)
            self.report.enter(lines)
            self._read[path, table] = lines
        return self._read[path, table]

    def of(self, table: Table) -> tuple[Line, ...]:
        """The lines of all files that were read as this kind of table."""
        return tuple(line for (_, kind), lines in self._read.items() if kind is table for line in lines)
