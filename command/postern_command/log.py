"""`postern log`: the outcome of recent mail, one recipient per line."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.afterwards import Afterwards, Later, afterwards
from postern_mail.mail.days import moment
from postern_mail.mail.outcomes import State

from .following import followed
from .ids import short_id
from .options import JsonOption, SinceOption, StackOption, WideOption
from .output.columns import CUT, Column, Columns
from .output.ledger_text import json_value
from .output.terminal import printer
from .reading import Ledger, quarantines, whole
from .stack import Stack
from .status import UsageError, exits
from .times import short, since_when

if TYPE_CHECKING:
    from postern_mail.aws.watch.history import Entries

STATES = (*State, *Later)
COLUMNS = (Column(12), Column(8), Column(11), Column(20, 1), Column(20, 1), Column(12, 2))
_SUCCESS = (State.FORWARDED, State.MERGED, Later.DELIVERED)  # needs no reason
_TROUBLE = (Later.LOST, Later.COMPLAINED)


def log(
    since: SinceOption = "1d",
    recipient: Annotated[str | None, typer.Option(help="Only mail to this address, or to @domain.")] = None,
    sender: Annotated[str | None, typer.Option(help="Only if the envelope sender contains this.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only this outcome: {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="List at most this many recipients.")] = 100,
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Keep printing new and changed outcomes, newest last, until Ctrl-C."),
    ] = False,
    wide: WideOption = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the outcome for each recipient, newest message first.

    `pending`: the message is being handled, or waits for that. What SES reports after it accepted a forward replaces
    `forwarded`: lost, complained, bounced (but arrived), delayed, delivered. Ids are shortened; `postern trace` and
    other commands accept them. With --json, one object per line, nothing shortened.
    """
    with exits():
        state = known_state(state)
        start, where = since_when(since), Stack.find(stack)
        ledger, only = where.ledger, where.with_domain(recipient) if recipient else None
        show = _shower(wide=wide, as_json=as_json)
        if follow:
            with suppress(KeyboardInterrupt):
                for row in followed(lambda at: listed(ledger, at, only, sender, state), start, limit):
                    show(row)
            return
        found = listed(ledger, start, only, sender, state, limit + 1)
        shown = [show(row) for row in islice(found, limit)]
        if next(found, None) is not None:
            typer.echo("there are more: raise --limit, or shorten --since", err=True)
        if not shown and not as_json:
            typer.echo("nothing to list", err=True)


def _shower(*, wide: bool, as_json: bool) -> Callable[[Mapping[str, Any]], None]:
    """A function that prints the outcome for one recipient."""
    say, columns = printer(), Columns(COLUMNS, wide=wide)

    def show(row: Mapping[str, Any]) -> None:
        if as_json:
            typer.echo(json.dumps(row))
            return
        for line in lines_of(row, columns):
            say(line, _colour(row))

    return show


def known_state(typed: str | None) -> str | None:
    """The state that was typed, None if none was. Raises UsageError for an unknown one."""
    if typed is not None and typed.lower() not in STATES:
        raise UsageError(f"unknown state {typed!r}: expected one of {', '.join(STATES)}")
    return typed and typed.lower()


def listed(
    ledger: Ledger,
    since: float,
    recipient: str | None,
    sender: str | None,
    state: str | None,
    enough: float = inf,
) -> Iterator[dict[str, Any]]:
    """The outcome for each recipient since then that matches, newest message first. `enough` is how many the caller
    expects to take. Raises UsageError, Temporary."""
    wanted, from_whom = _wanted(recipient), (sender or "").lower()
    kept = state == State.QUARANTINED

    def counted(message: Mapping[str, Any]) -> int:
        if from_whom not in str(message.get("source", "")).lower() or (kept and not quarantines(message)):
            return 0
        return sum(map(wanted, message.get("recipients", ())))

    for message, entries in whole(ledger, since, counted, noted=kept, enough=enough):
        for row in recipients_of(message, entries):
            if wanted(row["recipient"]) and state in (None, row["state"], row["later"]):
                yield row


def _wanted(text: str | None) -> Callable[[str], bool]:
    """A test for a recipient's key, by address or @domain; without a text all match. Raises UsageError."""
    if text is None:
        return bool
    try:
        address = Address.parse(f"x{text}" if text.startswith("@") else text)
    except InvalidAddress as fault:
        raise UsageError(str(fault)) from fault
    if text.startswith("@"):
        return lambda key: key.rpartition("@")[2] == address.domain
    return lambda key: key == address.key


def recipients_of(message: Mapping[str, Any], entries: "Entries") -> Iterator[dict[str, Any]]:
    """The outcome for each recipient of a message, for --json, from the ledger's entries."""
    for who in sorted(message.get("recipients", ())):
        outcome = entries.get(f"to:{who}", {})
        yield {
            "message_id": message["message_id"],
            "opened_at": json_value(message.get("opened_at")),
            "source": message.get("source"),
            "recipient": who,
            "state": State.of(outcome),
            "reason": outcome.get("reason", ""),
            **_later(afterwards(who, entries)),
        }


def lines_of(row: Mapping[str, Any], columns: Columns) -> Iterator[str]:
    """The outcome for a recipient, for people: one line, and a second for a reason that matters and had no room."""
    line = _line(row, columns)
    yield line
    success = _ended(row) in _SUCCESS
    why = _why(row).partition("; ")[2] if success else _why(row)  # of a success, only what went wrong
    if why and (columns.narrow or (success and line.endswith(CUT))):
        yield columns.below(why)


def _later(found: Afterwards | None) -> dict[str, Any]:
    if found is None:
        return {"later": None}
    return {"later": found.state, "later_at": found.at, "destination": found.destination, "said": found.detail}


def _line(row: Mapping[str, Any], columns: Columns) -> str:
    where = row["message_id"] if columns.wide else short_id(row["message_id"])
    when = moment(row["opened_at"]) if columns.wide else short(row["opened_at"])
    return columns.line([when, where, _ended(row), row["recipient"], str(row["source"]), _why(row)])


def _why(row: Mapping[str, Any]) -> str:
    return f"{row['destination']}: {row['said']}" if row["later"] in _TROUBLE else str(row["reason"])


def _ended(row: Mapping[str, Any]) -> str:
    """The outcome, replaced by SES's later report where it only says that SES accepted the forward."""
    if not row["later"]:
        return str(row["state"])
    settled = row["state"] in (State.FORWARDED, State.MERGED)
    return str(row["later"]) if settled else f"{row['state']}, {row['later']}"


def _colour(row: Mapping[str, Any]) -> str | None:
    if row["later"] in _TROUBLE:
        return "red"
    return State(row["state"]).colour or None
