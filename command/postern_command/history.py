"""`postern log` and `postern trace`: what the ledger knows of the mail of some days, and of one message."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postern_mail.mail.address import Address, InvalidAddress

from .editing import typed_time
from .ledger_text import as_object, lines, told
from .listing import moment
from .options import JsonOption, StackOption
from .places import Places, places
from .status import WrongUse, exits, refuse
from .terminal import printer

if TYPE_CHECKING:
    from postern_mail.aws.history import History

STATES = ("forwarded", "merged", "quarantined", "rejected", "discarded", "failed", "ambiguous", "deferred", "pending")
_STYLES = {"failed": "red", "ambiguous": "red", "deferred": "yellow", "pending": "yellow", "quarantined": "yellow"}
_AGO = re.compile(r"(\d{1,6})([mhd])\Z")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}
_LONGEST = 400 * 86_400  # the ledger keeps 372 days at most, and each day is a question

SinceOption = Annotated[str, typer.Option(metavar="TIME", help="So long ago (30m, 12h, 7d), or a date or time in UTC.")]
MessageArgument = Annotated[str, typer.Argument(metavar="ID", help="SES's id of the message.")]


def log(
    since: SinceOption = "1d",
    recipient: Annotated[str | None, typer.Option(help="Only what was sent to this address, or to @domain.")] = None,
    sender: Annotated[str | None, typer.Option(help="Only with this in the envelope's sender.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only recipients in this state: {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many recipients.")] = 100,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what became of each recipient, newest message first.

    `pending` is one whose message is being handled, or waits to be.
    """
    with exits():
        if state is not None and state not in STATES:
            raise WrongUse(f"{state!r} is no state: {', '.join(STATES)}")
        wanted = _wanted(recipient)
        found = _recipients(history(places(stack)), since_when(since), sender)
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
                say(_line(row), _STYLES.get(row["state"]))


def trace(message_id: MessageArgument, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Show everything that the ledger knows of one message. Exit status 1 if it knows nothing."""
    with exits():
        entries = history(places(stack)).entries(message_id)
    if not entries:
        refuse(f"the ledger has nothing of message {message_id}; `postern replay` runs it if it is in the bucket")
    if as_json:
        typer.echo(json.dumps(as_object(message_id, entries)))
        return
    say = printer()
    for line in lines(message_id, entries):
        say(line, None)


def history(where: Places) -> "History":
    """The ledger to read. Raises WrongUse, Temporary."""
    from postern_mail.aws import clients  # noqa: PLC0415 (boto3 takes half a second)
    from postern_mail.aws.history import History  # noqa: PLC0415

    from .aws import stack as stacks  # noqa: PLC0415

    with stacks.reaching("DynamoDB"):
        return History(clients.dynamodb(), where["ledger"])


def since_when(text: str) -> float:
    """Epoch seconds of a time ago or a time. Raises WrongUse."""
    ago = _AGO.match(text)
    then = time.time() - int(ago[1]) * _SECONDS[ago[2]] if ago else float(typed_time(text))
    return max(then, time.time() - _LONGEST)


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
                "state": outcome.get("state", "pending"),
                "reason": outcome.get("reason", ""),
            }


def _line(row: dict[str, Any]) -> str:
    why = f": {row['reason']}" if row["reason"] else ""
    return (
        f"{moment(row['opened_at'])}  {row['message_id']}  {row['source']} -> {row['recipient']}  {row['state']}{why}"
    )
