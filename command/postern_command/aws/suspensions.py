"""The health of destinations, listed and mended for the command."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from postern_mail.aws.failures import translated
from postern_mail.aws.items import Items, row
from postern_mail.mail.rows import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Suspensions:
    """The table of destinations, as a whole."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def scan(self) -> Iterator[Row]:
        """All rows, in DynamoDB's order, read consistently. Raises Temporary."""
        pages = iter(self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True))
        while True:
            with translated(f"DynamoDB Scan {self._table}"):
                page = next(pages, None)
            if page is None:
                return
            yield from map(row, page["Items"])

    def resume(self, address: str, by: str) -> Row | None:
        """Lift a suspension, and forgive what was before; the row as it was, None if it was not suspended.

        Events from before now that come later suspend nobody again. Raises Temporary.
        """
        done, before = Items(self._client, self._table).update(
            "DynamoDB UpdateItem (destinations)",
            {"address": address},
            "SET resumed_at = :now, resumed_by = :by REMOVE suspended_at, reason, told_at, failures",
            {":now": int(time.time()), ":by": by},
            condition="attribute_exists(suspended_at)",
            returning="ALL_OLD",
        )
        return before if done else None
