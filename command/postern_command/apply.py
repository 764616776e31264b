"""`postern apply`: make the live tables match a file."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer
from postern_mail.mail.rows import TableName

from .options import AllRowsOption, DryRunOption, FileArgument, JsonOption, StackOption, WideOption
from .plan import load_checked, planned_changes, print_changes, report_left_alone
from .stack import Stack
from .status import exits, refuse_any
from .tables.differences import MOST_REMOVED, Reach, Survey, make_equal, surveys
from .tables.file import TablesFile


def apply(
    file: FileArgument,
    stack: StackOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Go ahead even if it removes more than 20 % of a table's rows.")
    ] = False,
    all_rows: AllRowsOption = False,
    dry_run: DryRunOption = False,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the live tables match a file. If it is interrupted or refused, run it again: it does what is left.

    Rows are written 100 at a time, all or none: new rows first, removals last. A row that someone else changes
    meanwhile is not overwritten, and the exit status is 1; so it is for rows that are not valid, and for too many
    removals. Rows that Postern added (`made_by`) are left alone unless the file names them or you give --all-rows.
    """
    with exits():
        tables, where = load_checked(file, stack)
        if dry_run:
            reach = Reach(all_rows)
            print_changes(planned_changes(tables, where, reach), as_json, wide=wide)
            report_left_alone(reach.left, as_json)
            return
        found = surveys(tables, where.rows, all_rows=all_rows)
        if not yes:
            refuse_any(_refusals(found))
        _write(tables, where, found)
    _report(found, as_json)


def _refusals(found: Mapping[TableName, Survey]) -> Iterator[str]:
    for table, one in found.items():
        if one.removes_too_much:
            yield (
                f"{one.remove} of {one.live} rows of {table} would be removed, more than {MOST_REMOVED:.0%}:"
                " if this is the right file, add --yes"
            )


def _write(tables: TablesFile, where: Stack, found: Mapping[TableName, Survey]) -> None:
    total = sum(one.total for one in found.values())
    if not total:
        return
    from rich.console import Console  # noqa: PLC0415
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
    else:
        for table, counts in done.items():
            typer.echo(f"{table}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    report_left_alone(sum(one.left for one in found.values()), as_json)
