"""Settled outcomes taken up again because somebody asked for it: who and when stays in the ledger.

The message is opened first, so an order that is interrupted leaves an open message, which the next
order or the scheduled check finds, and never a recipient that waits for nobody.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from postern_mail.aws.forward.ledger import MESSAGE, OPEN
from postern_mail.aws.items import Items
from postern_mail.mail.digest import LOST, UNANSWERED
from postern_mail.mail.feedback import BOUNCED, REJECTED
from postern_mail.mail.outcomes import ClaimState, State
from postern_mail.ports.clock import Clock

from ..tables.change import Overtaken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_REMEMBER = "reopened = list_append(if_not_exists(reopened, :none), :once)"


class Reopening:
    """Opens entries of the ledger again, in somebody's name."""

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Clock, by: str) -> None:
        self._items = Items(client, table)
        self._clock = clock
        self._by = by

    def message(self, message_id: str, recipients: Collection[str]) -> None:
        """Make these recipients pending again. Raises Temporary."""
        update = "SET #open = :open, reopened_at = :now, reopened_by = :by ADD pending :recipients"
        values = {":open": OPEN, ":now": int(self._clock.now()), ":by": self._by, ":recipients": set(recipients)}
        self._update(message_id, MESSAGE, update, "attribute_exists(message_id)", values)

    def no_news(self, message_id: str, recipients: Collection[str]) -> None:
        """The owner need not be told any more of what these were before. Raises Temporary."""
        words = (*(state for state in State if state.noted), LOST, UNANSWERED)
        old = {f"{word} {who}" for word in words for who in recipients}
        self._update(message_id, MESSAGE, "DELETE noted :old", "attribute_exists(message_id)", {":old": old})

    def recipient(self, message_id: str, recipient: str, old: Mapping[str, Any], *, release: bool) -> None:
        """Let a recipient be decided again; released, no quarantine but that of a virus keeps it any more.

        `old` is its entry as it was read. Raises Overtaken if it is another by now, Temporary.
        """
        update = f"SET #state = :deferred, reason = :why, {_REMEMBER}"
        done = f"released by {self._by}" if release else f"to be run again by {self._by}"
        values: dict[str, Any] = {
            ":deferred": State.DEFERRED,
            ":why": f"{done}; it was {old['state']}: {old.get('reason', '')}",
        }
        if release:
            update += ", released_by = :by, released_at = :now"
            values |= {":by": self._by, ":now": int(self._clock.now())}
        update += " REMOVE answer, reply"  # an answer that is due would be sent for what is open again
        self._reopen(message_id, f"to:{recipient}", update, old, values)

    def destination(self, message_id: str, destination: str, old: Mapping[str, Any]) -> None:
        """Let a destination be sent to again, also one that got the message. Raises Overtaken, Temporary."""
        update = f"SET #state = :released, {_REMEMBER} REMOVE first_at, {BOUNCED}, {REJECTED}"  # in `reopened`
        self._reopen(message_id, f"via:{destination}", update, old, {":released": ClaimState.RELEASED})

    def _reopen(
        self, message_id: str, entry: str, update: str, old: Mapping[str, Any], values: Mapping[str, Any]
    ) -> None:
        was = {name: old[name] for name in ("state", "reason", "detail", "answer", BOUNCED, REJECTED) if name in old}
        once = {**was, "at": int(self._clock.now()), "by": self._by}
        values = {**values, ":none": [], ":once": [once], ":was": old["state"]}
        self._update(message_id, entry, update, "#state = :was", values)

    def _update(
        self,
        message_id: str,
        entry: str,
        update: str,
        condition: str,
        values: Mapping[str, Any],
    ) -> None:
        key = {"message_id": message_id, "entry": entry}
        done, _ = self._items.update("DynamoDB UpdateItem (ledger)", key, update, values, condition=condition)
        if not done:
            raise Overtaken(f"message {message_id}: {entry} was settled anew meanwhile; look, and try again")
