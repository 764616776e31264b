"""Items of a DynamoDB table: rows read page by page, and updated on a condition."""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def row(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item's attributes as Python has them."""
    return {name: _deserialize(value) for name, value in item.items()}


def new_owner() -> str:
    """Who has a claim or a lease: a name of this one attempt."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Items:
    """The items of one table."""

    client: "DynamoDBClient"
    table: str

    def update(
        self,
        what: str,
        key: Mapping[str, str],
        expression: str,
        values: Mapping[str, Any],
        *,
        condition: str = "",
        returning: Literal["NONE", "ALL_OLD", "ALL_NEW"] = "NONE",
    ) -> tuple[bool, dict[str, Any]]:
        """(did the condition hold, the attributes asked for, or those that stood in the way).

        `#name` stands for the attribute of that name. Raises Temporary, saying `what` was being done.
        """
        request: dict[str, Any] = {"UpdateExpression": expression, "ReturnValues": returning}
        if condition:
            request |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        names = re.findall(r"#(\w+)", f"{expression} {condition}")
        if names:
            request["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
        if values:
            request["ExpressionAttributeValues"] = {name: _serialize(value) for name, value in values.items()}
        where: Any = {name: {"S": value} for name, value in key.items()}
        with translated(what):
            try:
                response = self.client.update_item(TableName=self.table, Key=where, **request)
            except self.client.exceptions.ConditionalCheckFailedException as refused:
                return False, row(cast("Mapping[str, Any]", refused.response.get("Item", {})))
        return True, row(response.get("Attributes", {}))

    def scan(self, **request: Any) -> Iterator[dict[str, Any]]:
        """The rows of a Scan, a page of at most 1 MB in memory at a time. Raises Temporary."""
        return self._pages("scan", request)

    def query(self, **request: Any) -> Iterator[dict[str, Any]]:
        """The rows of a Query, a page of at most 1 MB in memory at a time. Raises Temporary."""
        return self._pages("query", request)

    def _pages(self, operation: Literal["query", "scan"], request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        pages = iter(self.client.get_paginator(operation).paginate(TableName=self.table, **request))
        while True:
            with translated(f"DynamoDB {operation.capitalize()} {self.table}"):
                page = next(pages, None)
            if page is None:
                return
            yield from map(row, page["Items"])
