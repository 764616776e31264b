"""Used links: an entry each, `link:<hash>`, beside those of the message that the link is about.

The entry outlives the link: the ledger keeps entries for at least 23 days, a link works for 7. So none is used twice.
"""

import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...mail.days import A_DAY
from ...mail.link import BY, Link
from ...ports.clock import Clock
from ...ports.links import Entries
from ..items import Items
from ..watch.history import History

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PARTS = 10**12  # of a second
LEASE = 60  # seconds for which a link is claimed: longer than the function runs
_UPDATE = "DynamoDB UpdateItem (link)"
_FREE = "attribute_not_exists(used_at) AND (attribute_not_exists(taken_until) OR taken_until < :now)"


class DynamoLinkBook:
    """The ledger in DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Clock, keep_days: int) -> None:
        self._history = History(client, table)
        self._items = Items(client, table)
        self._clock = clock
        self._keep_seconds = keep_days * A_DAY

    def entries(self, partition: str) -> Entries:
        """See LinkBook."""
        return self._history.entries(partition)

    def take(self, link: Link, name: str) -> bool:
        """See LinkBook."""
        now = int(self._clock.now())
        # Unique, so that a caller whose answer was lost recognises its own claim when it asks again.
        until = now + LEASE + Decimal(secrets.randbelow(_PARTS)) / _PARTS
        values = {":now": now, ":until": until, ":expires_at": now + self._keep_seconds}
        update = "SET taken_until = :until, expires_at = :expires_at"
        done, there = self._items.update(_UPDATE, _key(link, name), update, values, condition=_FREE)
        return done or (there.get("taken_until") == until and "used_at" not in there)

    def keep(self, link: Link, name: str, said: str) -> None:
        """See LinkBook."""
        now = int(self._clock.now())
        values: Mapping[str, Any] = {
            ":now": now, ":detail": f"by link: {said}", ":used_by": BY, ":expires_at": now + self._keep_seconds,
        }  # fmt: skip
        update = "SET used_at = :now, used_by = :used_by, detail = :detail, expires_at = :expires_at REMOVE taken_until"
        self._items.update(_UPDATE, _key(link, name), update, values)

    def give_back(self, link: Link, name: str) -> None:
        """See LinkBook."""
        condition = "attribute_exists(taken_until)"
        self._items.update(_UPDATE, _key(link, name), "REMOVE taken_until", {}, condition=condition)


def _key(link: Link, name: str) -> dict[str, str]:
    return {"message_id": link.partition, "entry": name}
