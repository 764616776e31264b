"""The table of destinations: one item for each destination that ever failed, with a set of failures.

Adding to a set twice is the same as once, in any order, so an event may come any number of times.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..mail.health import Failure
from ..mail.rows import Row
from ..ports.clock import Clock
from .items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_UPDATE = "DynamoDB UpdateItem (destinations)"
_NOT_FORGIVEN = "attribute_not_exists(resumed_at) OR resumed_at < :failed_at"


class DynamoDestinations:
    """The table of destinations in DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._items = Items(client, table)
        self._clock = clock

    def failed(self, address: str, failure: Failure) -> Row:
        """Add a failure; returns the whole updated row. Raises Temporary."""
        return self._update(address, "ADD failures :new", {":new": {str(failure)}})

    def delivered(self, address: str, at: int) -> None:
        """Record that a message arrived then: the first time, and if there are failures that it clears. Raises
        Temporary."""
        forgives = "attribute_exists(failures) AND delivered_at < :at"
        self._update(
            address, "SET delivered_at = :at", {":at": at}, f"attribute_not_exists(delivered_at) OR ({forgives})"
        )

    def forget(self, address: str, failures: Collection[str]) -> None:
        """Remove failures from the set, to keep it small. Raises Temporary."""
        self._update(address, "DELETE failures :old", {":old": set(failures)})

    def suspend(self, address: str, reason: str, failed_at: int) -> Row:
        """Suspend a destination, unless it is suspended, or was resumed after this failure; returns the row
        afterwards."""
        return self._update(
            address,
            "SET suspended_at = :now, reason = :reason",
            {":now": int(self._clock.now()), ":reason": reason, ":failed_at": failed_at},
            f"attribute_not_exists(suspended_at) AND ({_NOT_FORGIVEN})",
        )

    def note_told(self, address: str) -> None:
        """Note that the owner was told of the present suspension."""
        now = int(self._clock.now())
        self._update(address, "SET told_at = :now", {":now": now}, "attribute_exists(suspended_at)")

    def resume(self, address: str, by: str) -> Row | None:
        """Lift a suspension, and forgive earlier failures; returns the row as it was, None if it was not suspended.

        Later events about sendings before now do not suspend it again. Raises Temporary.
        """
        now = int(self._clock.now())
        done, before = self._items.update(
            _UPDATE,
            {"address": address},
            "SET resumed_at = :now, resumed_by = :by REMOVE suspended_at, reason, told_at, failures, delivered_at",
            {":now": now, ":by": by},
            condition="attribute_exists(suspended_at)",
            returning="ALL_OLD",
        )
        # At this second, by the same: the answer was lost, and boto3 asked again.
        is_ours = (before.get("resumed_at"), before.get("resumed_by")) == (now, by)
        return before if done or is_ours else None

    def suspended(self) -> Iterator[Row]:
        """The rows of suspended destinations. Raises Temporary."""
        return self._items.scan(FilterExpression="attribute_exists(suspended_at)")

    def all(self) -> Iterator[Row]:
        """All rows, in DynamoDB's order, read consistently. Raises Temporary."""
        return self._items.scan(ConsistentRead=True)

    def _update(self, address: str, expression: str, values: Mapping[str, Any], condition: str = "") -> Row:
        key = {"address": address}
        return self._items.update(_UPDATE, key, expression, values, condition=condition, returning="ALL_NEW")[1]
