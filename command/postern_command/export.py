"""`postern export`: write the live tables to a file, for version control."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from postern_mail.mail.address import alias_key
from postern_mail.mail.greylist import LINES
from postern_mail.mail.keys import scope_key, sender_key
from postern_mail.mail.rows import TableName

from .options import AllRowsOption, StackOption
from .plan import report_left_alone
from .stack import Stack
from .status import exits, refuse, refuse_any, usage_error
from .tables.change import key_of, named
from .tables.differences import Reach
from .tables.file import TablesFile
from .tables.text import toml, toml_attributes


def export(
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="The file to write; else standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    all_rows: AllRowsOption = False,
    stack: StackOption = None,
) -> None:
    """Write the live tables as a tables file, always in the same order.

    It leaves out who last changed a row and when, and rows that Postern added (`made_by`), unless you give
    --all-rows. `apply` leaves such rows alone. Exit status 1 if a row cannot be written to a file; 2 if the file
    already exists.
    """
    if out is not None and out.exists() and not force:
        usage_error(f"{out} already exists; --force overwrites it")
    with exits():
        found, left = _exported(Stack.find(stack), all_rows=all_rows)
        text = "".join(toml(found, with_domains=True)).encode()
        report_left_alone(left, as_json=True)
    if out is None:
        sys.stdout.buffer.write(text)
        return
    try:
        _replace(out, text)
    except OSError as fault:
        refuse(f"{out}: {fault}")


def _exported(where: Stack, *, all_rows: bool) -> tuple[TablesFile, int]:
    """The live tables under the keys a file would have, and how many rows are left out.

    Ends with status 1 if a row cannot be written to a file.
    """
    kept = next(where.rows.scan("settings"), None)
    whitelists = {str(row["address"]): row for row in where.rows.scan("whitelists") if row.get(LINES)}
    found = TablesFile(where.domains, {}, {}, kept, whitelists or None)
    faults = _unwritable("settings", kept) if kept else []
    reach = Reach(all_rows)
    tables: tuple[TableName, ...] = ("aliases", "senders")
    for table in tables:
        rows: Any = found.aliases if table == "aliases" else found.senders
        for row in reach.within(table, {}, where.rows.scan(table)):
            key = key_of(table, row)
            spelled: Any = alias_key(key[0]) if table == "aliases" else (sender_key(key[0]), scope_key(key[1]))
            if spelled in rows:
                faults.append(f"{named(table, key)} exists twice, spelled in two ways; remove one")
            rows[spelled] = row
            faults += _unwritable(table, row)
    refuse_any(faults)
    return found, reach.left


def _unwritable(table: TableName, row: Mapping[str, Any]) -> list[str]:
    try:
        toml_attributes(row)
    except ValueError as fault:
        return [f"{named(table, key_of(table, row))}: {fault}"]
    return []


def _replace(path: Path, text: bytes) -> None:
    """Write a file whole or not at all: the old one stays until the new one is complete."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(text)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
