"""`postern quarantine`: messages that were kept and not forwarded."""

import json
from collections.abc import Collection, Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postern_mail.errors import MessageMissing
from postern_mail.mail.days import moment
from postern_mail.mail.envelope import NULL_SENDER
from postern_mail.mail.orders import CannotOrder, Entries, Order, kept, release
from postern_mail.mail.outcomes import State

from .ids import full_id, short_id
from .lessons import list_proposals, sender_proposals
from .options import (
    DryRunOption,
    IdsArgument,
    JsonOption,
    MaybeIdsArgument,
    MessageArgument,
    RecipientsOption,
    SinceOption,
    StackOption,
    WideOption,
)
from .output.columns import Column, Columns, one_line
from .output.ledger_text import as_object, json_value, lines
from .output.message_text import header_rows, text_lines
from .output.message_text import lines as message_lines
from .output.terminal import printer
from .reading import Ledger, quarantines, whole
from .reruns import Reruns, each
from .stack import Stack
from .status import exits, refuse, usage_error
from .times import short, since_when

if TYPE_CHECKING:
    pass

_COLUMNS = (Column(12), Column(8), Column(18, 1), Column(18, 1), Column(16, 2))

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Quarantined mail, kept and not forwarded: list, show, release, delete, learn.",
)


@app.command("release")
def release_(
    message_ids: MaybeIdsArgument = None,
    recipient: RecipientsOption = None,
    all_from: Annotated[
        str | None, typer.Option(metavar="SENDER", help="Instead of ids: all mail from this address or domain.")
    ] = None,
    since: SinceOption = "30d",
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Forward quarantined or held messages, whatever the reason; one with a virus is never released.

    The ledger records who released them. It uses the retry queue, so it takes a moment. Exit status 1 if a message is
    not quarantined.
    """
    if bool(message_ids) == bool(all_from):
        usage_error("give message ids, or --all-from SENDER")

    def one(at: Reruns, message_id: str) -> Order:
        return release_message(at, message_id, recipient or [])

    each(message_ids or _from(all_from or "", since, stack), one, stack, dry_run, as_json)


def release_message(at: Reruns, message_id: str, recipients: list[str]) -> Order:
    """Release a message for these recipients, or for all. Raises CannotOrder, MessageMissing, UsageError, Overtaken,
    Temporary."""
    entries = _known(at, message_id)
    order = release(entries, at.keys(recipients))
    at.carry_out(message_id, entries, order, lifted=True)
    return order


@app.command()
def delete(
    message_ids: IdsArgument, stack: StackOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Delete quarantined messages for good, from the bucket too; the ledger records who did it.

    Exit status 1 if the message is not quarantined for any recipient, or a recipient may still get it.
    """

    def one(at: Reruns, message_id: str) -> Order:
        return delete_message(at, message_id, Stack.find(stack))

    each(message_ids, one, stack, dry_run, as_json, says=("would be deleted for", "is deleted for"))


def delete_message(at: Reruns, message_id: str, where: Stack, shown: Collection[str] | None = None) -> Order:
    """Delete a quarantined message, if its quarantined recipients are among `shown` (None: any). Raises CannotOrder,
    MessageMissing, Overtaken, Temporary."""
    from .aws import parts  # noqa: PLC0415 (boto3 takes half a second)

    entries = _known(at, message_id)
    found = kept(entries)
    more = [who for who in found if shown is not None and who not in shown]
    if more:
        raise CannotOrder(f"it is quarantined for {', '.join(more)} too; nothing was deleted")
    if not at.dry_run:
        parts.deleting(where, at.by).message(message_id, entries, found)
    return Order(found)


@app.command()
def learn(message_id: MessageArgument, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Propose rules for mail like this, by sender or list. It prints commands and changes nothing. Exit status 1 if no
    rule fits."""
    with exits():
        found = Stack.find(stack)
        message_id = full_id(found, message_id)
        proposed = list(sender_proposals(found.ledger.entries(message_id)))
        if (raw := stored(found, message_id)) is not None:
            proposed += list_proposals(raw, next(found.rows.scan("settings"), None))
    if not proposed:
        refuse(f"message {message_id} has no sender that a rule could name")
    say = printer()
    for command, does in proposed:
        if as_json:
            typer.echo(json.dumps({"command": command, "does": does}))
        else:
            say(f"{does}:", None)
            say(f"  {command}", None)


@app.command("ls", hidden=True)
@app.command("list")
def list_(
    since: SinceOption = "7d", wide: WideOption = False, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """List quarantined mail, newest message first. Ids are shortened; `show` and `release` accept them."""
    with exits():
        ledger, say, any_ = Stack.find(stack).ledger, printer(), False
        columns = Columns(_COLUMNS, wide=wide)
        for row in quarantined(ledger, since_when(since)):
            any_ = True
            say(json.dumps(row) if as_json else _line(row, columns), None)
        if not any_ and not as_json:
            typer.echo("nothing to list", err=True)


@app.command()
def show(
    message_id: MessageArgument, wide: WideOption = False, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """Show one message: its ledger entries, its header as a table, and its text made safe to display.

    `postern original` writes the message itself. Exit status 1 if the message is unknown.
    """
    with exits():
        found = Stack.find(stack)
        message_id = full_id(found, message_id)
        entries, raw = found.ledger.entries(message_id), stored(found, message_id)
    if not entries and raw is None:
        refuse(f"neither ledger nor bucket has message {message_id}")
    if as_json:
        header, text = (header_rows(raw), text_lines(raw)[0]) if raw is not None else ([], [])
        typer.echo(json.dumps({**as_object(message_id, entries), "header": header, "text": text}))
        return
    say, whole = printer(), one_line(wide=wide)
    for line in lines(message_id, entries, wide=wide):
        say(line, None)
    for line in message_lines(raw) if raw is not None else ("the bucket no longer has it",):
        say(whole.line([line]), None)


def quarantined(ledger: Ledger, since: float, enough: float = inf) -> Iterator[dict[str, Any]]:
    """Quarantined mail since then, one recipient each, newest message first, for --json. `enough` is how many the
    caller expects to take. Raises Temporary."""
    for message, entries in whole(ledger, since, quarantines, noted=True, enough=enough):
        yield from _quarantined(message, entries)


def stored(found: Stack, message_id: str) -> bytes | None:
    """The message's bytes, None if it is not in the bucket. Raises Temporary."""
    try:
        return found.bucket.fetch(message_id)
    except MessageMissing:
        return None


def _known(at: Reruns, message_id: str) -> Entries:
    """Raises CannotOrder, MessageMissing, Temporary."""
    entries = at.entries(message_id)
    if "message" not in entries:
        raise CannotOrder("the ledger does not know it")
    return entries


def _from(sender: str, since: str, stack: str | None) -> list[str]:
    """The ids of quarantined messages from an address or domain. Ends with status 1 if there are none."""
    wanted = sender.strip().lower()
    with exits():
        ledger = Stack.find(stack).ledger

        def counted(message: Mapping[str, Any]) -> int:
            return quarantines(message) if _is_from(str(message.get("source", "")), wanted) else 0

        found = [
            str(message["message_id"])
            for message, entries in whole(ledger, since_when(since), counted, noted=True)
            if _quarantined(message, entries)
        ]
    if not found:
        refuse(f"nothing from {sender} is quarantined since {since}")
    return found


def _is_from(source: str, wanted: str) -> bool:
    source = source.lower()
    return wanted == source if "@" in wanted or wanted == NULL_SENDER else source.rpartition("@")[2] == wanted


def _line(row: dict[str, Any], columns: Columns) -> str:
    when = moment(row["opened_at"]) if columns.wide else short(row["opened_at"])
    where = row["message_id"] if columns.wide else short_id(row["message_id"])
    return columns.line([when, where, row["recipient"], row["source"], row["reason"]])


def _quarantined(message: dict[str, Any], entries: Entries) -> list[dict[str, Any]]:
    return [
        {
            "message_id": message["message_id"],
            "opened_at": json_value(message.get("opened_at")),
            "source": message.get("source"),
            "recipient": name.removeprefix("to:"),
            "reason": entry.get("reason", ""),
        }
        for name, entry in sorted(entries.items())
        if name.startswith("to:") and State.of(entry) is State.QUARANTINED
    ]
