"""The ledger as people and scheduled functions read it: by day, by message, and what is still open."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .. import batch
from ..forward.answer_entries import MESSAGE
from ..forward.ledger import OPEN
from ..forward.uses import ENTRY, USES
from ..items import Items
from ..stack_keys import PARTITIONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Entries = dict[str, dict[str, Any]]  # of one message, by the names in the ledger


class History:
    """Reads the ledger; `DynamoLedger` writes it."""

    def __init__(self, client: "DynamoDBClient", table: str, pause: Callable[[float], object] = time.sleep) -> None:
        self._client = client
        self._pause = pause
        self._table = table
        self._items = Items(client, table)

    def messages(self, since: float, now: float, *, noted: bool = False) -> Iterator[dict[str, Any]]:
        """The `message` entries since then, newest first; with `noted` only those with a note for the owner. Raises
        Temporary."""
        for found in self.by_day(since, now, noted=noted):
            yield from found

    def by_day(self, since: float, now: float, *, noted: bool = False) -> Iterator[Iterator[dict[str, Any]]]:
        """The same, of each day by itself, newest first; a day is read when its first message is asked for."""
        request: dict[str, Any] = {"FilterExpression": "attribute_exists(noted)"} if noted else {}
        for day in _days_backwards(since, now):
            values = {":day": {"S": day.isoformat()}, ":since": {"N": str(int(since))}}
            yield self._items.query(
                IndexName="day",
                KeyConditionExpression="#day = :day AND opened_at >= :since",
                ExpressionAttributeNames={"#day": "day"},
                ExpressionAttributeValues=values,
                ScanIndexForward=False,
                **request,
            )

    def entries(self, message_id: str, *, beginning: str = "") -> Entries:
        """All entries of a message by name, {} if no invocation saw it; only names that start with `beginning`. Key
        partitions are never returned. Raises Temporary."""
        if message_id.startswith(PARTITIONS):
            return {}
        condition, values = "message_id = :id", {":id": {"S": message_id}}
        if beginning:
            condition, values = f"{condition} AND begins_with(entry, :begins)", {**values, ":begins": {"S": beginning}}
        found = self._items.query(
            KeyConditionExpression=condition, ExpressionAttributeValues=values, ConsistentRead=True
        )
        return {entry["entry"]: entry for entry in found}

    def open_since_before(self, moment: float) -> Iterator[str]:
        """Ids of messages that were opened before then and are still open, oldest first. Raises Temporary."""
        for key in self._items.query(
            IndexName="open",
            KeyConditionExpression="#open = :open AND opened_at < :moment",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={":open": {"S": OPEN}, ":moment": {"N": str(int(moment))}},
        ):
            yield key["message_id"]

    def message_entries(self, message_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """The `message` entries of those messages that have one, by id. Raises Temporary."""
        return self._of_each((one for one in message_ids if not one.startswith(PARTITIONS)), MESSAGE)

    def taken_by(self, aliases: Collection[str]) -> dict[str, int]:
        """How many messages each of these aliases took, of those that end after so many, by key; a call for each
        hundred. Raises Temporary."""
        found = self._of_each((f"{USES}{alias}" for alias in aliases), ENTRY)
        return {alias: len(found.get(f"{USES}{alias}", {}).get("seen", ())) for alias in aliases}

    def _of_each(self, message_ids: Iterable[str], entry: str) -> dict[str, dict[str, Any]]:
        """The entry of this name of each of these, by id, where it is there."""
        wanted = list(dict.fromkeys(message_ids))
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(wanted), batch.MAX_KEYS):
            keys = [(self._table, _key(message_id, entry)) for message_id in wanted[start : start + batch.MAX_KEYS]]
            rows = batch.read(self._client, keys, self._pause).get(self._table, ())
            found |= {one["message_id"]: one for one in rows}
        return found


def _days_backwards(since: float, now: float) -> Iterator[date]:
    first = datetime.fromtimestamp(since, UTC).date()
    day = datetime.fromtimestamp(now, UTC).date()
    while day >= first:
        yield day
        day -= timedelta(days=1)


def _key(message_id: str, entry: str) -> dict[str, Any]:
    return {"message_id": {"S": message_id}, "entry": {"S": entry}}
