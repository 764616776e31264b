"""The messages taken by an alias that ends after so many: a set of marks in one item of the ledger."""

from typing import TYPE_CHECKING

from ...mail.days import A_DAY
from ...mail.endings import Counted, mark
from ...mail.summaries import KEEP_DAYS
from ...ports.clock import Clock
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

USES = "#uses:"  # prefix of partitions of the ledger, followed by the row's key
ENTRY = "messages"


class DynamoUses:
    """One item for each alias."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._items = Items(client, table)
        self._clock = clock

    def count(self, row: Counted, message_id: str) -> bool:
        """See Uses."""
        one = mark(message_id)
        values = {":one": {one}, ":mark": one, ":most": row.most}
        counted, _ = self._items.update(
            "DynamoDB UpdateItem (uses)",
            {"message_id": f"{USES}{row.key}", "entry": ENTRY},
            "SET expires_at = :expires_at ADD seen :one",
            {**values, ":expires_at": int(self._clock.now()) + KEEP_DAYS * A_DAY},
            condition="attribute_not_exists(seen) OR contains(seen, :mark) OR size(seen) < :most",
        )
        return counted
