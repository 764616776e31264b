"""Run messages again, the way failed events are retried: for replay, quarantine and destination.

A run is a record on the retry queue in the form of Lambda's failure records, with an event rebuilt from the ledger.
What was settled is reopened in the ledger first, with who asked and when.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from postern_mail.errors import MessageMissing
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.orders import CannotOrder, Entries, Order

from .ids import full_id
from .output.terminal import printer
from .stack import Stack
from .status import UsageError, exits, refuse_any

if TYPE_CHECKING:
    from postern_mail.aws.forward.mail_store import S3MailStore
    from postern_mail.aws.reopening import Reopening
    from postern_mail.aws.watch.backlog import Backlog
    from postern_mail.aws.watch.history import History


@dataclass(frozen=True, slots=True)
class Reruns:
    """The stores and the queue through which orders are read, checked, recorded and sent."""

    ledger: "History"
    store: "S3MailStore"
    reopening: "Reopening"
    retries: "Backlog"
    by: str
    dry_run: bool
    with_domain: Callable[[str], str] = str  # what was typed as an address

    def keys(self, typed: list[str]) -> list[str]:
        """The keys of addresses, or of bare names if there is one domain. Raises UsageError for other text."""
        try:
            return [Address.parse(self.with_domain(one)).key for one in typed]
        except InvalidAddress as fault:
            raise UsageError(str(fault)) from fault

    def entries(self, message_id: str) -> Entries:
        """The ledger's entries of a message that is still in the bucket. Raises MessageMissing, Temporary."""
        self.present(message_id)
        return self.ledger.entries(message_id)

    def present(self, message_id: str) -> None:
        """Check that a message is still in the bucket. Raises MessageMissing, Temporary."""
        self.store.top(message_id)

    def carry_out(self, message_id: str, entries: Entries, order: Order, *, lifted: bool = False) -> None:
        """Reopen what is settled, then put the event on the queue. Raises Overtaken, Temporary."""
        if self.dry_run:
            return
        self.send(self.reopening.open(message_id, entries, order, release=lifted))

    def send(self, event: dict[str, Any]) -> None:
        """Put an event on the retry queue. Raises Temporary."""
        if not self.dry_run:
            self.retries.put_event(event, self.by)


def reruns(stack: Stack, *, dry_run: bool) -> Reruns:
    """The Reruns of a stack. Raises UsageError, Temporary."""
    from .aws import parts  # noqa: PLC0415 (boto3 takes half a second)
    from .aws.table_rows import caller  # noqa: PLC0415

    by = caller()
    return Reruns(
        stack.ledger, stack.bucket, parts.reopening(stack, by), stack.queue("retry_queue"), by, dry_run,
        stack.with_domain,
    )  # fmt: skip


def each(
    message_ids: list[str],
    one: Callable[[Reruns, str], Order],
    stack: str | None,
    dry_run: bool,
    as_json: bool,
    says: tuple[str, str] = ("would run again for", "runs again for"),
) -> None:
    """Give an order for each message; the faults are printed at the end, after the other messages ran."""
    faults: list[str] = []
    with exits():
        found = Stack.find(stack)
        at, say = reruns(found, dry_run=dry_run), printer()
        for message_id in [full_id(found, typed) for typed in message_ids]:
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
                say(f"{message_id}  {says[0] if dry_run else says[1]} {', '.join(order.recipients)}", None)
    refuse_any(faults)
