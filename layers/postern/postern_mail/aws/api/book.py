"""Tokens and names in the alias table, and the daily count in the ledger's.

A new alias is written by PartiQL's INSERT, which never replaces an item: so a role with this right alone can change no
existing alias, whatever the code does (template.yaml). docs.aws.amazon.com/amazondynamodb, "PartiQL insert statements
for DynamoDB"; Service Authorization Reference, dynamodb:PartiQLInsert.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from ...mail.days import A_DAY
from ...mail.rows import Row
from ...mail.token import ROWS
from ...ports.clock import Clock
from .. import batch
from ..attributes import to_dynamodb
from ..failures import translated
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAYS = "token:"  # prefix of partitions in the ledger: how many aliases a token has made, with an entry for each day
_KEPT = 3 * A_DAY  # seconds
_SHOWN = "address, patterns, reply_local_part"


class DynamoTokenBook:
    """The alias table of one stack, and the counters."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        aliases: str,
        ledger: str,
        clock: Clock,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client
        self._aliases = aliases
        self._counters = Items(client, ledger)
        self._clock = clock
        self._pause = pause

    def token(self, key: str) -> Row | None:
        """A token's row, None if there is none. Raises Temporary."""
        found = batch.read(self._client, [(self._aliases, _key(key))], self._pause, consistent=True)
        return next(iter(found.get(self._aliases, ())), None)

    def rows_of(self, keys: Collection[str]) -> Mapping[str, Row]:
        """The rows of those keys that have one, with the attributes that the port lists. Raises Temporary."""
        wanted = [(self._aliases, _key(key)) for key in keys]
        rows = batch.read(self._client, wanted, self._pause, consistent=True, shown=_SHOWN).get(self._aliases, ())
        return {str(one["address"]): one for one in rows}

    def count(self, key: str, day: str, most: int) -> bool:
        """Count one more alias, unless the day's limit is reached. Raises Temporary."""
        counted, _ = self._counters.update(
            "DynamoDB UpdateItem (token)",
            {"message_id": f"{DAYS}{key.removeprefix(ROWS)}", "entry": day},
            "SET expires_at = :expires_at ADD made :one",
            {":one": 1, ":most": most, ":expires_at": int(self._clock.now()) + _KEPT},
            condition="attribute_not_exists(made) OR made < :most",
        )
        return counted

    def make(self, row: Row) -> bool:
        """Write a new alias, unless its key has a row. Raises Temporary."""
        names = ", ".join(f"'{name}': ?" for name in row)
        with translated("DynamoDB ExecuteStatement (new alias)"):
            try:
                self._client.execute_statement(
                    Statement=f'INSERT INTO "{self._aliases}" VALUE {{{names}}}',
                    Parameters=[to_dynamodb(value) for value in row.values()],
                )
            except self._client.exceptions.DuplicateItemException as refused:
                # Just before there was no such row. Where boto3 asked again, it is the one whose answer was lost.
                return bool(refused.response["ResponseMetadata"].get("RetryAttempts"))
        return True


def _key(address: str) -> dict[str, Any]:
    return {"address": {"S": address}}
