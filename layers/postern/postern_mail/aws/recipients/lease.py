"""The lease on the receipt rules: one row in the ledger table, under a key that no message has."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import ClaimLost
from ...ports.clock import Clock
from ...recipients.ports import Turn
from ..items import Items, new_owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# SES's message ids are longer; the function's policy names this partition key.
KEY = {"message_id": "recipients", "entry": "lease"}
SECONDS = 120  # longer than one call to SES with its pause and retries; renewed before each


class DynamoLease:
    """One writer at a time, and no change of the table is missed while it writes.

    `asked` counts invocations that found the lease taken. The writer gives the lease back only if that number has not
    changed since it began to compare; otherwise it compares once more.
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, *, clock: Clock, owner: Callable[[], str] = new_owner
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._owner = owner

    def take(self) -> Turn | None:
        """The turn; tried again after counting the request, because the holder may have left in between."""
        owner = self._owner()
        turn = self._taken(owner)
        if turn is None:
            self._write("ADD asked :one", {":one": 1})
            turn = self._taken(owner)
        return turn

    def renew(self, turn: Turn) -> None:
        """Extend the lease to SECONDS from now."""
        values = {":owner": turn.owner, ":until": self._until()}
        ours, row = self._write("SET lease_until = :until", values, "#owner = :owner")
        if not ours:
            raise _lost(row)

    def retire(self, turn: Turn, rule_set: str, *, for_good: bool) -> None:
        """Remember that a set must not have our rules any more, or that it may again."""
        change = "ADD" if for_good else "DELETE"
        values = {":owner": turn.owner, ":sets": {rule_set}}
        ours, row = self._write(f"{change} retired :sets", values, "#owner = :owner")
        if not ours:
            raise _lost(row)

    def give_back(self, turn: Turn, behind_since: float | None) -> Turn | None:
        """Release the lease, or start over."""
        values: dict[str, Any] = {":owner": turn.owner}
        if behind_since is not None:
            values[":since"] = int(behind_since)
            ours, row = self._write(
                "SET behind_since = :since REMOVE #owner, lease_until", values, "#owner = :owner", "ALL_NEW"
            )
            again = None
        else:
            ours, row = self._write(
                "REMOVE #owner, lease_until, behind_since",
                values | {":asked": turn.asked},
                "#owner = :owner AND asked = :asked",
            )
            again = (
                Turn(turn.owner, int(row["asked"]), retired=_retired(row)) if row.get("owner") == turn.owner else None
            )
        if not ours and again is None:
            raise _lost(row)
        return again

    def _taken(self, owner: str) -> Turn | None:
        ours, row = self._write(
            "SET #owner = :owner, lease_until = :until ADD asked :zero",
            {":owner": owner, ":until": self._until(), ":zero": 0, ":now": int(self._clock.now())},
            "attribute_not_exists(lease_until) OR lease_until < :now",
            "ALL_NEW",
        )
        if not ours and row.get("owner") != owner:  # it is ours if botocore repeated the call
            return None
        behind = row.get("behind_since")
        return Turn(owner, int(row["asked"]), None if behind is None else float(behind), _retired(row))

    def _until(self) -> int:
        return int(self._clock.now()) + SECONDS

    def _write(
        self, expression: str, values: dict[str, Any], condition: str = "", returning: Any = "NONE"
    ) -> tuple[bool, dict[str, Any]]:
        return Items(self._client, self._table).update(
            "DynamoDB UpdateItem (lease)", KEY, expression, values, condition=condition, returning=returning
        )


def _retired(row: dict[str, Any]) -> frozenset[str]:
    return frozenset(row.get("retired", ()))


def _lost(row: dict[str, Any]) -> ClaimLost:
    return ClaimLost(f"the turn to write the receipt rules went to {row.get('owner', 'no one')}")
