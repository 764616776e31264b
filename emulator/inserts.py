"""PartiQL's INSERT as on AWS; it replaces moto's, which takes no parameters and overwrites existing items.

docs.aws.amazon.com/amazondynamodb, "PartiQL insert statements for DynamoDB".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import DynamoDBBackend

# The only form that Postern writes; any other is our mistake.
STATEMENT = re.compile(r"""INSERT INTO "(?P<table>[\w.-]+)" VALUE \{(?P<names>'\w+': \?(?:, '\w+': \?)*)\}\Z""")


def install() -> None:
    """Make moto's DynamoDB in this process use this INSERT."""
    DynamoDBBackend.execute_statement = insert  # type: ignore[method-assign,assignment]


class DuplicateItemException(DynamodbException):
    """The key already has an item."""

    def __init__(self) -> None:
        super().__init__(
            "com.amazonaws.dynamodb.v20120810#DuplicateItemException", "Duplicate primary key exists in table"
        )


def insert(backend: DynamoDBBackend, statement: str, parameters: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write a new item, and return no items. Raises DuplicateItemException; ValueError for any other statement."""
    found = STATEMENT.match(statement)
    names = re.findall(r"'(\w+)'", found["names"]) if found else []
    if found is None or len(names) != len(parameters):
        raise ValueError(f"the emulator knows no such statement: {statement}")
    item = dict(zip(names, parameters, strict=True))
    table = backend.get_table(found["table"])
    key = {name: item[name] for name in (table.hash_key_attr, table.range_key_attr) if name}
    if backend.get_item(found["table"], key) is not None:
        raise DuplicateItemException
    backend.put_item(found["table"], item)
    return []
