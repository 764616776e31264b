"""The rows of API tokens in the alias table: listed, added and removed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from postern_mail.aws.attributes import to_dynamodb
from postern_mail.aws.failures import translated
from postern_mail.aws.items import Items
from postern_mail.mail.rows import BadRow
from postern_mail.mail.token import ROWS, Token

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Tokens:
    """The tokens of one stack."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def all(self) -> Iterator[Token]:
        """Every token, in DynamoDB's order; of a row that cannot be understood only its key and name. Raises
        Temporary."""
        rows = Items(self._client, self._table).scan(
            ConsistentRead=True,
            FilterExpression="begins_with(address, :rows)",
            ExpressionAttributeValues={":rows": {"S": ROWS}},
        )
        for row in rows:
            try:
                yield Token.from_row(row["address"], row)
            except BadRow:
                yield Token(row["address"], str(row.get("name", "")), "", (), 0, 0)

    def add(self, token: Token) -> None:
        """Write a new token. Raises Temporary."""
        item: Any = {name: to_dynamodb(value) for name, value in token.row().items()}
        with translated("DynamoDB PutItem (token)"):
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(address)")

    def remove(self, token: Token) -> None:
        """Remove a token; it can create no more aliases. Raises Temporary."""
        with translated("DynamoDB DeleteItem (token)"):
            self._client.delete_item(TableName=self._table, Key={"address": {"S": token.key}})
