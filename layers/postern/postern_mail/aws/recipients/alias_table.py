"""The alias table as a whole."""

from typing import TYPE_CHECKING

from ...mail.rows import Row, is_reserved
from ...mail.settings import KEY
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoAliasTable:
    """All rows at once, for the function that keeps the receipt rules; its role may scan only this table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._items = Items(client, table)

    def rows(self) -> dict[str, Row]:
        """All rows by key, with the settings, read consistently: an alias written a moment ago is included. Raises
        Temporary."""
        rows = self._items.scan(ConsistentRead=True)
        return {row["address"]: row for row in rows if row["address"] == KEY or not is_reserved(row["address"])}
