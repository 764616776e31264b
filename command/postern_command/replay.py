"""`postern replay`: messages run again, those that are settled too if asked."""

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

    def one(at: Reruns, message_id: str) -> Order:
        return replayed(at, message_id, recipient or [], again=again, failed=failed)

    each(message_ids, one, stack, dry_run, as_json)


def replayed(at: Reruns, message_id: str, recipients: list[str], *, again: bool, failed: bool) -> Order:
    """Run a message again for these recipients, for all if none is named. Raises CannotOrder, MessageMissing,
    WrongUse, Overtaken, Temporary."""
    entries = at.entries(message_id)
    if "message" not in entries:
        return _never_seen(at, message_id, recipients)
    order = ordered(entries, at.keys(recipients), again=again, failed=failed)
    at.carry_out(message_id, entries, order)
    return order


def _never_seen(at: Reruns, message_id: str, recipients: list[str]) -> Order:
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
    keys = at.keys(recipients)
    at.send(receipt_event(message_id, found.source, keys, found.verdicts, stored_at.isoformat()))
    return Order(tuple(keys))
