"""The stack's keys, in partitions of the ledger that no message has.

There is one for each purpose, so that one that leaks forges nothing else. The template says which there are (`Keys`),
and which role reads which.
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
PARTITIONS = "#key:"  # what their names begin with; "#" is in no message id
_LENGTH = 32  # octets, as many as SHA-256 gives (RFC 2104 3)


def stack_keys(client: "DynamoDBClient", table: str, *purposes: str) -> tuple[bytes, ...]:
    """The keys for these purposes, in their order, by one call. Raises Temporary; Misconfigured if one is missing."""
    wanted = [(table, _key(purpose)) for purpose in purposes]
    rows = batch.read(client, wanted, time.sleep, consistent=True).get(table, ())
    found = {row["message_id"]: bytes(row["key"]) for row in rows}
    names = [_partition(purpose) for purpose in purposes]
    if missing := [name for name in names if name not in found]:
        raise Misconfigured(f"table {table} lacks {', '.join(missing)}, which the stack's resource Keys makes")
    return tuple(found[name] for name in names)


def make_keys(client: "DynamoDBClient", table: str, purposes: Collection[str], now: float) -> list[str]:
    """The purposes that got a key; the others have one, which stays. Raises Temporary."""
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
