"""What the watch remembers, in a partition of the ledger that no message has."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...mail.days import A_DAY
from ...mail.records import asdict
from ...ports.watch import Progress
from ..attributes import to_dynamodb
from ..failures import translated
from ..forward.ledger import HOSTS
from .history import History

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION = "#watch"  # no message id contains "#"
_PROGRESS = "progress"
_UNSEEN = "unseen:"


class DynamoWatchState(History):
    """The ledger's history, with notes of the watch."""

    def __init__(self, client: "DynamoDBClient", table: str, *, keep_days: int = 0) -> None:
        super().__init__(client, table)
        self._keep_seconds = keep_days * A_DAY

    def host_mail(self, since: float) -> Iterator[dict[str, Any]]:
        """Notes since then about hosts' mail, and about mail sent as an alias. Raises Temporary."""
        for note in self.entries(HOSTS).values():
            if float(note["noted_at"]) >= since:
                yield note

    def progress(self) -> Progress:
        """The saved progress, or the initial one. Raises Temporary."""
        row = self.entries(PARTITION).get(_PROGRESS, {})
        times = {name: float(row.get(name, 0)) for name in ("started_at", "checked_until", "finished_at")}
        return Progress(after=str(row.get("after", "")), **times)

    def save(self, progress: Progress) -> None:
        """Remember how far the watch came. Raises Temporary."""
        self._put(_PROGRESS, asdict(progress))

    def remember(self, message_id: str, stored_at: float) -> None:
        """Note an object that no invocation saw, for as long as ledger entries are kept. Raises Temporary."""
        expires_at = int(stored_at) + self._keep_seconds
        self._put(f"{_UNSEEN}{message_id}", {"stored_at": stored_at, "expires_at": expires_at})

    def remembered(self) -> dict[str, float]:
        """The remembered objects, with when each was stored (epoch seconds). Raises Temporary."""
        notes = self.entries(PARTITION).items()
        return {
            name.removeprefix(_UNSEEN): float(note["stored_at"]) for name, note in notes if name.startswith(_UNSEEN)
        }

    def forget(self, message_id: str) -> None:
        """Delete the note. Raises Temporary."""
        with translated("DynamoDB DeleteItem (watch)"):
            self._client.delete_item(TableName=self._table, Key=_key(f"{_UNSEEN}{message_id}"))

    def _put(self, entry: str, attributes: Mapping[str, Any]) -> None:
        exact = {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in attributes.items()}
        item = {**_key(entry), **{name: to_dynamodb(value) for name, value in exact.items()}}
        with translated("DynamoDB PutItem (watch)"):
            self._client.put_item(TableName=self._table, Item=item)


def _key(entry: str) -> dict[str, Any]:
    return {"message_id": {"S": PARTITION}, "entry": {"S": entry}}
