"""The records of the daily tests: one item of the ledger for each domain, in a partition that no message has."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..mail.address import Address
from ..mail.daily_test import Record, Stage, tag_of
from ..mail.message import Message
from ..mail.records import asdict
from ..ports.clock import Clock
from .items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION = "#daily-test"  # no message id contains "#"
_MOST_WHY = 500  # characters
_UPDATE = "DynamoDB UpdateItem (daily test)"


class DynamoDailyBook:
    """The records; each is changed only if it is unchanged since it was read."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._items = Items(client, table)
        self._clock = clock

    def records(self) -> dict[str, Record]:
        """All records, by domain. Raises Temporary."""
        rows = self._items.query(
            KeyConditionExpression="message_id = :id",
            ExpressionAttributeValues={":id": {"S": PARTITION}},
            ConsistentRead=True,
        )
        return understood({row["entry"]: row for row in rows})

    def look(self, domain: str, before: Record | None, after: Record) -> bool:
        """See DailyBook.look. Raises Temporary."""
        known = {name: _kept(value) for name, value in asdict(after).items() if name not in _WRITTEN_BY_OTHERS}
        condition, values = "attribute_not_exists(#day)", {f":{name}": value for name, value in known.items()}
        if before is not None:
            condition = "#day = :was_day AND #at = :was_at"
            values |= {":was_day": before.day, ":was_at": int(before.at)}
        forget = " REMOVE #arrived_at, #bounce" if after.stage is Stage.SENDING else ""
        changes = ", ".join(f"#{name} = :{name}" for name in known)
        return self._update(domain, f"SET {changes}{forget}", values, condition)

    def ended(self, domain: str, tag: str, stage: Stage, why: str = "") -> None:
        """See DailyBook.ended. Raises Temporary."""
        values: dict[str, Any] = {":stage": stage, ":why": why[:_MOST_WHY], ":tag": tag, ":sending": Stage.SENDING}
        released = ", #at = :never" if stage is Stage.SENDING else ""
        if released:
            values[":never"] = 0
        change, condition = f"SET #stage = :stage, #why = :why{released}", "#tag = :tag AND #stage = :sending"
        self._update(domain, change, values, condition)

    def arrived(self, domain: str, tag: str) -> None:
        """Note that the last test arrived, if this is its tag. Raises Temporary."""
        values = {":tag": tag, ":now": int(self._clock.now())}
        change = "SET #arrived_at = if_not_exists(#arrived_at, :now)"
        self._update(domain, change, values, "#tag = :tag")

    def bounced(self, tag: str, why: str) -> str:
        """See DailyBounces.bounced. Raises Temporary."""
        for domain, record in self.records().items():
            if record.tag == tag:
                values = {":tag": tag, ":why": why[:_MOST_WHY] or "SES does not say why"}
                return domain if self._update(domain, "SET #bounce = :why", values, "#tag = :tag") else ""
        return ""

    def _update(self, domain: str, change: str, values: Mapping[str, Any], condition: str) -> bool:
        key = {"message_id": PARTITION, "entry": domain}
        return self._items.update(_UPDATE, key, change, values, condition=condition)[0]


class DynamoArrivals:
    """Recognises the daily test by the key that made its tag."""

    def __init__(self, book: DynamoDailyBook, tag_key: bytes) -> None:
        self._book = book
        self._tag_key = tag_key

    def note(self, recipient: Address, message: Message) -> bool:
        """See Arrivals.note. Raises Temporary."""
        tag = tag_of(message, recipient.domain, self._tag_key)
        if tag:
            self._book.arrived(recipient.domain, tag)
        return bool(tag)


def understood(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Record]:
    """The records by domain, from the items of the partition."""
    return {domain: Record.from_row(row) for domain, row in rows.items()}


_WRITTEN_BY_OTHERS = ("arrived_at", "bounce")


def _kept(value: Any) -> Any:
    """The value in a form that DynamoDB accepts: times to the second, and texts cut to a length."""
    if isinstance(value, float):
        return int(value)
    return value[:_MOST_WHY] if isinstance(value, str) else value
