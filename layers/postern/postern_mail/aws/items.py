"""Items of a DynamoDB table: read page by page, and updated on a condition."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from ..mail.records import dataclass
from .attributes import row, to_dynamodb
from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def new_owner() -> str:
    """The owner's name of a claim or a lease: unique to this attempt."""
    return os.urandom(16).hex()


_REFUSED, _CONFLICT = "ConditionalCheckFailed", "TransactionConflict"  # why a transaction was cancelled
MOST_ACTIONS = 100  # of a transaction, docs.aws.amazon.com/amazondynamodb, "TransactWriteItems"


@dataclass(frozen=True, slots=True)
class Update:
    """One change of a transaction: an item's key, the UpdateExpression with its values, and its condition."""

    key: Mapping[str, str]
    expression: str
    values: Mapping[str, Any]
    condition: str


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
        """(whether the condition held, the attributes asked for, or those of the item that failed it).

        `#name` stands for the attribute of that name. Raises Temporary; `what` names the action in its text.
        """
        request = {**_change(expression, condition, values), "ReturnValues": returning}
        with translated(what):
            try:
                response = self.client.update_item(TableName=self.table, Key=_where(key), **request)
            except self.client.exceptions.ConditionalCheckFailedException as refused:
                return False, row(cast("Mapping[str, Any]", refused.response.get("Item", {})))
        return True, row(response.get("Attributes", {}))

    def transact(self, what: str, updates: Collection[Update]) -> bool:
        """Make all changes if all conditions hold, else none; returns whether they held. Raises Temporary, also if
        another transaction holds one of the items; `what` names the action in its text."""
        return not self._transact(what, updates, ())

    def lost(self, what: str, updates: Collection[Update]) -> tuple[int, ...]:
        """Make all changes, or none; returns the indexes of those whose condition failed, or whose item another
        transaction holds, () if all were made. Raises Temporary; `what` names the action in its text."""
        return self._transact(what, updates, (_CONFLICT,))

    def _transact(self, what: str, updates: Collection[Update], also: Collection[str]) -> tuple[int, ...]:
        changes: Any = [
            {
                "Update": {
                    "TableName": self.table,
                    "Key": _where(one.key),
                    **_change(one.expression, one.condition, one.values),
                }
            }
            for one in updates
        ]
        with translated(what):
            try:
                self.client.transact_write_items(TransactItems=changes)
            except self.client.exceptions.TransactionCanceledException as refused:
                codes = [one.get("Code") for one in refused.response.get("CancellationReasons", ())]
                places = tuple(place for place, code in enumerate(codes) if code in (_REFUSED, *also))
                if not places:
                    raise
                return places
        return ()

    def delete(self, what: str, key: Mapping[str, str], values: Mapping[str, Any], *, condition: str) -> bool:
        """Delete the item if the condition holds; returns whether it did. Raises Temporary; `what` names the action in
        its text."""
        request: dict[str, Any] = {"ConditionExpression": condition}
        if names := re.findall(r"#(\w+)", condition):
            request["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
        request["ExpressionAttributeValues"] = {name: to_dynamodb(value) for name, value in values.items()}
        with translated(what):
            try:
                self.client.delete_item(TableName=self.table, Key=_where(key), **request)
            except self.client.exceptions.ConditionalCheckFailedException:
                return False
        return True

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


def _where(key: Mapping[str, str]) -> Any:
    return {name: {"S": value} for name, value in key.items()}


def _change(expression: str, condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The request for an update, which asks for the item that fails the condition."""
    request: dict[str, Any] = {"UpdateExpression": expression}
    if condition:
        request |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if names := re.findall(r"#(\w+)", f"{expression} {condition}"):
        request["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    if values:
        request["ExpressionAttributeValues"] = {name: to_dynamodb(value) for name, value in values.items()}
    return request
