"""The ledger as feedback writes it: attributes of its own in the `via:` entries, and never `state`.

A tag names an entry by its digest only, so all entries of the message are read and compared. Their claim was
written before the message was sent: an entry that is not there has expired, or was never ours.
"""

from typing import TYPE_CHECKING

from ..errors import EntryMissing
from ..mail.feedback import Feedback, entry_tag
from .failures import translated
from .items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoFeedbackLedger:
    """The ledger in DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def note(self, feedback: Feedback) -> tuple[str, bool]:
        """Write what happened into the entry it is about: (the destination's key, whether that is news).

        Of several events of one kind the latest stays, by SES's clock, in whatever order they come.
        Raises EntryMissing, Temporary.
        """
        entry = self._entry(feedback)
        kind, said = f"#{feedback.kind}", {"at": feedback.at, "id": feedback.id, "why": feedback.why}
        earlier = f"{kind}.#at < :at OR ({kind}.#at = :at AND {kind}.#id < :id)"
        news, _ = Items(self._client, self._table).update(
            "DynamoDB UpdateItem (via)",
            {"message_id": feedback.message_id, "entry": entry},
            f"SET {kind} = :said",
            {":said": said, ":at": feedback.at, ":id": feedback.id},
            condition=f"attribute_exists(entry) AND (attribute_not_exists({kind}) OR {earlier})",
        )
        return entry.removeprefix("via:"), news

    def _entry(self, feedback: Feedback) -> str:
        with translated("DynamoDB Query (ledger)"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="message_id = :id AND begins_with(entry, :via)",
                ExpressionAttributeValues={":id": {"S": feedback.message_id}, ":via": {"S": "via:"}},
                ProjectionExpression="entry",
                ConsistentRead=True,
            )
            for page in pages:
                for item in page["Items"]:
                    if entry_tag(item["entry"]["S"]) == feedback.destination:
                        return item["entry"]["S"]
        raise EntryMissing(f"message {feedback.message_id}: no entry via: has the tag {feedback.destination}")
