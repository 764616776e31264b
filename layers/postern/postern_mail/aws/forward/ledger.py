"""The ledger: what became of each recipient and each destination of each message.

One DynamoDB table; all entries of a message share its partition:

    message            the envelope, `pending` recipients, `open` until none is left
    to:<recipient>     the outcome of one recipient
    via:<destination>  the claim on one destination, and what became of it
    dsn:<number>       the claim on an answer to the sender about some recipients, and what became of it

Answers left to the watch are listed in a partition of their own, `#answers`.

Every write that could undo another invocation's work is conditional: two deliveries of the same
event, or two rules that match one message, may run side by side.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from ...environment import Ledger as Times
from ...errors import ClaimHeld
from ...mail.address import Address
from ...mail.claims import RACES, ClaimEnd
from ...mail.days import A_DAY, RETRY_HOURS
from ...mail.dsn import UNANSWERED, Answer, Silence
from ...mail.envelope import Envelope
from ...mail.outcomes import State
from ...mail.records import asdict
from ...ports.clock import Clock
from ...ports.forward import Attempts, Entry, Outcome
from ..attributes import row
from ..failures import translated
from ..items import MOST_ACTIONS, Items, Update, new_owner
from .answer_entries import DUE, MESSAGE, AnswerEntries, reached
from .claim_entries import ClaimEntries

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOSTS = "#relay"  # a partition that no message has: feedback on hosts' mail, and on mail sent as an alias
OPEN = "open"  # the only value of the attribute `open`: hash key of the sparse index of open messages
MOST_MERGED = 500  # destinations in an outcome: a group may have thousands, and an item 400 KB
NO_RECIPIENT = "-"  # DynamoDB has no empty sets

_Key = tuple[str, str]  # (message_id, entry)


class DynamoLedger(ClaimEntries, AnswerEntries):
    """The ledger in DynamoDB."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        clock: Clock,
        lease_seconds: int,
        keep_days: int,
        retry_hours: int,
        owner: Callable[[], str] = new_owner,
    ) -> None:
        self._client = client
        self.table = table
        self._items = Items(client, table)
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._keep_days = keep_days
        self._retry_seconds = retry_hours * 3600
        self._owner = owner

    def open(self, envelope: Envelope) -> Entry:
        """Write the message's entry, or add recipients from another rule's event.

        An existing entry is kept; an event delivered again changes nothing.
        """
        key = (envelope.message_id, MESSAGE)
        recipients = {recipient.key for recipient in (*envelope.recipients, *envelope.unknown)}
        first, _ = self._update(
            key,
            "SET #source = :source, verdicts = :verdicts, received_at = :received_at, opened_at = :now,"
            " #day = :day, expires_at = :expires_at, #open = :open ADD recipients :new, pending :new",
            {**self._description(envelope), ":new": recipients, ":open": OPEN},
            condition="attribute_not_exists(message_id)",
        )
        if first:
            return Entry(first=True)
        entries = self._entries(envelope.message_id)
        new = recipients - entries[MESSAGE]["recipients"]
        if new:
            self._update(key, "SET #open = :open ADD recipients :new, pending :new", {":new": new, ":open": OPEN})
        outcomes = {name.removeprefix("to:"): entry for name, entry in entries.items() if name.startswith("to:")}
        settled = frozenset(who for who, entry in outcomes.items() if State.of(entry).settled)
        due = any(entry.get("answer") == DUE for entry in outcomes.values())
        released = frozenset(who for who, entry in outcomes.items() if "released_by" in entry)
        return Entry(False, settled, due, released, reached(entries), int(entries[MESSAGE].get("orders", 0)))

    def begin(self, message_id: str, attempt: str) -> Attempts:
        """Note that an attempt begins; returns the event's attempts before it."""
        _, entry = self._update(
            (message_id, MESSAGE), "ADD attempts :one", {":one": {f"{attempt} begun"}}, returning="ALL_NEW"
        )
        return earlier(entry.get("attempts", ()), attempt)

    def end(self, message_id: str, attempt: str) -> None:
        """Note that it ended."""
        there = "attribute_exists(message_id)"
        self._update((message_id, MESSAGE), "ADD attempts :one", {":one": {f"{attempt} ended"}}, condition=there)

    def close(
        self,
        envelope: Envelope,
        outcomes: Collection[Outcome],
        size: int,
        orders: int = 0,
        notes: Mapping[str, Any] | None = None,
    ) -> frozenset[Address]:
        """See ports.forward.Ledger.

        News for the owner is noted first: a settled outcome is not decided again, so a note lost to a failure would
        never follow. Orders given since the entry said `orders` are left to those orders' events.
        """
        message = (envelope.message_id, MESSAGE)
        if noted := {f"{word} {outcome.recipient.key}" for outcome in outcomes if (word := _news(outcome))}:
            values = {":now": int(self._clock.now()), ":noted": noted}
            self._update(message, "SET noted_at = :now ADD noted :noted", values)
        if self._close_at_once(envelope.message_id, outcomes, size, orders, notes, ()):
            return frozenset(outcome.recipient for outcome in outcomes)
        stands = [outcome.recipient for outcome in outcomes if self._record(envelope.message_id, outcome, orders)]
        self._settled(envelope, outcomes, size, orders, notes)
        return frozenset(stands)

    def settle_and_close(
        self,
        envelope: Envelope,
        outcomes: Collection[Outcome],
        size: int,
        orders: int,
        notes: Mapping[str, Any] | None,
        endings: Sequence[ClaimEnd],
    ) -> bool:
        """See ports.forward.Ledger; also False if it does not fit into one transaction."""
        if len(outcomes) + len(endings) >= MOST_ACTIONS:
            return False
        return self._close_at_once(envelope.message_id, outcomes, size, orders, notes, endings)

    def _close_at_once(
        self,
        message_id: str,
        outcomes: Collection[Outcome],
        size: int,
        orders: int,
        notes: Mapping[str, Any] | None,
        endings: Sequence[ClaimEnd],
    ) -> bool:
        """Whether all recipients are settled and recorded, and the message closed, in one transaction, as for most
        mail. If not, nothing is written, or some outcomes that will be found unchanged."""
        done = {outcome.recipient.key for outcome in outcomes}
        if not done or len(done) < len(outcomes) or not all(outcome.state.settled for outcome in outcomes):
            return False
        update, values = _checked(int(self._clock.now()), size, notes)
        order = "orders = :orders" if orders else "attribute_not_exists(orders)"
        values |= {":done": done} | ({":orders": orders} if orders else {})
        shut = Update(
            {"message_id": message_id, "entry": MESSAGE},
            f"{update} REMOVE pending, #open",
            values,
            f"pending = :done AND {order}",
        )
        records = [self._recording(message_id, outcome, orders) for outcome in outcomes]
        writes = [*map(self.settling, endings), *records, shut]
        return not any(
            self._items.lost("DynamoDB TransactWriteItems (close)", writes[start : start + MOST_ACTIONS])
            for start in range(0, len(writes), MOST_ACTIONS)
        )

    def _settled(
        self, envelope: Envelope, outcomes: Collection[Outcome], size: int, orders: int, notes: Mapping[str, Any] | None
    ) -> None:
        """Remove settled recipients from the pending ones. An order given meanwhile may have reopened some of them:
        then the entries say which are settled now."""
        deferred = {outcome.recipient.key for outcome in outcomes if not outcome.state.settled}
        done = {recipient.key for recipient in (*envelope.recipients, *envelope.unknown)} - deferred
        key = (envelope.message_id, MESSAGE)
        update, values = _checked(int(self._clock.now()), size, notes)
        if held := [outcome.release_at for outcome in outcomes if outcome.release_at is not None]:
            update, values = f"{update}, release_at = :release_at", {**values, ":release_at": min(held)}
        if done:
            update, values = f"{update} DELETE pending :done", {**values, ":done": done}
        for _ in range(RACES):
            values |= {":orders": orders} if orders else {}
            condition = "orders = :orders" if orders else "attribute_not_exists(orders)"
            written, entry = self._update(key, update, values, condition=condition, returning="ALL_NEW")
            if written:
                break
            orders, entries = int(entry["orders"]), self._entries(envelope.message_id)
            opened = {who for who in done if (found := entries.get(f"to:{who}")) and not State.of(found).settled}
            values |= {":done": done - opened or {NO_RECIPIENT}} if done else {}
        else:
            raise ClaimHeld(f"message {envelope.message_id}: it is ordered to run again all the time")
        if not entry.get("pending"):
            self._update(key, "REMOVE #open", {}, condition="attribute_not_exists(pending)")

    def _record(self, message_id: str, outcome: Outcome, orders: int) -> bool:
        """Record an outcome; returns whether it is now this one. A settled outcome stays: another delivery of the event
        may have been faster. An answer that is due is written with it, so that the next invocation knows."""
        done, old = self._write(self._recording(message_id, outcome, orders))
        return done or old.get("state") == outcome.state  # also the latter, if botocore repeats the call

    def _recording(self, message_id: str, outcome: Outcome, orders: int) -> Update:
        """The write of `_record`."""
        now = self._clock.now()
        more: dict[str, Any] = {**_answer(outcome.answer), **_merged(outcome.merged)}
        if outcome.release_at is not None:
            more["release_at"] = outcome.release_at
        if outcome.row:
            more["alias"] = outcome.row
        return Update(
            {"message_id": message_id, "entry": f"to:{outcome.recipient.key}"},
            "SET #state = :state, reason = :reason, recorded_at = :now, expires_at = :expires_at"
            + "".join(f", {name} = :{name}" for name in more)
            + ("" if "release_at" in more else " REMOVE release_at"),
            {
                ":state": outcome.state, ":reason": outcome.reason, ":now": int(now),
                ":expires_at": self._expires_at(now), ":deferred": State.DEFERRED, ":orders": orders,
                **{f":{name}": more[name] for name in more},
            },
            "attribute_not_exists(#state)"
            " OR (#state = :deferred AND (attribute_not_exists(orders) OR orders <= :orders))",
        )  # fmt: skip

    def _description(self, envelope: Envelope) -> dict[str, Any]:
        now = self._clock.now()
        return {
            ":source": envelope.source,
            ":verdicts": asdict(envelope.verdicts),
            ":received_at": envelope.received_at,
            ":now": int(now),
            ":day": datetime.fromtimestamp(now, UTC).date().isoformat(),
            ":expires_at": self._expires_at(now),
        }

    def _expires_at(self, now: float) -> int:
        return int(now) + self._keep_days * A_DAY

    def _entries(self, message_id: str) -> dict[str, dict[str, Any]]:
        """All entries of a message by name, read consistently: claims are decided on them."""
        with translated("DynamoDB Query (ledger)"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression="message_id = :id",
                ExpressionAttributeValues={":id": {"S": message_id}},
                ConsistentRead=True,
            )
            entries = [row(item) for page in pages for item in page["Items"]]
        return {entry["entry"]: entry for entry in entries}

    def _update(
        self,
        key: _Key,
        update: str,
        values: Mapping[str, Any],
        *,
        condition: str = "",
        returning: Literal["NONE", "ALL_OLD", "ALL_NEW"] = "NONE",
    ) -> tuple[bool, dict[str, Any]]:
        """(whether the condition held, the attributes asked for, or those of the item that failed it)."""
        what = f"DynamoDB UpdateItem ({key[1].partition(':')[0]})"
        where = {"message_id": key[0], "entry": key[1]}
        return self._items.update(what, where, update, values, condition=condition, returning=returning)


