"""How many messages an hour go from an alias to a destination: counters in the ledger's table.

A loop that no stamp shows, of a robot that writes a new message each time, ends at the cap.
"""

from typing import TYPE_CHECKING

from ...errors import OverCap
from ...mail.address import Address
from ...ports.clock import Clock
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_HOUR = 3600
_KEPT = 48 * _HOUR  # seconds a counter is kept, for people who look


class DynamoRates:
    """One counter for each alias, destination and hour; `cap` 0 counts nothing."""

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Clock, cap: int) -> None:
        self._items = Items(client, table)
        self._clock = clock
        self._cap = cap

    def admit(self, alias: Address, destination: Address) -> None:
        """Count one message; raises OverCap if this hour has had its fill, Temporary."""
        if not self._cap:
            return
        now = int(self._clock.now())
        counted, _ = self._items.update(
            "DynamoDB UpdateItem (rate)",
            {"message_id": f"rate:{alias.key}", "entry": f"{destination.key} {now // _HOUR * _HOUR}"},
            "SET expires_at = :expires_at ADD messages :one",
            {":one": 1, ":cap": self._cap, ":expires_at": now + _KEPT},
            condition="attribute_not_exists(messages) OR messages < :cap",
        )
        if not counted:
            raise OverCap(f"{alias} has sent {self._cap} messages to {destination} within this hour")
