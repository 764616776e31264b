"""`postern replay`: process messages again, even settled ones if asked."""

from typing import Annotated

import typer
from postern_mail.mail.orders import CannotOrder, Order
from postern_mail.mail.orders import replay as ordered
from postern_mail.mail.receipt import receipt_event, stamped

from .options import DryRunOption, IdsArgument, JsonOption, RecipientsOption, StackOption
from .reruns import Reruns, each


def replay(
    message_ids: IdsArgument,
    recipient: RecipientsOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Include settled recipients: those who got it get a second copy.")
    ] = False,
    failed: Annotated[
        bool,
        typer.Option("--failed", help="Include recipients whose copy failed, is ambiguous or was lost."),
    ] = False,
    stack: StackOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Process messages again for their recipients in the ledger: those not settled yet, unless you say otherwise.

    It uses the retry queue, so it takes a moment; `postern trace` shows the result. For a message that the ledger does
    not know, give --recipient. Exit status 1 if a message cannot run again, saying which and why.
    """

    def one(at: Reruns, message_id: str) -> Order:
        return replay_message(at, message_id, recipient or [], again=again, failed=failed)

    each(message_ids, one, stack, dry_run, as_json)


def replay_message(at: Reruns, message_id: str, recipients: list[str], *, again: bool, failed: bool) -> Order:
    """Run a message again for these recipients, or for all. Raises CannotOrder, MessageMissing, UsageError, Overtaken,
    Temporary."""
    entries = at.entries(message_id)
    if "message" not in entries:
        return _never_seen(at, message_id, recipients)
    order = ordered(entries, at.keys(recipients), again=again, failed=failed)
    at.carry_out(message_id, entries, order)
    return order


def _never_seen(at: Reruns, message_id: str, recipients: list[str]) -> Order:
    """Run a message that the ledger does not know for the recipients the user names: the header names one at most."""
    top, stored_at = at.store.top(message_id)
    found = stamped(top, message_id)
    if found is None:
        raise CannotOrder("neither the ledger nor its header has its envelope: SES did not store this message")
    if not recipients:
        raise CannotOrder(
            "the ledger does not know its recipients. SES's header names one, but there may have been others:"
            f" postern replay {message_id} --recipient {found.recipient}"
        )
    keys = at.keys(recipients)
    at.send(receipt_event(message_id, found.source, keys, found.verdicts, stored_at.isoformat()))
    return Order(tuple(keys))