def earlier(attempts: Collection[str], attempt: str) -> Attempts:
    """The noted attempts of one event before this one."""
    event, mine = attempt.partition(" ")[0], f"{attempt} "
    before = [one for one in attempts if one.startswith(f"{event} ") and not one.startswith(mine)]
    begun = sum(one.endswith(" begun") for one in before)
    return Attempts(begun, begun - sum(one.endswith(" ended") for one in before))


def ledger(client: "DynamoDBClient", table: str, times: Times, clock: Clock) -> DynamoLedger:
    """The ledger of a stack, for a function that sends."""
    return DynamoLedger(
        client,
        table,
        clock=clock,
        lease_seconds=times.lease_seconds,
        keep_days=times.ledger_days,
        retry_hours=RETRY_HOURS,
    )


def _checked(now: int, size: int, notes: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """What every attempt writes into the message's entry: the SET of an update, and its values."""
    update = "SET checked_at = :now"
    values: dict[str, Any] = {":now": now}
    if size:
        update, values = f"{update}, #size = :size", {**values, ":size": size}
    if notes:
        update, values = f"{update}, screened = :notes", {**values, ":notes": notes}
    return update, values


def _news(outcome: Outcome) -> str:
    """The word for the owner's digest, "" if there is no news."""
    if outcome.state.noted:
        return outcome.state
    return UNANSWERED if isinstance(outcome.answer, Silence) and outcome.answer.late else ""


def _answer(answer: Answer | Silence | None) -> dict[str, str]:
    """The attributes of an outcome about the answer to the sender."""
    if isinstance(answer, Answer):
        return {"answer": DUE, "reply": str(answer.reply)}
    return {} if answer is None else {"answer": f"none: {answer.reason}"}


def _merged(destinations: Sequence[str]) -> dict[str, list[str]]:
    """The attribute of an outcome about the destinations that another recipient's copy serves."""
    if len(destinations) > MOST_MERGED:
        destinations = [*destinations[:MOST_MERGED], f"{len(destinations) - MOST_MERGED} more"]
    return {"merged": list(destinations)} if destinations else {}
