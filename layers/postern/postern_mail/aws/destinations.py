"""The table of destinations: one item for each that ever failed, with a set of failures.

Adding to a set twice is adding once, and in any order, so an event may come as often as it likes.
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
        """Add a failure; the whole row as it is now. Raises Temporary."""
        return self._update(address, "ADD failures :new", {":new": {str(failure)}})

    def delivered(self, address: str, at: int) -> None:
        """A message arrived then: noted the first time, and where there are failures that it forgives. Raises
        Temporary."""
        forgives = "attribute_exists(failures) AND delivered_at < :at"
        self._update(
            address, "SET delivered_at = :at", {":at": at}, f"attribute_not_exists(delivered_at) OR ({forgives})"
        )

    def forget(self, address: str, failures: Collection[str]) -> None:
        """Take failures out of the set, so that it stays small. Raises Temporary."""
        self._update(address, "DELETE failures :old", {":old": set(failures)})

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

    def resume(self, address: str, by: str) -> Row | None:
        """Lift a suspension, and forgive what was before; the row as it was, None if it was not suspended.

        Events from before now that come later suspend nobody again. Raises Temporary.
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
        """The rows of destinations that are sent nothing for now. Raises Temporary."""
        return self._items.scan(FilterExpression="attribute_exists(suspended_at)")

    def all(self) -> Iterator[Row]:
        """All rows, in DynamoDB's order, read consistently. Raises Temporary."""
        return self._items.scan(ConsistentRead=True)

    def _update(self, address: str, expression: str, values: Mapping[str, Any], condition: str = "") -> Row:
        key = {"address": address}
        return self._items.update(_UPDATE, key, expression, values, condition=condition, returning="ALL_NEW")[1]
