"""The stack's keys, in partitions of the ledger that no message has.

Each purpose has a key of its own, so a leaked one forges nothing else. The template lists the keys (`Keys`), and which
role reads which.
"""

import os
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..errors import Misconfigured
from . import batch
from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STAMP = "stamp"  # mail.stamp
TAGS = "tags"  # mail.feedback.entry_tag
LINKS = "links"  # mail.link
REPLIES = "replies"  # mail.replying.token
DQS = "dqs"  # the owner's, for Spamhaus's lists, optional; `postern settings set dqs_key` writes it
PARTITIONS = "#key:"  # prefix of their names; no message id contains "#"
_LENGTH = 32  # octets, the output size of SHA-256 (RFC 2104 3)


def stack_keys(client: "DynamoDBClient", table: str, *purposes: str) -> tuple[bytes, ...]:
    """The keys for these purposes, in their order, read in one call. Raises Temporary; Misconfigured if one is
    missing."""
    wanted = [(table, _key(purpose)) for purpose in purposes]
    rows = batch.read(client, wanted, time.sleep, consistent=True).get(table, ())
    found = {row["message_id"]: bytes(row["key"]) for row in rows}
    names = [_partition(purpose) for purpose in purposes]
    if missing := [name for name in names if name not in found]:
        raise Misconfigured(f"table {table} lacks {', '.join(missing)}, which the stack's resource Keys makes")
    return tuple(found[name] for name in names)


class LaterKey:
    """A key of the stack that few messages need: read on first use, once for each container."""

    def __init__(self, client: "DynamoDBClient", table: str, purpose: str) -> None:
        self._client, self._table, self._purpose, self._found = client, table, purpose, b""

    def __call__(self) -> bytes:
        """The key. Raises Temporary; Misconfigured if there is none."""
        if not self._found:
            (self._found,) = stack_keys(self._client, self._table, self._purpose)
        return self._found


class DqsKey:
    """The owner's key for Spamhaus, read if one of its lists is on; once found, it is kept for the container's
    lifetime."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table, self._found = client, table, ""

    def __call__(self) -> str:
        """The key, "" if there is none. Raises Temporary."""
        if not self._found:
            rows = batch.read(self._client, [(self._table, _key(DQS))], time.sleep, consistent=True)
            self._found = "".join(
                bytes(row.get("key", b"")).decode("ascii", "replace") for row in rows.get(self._table, ())
            )
        return self._found


def set_dqs_key(client: "DynamoDBClient", table: str, key: str, now: float) -> None:
    """Write the owner's key for Spamhaus, "" for none. Raises Temporary."""
    with translated("DynamoDB PutItem (key)"):
        if key:
            made: Any = {"key": {"B": key.encode("ascii")}, "made_at": {"N": str(int(now))}}
            client.put_item(TableName=table, Item={**_key(DQS), **made})
        else:
            client.delete_item(TableName=table, Key=_key(DQS))


def make_keys(client: "DynamoDBClient", table: str, purposes: Collection[str], now: float) -> list[str]:
    """Make the missing keys; returns their purposes. Existing keys stay. Raises Temporary."""
    return [purpose for purpose in purposes if _make(client, table, purpose, now)]


def _make(client: "DynamoDBClient", table: str, purpose: str, now: float) -> bool:
    item: Any = {**_key(purpose), "key": {"B": os.urandom(_LENGTH)}, "made_at": {"N": str(int(now))}}
    with translated("DynamoDB PutItem (key)"):
        try:
            client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(message_id)")
        except client.exceptions.ConditionalCheckFailedException:
            return False
    return True


def _partition(purpose: str) -> str:
    return f"{PARTITIONS}{purpose}"


def _key(purpose: str) -> dict[str, Any]:
    return {"message_id": {"S": _partition(purpose)}, "entry": {"S": "key"}}
