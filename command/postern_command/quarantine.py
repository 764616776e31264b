"""`postern quarantine`: what was kept and not forwarded."""

import json
import time
from typing import Any

import typer
from postern_mail.mail.outcomes import State

from .ids import short_id
from .options import (
    DryRunOption,
    IdsArgument,
    JsonOption,
    MessageArgument,
    RecipientsOption,
    SinceOption,
    StackOption,
    WideOption,
)
from .output.columns import Column, Columns
from .output.ledger_text import told
from .output.terminal import printer
from .rerun_orders import CannotOrder, Entries, Order, release
from .reruns import Reruns, each
from .stack import Stack
from .status import exits
from .times import moment, short, since_when
from .trace import trace

_COLUMNS = (Column(12), Column(8), Column(18, 1), Column(18, 1), Column(16, 2))

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What was kept and not forwarded: list, show, release."
)


@app.command("release")
def release_(
    message_ids: IdsArgument,
    recipient: RecipientsOption = None,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Forward messages that were quarantined, whatever had kept them; one with a virus is never released.

    The ledger says who released it. It goes through the retry queue, so it takes a moment. Exit status 1
    if one is not quarantined.
    """

    def one(at: Reruns, message_id: str) -> Order:
        entries = at.entries(message_id)
        if "message" not in entries:
            raise CannotOrder("the ledger does not know it")
        order = release(entries, at.keys(recipient or []))
        at.carry_out(message_id, entries, order, lifted=True)
        return order

    each(message_ids, one, stack, dry_run, as_json)


@app.command("ls", hidden=True)
@app.command("list")
def list_(
    since: SinceOption = "7d", wide: WideOption = False, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """List what is quarantined, newest message first. Ids are cut; `show` and `release` take them so."""
    with exits():
        ledger, say, any_ = Stack.find(stack).ledger, printer(), False
        columns = Columns(_COLUMNS, wide=wide)
        for message in ledger.messages(since_when(since), time.time(), noted=True):
            for row in _quarantined(message, ledger.entries(message["message_id"])):
                any_ = True
                say(json.dumps(row) if as_json else _line(row, columns), None)
        if not any_ and not as_json:
            typer.echo("nothing to list", err=True)


@app.command()
def show(
    message_id: MessageArgument, wide: WideOption = False, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """Show one message, as `postern trace` does; `postern original` has the message itself."""
    trace(message_id, wide, stack, as_json)


def _line(row: dict[str, Any], columns: Columns) -> str:
    when = moment(row["opened_at"]) if columns.wide else short(row["opened_at"])
    where = row["message_id"] if columns.wide else short_id(row["message_id"])
    return columns.line([when, where, row["recipient"], row["source"], row["reason"]])


def _quarantined(message: dict[str, Any], entries: Entries) -> list[dict[str, Any]]:
    return [
        {
            "message_id": message["message_id"],
            "opened_at": told(message.get("opened_at")),
            "source": message.get("source"),
            "recipient": name.removeprefix("to:"),
            "reason": entry.get("reason", ""),
        }
        for name, entry in sorted(entries.items())
        if name.startswith("to:") and State.of(entry) is State.QUARANTINED
    ]
