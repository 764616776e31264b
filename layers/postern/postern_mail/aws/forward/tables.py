"""The alias, sender and destination tables, read by key in as few calls as DynamoDB allows."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...errors import Misconfigured
from ...mail.rows import Row, Rows, SenderKey
from ...side_by_side import Waiting
from .. import batch
from ..attributes import to_dynamodb

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SIDE_BY_SIDE = 8  # calls in flight; botocore's pool holds 10 connections
_Chunk = Sequence[tuple[str, Mapping[str, str]]]


class DynamoTables:
    """The tables behind one port, so that one round trip reads rows of all. Without `destination_table` the health of
    destinations cannot be read."""

    def __init__(
        self,
        client: "DynamoDBClient",
        alias_table: str,
        sender_table: str,
        destination_table: str = "",
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client
        self._alias_table = alias_table
        self._sender_table = sender_table
        self._destination_table = destination_table
        self._pause = pause

    def read(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> Rows:
        """The rows under these keys, in ceil(keys / 100) calls, eight of them side by side.

        Reads are consistent: a row written a moment ago must not be missed, or its mail would go to the catch-all.
        Raises Temporary if a table cannot be read, Throttled if DynamoDB repeatedly leaves keys unprocessed: an
        unanswered key never counts as a missing row.
        """
        return self.begin(aliases, senders, destinations).result()

    def begin(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> Waiting[Rows]:
        """Start the same read."""
        if destinations and not self._destination_table:
            raise Misconfigured("the health of destinations cannot be read: POSTERN_DESTINATION_TABLE is not set")
        wanted = [(self._alias_table, {"address": key}) for key in dict.fromkeys(aliases)]
        wanted += [(self._sender_table, {"sender": s, "scope": scope}) for s, scope in dict.fromkeys(senders)]
        wanted += [(self._destination_table, {"address": key}) for key in dict.fromkeys(destinations)]
        rows = Rows(dict.fromkeys(aliases), dict.fromkeys(senders), dict.fromkeys(destinations))
        chunks = [wanted[start : start + batch.MAX_KEYS] for start in range(0, len(wanted), batch.MAX_KEYS)]
        return _Reading(self, chunks, rows)

    def answered(self, answer: Mapping[str, Sequence[Row]], rows: Rows) -> None:
        """Add the items of a response to the rows."""
        for one in answer.get(self._alias_table, ()):
            rows.aliases[one["address"]] = one
        for one in answer.get(self._sender_table, ()):
            rows.senders[one["sender"], one["scope"]] = one
        for one in answer.get(self._destination_table, ()):
            rows.destinations[one["address"]] = one

    def begun(self, wanted: Iterable[tuple[str, Mapping[str, str]]]) -> Waiting[Mapping[str, Sequence[Row]]]:
        """The call for a chunk of keys, in flight."""
        keys = [(table, {name: to_dynamodb(value) for name, value in key.items()}) for table, key in wanted]
        return batch.begin(self._client, keys, self._pause)


class _Reading:
    """Reads chunks of keys, eight side by side."""

    def __init__(self, tables: DynamoTables, chunks: Sequence[_Chunk], rows: Rows) -> None:
        self._tables = tables
        self._rows = rows
        self._waiting = deque(map(tables.begun, chunks[:_SIDE_BY_SIDE]))
        self._left = deque(chunks[_SIDE_BY_SIDE:])

    def result(self) -> Rows:
        """All rows. Raises as `DynamoTables.read`."""
        try:
            while self._waiting:
                self._tables.answered(self._waiting.popleft().result(), self._rows)
                if self._left:
                    self._waiting.append(self._tables.begun(self._left.popleft()))
        finally:
            self.drop()
        return self._rows

    def drop(self) -> None:
        """Stop reading."""
        while self._waiting:
            self._waiting.popleft().drop()
