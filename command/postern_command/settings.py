"""`postern settings`: the settings for all mail, changed without a deployment."""

import json
import re
import sys
from enum import StrEnum
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any

import typer
from postern_mail.mail.greylist import CLIENTS_KEY, RECIPIENTS_KEY, Whitelist
from postern_mail.mail.row_faults import settings_faults
from postern_mail.mail.rows import Row
from postern_mail.mail.settings import KEY, BadSettings, Description, descriptions, read
from postern_mail.mail.visible import visible

from .options import DryRunOption, JsonOption, StackOption
from .output.difference_text import plain
from .stack import Stack
from .status import exits, refuse, refuse_any, usage_error
from .tables.change import Change
from .tables.editor import Editor, with_attributes

DQS_KEY = "dqs_key"  # not one of the settings: a secret in the ledger
_DQS_KEY = re.compile(r"[A-Za-z0-9]{10,63}\Z")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List and edit the settings for all mail; they apply from the next message on.",
)

NameArgument = Annotated[str, typer.Argument(help="A setting, as in `postern settings list`.")]


@app.command("ls", hidden=True)
@app.command("list")
def list_(stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List all settings with their values; those never set have their defaults.

    With --json, one object per line: name, value, set, default, unit, allowed, meaning. Exit status 1 if one cannot be
    understood, naming it: all mail is deferred until you set or unset it.
    """
    with exits():
        row = Editor(Stack.find(stack), dry_run=True, as_json=as_json).settings() or {}
    width = max(map(len, descriptions()))
    for one in descriptions().values():
        if as_json:
            typer.echo(json.dumps(as_object(one, row)))
        else:
            typer.echo(visible(f"{one.name:{width}}  {_line(one, row)}"))
    refuse_any(settings_faults(row))


@app.command()
def get(name: NameArgument, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Print the value of one setting. Exit status 1 if it cannot be understood."""
    one = _known(name)
    with exits():
        row = Editor(Stack.find(stack), dry_run=True, as_json=as_json).settings() or {}
    typer.echo(json.dumps(as_object(one, row)) if as_json else visible(str(_value(one, row))))
    if one.name in row:
        refuse_any(settings_faults({one.name: row[one.name]}))


@app.command("set")
def set_(
    name: NameArgument,
    value: Annotated[
        str,
        typer.Argument(
            help="The new value; `postern settings list --json` says what is allowed. `-` for dqs_key, which is read"
            " from standard input."
        ),
    ],
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Change one setting; it applies from the next message on.

    Exit status 1 if the value is not allowed, or if someone else changed the settings meanwhile; 2 if there is no such
    setting.
    """
    if name == DQS_KEY:
        _set_dqs_key(value, stack, dry_run=dry_run)
        return
    _known(name)
    try:
        meant = read(name, value)
    except BadSettings as fault:
        refuse(fault)
    with exits():
        _write({name: meant}, Editor(Stack.find(stack), dry_run, as_json))


@app.command()
def unset(
    name: NameArgument, stack: StackOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Set one setting back to its default. Exit status 2 if there is no such setting."""
    if name == DQS_KEY:
        _write_dqs_key("", stack, dry_run=dry_run)
        return
    with exits():
        editor = Editor(Stack.find(stack), dry_run, as_json)
        if name not in (editor.settings() or {}):
            _known(name)
        _write({name: None}, editor)


class Kind(StrEnum):
    """Postgrey's two files."""

    CLIENTS = "clients"
    RECIPIENTS = "recipients"


@app.command()
def whitelist(
    kind: Annotated[Kind, typer.Argument(help="Which of Postgrey's files it is.")],
    file: Annotated[Path, typer.Argument(help="Postgrey's file; an empty one clears the whitelist.")],
    stack: StackOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Load a Postgrey whitelist: what greylisting never holds. It replaces the one loaded before.

    Exit status 1 if a line cannot be understood, naming it.
    """
    try:
        typed = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as fault:
        usage_error(f"{file}: {fault.strerror}")
    lines = [text for line in typed if (text := line.partition("#")[0].strip())]
    read, key = {
        Kind.CLIENTS: (Whitelist.clients, CLIENTS_KEY),
        Kind.RECIPIENTS: (Whitelist.recipients, RECIPIENTS_KEY),
    }[kind]
    try:
        read(typed)
    except ValueError as fault:
        refuse(fault)
    with exits():
        where = Stack.find(stack)
        if not dry_run:
            from .aws import parts  # noqa: PLC0415 (boto3 takes half a second)

            parts.put_whitelist(where, key, lines)
    typer.echo(f"{len(lines)} lines of {kind} {'would be' if dry_run else 'are'} loaded")


def _set_dqs_key(typed: str, stack: str | None, *, dry_run: bool) -> None:
    """Set the DQS key, a secret: it is read from standard input, kept with the stack's keys, and never shown."""
    if typed != "-":
        usage_error("others can read a command line: write - here, and give the key on standard input")
    key = (getpass("DQS key: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not _DQS_KEY.match(key):
        refuse("that is not a DQS key: expected 10 to 63 letters and digits, as on Spamhaus's account page")
    _write_dqs_key(key.lower(), stack, dry_run=dry_run)


def _write_dqs_key(key: str, stack: str | None, *, dry_run: bool) -> None:
    with exits():
        where = Stack.find(stack)
        if not dry_run:
            from .aws import parts  # noqa: PLC0415 (boto3 takes half a second)

            parts.set_dqs_key(where, key)
    done = "set" if key else "removed"
    typer.echo(f"dqs_key would be {done}" if dry_run else f"dqs_key is {done}", err=dry_run)


def _write(changed: dict[str, Any], editor: Editor) -> None:
    before = editor.settings()
    editor.write(Change("settings", (KEY,), before, with_attributes(before or {"address": KEY}, changed)))


def _known(name: str) -> Description:
    if name not in descriptions():
        usage_error(f"unknown setting {name!r}: expected one of {', '.join(descriptions())}")
    return descriptions()[name]


def _value(one: Description, row: Row) -> Any:
    """The value in force, even one that cannot be understood."""
    value = plain(row).get(one.name)
    return one.default if value is None else value


def as_object(one: Description, row: Row) -> dict[str, Any]:
    """One setting with its value, for --json."""
    return {
        "name": one.name,
        "value": _value(one, row),
        "set": row.get(one.name) is not None,
        "default": one.default,
        "unit": one.unit,
        "allowed": one.allowed,
        "meaning": one.meaning,
    }


def _line(one: Description, row: Row) -> str:
    value = f"{_value(one, row)} {one.unit}".rstrip() or '""'
    default = f"{one.default} {one.unit}".rstrip() or '""'
    return f"{value}  (default: {default})" if row.get(one.name) is not None else value
