"""Reopens settled outcomes on a person's order: the ledger records who ordered it and when.

Destinations first, which changes nothing while their recipients are settled. Then the message and its recipients in one
transaction: an order interrupted afterwards leaves an open message, which `postern doctor` reports, and repeating the
order includes its recipients. A running invocation recognises orders by their number.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Overtaken
from ..mail.digest import LOST
from ..mail.dsn import UNANSWERED
from ..mail.feedback import BOUNCED, REJECTED
from ..mail.orders import Entries, Order
from ..mail.outcomes import ClaimState, State
from ..mail.receipt import kept_event
from ..ports.clock import Clock
from .forward.answer_entries import MESSAGE
from .forward.ledger import OPEN
from .items import Items, Update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_RECIPIENTS = 99  # of one transaction, besides the message: DynamoDB allows 100 changes
_REMEMBER = "reopened = list_append(if_not_exists(reopened, :none), :once)"


class Reopening:
    """Reopens entries of the ledger in a person's name."""

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Clock, by: str) -> None:
        self._items = Items(client, table)
        self._clock = clock
        self._by = by

    def open(self, message_id: str, entries: Entries, order: Order, *, release: bool = False) -> dict[str, Any]:
        """Reopen what an order covers. Returns the event that runs it. Raises Overtaken, Temporary."""
        for destination in order.destinations:
            self.destination(message_id, destination, entries[f"via:{destination}"])
        if opened := order.opened(entries):
            self.recipients(message_id, entries, opened, order.reopened, release=release)
        return kept_event(message_id, entries["message"], order.recipients)

    def destination(self, message_id: str, destination: str, old: Mapping[str, Any]) -> None:
        """Allow sending to a destination again, even if it got the message. Raises Overtaken, Temporary."""
        update = f"SET #state = :released, {_REMEMBER} REMOVE first_at, {BOUNCED}, {REJECTED}"  # in `reopened`
        key = {"message_id": message_id, "entry": f"via:{destination}"}
        values = {**self._remembered(old), ":released": ClaimState.RELEASED}
        done, _ = self._items.update("DynamoDB UpdateItem (ledger)", key, update, values, condition="#state = :was")
        if not done:
            raise Overtaken(_overtaken(message_id))

    def recipients(
        self, message_id: str, entries: Mapping[str, Mapping[str, Any]], opened: Collection[str],
        reopened: Sequence[str], *, release: bool,
    ) -> None:  # fmt: skip
        """Let recipients be decided again, all at once; after a `release` only a virus can quarantine them.

        `entries` are the message's as they were read, `opened` the recipients that will run, `reopened` those of them
        that were settled. Raises Overtaken if one has changed since it was read, Temporary.
        """
        number = int(entries[MESSAGE].get("orders", 0))
        for first in range(0, max(1, len(reopened)), MOST_RECIPIENTS):
            some, number = reopened[first : first + MOST_RECIPIENTS], number + 1
            changes = [self._opened(message_id, opened, some, number)]
            changes += [self._reopened(message_id, who, entries[f"to:{who}"], number, release=release) for who in some]
            if not self._items.transact("DynamoDB TransactWriteItems (ledger)", changes):
                raise Overtaken(_overtaken(message_id))

    def _opened(self, message_id: str, opened: Collection[str], reopened: Collection[str], number: int) -> Update:
        """The update of the message: open, with one more order; earlier notes for the owner about these recipients are
        removed."""
        words = (*(state for state in State if state.noted), LOST, UNANSWERED)
        old = {f"{word} {who}" for word in words for who in reopened}
        values: dict[str, Any] = {
            ":open": OPEN, ":now": int(self._clock.now()), ":by": self._by, ":opened": set(opened), ":number": number,
        }  # fmt: skip
        update = "SET #open = :open, reopened_at = :now, reopened_by = :by, orders = :number ADD pending :opened"
        condition = "attribute_exists(message_id) AND attribute_not_exists(orders)"
        if number > 1:
            condition, values[":before"] = "orders = :before", number - 1
        if old:
            update, values[":old"] = f"{update} DELETE noted :old", old
        return Update({"message_id": message_id, "entry": MESSAGE}, update, values, condition)

    def _reopened(self, message_id: str, who: str, old: Mapping[str, Any], number: int, *, release: bool) -> Update:
        done = f"released by {self._by}" if release else f"to be run again by {self._by}"
        values = self._remembered(old) | {
            ":deferred": State.DEFERRED, ":why": f"{done}; it was {old['state']}: {old.get('reason', '')}",
            ":number": number,
        }  # fmt: skip
        update = f"SET #state = :deferred, reason = :why, orders = :number, {_REMEMBER}"
        if release:
            update += ", released_by = :by, released_at = :now"
            values |= {":by": self._by, ":now": int(self._clock.now())}
        update += " REMOVE answer, reply"  # an answer still due would be sent although the recipient is open again
        return Update({"message_id": message_id, "entry": f"to:{who}"}, update, values, "#state = :was")

    def _remembered(self, old: Mapping[str, Any]) -> dict[str, Any]:
        was = {name: old[name] for name in ("state", "reason", "detail", "answer", BOUNCED, REJECTED) if name in old}
        once = {**was, "at": int(self._clock.now()), "by": self._by}
        return {":none": [], ":once": [once], ":was": old["state"]}


def _overtaken(message_id: str) -> str:
    return f"message {message_id} was settled differently meanwhile; look, and try again"
