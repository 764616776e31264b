"""Days added up, in a partition of the ledger that no message has:

day <date>            counts by outcome, and of screening, `folded_at`; written last
senders <date>        counts by the sender's domain
alias <date> <alias>  counts by outcome, `last_used` on that day
used <alias>          `last_used` ever
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from ...mail.days import A_DAY
from ...mail.records import dataclass, field
from ...mail.summaries import (
    LOOK_BACK,
    LOST,
    Fate,
    Summary,
    Use,
    day_of,
    fates,
    forgotten_at,
    screening,
    start_of,
    summary,
)
from .. import batch
from ..attributes import to_dynamodb
from ..failures import translated
from .history import Entries, History

_T = TypeVar("_T")

PARTITION = "#summaries"  # no message id contains "#"
MOST_MESSAGES = 20_000  # of a day, which take a minute of the function's time
_TOGETHER = 50  # messages whose recipients are read at once
_DAY, _SENDERS, _ALIAS, _USED = "day ", "senders ", "alias ", "used "
_END = "~"  # sorts after every key, as keys are printable ASCII


@dataclass(frozen=True, slots=True)
class Day:
    """A day's counts by outcome, and of its messages by result of screening. `partial`: there was more mail than was
    read."""

    counts: Mapping[str, int]
    partial: bool
    folded_at: float
    screening: Mapping[str, int] = field(default_factory=dict)


class DynamoSummaries(History):
    """The ledger's days, and their summaries."""

    def added_up(self, now: float) -> dict[str, float]:
        """See SummaryBook."""
        found = self.days(day_of(now - (LOOK_BACK + 1) * A_DAY), day_of(now))
        return {day: one.folded_at if one.counts else float("inf") for day, one in found.items()}

    def of_day(self, day: str, most: int = MOST_MESSAGES) -> Summary:
        """See SummaryBook; if there are more than `most` messages, the latest."""
        begins = start_of(day)
        found = self.messages(begins, begins + A_DAY - 1)
        read: list[Fate] = []
        words: list[str] = []
        for some in _batched(islice(found, most), _TOGETHER):
            read += self._fates(some)
            words += (word for one in some for word in screening(one))
        return summary(read, words, partial=next(found, None) is not None)

    def keep(self, day: str, found: Summary, now: float) -> None:
        """See SummaryBook."""
        expires_at = forgotten_at(day)
        old = dict(self._uses(day, day))
        for alias, use in found.aliases.items():
            if old.pop((day, alias), None) != use:
                self._used(alias, use.last_used, expires_at)
                self._put(f"{_ALIAS}{day} {alias}", expires_at, counts=use.counts, last_used=use.last_used)
        for _, alias in old:
            self._delete(f"{_ALIAS}{day} {alias}")
        if found.senders:
            self._put(f"{_SENDERS}{day}", expires_at, counts=found.senders)
        said: dict[str, Any] = {"partial": True} if found.partial else {}
        said |= {"screening": found.screening} if found.screening else {}
        self._put(f"{_DAY}{day}", expires_at, counts=found.counts, folded_at=int(now), **said)

    def days(self, first: str, last: str) -> dict[str, Day]:
        """Days added up, by ISO date, from the first to the last. Raises Temporary."""
        return {
            day: Day(
                _counts(one["counts"]),
                bool(one.get("partial")),
                float(one["folded_at"]),
                _counts(one.get("screening", {})),
            )
            for day, one in self._between(_DAY, first, last)
        }

    def senders(self, first: str, last: str) -> Iterator[tuple[str, Mapping[str, int]]]:
        """(ISO date, counts by the sender's domain). Raises Temporary."""
        return ((day, _counts(one["counts"])) for day, one in self._between(_SENDERS, first, last))

    def uses(self, first: str, last: str) -> Iterator[tuple[str, str, Use]]:
        """(ISO date, alias's key, use), one page of 1 MB in memory at a time. Raises Temporary."""
        return ((day, alias, use) for (day, alias), use in self._uses(first, last))

    def last_used(self) -> dict[str, float]:
        """When each alias was last used, up to yesterday: epoch seconds by key, without aliases never used. Raises
        Temporary."""
        return {alias: float(one["last_used"]) for alias, one in self._between(_USED, "", _END)}

    def _uses(self, first: str, last: str) -> Iterator[tuple[tuple[str, str], Use]]:
        for name, one in self._between(_ALIAS, first, last):
            day, _, alias = name.partition(" ")
            yield (day, alias), Use(_counts(one["counts"]), int(one["last_used"]))

    def _between(self, kind: str, first: str, last: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for one in self._items.query(
            KeyConditionExpression="message_id = :id AND entry BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":id": {"S": PARTITION}, ":first": {"S": f"{kind}{first}"}, ":last": {"S": f"{kind}{last}{_END}"},
            },
            ConsistentRead=True,
        ):  # fmt: skip
            yield one["entry"].removeprefix(kind), one

    def _fates(self, messages: tuple[dict[str, Any], ...]) -> Iterator[Fate]:
        entries: dict[str, Entries] = {one["message_id"]: {} for one in messages}
        wanted = [(one["message_id"], f"to:{who}") for one in messages for who in one.get("recipients", ())]
        for some in _batched(wanted, batch.MAX_KEYS):
            keys = [(self._table, {"message_id": {"S": one}, "entry": {"S": entry}}) for one, entry in some]
            for found in batch.read(self._client, keys, self._pause).get(self._table, ()):
                entries[found["message_id"]][found["entry"]] = found
        for one in messages:
            if any(note.startswith(f"{LOST} ") for note in one.get("noted", ())):
                entries[one["message_id"]] = self.entries(one["message_id"])
            yield from fates(one, entries[one["message_id"]])

    def _used(self, alias: str, at: int, expires_at: int) -> None:
        if at:
            self._items.update(
                "DynamoDB UpdateItem (last use)",
                {"message_id": PARTITION, "entry": f"{_USED}{alias}"},
                "SET last_used = :at, expires_at = :expires_at",
                {":at": at, ":expires_at": expires_at},
                condition="attribute_not_exists(last_used) OR last_used < :at",
            )

    def _put(self, entry: str, expires_at: int, **attributes: Any) -> None:
        made = {"message_id": PARTITION, "entry": entry, "expires_at": expires_at, **attributes}
        with translated("DynamoDB PutItem (summary)"):
            self._client.put_item(
                TableName=self._table, Item={name: to_dynamodb(value) for name, value in made.items()}
            )

    def _delete(self, entry: str) -> None:
        with translated("DynamoDB DeleteItem (summary)"):
            self._client.delete_item(TableName=self._table, Key={"message_id": {"S": PARTITION}, "entry": {"S": entry}})


def _batched(found: Iterable[_T], size: int) -> Iterator[tuple[_T, ...]]:
    left = iter(found)
    while some := tuple(islice(left, size)):
        yield some


def _counts(said: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(number) for name, number in said.items()}
