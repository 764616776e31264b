"""Delete quarantined messages on request: the ledger keeps who did it and when, the bucket loses the message."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from postern_mail.aws import clients
from postern_mail.aws.failures import translated
from postern_mail.aws.forward.answer_entries import MESSAGE
from postern_mail.aws.items import Items, Update
from postern_mail.errors import Overtaken
from postern_mail.mail.outcomes import State
from postern_mail.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Deleting:
    """Settles quarantined recipients as discarded, then deletes the message from the bucket."""

    def __init__(
        self, client: "DynamoDBClient", table: str, bucket: str, prefix: str, *, clock: Clock, by: str
    ) -> None:
        self._items = Items(client, table)
        self._bucket, self._prefix = bucket, prefix
        self._clock = clock
        self._by = by

    def message(self, message_id: str, entries: Mapping[str, Mapping[str, Any]], kept: tuple[str, ...]) -> None:
        """Delete a message that is quarantined for these recipients and pending for no one. Raises Overtaken if a
        recipient's entry has changed since it was read, Temporary. Safe to repeat."""
        for who in kept:
            old = entries[f"to:{who}"]
            changes = [self._discarded(message_id, who, old), self._told(message_id, who)]
            if not self._items.transact("DynamoDB TransactWriteItems (ledger)", changes):
                raise Overtaken(f"message {message_id} was settled differently meanwhile; check it, and try again")
        with translated("S3 DeleteObject"):
            clients.s3().delete_object(Bucket=self._bucket, Key=f"{self._prefix}{message_id}")

    def _discarded(self, message_id: str, who: str, old: Mapping[str, Any]) -> Update:
        why = f"deleted by {self._by}; it was {old['state']}: {old.get('reason', '')}"
        values = {
            ":new": State.DISCARDED, ":was": old["state"], ":why": why, ":by": self._by,
            ":now": int(self._clock.now()),
        }  # fmt: skip
        update = "SET #state = :new, reason = :why, deleted_by = :by, deleted_at = :now"
        return Update({"message_id": message_id, "entry": f"to:{who}"}, update, values, "#state = :was")

    def _told(self, message_id: str, who: str) -> Update:
        """The digest need not report it any more."""
        values = {":old": {f"{State.QUARANTINED} {who}"}}
        key = {"message_id": message_id, "entry": MESSAGE}
        return Update(key, "DELETE noted :old", values, "attribute_exists(message_id)")
