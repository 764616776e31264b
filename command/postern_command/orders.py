"""`postern replay` and `postern quarantine`: messages run again, by the way that failed events take.

A run is a record on the retry queue in the form of Lambda's own, with the event made from the ledger;
what was settled is opened in the ledger first, with who asked and when.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from postern_mail.errors import MessageMissing
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.receipt import kept_event, receipt_event, stamped
from postern_mail.orders import CannotOrder, Entries, Order, release, replay

from .history import MessageArgument, SinceOption, history, since_when, trace
from .ledger_text import told
from .listing import moment
from .options import DryRunOption, JsonOption, StackOption
from .places import Places, places
from .status import WrongUse, exits, say_no
from .terminal import printer

if TYPE_CHECKING:
    from postern_mail.aws.backlog import Backlog
    from postern_mail.aws.history import History
    from postern_mail.aws.mail_store import S3MailStore

    from .aws.reopening import Reopening

quarantine = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What was kept and not forwarded: list, show, release."
)

IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="SES's ids of messages.")]
RecipientsOption = Annotated[list[str] | None, typer.Option("--recipient", help="Only for this one; may be repeated.")]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where orders are read, checked, written down and sent."""

    ledger: "History"
    store: "S3MailStore"
    reopening: "Reopening"
    retries: "Backlog"
    by: str
    dry_run: bool

    def entries(self, message_id: str) -> Entries:
        """The ledger's entries of a message that is still in the bucket. Raises MessageMissing, Temporary."""
        self.present(message_id)
        return self.ledger.entries(message_id)

    def present(self, message_id: str) -> None:
        """See that a message is still in the bucket. Raises MessageMissing, Temporary."""
        self.store.top(message_id)

    def carry_out(self, message_id: str, entries: Entries, order: Order, *, lifted: bool = False) -> None:
        """Open what is settled, then put the event on the queue. Raises Overtaken, Temporary."""
        if self.dry_run:
            return
        if opened := order.opened(entries):
            self.reopening.message(message_id, opened)
        for who in order.reopened:
            self.reopening.recipient(message_id, who, entries[f"to:{who}"], release=lifted)
        for destination in order.destinations:
            self.reopening.destination(message_id, destination, entries[f"via:{destination}"])
        if opened:
            self.reopening.no_news(message_id, opened)
        self.send(kept_event(message_id, entries["message"], order.recipients))

    def send(self, event: dict[str, Any]) -> None:
        """Put an event on the retry queue. Raises Temporary."""
        if not self.dry_run:
            self.retries.put_event(event, self.by)


def desk(where: Places, *, dry_run: bool) -> Desk:
    """The desk of a stack. Raises WrongUse, Temporary."""
    from postern_mail.aws import clients  # noqa: PLC0415 (boto3 takes half a second)
    from postern_mail.aws.backlog import Backlog  # noqa: PLC0415
    from postern_mail.aws.clock import SystemClock  # noqa: PLC0415
    from postern_mail.aws.mail_store import S3MailStore  # noqa: PLC0415

    from .aws import stack as stacks  # noqa: PLC0415
    from .aws.reopening import Reopening  # noqa: PLC0415
    from .aws.table_rows import caller  # noqa: PLC0415

    by = caller()
    with stacks.reaching("AWS"):
        return Desk(
            history(where),
            S3MailStore(clients.s3(), where["bucket"], where.prefix),
            Reopening(clients.dynamodb(), where["ledger"], clock=SystemClock(), by=by),
            Backlog(clients.sqs(), where["retry_queue"]),
            by,
            dry_run,
        )


def replay_(
    message_ids: IdsArgument,
    recipient: RecipientsOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what is settled: who got the message gets it a second time.")
    ] = False,
    failed: Annotated[
        bool,
        typer.Option("--failed", help="Also what failed, is ambiguous or was lost on the way, but not what arrived."),
    ] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run messages again for the recipients that the ledger kept: those that are not settled, unless told.

    It goes through the retry queue, so it takes a moment; `postern trace` shows what came of it. A message
    the ledger does not know runs for the recipients given by --recipient. Exit status 1 if one cannot be
    run, saying which and why.
    """

    def one(at: Desk, message_id: str) -> Order:
        entries = at.entries(message_id)
        if "message" not in entries:
            return _never_seen(at, message_id, recipient or [])
        order = replay(entries, _keys(recipient or []), again=again, failed=failed)
        at.carry_out(message_id, entries, order)
        return order

    _each(message_ids, one, stack, dry_run, as_json)


@quarantine.command("release")
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

    def one(at: Desk, message_id: str) -> Order:
        entries = at.entries(message_id)
        if "message" not in entries:
            raise CannotOrder("the ledger does not know it")
        order = release(entries, _keys(recipient or []))
        at.carry_out(message_id, entries, order, lifted=True)
        return order

    _each(message_ids, one, stack, dry_run, as_json)


@quarantine.command("list")
def list_(since: SinceOption = "7d", stack: StackOption = None, as_json: JsonOption = False) -> None:
    """List what is quarantined, newest message first."""
    with exits():
        ledger, say = history(places(stack)), printer()
        for message in ledger.messages(since_when(since), time.time(), noted=True):
            for row in _quarantined(message, ledger.entries(message["message_id"])):
                if as_json:
                    typer.echo(json.dumps(row))
                else:
                    line = f"{moment(row['opened_at'])}  {row['message_id']}  {row['source']} -> {row['recipient']}"
                    say(f"{line}: {row['reason']}", None)


@quarantine.command()
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
        if name.startswith("to:") and entry.get("state") == "quarantined"
    ]


def _never_seen(at: Desk, message_id: str, recipients: list[str]) -> Order:
    """Run what the ledger does not know, for recipients that a person names: the header names one at most."""
    top, stored_at = at.store.top(message_id)
    found = stamped(top, message_id)
    if found is None:
        raise CannotOrder("neither the ledger nor its header tells of its envelope: it is not as SES stores mail")
    if not recipients:
        raise CannotOrder(
            "the ledger does not know its recipients. SES's trace names one, and there may have been others:"
            f" postern replay {message_id} --recipient {found.recipient}"
        )
    keys = tuple(_keys(recipients))
    at.send(receipt_event(message_id, found.source, keys, found.verdicts, stored_at.isoformat()))
    return Order(keys)


def _each(
    message_ids: list[str], one: Callable[[Desk, str], Order], stack: str | None, dry_run: bool, as_json: bool
) -> None:
    """Give an order for each message; what cannot be is said at the end, and the others are run."""
    faults: list[str] = []
    with exits():
        at, say = desk(places(stack), dry_run=dry_run), printer()
        for message_id in message_ids:
            try:
                order = one(at, message_id)
            except (CannotOrder, MessageMissing) as fault:
                faults.append(f"message {message_id}: {fault}")
                continue
            if as_json:
                typer.echo(
                    json.dumps({"message_id": message_id, "recipients": order.recipients, "reopened": order.reopened})
                )
            else:
                say(f"{message_id}  {'would run' if dry_run else 'runs'} for {', '.join(order.recipients)}", None)
    say_no(faults)


def _keys(typed: list[str]) -> list[str]:
    try:
        return [Address.parse(one).key for one in typed]
    except InvalidAddress as fault:
        raise WrongUse(str(fault)) from fault
