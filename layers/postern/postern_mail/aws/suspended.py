"""Destinations that are sent nothing for now, where the stack keeps a table of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_deserialize = TypeDeserializer().deserialize


def suspended(client: "DynamoDBClient", table: str) -> Iterator[dict[str, Any]]:
    """The rows of destinations that are sent nothing for now. Raises Temporary."""
    with translated(f"DynamoDB Scan {table}"):
        pages = client.get_paginator("scan").paginate(
            TableName=table, FilterExpression="attribute_exists(suspended_at)"
        )
        for page in pages:
            for item in page["Items"]:
                yield {name: _deserialize(value) for name, value in item.items()}
