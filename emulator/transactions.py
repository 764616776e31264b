"""DynamoDB's transactions as on AWS; they replace moto's.

moto 5.2.5 copies the whole table for each action of a transaction, so 100 rows into a table with thousands take longer
than botocore waits. It ignores the request's token, so botocore's retry fails because of the first attempt. And a
rollback also undoes other requests' writes, because requests are not isolated.
docs.aws.amazon.com/amazondynamodb, "TransactWriteItems" and "Amazon DynamoDB Transactions: How it works".
"""

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    MockValidationException,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler

MOST_ACTIONS = 100
_UNDERWAY = threading.RLock()  # one request at a time
_CONDITION = ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues")

_Undo = Callable[[], None]


def install() -> None:
    """Make moto's DynamoDB in this process use these transactions."""
    if DynamoDBBackend.transact_write_items is not transact:
        DynamoDBBackend.transact_write_items = transact  # type: ignore[method-assign,assignment]
        DynamoHandler.call_action = _one_at_a_time(DynamoHandler.call_action)  # type: ignore[method-assign]
        DynamoHandler.transact_write_items = _once(DynamoHandler.transact_write_items)  # type: ignore[method-assign,assignment]


def transact(backend: DynamoDBBackend, transact_items: Sequence[Mapping[str, Any]]) -> None:
    """Execute all actions or none. Raises TransactionCanceledException with a reason for each action, or what moto
    raises for an invalid request."""
    if len(transact_items) > MOST_ACTIONS:
        raise TooManyTransactionsException
    undo: list[_Undo] = []
    seen: set[str] = set()
    reasons: list[tuple[str | None, str | None, dict[str, Any] | None]] = []
    try:
        for item in transact_items:
            reasons.append(_carried_out(backend, item, seen, undo))
        if any(code for code, _, _ in reasons):
            raise TransactionCanceledException(reasons)
    except BaseException:
        for back in reversed(undo):
            back()
        raise


def _carried_out(
    backend: DynamoDBBackend, item: Mapping[str, Any], seen: set[str], undo: list[_Undo]
) -> tuple[str | None, str | None, dict[str, Any] | None]:
    """Execute one action. Returns (code, message, item) for a refusal, else three None."""
    if len(item) > 1:
        raise TransactWriteSingleOpException
    ((kind, action),) = item.items()
    table = backend.get_table(action["TableName"])
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    key = action["Key"] if kind != "Put" else {name: action["Item"][name] for name in names}
    if (which := f"{action['TableName']} {sorted(key.items())}") in seen:
        raise MultipleTransactionsException
    seen.add(which)
    undo.append(_back(backend, table, key))
    try:
        _carry_out(backend, kind, action, key)
    except MockValidationException:
        raise
    except ConditionalCheckFailed as failed:
        wanted = action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        before = backend.get_item(action["TableName"], key) if wanted else None
        return "ConditionalCheckFailed", str(failed.message), before.to_json()["Attributes"] if before else None
    except Exception as error:  # noqa: BLE001 (as in moto: any other fault is the action's reason)
        return type(error).__name__, str(error), None
    return None, None, None


def _carry_out(backend: DynamoDBBackend, kind: str, action: Mapping[str, Any], key: dict[str, Any]) -> None:
    table = action["TableName"]
    expression, names, values = map(action.get, _CONDITION)
    condition: Any = {
        "condition_expression": expression,
        "expression_attribute_names": names,
        "expression_attribute_values": values,
    }
    match kind:
        case "Put":
            backend.put_item(table, action["Item"], **condition)
        case "Delete":
            backend.delete_item(table, key, **condition)
        case "Update":
            backend.update_item(table, key, update_expression=action["UpdateExpression"], **condition)
        case "ConditionCheck":
            if not get_filter_expression(expression, names, values).expr(backend.get_item(table, key)):
                raise ConditionalCheckFailed
        case _:
            raise ValueError(f"Unsupported transaction operation {kind}")


def _back(backend: DynamoDBBackend, table: Any, key: dict[str, Any]) -> _Undo:
    """A function that restores this row and the table's stream to their current state."""
    before = backend.get_item(table.name, key)
    attributes = copy.deepcopy(before.to_json()["Attributes"]) if before else None
    told = len(table.stream_shard.items) if table.stream_shard else 0

    def back() -> None:
        if attributes is None:
            table.delete_item(*backend.get_keys_value(table, key))
        else:
            table.put_item(attributes)
        if table.stream_shard:
            del table.stream_shard.items[told:]

    return back


def _one_at_a_time(call_action: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def called(handler: Any) -> Any:
        with _UNDERWAY:
            return call_action(handler)

    return called


def _once(transact_write_items: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Execute a transaction only once per token. AWS remembers a token for 10 minutes, this for its whole run."""
    answers: dict[tuple[str, str], Any] = {}

    def asked(handler: Any) -> Any:
        token = (str(handler.current_account), str(handler.body.get("ClientRequestToken") or ""))
        if token not in answers:
            answer = transact_write_items(handler)
            if not token[1]:
                return answer
            answers[token] = answer
        return answers[token]

    return asked
