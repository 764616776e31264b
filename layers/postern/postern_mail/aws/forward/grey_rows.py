"""When similar mail first came, and how many messages of a client passed: rows of the ledger that expire by TTL."""

from typing import TYPE_CHECKING

from ...mail.greylist import AN_HOUR
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FIRST, CLIENT = "#grey:", "#grey-client:"  # prefixes of partitions that no message has, followed by a digest
_ENTRY = "greylist"


class DynamoGreyBook:
    """The rows, one in each partition."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._items = Items(client, table)

    def first_seen(self, triplet: str, now: float, keep: float) -> float:
        """When such mail first came, in epoch seconds: now, if none came within the last `keep` seconds. One write, and
        a second if a row has expired and still exists. Raises Temporary."""
        key = {"message_id": f"{FIRST}{triplet}", "entry": _ENTRY}
        values = {":now": int(now), ":expires_at": int(now + keep)}
        what, set_ = "DynamoDB UpdateItem (greylist)", "SET first_at = {}, expires_at = :expires_at"
        standing = "attribute_not_exists(expires_at) OR expires_at >= :now"
        done, row = self._items.update(
            what, key, set_.format("if_not_exists(first_at, :now)"), values, condition=standing, returning="ALL_NEW"
        )
        if not done:
            done, row = self._items.update(
                what, key, set_.format(":now"), values, condition="expires_at < :now", returning="ALL_NEW"
            )
        return float(row.get("first_at", now))

    def passes(self, client: str, now: float) -> int:
        """How many messages from a client passed. Raises Temporary."""
        found = self._items.query(
            KeyConditionExpression="message_id = :id",
            ExpressionAttributeValues={":id": {"S": f"{CLIENT}{client}"}},
            ConsistentRead=True,
        )
        row = next(found, {})
        return int(row.get("passes", 0)) if float(row.get("expires_at", 0)) >= now else 0

    def passed(self, client: str, now: float, keep: float) -> None:
        """Count a message, unless one was counted within the hour. Raises Temporary."""
        self._items.update(
            "DynamoDB UpdateItem (greylist)",
            {"message_id": f"{CLIENT}{client}", "entry": _ENTRY},
            "SET counted_at = :now, expires_at = :expires_at ADD passes :one",
            {":now": int(now), ":expires_at": int(now + keep), ":one": 1, ":before": int(now) - AN_HOUR},
            condition="attribute_not_exists(counted_at) OR counted_at <= :before",
        )
