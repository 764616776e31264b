"""One conditional write to the ledger table."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Key = tuple[str, str]  # (message_id, entry)
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def write(
    client: "DynamoDBClient",
    table: str,
    key: Key,
    expression: str,
    values: Mapping[str, Any],
    *,
    condition: str = "",
    returning: Literal["NONE", "ALL_OLD", "ALL_NEW"] = "NONE",
) -> tuple[bool, dict[str, Any]]:
    """(did the condition hold, the attributes asked for, or those that stood in the way). Raises Temporary."""
    request: dict[str, Any] = {"UpdateExpression": expression, "ReturnValues": returning}
    if condition:
        request |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    names = re.findall(r"#(\w+)", f"{expression} {condition}")
    if names:
        request["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    if values:
        request["ExpressionAttributeValues"] = {name: _serialize(value) for name, value in values.items()}
    with translated(f"DynamoDB UpdateItem ({key[1].partition(':')[0]})"):
        try:
            response = client.update_item(
                TableName=table, Key={"message_id": {"S": key[0]}, "entry": {"S": key[1]}}, **request
            )
        except client.exceptions.ConditionalCheckFailedException as refused:
            return False, row(cast("Mapping[str, Any]", refused.response.get("Item", {})))
    return True, row(response.get("Attributes", {}))


def row(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as DynamoDB has it, with plain values."""
    return {name: _deserialize(value) for name, value in item.items()}
