"""Rows of the alias and sender tables, listed and written for the command.

A row that may be edited in the console has no version number. So a write has the condition that every attribute is
unchanged since it was read, and that none of ours has been added.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError
from postern_mail.aws import clients
from postern_mail.aws.failures import translated
from postern_mail.aws.items import Items
from postern_mail.aws.watch.rows import AllRows
from postern_mail.errors import Misconfigured, Overtaken, Throttled
from postern_mail.mail.rows import BOOKKEEPING, Row, TableName

from ..tables.change import ATTRIBUTES, KEY_NAMES, Change, Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# docs.aws.amazon.com/amazondynamodb, "TransactWriteItems": 100 actions, 4 MB of items. A change
# carries its row twice, before and after, so rows may take half of that.
MAX_CHANGES = 100
MAX_OCTETS = 2 * 1024 * 1024
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds before a transaction that conflicted with another is retried
_OVERTAKEN, _BAD = "ConditionalCheckFailed", "ValidationError"

_to_dynamodb = TypeSerializer().serialize


class TableRows(AllRows):
    """The alias and sender tables of a stack."""

    def __init__(
        self, client: "DynamoDBClient", tables: Mapping[TableName, str], pause: Callable[[float], object] = time.sleep
    ) -> None:
        super().__init__(client, tables)
        self._pause = pause

    def scopes(self, sender: str) -> list[str]:
        """The scopes in which a sender has a rule, in order. Raises Temporary."""
        rules = Items(self._client, self._tables["senders"]).query(
            KeyConditionExpression="sender = :sender", ExpressionAttributeValues={":sender": {"S": sender}}
        )
        return sorted(str(rule["scope"]) for rule in rules)

    def write(self, changes: Sequence[Change]) -> None:
        """Write all of these rows or none, at most 100.

        Raises Overtaken if a row has changed since it was read, Throttled if DynamoDB stays too busy, else Temporary.
        If the response is lost, botocore retries with the same token, which DynamoDB honours for 10 minutes.
        """
        actions: Any = [self._action(change) for change in changes]
        for pause in (*_PAUSES, None):
            with translated("DynamoDB TransactWriteItems"):
                try:
                    self._client.transact_write_items(TransactItems=actions)
                    return
                except self._client.exceptions.TransactionCanceledException as cancelled:
                    _raise_for_good(cancelled, changes)
            if pause is not None:
                self._pause(pause)
        raise Throttled(f"DynamoDB TransactWriteItems conflicted with other writes {len(_PAUSES) + 1} times")

    def _action(self, change: Change) -> dict[str, Any]:
        target: dict[str, Any] = {"TableName": self._tables[change.table], **_condition(change)}
        if change.after is None:
            return {"Delete": {**target, "Key": _key(change.table, change.key)}}
        return {"Put": {**target, "Item": {**_item(change.after), **_key(change.table, change.key)}}}


def chunks(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Changes in lots that fit one transaction."""
    lot: list[Change] = []
    octets = 0
    for change in changes:
        size = _octets(change)
        if lot and (len(lot) == MAX_CHANGES or octets + size > MAX_OCTETS):
            yield lot
            lot, octets = [], 0
        lot.append(change)
        octets += size
    if lot:
        yield lot


def caller() -> str:
    """The ARN of the credentials in use (docs.aws.amazon.com/STS, "GetCallerIdentity"). Raises Temporary."""
    with translated("STS GetCallerIdentity"):
        return str(clients.sts().get_caller_identity()["Arn"])


def _raise_for_good(cancelled: ClientError, changes: Sequence[Change]) -> None:
    """Raise for a reason that a retry cannot fix; return for a conflict or a throttle, which it can."""
    reasons = cancelled.response.get("CancellationReasons", [])  # one for each action, in order
    pairs = list(zip(reasons, changes, strict=False))
    overtaken = [str(change) for reason, change in pairs if reason.get("Code") == _OVERTAKEN]
    if overtaken:
        rest = f" and {len(overtaken) - 1} more" if len(overtaken) > 1 else ""
        raise Overtaken(f"{overtaken[0]}{rest}: changed by someone else meanwhile; check it, and try again")
    for reason, change in pairs:
        if reason.get("Code") == _BAD:
            raise Misconfigured(f"DynamoDB does not accept {change}: {reason.get('Message')}")


def _condition(change: Change) -> dict[str, Any]:
    """Condition: the row is unchanged since it was read, or still absent."""
    before = change.before or {}
    keys = KEY_NAMES[change.table]
    if change.before is None:
        absent, present = keys[:1], []
    else:
        absent = tuple(name for name in (*ATTRIBUTES[change.table], *BOOKKEEPING) if name not in before)
        present = sorted(before)
    names = {f"#{number}": name for number, name in enumerate((*present, *absent))}
    clauses = [f"#{number} = :{number}" for number in range(len(present))]
    clauses += [f"attribute_not_exists(#{number})" for number in range(len(present), len(names))]
    condition: dict[str, Any] = {"ConditionExpression": " AND ".join(clauses), "ExpressionAttributeNames": names}
    if present:
        condition["ExpressionAttributeValues"] = {
            f":{number}": _to_dynamodb(before[name]) for number, name in enumerate(present)
        }
    return condition


def _key(table: TableName, key: Key) -> dict[str, Any]:
    return {name: {"S": value} for name, value in zip(KEY_NAMES[table], key, strict=True)}


def _item(row: Row) -> dict[str, Any]:
    return {name: _to_dynamodb(_exact(value)) for name, value in row.items()}


def _exact(value: Any) -> Any:
    """The value with decimals for floats, as DynamoDB needs."""
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    return Decimal(str(value)) if isinstance(value, float) else value


def _octets(change: Change) -> int:
    """The approximate size of the larger of both rows; never less than half of what DynamoDB counts."""
    return max(len(str(change.before)), len(str(change.after)))
