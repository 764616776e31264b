"""The stored state of DNS lists: one entry of the ledger in a partition that no message has."""

from typing import TYPE_CHECKING, Any

from ...mail.list_health import Lists
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LISTS = "#lists"
_KEY = {"message_id": LISTS, "entry": "state"}


class DynamoListBook:
    """The entry, read for each message for which lists are asked."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._items = Items(client, table)

    def lists(self) -> Lists:
        """The current state. Raises Temporary."""
        found = self._items.query(
            KeyConditionExpression="message_id = :id AND entry = :entry",
            ExpressionAttributeValues={":id": {"S": LISTS}, ":entry": {"S": _KEY["entry"]}},
        )
        return Lists.from_row(next(found, {}))

    def note_clients(self, before: Lists, after: Lists) -> None:
        """Store the clients; if another write was faster, that one stays: one client less does no harm."""
        recent = [{"client": one.client, "zones": sorted(one.zones)} for one in after.recent]
        self._write("SET recent = :value", recent, before)

    def note_faults(self, before: Lists, after: Lists) -> bool:
        """Store the lists that failed the test; False if another write was faster. Raises Temporary."""
        return self._write("SET faulty = :value", dict(after.faulty), before)

    def _write(self, update: str, value: Any, before: Lists) -> bool:
        values: dict[str, Any] = {":value": value, ":next": before.version + 1}
        condition = "attribute_not_exists(version)"
        if before.version:
            condition, values[":was"] = "version = :was", before.version
        what = "DynamoDB UpdateItem (lists)"
        done, _ = self._items.update(what, _KEY, f"{update}, version = :next", values, condition=condition)
        return done
