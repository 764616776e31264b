"""Aliases that end by themselves: the table, and a partition of the ledger with an entry for each alias watched."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...mail.days import A_DAY
from ...mail.endings import AFTER
from ...mail.rows import Row
from ...mail.summaries import KEEP_DAYS
from ...ports.clock import Clock
from ...ports.endings import Note
from ..attributes import to_dynamodb
from ..failures import translated
from ..forward.uses import ENTRY, USES
from ..items import Items
from .history import History
from .rows import AllRows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION = "#endings"  # no message id contains "#"
_BY = "watch"


class DynamoEndings(History):
    """See EndingBook."""

    def __init__(self, client: "DynamoDBClient", ledger_table: str, alias_table: str, clock: Clock) -> None:
        super().__init__(client, ledger_table)
        self._aliases = Items(client, alias_table)
        self.rows: Callable[[], Iterator[Row]] = lambda: AllRows(client, {"aliases": alias_table}).scan("aliases")
        self._clock = clock

    def notes(self) -> Mapping[str, Note]:
        """See EndingBook."""
        found = self.entries(PARTITION).items()
        return {alias: Note(float(one["seen_at"]), float(one["told_at"])) for alias, one in found}

    def taken(self, alias: str) -> int:
        """See EndingBook."""
        return len(self.entries(f"{USES}{alias}").get(ENTRY, {}).get("seen", ()))

    def note(self, alias: str, note: Note, told: Mapping[str, Any]) -> None:
        """See EndingBook."""
        made = {"message_id": PARTITION, "entry": alias, "seen_at": int(note.seen_at), "told_at": int(note.told_at)}
        made |= {**told, "expires_at": int(self._clock.now()) + KEEP_DAYS * A_DAY}
        with translated("DynamoDB PutItem (endings)"):
            self._client.put_item(TableName=self._table, Item={one: to_dynamodb(value) for one, value in made.items()})

    def forget(self, alias: str) -> None:
        """See EndingBook."""
        with translated("DynamoDB DeleteItem (endings)"):
            self._client.delete_item(TableName=self._table, Key={"message_id": {"S": PARTITION}, "entry": {"S": alias}})

    def end(self, row: Row, now: float) -> None:
        """See EndingBook."""
        self._aliases.update(
            "DynamoDB UpdateItem (aliases)",
            {"address": row["address"]},
            "SET expires_at = :now, updated_at = :now, updated_by = :by",
            {":now": int(now), ":by": _BY, ":after": row[AFTER]},
            condition=f"{AFTER} = :after",
        )
