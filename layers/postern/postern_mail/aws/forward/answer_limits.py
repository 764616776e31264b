"""Limits on answers per hour, to senders of one domain and for the stack: counters in the ledger's table."""

from typing import TYPE_CHECKING

from ...errors import OverCap
from ...mail.domain_owner import owner_of
from ...ports.clock import Clock
from ...ports.settings import OwnerSettings
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_HOUR = 3600
_KEPT = 48 * _HOUR  # seconds a counter is kept, for inspection


class DynamoAnswerLimits:
    """A counter for each hour and domain owner, and one for the stack. The limits are settings, which are read only
    when an answer is due."""

    def __init__(self, client: "DynamoDBClient", table: str, *, settings: OwnerSettings, clock: Clock) -> None:
        self._items = Items(client, table)
        self._settings = settings
        self._clock = clock

    def admit(self, domain: str) -> None:
        """Count one answer. Raises OverCap if the hour's limit is reached, Temporary."""
        settings = self._settings.read()
        owner = owner_of(domain)
        self._count(f"answers:{owner}", settings.answers_per_domain, f"to senders of {owner}")
        self._count("answers:", settings.answers_per_hour, "by this stack")

    def _count(self, key: str, most: int, what: str) -> None:
        now = int(self._clock.now())
        counted = (
            most > 0
            and self._items.update(
                "DynamoDB UpdateItem (answers)",
                {"message_id": key, "entry": str(now // _HOUR * _HOUR)},
                "SET expires_at = :expires_at ADD answers :one",
                {":one": 1, ":most": most, ":expires_at": now + _KEPT},
                condition="attribute_not_exists(answers) OR answers < :most",
            )[0]
        )
        if not counted:
            raise OverCap(f"{most} answers have been sent {what} within this hour")
