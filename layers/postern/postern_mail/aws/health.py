"""The health of destinations, as feedback writes it: one item each, with a set of failures.

Adding to a set twice is adding once, and in any order, so an event may come as often as it likes.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..mail.health import Failure
from ..mail.rows import Row
from ..ports import Clock
from .items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NOT_FORGIVEN = "attribute_not_exists(resumed_at) OR resumed_at < :failed_at"


class DynamoHealth:
    """The table of destinations in DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._items = Items(client, table)
        self._clock = clock

    def failed(self, address: str, failure: Failure) -> Row:
        """Add a failure; the whole row as it is now. Raises Temporary.

        The set stays small: with so many that it would grow the destination is suspended and gets
        nothing that could fail.
        """
        return self._update(address, "ADD failures :new", {":new": {str(failure)}})

    def suspend(self, address: str, reason: str, failed_at: int) -> Row:
        """Suspend a destination, unless it is, or was resumed after this failure; the row as it is then."""
        return self._update(
            address,
            "SET suspended_at = :now, reason = :reason",
            {":now": int(self._clock.now()), ":reason": reason, ":failed_at": failed_at},
            f"attribute_not_exists(suspended_at) AND ({_NOT_FORGIVEN})",
        )

    def told(self, address: str) -> None:
        """The owner was told of the suspension that is in force."""
        now = int(self._clock.now())
        self._update(address, "SET told_at = :now", {":now": now}, "attribute_exists(suspended_at)")

    def _update(self, address: str, expression: str, values: Mapping[str, Any], condition: str = "") -> Row:
        what, key = "DynamoDB UpdateItem (destinations)", {"address": address}
        return self._items.update(what, key, expression, values, condition=condition, returning="ALL_NEW")[1]
