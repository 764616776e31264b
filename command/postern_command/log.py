"""`postern log`: what became of the mail of some days, one recipient a line."""

import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.outcomes import State

from .options import JsonOption, SinceOption, StackOption
from .output.ledger_text import told
from .output.terminal import printer
from .stack import Stack
from .status import WrongUse, exits
from .times import moment, since_when

if TYPE_CHECKING:
    from postern_mail.aws.watch.history import History


def log(
    since: SinceOption = "1d",
    recipient: Annotated[str | None, typer.Option(help="Only what was sent to this address, or to @domain.")] = None,
    sender: Annotated[str | None, typer.Option(help="Only with this in the envelope's sender.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only recipients in this state: {', '.join(State)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many recipients.")] = 100,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what became of each recipient, newest message first.

    `pending` is one whose message is being handled, or waits to be.
    """
    with exits():
        if state is not None and state not in tuple(State):
            raise WrongUse(f"{state!r} is no state: {', '.join(State)}")
        wanted = _wanted(recipient)
        found = _recipients(Stack.find(stack).ledger, since_when(since), sender)
        say, shown = printer(), 0
        for row in found:
            if not wanted(row["recipient"]) or state not in (None, row["state"]):
                continue
            if shown == limit:
                typer.echo("there are more: --limit, or a shorter --since", err=True)
                return
            shown += 1
            if as_json:
                typer.echo(json.dumps(row))
            else:
                say(_line(row), row["state"].colour or None)


def _wanted(text: str | None) -> Callable[[str], bool]:
    """Whether a recipient's key is asked for, by address or by @domain. Raises WrongUse."""
    if text is None:
        return bool
    try:
        address = Address.parse(f"x{text}" if text.startswith("@") else text)
    except InvalidAddress as fault:
        raise WrongUse(str(fault)) from fault
    if text.startswith("@"):
        return lambda key: key.rpartition("@")[2] == address.domain
    return lambda key: key == address.key


def _recipients(ledger: "History", since: float, sender: str | None) -> Iterator[dict[str, Any]]:
    for message in ledger.messages(since, time.time()):
        if sender is not None and sender.lower() not in str(message.get("source", "")).lower():
            continue
        entries = ledger.entries(message["message_id"])
        for who in sorted(message.get("recipients", ())):
            outcome = entries.get(f"to:{who}", {})
            yield {
                "message_id": message["message_id"],
                "opened_at": told(message.get("opened_at")),
                "source": message.get("source"),
                "recipient": who,
                "state": State.of(outcome),
                "reason": outcome.get("reason", ""),
            }


def _line(row: dict[str, Any]) -> str:
    why = f": {row['reason']}" if row["reason"] else ""
    return (
        f"{moment(row['opened_at'])}  {row['message_id']}  {row['source']} -> {row['recipient']}  {row['state']}{why}"
    )
