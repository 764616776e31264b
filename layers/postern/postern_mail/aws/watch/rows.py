"""All rows of the alias table and the sender table."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ...mail import greylist, settings
from ...mail.rows import Row, TableName, is_reserved
from ..attributes import row
from ..failures import translated
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_ITEMS: Mapping[TableName, tuple[str, ...]] = {"settings": (settings.KEY,), "whitelists": greylist.KEYS}


class AllRows:
    """Both tables of a stack, read as a whole."""

    def __init__(self, client: "DynamoDBClient", tables: Mapping[TableName, str]) -> None:
        self._client = client
        self._tables = tables

    def scan(self, table: TableName) -> Iterator[Row]:
        """All rows, in DynamoDB's order, read consistently, one page of 1 MB in memory at a time. Aliases exclude
        Postern's own items; settings are one row or none, whitelists one each. Raises Temporary."""
        if table in _ITEMS:
            yield from self._items(table)
            return
        rows = Items(self._client, self._tables[table]).scan(ConsistentRead=True)
        yield from (one for one in rows if table != "aliases" or not is_reserved(one["address"]))

    def _items(self, table: TableName) -> Iterator[Row]:
        for key in _ITEMS[table]:
            with translated(f"DynamoDB GetItem ({table})"):
                found = self._client.get_item(
                    TableName=self._tables["aliases"], Key={"address": {"S": key}}, ConsistentRead=True
                )
            if "Item" in found:
                yield row(found["Item"])
