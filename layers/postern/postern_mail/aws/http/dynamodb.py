"""DynamoDB's operations on items, in its JSON form (docs.aws.amazon.com/amazondynamodb, "Low-level API")."""

import base64
import json
import os
from collections.abc import Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from ...side_by_side import Then, Waiting
from .connection import Answer, Service
from .errors import NoAnswer, Refusal


class ConditionalCheckFailedException(Refusal):
    """The condition failed; nothing was written."""


class TransactionCanceledException(Refusal):
    """Nothing of the transaction was written; `CancellationReasons` says why."""


_KINDS: dict[str, type[Refusal]] = {
    kind.__name__: kind for kind in (ConditionalCheckFailedException, TransactionCanceledException)
}


class Pages:
    """All pages of a Query or a Scan."""

    def __init__(self, client: "DynamoDB", operation: str) -> None:
        self._client = client
        self._operation = operation

    def paginate(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        """One page after the other, each read on demand. Raises as `Service.ask`."""
        while True:
            page = self._client.call(self._operation, request)
            yield page
            if not page.get("LastEvaluatedKey"):
                return
            request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}


class DynamoDB:
    """The part of boto3's client that the tables, the ledger and the counters use."""

    exceptions = SimpleNamespace(**_KINDS)

    def __init__(self, service: Service) -> None:
        self._service = service

    def batch_get_item(self, **request: Any) -> Mapping[str, Any]:
        """`Responses` and `UnprocessedKeys`. Raises as `Service.ask`."""
        return self.call("BatchGetItem", request)

    def update_item(self, **request: Any) -> Mapping[str, Any]:
        """`Attributes`, if any were asked for. Raises ConditionalCheckFailedException and as `Service.ask`."""
        return self.call("UpdateItem", request)

    def delete_item(self, **request: Any) -> Mapping[str, Any]:
        """`Attributes`, if any were asked for. Raises ConditionalCheckFailedException and as `Service.ask`."""
        return self.call("DeleteItem", request)

    def transact_write_items(self, **request: Any) -> Mapping[str, Any]:
        """An empty response. Raises TransactionCanceledException and as `Service.ask`.

        A repeated attempt has the token of the first, so DynamoDB makes the changes once.
        """
        return self.call("TransactWriteItems", {"ClientRequestToken": os.urandom(16).hex(), **request})

    def get_paginator(self, operation: str) -> Pages:
        """The pages of `query` or `scan`."""
        return Pages(self, operation.capitalize())

    def call(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """DynamoDB's response to an operation, by its name. Raises as `Service.ask`."""
        return self.begin(operation, request).result()

    def begin(self, operation: str, request: Mapping[str, Any]) -> Waiting[Mapping[str, Any]]:
        """The same, under way."""
        header = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"DynamoDB_20120810.{operation}"}
        body = json.dumps(request, default=_text).encode("ascii")
        asked = self._service.begin(("POST", "/"), header, body)
        return Then(asked, partial(self._read, asked))

    @staticmethod
    def _read(asked: Waiting[Answer]) -> Mapping[str, Any]:
        try:
            content = asked.result().content
        except Refusal as refused:
            kind = _KINDS.get(refused.response["Error"]["Code"])
            if kind:
                raise kind(_typed(refused.response)) from None
            raise
        try:
            return dict(_typed(json.loads(content or b"{}")))
        except (TypeError, ValueError) as error:
            raise NoAnswer("the response is not one that DynamoDB gives") from error


def _text(value: object) -> str:
    """Bytes in JSON's form; `value` is bytes or boto3's Binary."""
    return base64.b64encode(bytes(value)).decode("ascii")  # type: ignore[call-overload]


def _typed(said: Any) -> Any:
    """The same with bytes for types B and BS. The members of a map carry a type of their own, so an attribute named B
    is never mistaken for the type."""
    if isinstance(said, list):
        return [_typed(one) for one in said]
    if not isinstance(said, dict):
        return said
    if isinstance(said.get("B"), str):
        return {"B": base64.b64decode(said["B"])}
    if isinstance(said.get("BS"), list):
        return {"BS": [base64.b64decode(one) for one in said["BS"]]}
    return {name: _typed(value) for name, value in said.items()}
