"""`postern destination`: the destinations that bounce, and those that Postern suspended."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from postern_mail.errors import MessageMissing
from postern_mail.mail.address import Address, InvalidAddress, alias_key
from postern_mail.mail.days import moment
from postern_mail.mail.health import is_suspended
from postern_mail.mail.orders import CannotOrder, Order, missed, missing
from postern_mail.mail.rows import Row, texts

from .options import DryRunOption, JsonOption, SinceOption, StackOption, WideOption
from .output.columns import Column, Columns
from .output.difference_text import plain
from .output.terminal import printer
from .reading import whole
from .reruns import Reruns, reruns
from .stack import Stack
from .status import Refused, UsageError, exits, refuse, refuse_any
from .times import short, since_when

_COLUMNS = (Column(30, 1), Column(22), Column(20, 2))

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Destinations that bounce: list them, and resume those that work again.",
)

AddressArgument = Annotated[
    str,
    typer.Argument(help="A mailbox, jane@dest.example; or @dest.example, for a destination that is a domain."),
]


@app.command("ls", hidden=True)
@app.command("list")
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help="Include destinations with failures that still get mail.")
    ] = False,
    wide: WideOption = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the suspended destinations. Mail for them is quarantined.

    With --json, one object per line: the row, and whether it is `suspended`.
    """
    with exits():
        found = Stack.find(stack).destinations.all()
        rows = [row for row in found if is_suspended(row) or (everything and _failures(row))]
    say, columns = printer(), Columns(_COLUMNS, wide=wide)
    if not rows and not as_json:
        typer.echo("nothing to list", err=True)
    for row in sorted(rows, key=lambda row: str(row["address"])):
        if as_json:
            typer.echo(json.dumps(as_object(row)))
        else:
            say(columns.line(_cells(row, columns)), "red" if is_suspended(row) else None)


@app.command()
def show(address: AddressArgument, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Show a destination's failures, and whether it is suspended. Exit status 1 if it has none."""
    with exits():
        key = destination_key(address)
        row = Stack.find(stack).tables.read((), (), [key]).destinations[key]
        if row is None:
            refuse(f"{key} has no failures on record")
    if as_json:
        typer.echo(json.dumps(as_object(row)))
        return
    say = printer()
    say(_line(row), None)
    for text in _failures(row):
        at, _, rest = text.partition(" ")
        say(f"  {moment(at)}  {rest}", None)
    for word in ("told", "resumed"):
        if row.get(f"{word}_at") is not None:
            by = f" by {row['resumed_by']}" if word == "resumed" and row.get("resumed_by") else ""
            say(f"{word} {moment(row[f'{word}_at'])}{by}", None)


@app.command()
def resume(
    address: AddressArgument, stack: StackOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Resume a suspended destination and forget its failures. Mail that it missed stays in quarantine until
    `postern destination redeliver`.

    Exit status 1 if it is not suspended.
    """
    with exits():
        key, where = destination_key(address), Stack.find(stack)
        before = where.tables.read((), (), [key]).destinations[key] if dry_run else resume_destination(where, key)
        if before is None or not is_suspended(before):
            refuse(f"{key} is not suspended")
    if as_json:
        typer.echo(json.dumps({**as_object(before), "suspended": dry_run, "written": not dry_run}))
    else:
        printer()(f"{key} {'would be' if dry_run else 'is'} resumed; it was {_line(before).partition('  ')[2]}", None)


@app.command()
def redeliver(
    address: AddressArgument,
    since: SinceOption = "14d",
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send a destination the mail it missed while suspended; no other mailbox gets a second copy.

    With @domain, every mailbox at that domain that is not itself suspended. It reads every message since --since
    and uses the retry queue, so it takes a moment. Exit status 1 if the destination is still suspended, or if a
    message has expired.
    """
    faults: list[str] = []
    with exits():
        key, where = destination_key(address), Stack.find(stack)
        at, say, any_ = reruns(where, dry_run=dry_run), printer(), False
        for message_id, order in redeliver_missed(at, where, key, since_when(since)):
            if isinstance(order, MessageMissing):
                faults.append(f"message {message_id}: {order}")
                continue
            any_ = True
            told = f"{message_id}  {'would run again' if dry_run else 'runs again'} for {', '.join(order.recipients)}"
            say(json.dumps({"message_id": message_id, "recipients": order.recipients}) if as_json else told, None)
        if not any_ and not faults and not as_json:
            typer.echo("it missed nothing", err=True)
    refuse_any(faults)


def redeliver_missed(at: Reruns, where: Stack, key: str, since: float) -> Iterator[tuple[str, Order | MessageMissing]]:
    """Redeliver each message since then that a destination missed: yields its id with the order, or with why it
    cannot. Raises Refused while the destination is suspended, Temporary."""
    if is_suspended(where.tables.read((), (), [key]).destinations[key]):
        raise Refused(f"{key} is still suspended: postern destination resume {key}")
    for message, entries in whole(at.ledger, since, lambda _: 1):
        message_id = message["message_id"]
        if not missing(entries):
            continue
        try:
            yield message_id, _redelivered(at, where, message_id, key)
        except CannotOrder:
            continue
        except MessageMissing as fault:
            yield message_id, fault


def _redelivered(at: Reruns, where: Stack, message_id: str, key: str) -> Order:
    """Run a message again for the recipients that missed it. Raises CannotOrder if there are none, MessageMissing,
    Temporary."""
    entries = at.ledger.entries(message_id)
    wanted = [key]
    if key.startswith("@"):
        wanted = [one for one in missing(entries) if one.endswith(key)]
        rows = where.tables.read((), (), wanted).destinations if wanted else {}
        wanted = [one for one in wanted if not is_suspended(rows[one])]
    order = missed(entries, wanted)
    at.present(message_id)
    at.carry_out(message_id, entries, order)
    return order


def resume_destination(where: Stack, key: str) -> Row | None:
    """Resume a destination. Returns its row from before, None if it was not suspended. Raises Temporary."""
    from .aws.table_rows import caller  # noqa: PLC0415 (boto3 takes half a second)

    return where.destinations.resume(key, caller())


def destination_key(address: str) -> str:
    """The key of an address or @domain. Raises UsageError."""
    try:
        return alias_key(address) if address.startswith("@") else Address.parse(address).key
    except InvalidAddress as fault:
        raise UsageError(str(fault)) from fault


def _failures(row: Row) -> list[str]:
    """The failures on record, oldest first; empty if the attribute is malformed."""
    try:
        return sorted(texts(row.get("failures") or ()))
    except ValueError:
        return []


def as_object(row: Row) -> dict[str, Any]:
    """A destination for --json."""
    return {**plain(row), "failures": _failures(row), "suspended": is_suspended(row)}


def _line(row: Row) -> str:
    if is_suspended(row):
        return f"{row['address']}  suspended {moment(row['suspended_at'])}: {row.get('reason')}"
    return f"{row['address']}  {len(_failures(row))} failures, not suspended"


def _cells(row: Row, columns: Columns) -> list[str]:
    if is_suspended(row):
        when = (moment if columns.wide else short)(row["suspended_at"])
        return [str(row["address"]), f"suspended {when}", str(row.get("reason") or "")]
    return [str(row["address"]), f"{len(_failures(row))} failures", ""]
