"""What the hourly watch told, in one item of the ledger, and the topic it publishes to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import Unavailable
from ...ports.telling import Told
from ...telling import Known
from ..failures import translated
from ..items import Items
from . import looking
from .history import History
from .state import PARTITION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENTRY = "told"
_KEY = {"message_id": PARTITION, "entry": _ENTRY}
_UNCHANGED = "(attribute_not_exists(#version) AND :version = :first OR #version = :version)"


class DynamoToldBook:
    """One item, changed only if no one else changed it."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._history = History(client, table)
        self._items = Items(client, table)

    def read(self) -> Told:
        """The stored state, or the initial one. Raises Temporary."""
        row = self._history.entries(PARTITION).get(_ENTRY, {})
        known = {
            name: {about: _known(one) for about, one in each.items()} for name, each in row.get("known", {}).items()
        }
        return Told(int(row.get("version", 0)), known)

    def claim(self, version: int, now: float, seconds: int) -> bool:
        """Whether the claim succeeded: no other run has one. Raises Temporary."""
        claimed, _ = self._items.update(
            "DynamoDB UpdateItem (claim of the telling)",
            _KEY,
            "SET #claimed_until = :until",
            {":until": int(now) + seconds, ":now": int(now), ":version": version, ":first": 0},
            condition=f"{_UNCHANGED} AND (attribute_not_exists(#claimed_until) OR #claimed_until < :now)",
        )
        return claimed

    def keep(self, known: Mapping[str, Mapping[str, Known]], version: int) -> None:
        """Store the findings in place of this version. Raises Temporary, also if another run was faster."""
        kept = {name: {about: _as_map(one) for about, one in each.items()} for name, each in known.items()}
        values = {":known": kept, ":next": version + 1, ":version": version, ":first": 0}
        done, _ = self._items.update(
            "DynamoDB UpdateItem (told)",
            _KEY,
            "SET #known = :known, #version = :next REMOVE #claimed_until",
            values,
            condition=_UNCHANGED,
        )
        if not done:
            raise Unavailable("another run of the watch has told meanwhile")


class SnsTopic:
    """The subscribers of the alarms; SNS sends mail itself, even while our SES is stopped."""

    def __init__(self, client: Any, topic: str) -> None:
        self._client = client
        self._topic = topic

    def has_subscriber(self) -> bool:
        """Whether anyone has confirmed a subscription. Raises Temporary."""
        return looking.has_subscriber(self._topic)

    def publish(self, subject: str, body: str) -> None:
        """Send to all subscribers. Raises Temporary."""
        with translated("SNS Publish"):
            self._client.publish(TopicArn=self._topic, Subject=subject, Message=body)


def _known(row: Mapping[str, Any]) -> Known:
    return Known(str(row["seen"]), float(row["since"]), bool(row["told"]))


def _as_map(known: Known) -> dict[str, Any]:
    return {"seen": known.seen, "since": int(known.since), "told": known.told}
