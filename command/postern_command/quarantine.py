"""`postern quarantine`: what was kept and not forwarded."""

import json
import time
from typing import Any

import typer
from postern_mail.mail.outcomes import State

from .options import DryRunOption, IdsArgument, JsonOption, MessageArgument, RecipientsOption, SinceOption, StackOption
from .output.ledger_text import told
from .output.terminal import printer
from .rerun_orders import CannotOrder, Entries, Order, release
from .reruns import Reruns, each, typed_keys
from .stack import Stack
from .status import exits
from .times import moment, since_when
from .trace import trace

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
        order = release(entries, typed_keys(recipient or []))
        at.carry_out(message_id, entries, order, lifted=True)
        return order

    each(message_ids, one, stack, dry_run, as_json)


@app.command("list")
def list_(since: SinceOption = "7d", stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List what is quarantined, newest message first."""
    with exits():
        ledger, say = Stack.find(stack).ledger, printer()
        for message in ledger.messages(since_when(since), time.time(), noted=True):
            for row in _quarantined(message, ledger.entries(message["message_id"])):
                if as_json:
                    typer.echo(json.dumps(row))
                else:
                    line = f"{moment(row['opened_at'])}  {row['message_id']}  {row['source']} -> {row['recipient']}"
                    say(f"{line}: {row['reason']}", None)


@app.command()
def show(message_id: MessageArgument, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Show one message, as `postern trace` does; `postern original` has the message itself."""
    trace(message_id, stack, as_json)


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
