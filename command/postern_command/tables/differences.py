"""Compare a tables file with the live tables, and make the live tables match.

The live rows are streamed past the file, once to count, and once more for each kind of change. They are never all held
in memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from postern_mail.mail import settings
from postern_mail.mail.rows import BOOKKEEPING, Row, TableName, made_itself

from .change import TABLES, Change, Key, key_of
from .file import HEADER_RULES, TablesFile, rule_numbers
from .text import toml_attributes

if TYPE_CHECKING:
    from ..aws.table_rows import TableRows

MOST_REMOVED = 0.2  # of a table's live rows; removing more is more often a mistake than intended


@dataclass(slots=True)
class Survey:
    """How one live table differs from the file. `left` counts the rows that Postern added and that are left alone,
    `live` the others."""

    all_rows: bool = False
    live: int = 0
    left: int = 0
    add: list[Key] = field(default_factory=list)
    change: int = 0
    remove: int = 0

    @property
    def total(self) -> int:
        """The number of rows to write."""
        return len(self.add) + self.change + self.remove

    @property
    def removes_too_much(self) -> bool:
        """Whether so many rows would be removed that this may be the wrong file."""
        return self.remove > MOST_REMOVED * self.live


@dataclass(slots=True)
class Reach:
    """The live rows that a file governs: all except rows that Postern added and the file does not name.

    `left` counts the exceptions; with `all_rows` there are none.
    """

    all_rows: bool = False
    left: int = 0

    def within(self, table: TableName, wanted: Mapping[Key, Row], live: Iterable[Row]) -> Iterator[Row]:
        """The rows among these that the file governs."""
        for row in live:
            if self.all_rows or not made_itself(row) or key_of(table, row) in wanted:
                yield row
            else:
                self.left += 1


def rows_of(tables: TablesFile, table: TableName) -> Mapping[Key, Row]:
    """One table of a file, by keys as in `Change`."""
    if table == "settings":
        return {} if tables.settings is None else {(settings.KEY,): tables.settings}
    if table == "whitelists":
        return {(key,): row for key, row in (tables.whitelists or {}).items()}
    if table == "aliases":
        return {(key,): row for key, row in tables.aliases.items()}
    return {key: row for key, row in tables.senders.items()}  # noqa: C416 (dict() would keep the narrower type)


def differences(table: TableName, wanted: Mapping[Key, Row], live: Iterable[Row]) -> Iterator[Change]:
    """The changes that make a live table match the file: in the order of the live rows, then the new rows."""
    unseen = dict(wanted)
    for row in live:
        key = key_of(table, row)
        after = unseen.pop(key, None)
        if after is None or not same(row, after):
            yield Change(table, key, row, after)
    for key, after in unseen.items():
        yield Change(table, key, None, after)


def same(live: Row, wanted: Row) -> bool:
    """Whether two rows are equal, apart from who wrote them and when."""
    return bool(_comparable(live) == _comparable(wanted))


def survey(table: TableName, wanted: Mapping[Key, Row], live: Iterable[Row], *, all_rows: bool = False) -> Survey:
    """Count the differences. Only the keys of new rows are held in memory."""
    found, reach = Survey(all_rows), Reach(all_rows)

    def counted() -> Iterator[Row]:
        for row in reach.within(table, wanted, live):
            found.live += 1
            yield row

    for change in differences(table, wanted, counted()):
        match change.kind:
            case "add":
                found.add.append(change.key)
            case "change":
                found.change += 1
            case "remove":
                found.remove += 1
    found.left = reach.left
    return found


def with_needed_settings(tables: TablesFile, rows: "TableRows") -> TablesFile:
    """The file, with the live settings added if it has none and its header rules need another `header_rules`. Raises
    Temporary."""
    if tables.settings is not None:
        return tables
    live = next(rows.scan("settings"), {"address": settings.KEY})
    needed = rule_numbers(tables.senders)
    if (live.get(HEADER_RULES) or "") == needed:
        return tables
    kept = {name: value for name, value in live.items() if name not in (HEADER_RULES, *BOOKKEEPING)}
    return replace(tables, settings={**kept, HEADER_RULES: needed} if needed else kept)


def governed_tables(tables: TablesFile) -> tuple[TableName, ...]:
    """The tables that a file governs: without a section for settings or whitelists, the live ones stay unchanged."""
    left = {"settings": tables.settings is None, "whitelists": tables.whitelists is None}
    return tuple(table for table in TABLES if not left.get(table))


def surveys(tables: TablesFile, rows: "TableRows", *, all_rows: bool = False) -> dict[TableName, Survey]:
    """A Survey of each table that the file governs. Raises Temporary."""
    return {
        table: survey(table, rows_of(tables, table), rows.scan(table), all_rows=all_rows)
        for table in governed_tables(tables)
    }


def make_equal(
    tables: TablesFile,
    rows: "TableRows",
    found: Mapping[TableName, Survey],
    stamp: Mapping[str, Any],
    written_so_far: Callable[[int], object],
) -> None:
    """Write the differences: additions first, then changes, then removals.

    So no alias ever leads to a row that is not there yet or no longer. Calls `written_so_far` with the number of rows
    in each chunk. Raises Overtaken or Temporary; what was written stays, and a repeat does what is left.
    """
    from ..aws.table_rows import chunks  # noqa: PLC0415 (boto3 takes half a second)

    for kind in ("add", "change", "remove"):
        for table in found:
            changes = _changes(kind, table, rows_of(tables, table), rows, found[table])
            for lot in chunks(stamped(change, stamp) for change in changes):
                rows.write(lot)
                written_so_far(len(lot))


def stamped(change: Change, stamp: Mapping[str, Any]) -> Change:
    """The change with bookkeeping: who makes it and when."""
    after = None if change.after is None else {**change.after, **stamp}
    return Change(change.table, change.key, change.before, after)


def _changes(
    kind: str, table: TableName, wanted: Mapping[Key, Row], rows: "TableRows", found: Survey
) -> Iterator[Change]:
    if kind == "add":
        return (Change(table, key, None, wanted[key]) for key in found.add)
    if not (found.change if kind == "change" else found.remove):
        return iter(())
    live = Reach(found.all_rows).within(table, wanted, rows.scan(table))
    return (change for change in differences(table, wanted, live) if change.kind == kind)


def _comparable(row: Row) -> Any:
    """A row in a form in which true differs from 1, and 1 equals 1.0, as in DynamoDB."""
    try:
        return _typed(toml_attributes(row))
    except ValueError:
        return repr(row)  # no file can hold it, so it equals no row of a file


def _typed(value: Any) -> Any:
    if isinstance(value, bool):
        return ("flag", value)
    if isinstance(value, dict):
        return {name: _typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return value
