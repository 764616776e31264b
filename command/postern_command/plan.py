"""`postern plan`: what `postern apply` would change in the live tables."""

from pathlib import Path
from typing import Annotated

import typer
from postern_mail.mail.keys import in_order

from .options import AllRowsOption, FileArgument, JsonOption, StackOption, WideOption
from .output import difference_text
from .stack import Stack
from .status import NO, exits, refuse_any, warn
from .tables.change import Change
from .tables.checks import Findings
from .tables.differences import Reach, differences, governed_tables, rows_of, with_needed_settings
from .tables.file import TablesFile


def plan(
    file: FileArgument,
    stack: StackOption = None,
    all_rows: AllRowsOption = False,
    check: Annotated[bool, typer.Option("--check", help="Exit status 1 if anything would change.")] = False,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what `postern apply` would add, change and remove to make the live tables match a file.

    Rows that Postern added (`made_by`) are left alone unless the file names them or you give --all-rows. On a terminal
    each change has one line; --wide shows it whole. With --json, one object per line. Exit status 0 if the plan was
    printed; 1 if rows of the file are not valid, naming each, or for --check; 2 for a file that cannot be read.
    """
    with exits():
        tables, where = load_checked(file, stack)
        reach = Reach(all_rows)
        found = planned_changes(tables, where, reach)
        print_changes(found, as_json, wide=wide)
        report_left_alone(reach.left, as_json)
    if check and found:
        raise typer.Exit(NO)


def load_checked(file: Path, stack: str | None) -> tuple[TablesFile, Stack]:
    """The tables file, checked, and the stack; ends with status 1 if a row is not valid."""
    tables = TablesFile.load(file)
    where = Stack.find(stack)
    found = Findings.of(tables, where.policy)
    warn(found.warnings)
    refuse_any(found.faults)
    return with_needed_settings(tables, where.rows), where


def planned_changes(tables: TablesFile, where: Stack, reach: Reach) -> list[Change]:
    """All changes, in the order of a tables file. Only the changes are held in memory, not the live tables."""
    found: list[Change] = []
    for table in governed_tables(tables):
        wanted = rows_of(tables, table)
        live = reach.within(table, wanted, where.rows.scan(table))
        found += sorted(differences(table, wanted, live), key=_place)
    return found


def report_left_alone(left: int, as_json: bool) -> None:
    """Say how many rows were left alone; on standard error if standard output is for a program."""
    if left:
        rows = "1 row that Postern added is" if left == 1 else f"{left} rows that Postern added are"
        typer.echo(f"{rows} left alone; --all-rows includes {'it' if left == 1 else 'them'}", err=as_json)


def _place(change: Change) -> tuple[str, ...]:
    return change.key[::-1] if change.table == "senders" else in_order(change.key[0])


def print_changes(changes: list[Change], json_lines: bool, *, wide: bool) -> None:
    """Print the changes and their number; on a terminal one line each, unless `wide`."""
    if json_lines:
        for change in changes:
            typer.echo(difference_text.as_json(change))
        return
    cut = False
    if wide:
        difference_text.show(changes)
    else:
        cut = difference_text.show_list(changes)
    kinds = [change.kind for change in changes]
    counts = (f"{kinds.count(kind)} to {kind}" for kind in ("add", "change", "remove"))
    said = ", ".join(counts) if changes else "nothing to change"
    typer.echo(f"{said}; --wide shows each whole" if cut else said)
