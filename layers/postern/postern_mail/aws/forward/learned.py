"""Learned names: a row in the alias table for each, and in the ledger the names of each day.

The names of a day are a set in one item, so that a name counts once, whichever invocation sees it first and however
often; the row is written on the condition that there is none. A name that was counted but not written is written when
it comes again.
"""

from typing import TYPE_CHECKING

from ...mail.learning import AT, BY, FROM, MAX_FROM, Learn
from ...mail.rows import MADE_BY
from ...mail.summaries import day_of, forgotten_at
from ...mail.visible import visible
from ...ports.clock import Clock
from ..items import Items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION = "#learned"  # no message id contains "#"


class DynamoLearner:
    """Both tables."""

    def __init__(self, client: "DynamoDBClient", ledger_table: str, alias_table: str, clock: Clock) -> None:
        self._ledger, self._aliases = Items(client, ledger_table), Items(client, alias_table)
        self._clock = clock
        self._full: set[tuple[str, str]] = set()  # (day, domain): a dictionary attack costs one call, not one a word

    def learn(self, name: Learn, source: str) -> bool:
        """See Learner."""
        now = self._clock.now()
        day = day_of(now)
        if (day, name.domain) in self._full:
            return False
        counted, _ = self._ledger.update(
            "DynamoDB UpdateItem (learned names)",
            {"message_id": PARTITION, "entry": f"{day} {name.domain}"},
            "SET expires_at = :expires_at ADD #names :names",
            {":names": {name.key}, ":name": name.key, ":limit": name.limit, ":expires_at": forgotten_at(day)},
            condition="attribute_not_exists(#names) OR contains(#names, :name) OR size(#names) < :limit",
        )
        if not counted:
            self._full = {(day, name.domain), *(one for one in self._full if one[0] == day)}
            return False
        written, _ = self._aliases.update(
            "DynamoDB UpdateItem (aliases)",
            {"address": name.key},
            f"SET {AT} = :now, {FROM} = :source, {MADE_BY} = :by, updated_at = :now, updated_by = :by",
            {":now": int(now), ":source": visible(source)[:MAX_FROM] or "<>", ":by": BY},
            condition="attribute_not_exists(address)",
        )
        return written
