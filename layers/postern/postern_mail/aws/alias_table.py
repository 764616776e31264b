"""The alias table as a whole."""

from typing import TYPE_CHECKING

from ..mail.rows import Row, is_reserved
from .failures import translated
from .items import row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoAliasTable:
    """All rows at once, for the function that keeps the receipt rules; it may scan this table and nothing else."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def rows(self) -> dict[str, Row]:
        """All rows by key, read consistently: an alias written a moment ago is among them. Raises Temporary."""
        with translated("DynamoDB Scan (aliases)"):
            pages = self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
            rows = (one for page in pages for one in map(row, page["Items"]))
            return {one["address"]: one for one in rows if not is_reserved(one["address"])}
