"""How many messages an hour go from an alias to a destination: counters in the ledger's table.

A loop that no stamp shows, of a robot that writes a new message each time, ends at the cap.
"""

from typing import TYPE_CHECKING

from ...errors import OverCap
from ...mail.address import Address
from ...ports.clock import Clock
from ..failures import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_HOUR = 3600
_KEPT = 48 * _HOUR  # seconds a counter is kept, for people who look


class DynamoRates:
    """One counter for each alias, destination and hour; `cap` 0 counts nothing."""

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Clock, cap: int) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._cap = cap

    def admit(self, alias: Address, destination: Address) -> None:
        """Count one message; raises OverCap if this hour has had its fill, Temporary."""
        if not self._cap:
            return
        now = int(self._clock.now())
        with translated("DynamoDB UpdateItem (rate)"):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key={
                        "message_id": {"S": f"rate:{alias.key}"},
                        "entry": {"S": f"{destination.key} {now // _HOUR * _HOUR}"},
                    },
                    UpdateExpression="SET expires_at = :expires_at ADD messages :one",
                    ConditionExpression="attribute_not_exists(messages) OR messages < :cap",
                    ExpressionAttributeValues={
                        ":one": {"N": "1"},
                        ":cap": {"N": str(self._cap)},
                        ":expires_at": {"N": str(now + _KEPT)},
                    },
                )
            except self._client.exceptions.ConditionalCheckFailedException as full:
                over = f"{alias} has sent {self._cap} messages to {destination} within this hour"
                raise OverCap(over) from full
