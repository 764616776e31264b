"""`postern trace`: everything the ledger knows about one message."""

import json

import typer

from .ids import LEAST, full_id
from .options import JsonOption, MessageArgument, StackOption, WideOption
from .output.ledger_text import as_object, lines
from .output.terminal import printer
from .stack import Stack
from .status import exits, refuse


def trace(
    message_id: MessageArgument, wide: WideOption = False, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """Show everything the ledger knows about one message. Exit status 1 if it knows nothing."""
    with exits():
        found = Stack.find(stack)
        message_id = full_id(found, message_id)
        entries = found.ledger.entries(message_id)
    if not entries:
        short, stored = (
            f"write at least {LEAST} characters of the id",
            "`postern replay` runs it if it is in the bucket",
        )
        refuse(f"the ledger does not know message {message_id}; {short if len(message_id) < LEAST else stored}")
    if as_json:
        typer.echo(json.dumps(as_object(message_id, entries)))
        return
    say = printer()
    for line in lines(message_id, entries, wide=wide):
        say(line, None)
