"""`postern plan`, `apply` and `export`: both tables as one file, for git."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postern_mail.mail.address import alias_key
from rich.console import Console

from . import difference_text
from .checks import Findings
from .differences import MOST_REMOVED, Survey, differences, make_equal, rows_of, surveys
from .edits import TABLES, Change, TableName, key_of, named
from .keys import in_order, scope_key, sender_key
from .live import live
from .options import DryRunOption, JsonOption, StackOption
from .status import NO, exits, refuse, say_no, warn
from .tables_file import TablesFile
from .tables_text import toml, written

if TYPE_CHECKING:
    from .aws.stack import Live

FileArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tables file, as TOML.")]


def plan(
    file: FileArgument,
    stack: StackOption = None,
    check: Annotated[bool, typer.Option("--check", help="Exit status 1 if anything would change.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what would make the live tables equal to a file: what is added, changed and removed.

    With --json one object a line. Exit status 0 when the plan was printed; 1 when a row of the
    file is not valid, naming all of them, or for --check; 2 for a file that cannot be read.
    """
    with exits():
        tables, where = _loaded(file, stack)
        found = _planned(tables, where)
        _print(found, as_json)
    if check and found:
        raise typer.Exit(NO)


def apply(
    file: FileArgument,
    stack: StackOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also if more than 20 % of a table's rows would be removed.")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the live tables equal to a file. Interrupted or refused, it does what is left when it is run again.

    Rows are written 100 at a time, all or none, what is new first and what is removed last. A row that
    somebody edits meanwhile is not written over. Exit status 1 for that, for rows that are not
    valid, and for too many removals.
    """
    with exits():
        tables, where = _loaded(file, stack)
        if dry_run:
            _print(_planned(tables, where), as_json)
            return
        found = surveys(tables, where.rows)
        if not yes:
            say_no(_refusals(found))
        _write(tables, where, found)
    _report(found, as_json)


def export(
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="Where to write; else standard output.")] = None,
    stack: StackOption = None,
) -> None:
    """Write the live tables as a tables file, in an order that does not change from one time to the next.

    Who wrote a row, and when, is left out. Exit status 1 if a row cannot be written to a file.
    """
    with exits():
        text = "".join(toml(_exported(live(stack)))).encode()
    if out is None:
        sys.stdout.buffer.write(text)
        return
    try:
        _replace(out, text)
    except OSError as fault:
        refuse(f"{out}: {fault}")


def _loaded(file: Path, stack: str | None) -> tuple[TablesFile, "Live"]:
    """A file that is fit for these tables; ends with status 1 if it is not."""
    tables = TablesFile.load(file)
    where = live(stack)
    found = Findings.of(tables, where.domains)
    warn(found.warnings)
    say_no(found.faults)
    return tables, where


def _planned(tables: TablesFile, where: "Live") -> list[Change]:
    """All changes, in the order of a tables file. They are held, and nothing else of the live tables."""
    return [
        change
        for table in TABLES
        for change in sorted(differences(table, rows_of(tables, table), where.rows.scan(table)), key=_place)
    ]


def _place(change: Change) -> tuple[str, ...]:
    return in_order(change.key[0]) if change.table == "aliases" else change.key[::-1]


def _print(changes: list[Change], json_lines: bool) -> None:
    if json_lines:
        for change in changes:
            typer.echo(difference_text.as_json(change))
        return
    difference_text.show(changes)
    kinds = [change.kind for change in changes]
    counts = (f"{kinds.count(kind)} to {kind}" for kind in ("add", "change", "remove"))
    typer.echo(", ".join(counts) if changes else "nothing to change")


def _refusals(found: Mapping[TableName, Survey]) -> Iterator[str]:
    for table, one in found.items():
        if one.removes_too_much:
            yield (
                f"{one.remove} of {one.live} rows of {table} would be removed, more than {MOST_REMOVED:.0%}:"
                " is this the right file? --yes if so"
            )


def _write(tables: TablesFile, where: "Live", found: Mapping[TableName, Survey]) -> None:
    total = sum(one.total for one in found.values())
    if not total:
        return
    from rich.progress import Progress  # noqa: PLC0415 (start-up: only this command needs it)

    from .aws.table_rows import caller  # noqa: PLC0415 (boto3 takes half a second)

    stamp = {"updated_at": int(time.time()), "updated_by": caller()}
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("writing", total=total)
        make_equal(tables, where.rows, found, stamp, lambda count: bar.advance(task, count))


def _report(found: Mapping[TableName, Survey], as_json: bool) -> None:
    done = {
        table: {"added": len(one.add), "changed": one.change, "removed": one.remove} for table, one in found.items()
    }
    if as_json:
        typer.echo(json.dumps(done))
        return
    for table, counts in done.items():
        typer.echo(f"{table}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))


def _exported(where: "Live") -> TablesFile:
    """The live tables under the keys a file would have; ends with status 1 where a file cannot say it."""
    found = TablesFile(where.domains, {}, {})
    faults: list[str] = []
    for table in TABLES:
        rows: Any = found.aliases if table == "aliases" else found.senders
        for row in where.rows.scan(table):
            key = key_of(table, row)
            spelled: Any = alias_key(key[0]) if table == "aliases" else (sender_key(key[0]), scope_key(key[1]))
            if spelled in rows:
                faults.append(f"{named(table, key)} is there twice, spelled in two ways; remove one")
            rows[spelled] = row
            faults += _unwritable(table, row)
    say_no(faults)
    return found


def _unwritable(table: TableName, row: Mapping[str, Any]) -> list[str]:
    try:
        written(row)
    except ValueError as fault:
        return [f"{named(table, key_of(table, row))}: {fault}"]
    return []


def _replace(path: Path, text: bytes) -> None:
    """All of the file or none of it: what was there stays until the new one is whole."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(text)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
