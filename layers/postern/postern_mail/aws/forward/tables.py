"""The alias, the sender and the destination table, read by key in as few calls as DynamoDB allows."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...errors import Misconfigured
from ...mail.rows import Row, Rows, SenderKey
from .. import batch
from ..attributes import to_dynamodb

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SIDE_BY_SIDE = 8  # calls under way at once; botocore's pool holds 10 connections


class DynamoTables:
    """The tables behind one port, so that one round trip reads rows of all. Without `destination_table`
    nobody's health can be asked for."""

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
        """The rows under these keys, in ceil(keys / 100) calls side by side.

        Reads are consistent: a row written a moment ago must not be missed, for its mail would go
        to the catch-all. Raises Temporary if a table cannot be read, Throttled if DynamoDB leaves keys
        unprocessed time after time: a key it did not answer for is never a row that is missing.
        """
        if destinations and not self._destination_table:
            raise Misconfigured("the health of destinations cannot be read: POSTERN_DESTINATION_TABLE is not set")
        wanted = [(self._alias_table, {"address": key}) for key in dict.fromkeys(aliases)]
        wanted += [(self._sender_table, {"sender": s, "scope": scope}) for s, scope in dict.fromkeys(senders)]
        wanted += [(self._destination_table, {"address": key}) for key in dict.fromkeys(destinations)]
        rows = Rows(dict.fromkeys(aliases), dict.fromkeys(senders), dict.fromkeys(destinations))
        chunks = [wanted[start : start + batch.MAX_KEYS] for start in range(0, len(wanted), batch.MAX_KEYS)]
        if len(chunks) < 2:
            answers: Iterable[Mapping[str, Sequence[Row]]] = map(self._read_chunk, chunks)
        else:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (most messages have fewer keys)

            with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
                answers = list(pool.map(self._read_chunk, chunks))
        for answer in answers:
            for one in answer.get(self._alias_table, ()):
                rows.aliases[one["address"]] = one
            for one in answer.get(self._sender_table, ()):
                rows.senders[one["sender"], one["scope"]] = one
            for one in answer.get(self._destination_table, ()):
                rows.destinations[one["address"]] = one
        return rows

    def _read_chunk(self, wanted: Iterable[tuple[str, Mapping[str, str]]]) -> Mapping[str, Sequence[Row]]:
        keys = [(table, {name: to_dynamodb(value) for name, value in key.items()}) for table, key in wanted]
        return batch.read(self._client, keys, self._pause, consistent=True)
