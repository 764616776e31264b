"""The ledger's entries about answers to senders, except their claims: what is due, what was sent, and what waits."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from ...mail.address import Address
from ...mail.claims import VIA
from ...mail.dsn import UNANSWERED, Answer
from ...mail.outcomes import ClaimState, State
from ...mail.reply import Reply
from ...ports.answers import Due, Waiting
from ...ports.clock import Clock
from ..items import Items

ANSWERS = "#answers"  # a partition that no message has, with the messages whose sender is still to be told
DUE = "due"  # value of `answer` until the sender is told
MESSAGE = "message"


class AnswerEntries(ABC):
    """The part of the ledger about answers."""

    _clock: Clock
    _items: Items
    _owner: Callable[[], str]

    @abstractmethod
    def _entries(self, message_id: str) -> dict[str, dict[str, Any]]: ...

    @abstractmethod
    def _expires_at(self, now: float) -> int: ...

    @abstractmethod
    def _update(
        self,
        key: tuple[str, str],
        update: str,
        values: Mapping[str, Any],
        *,
        condition: str = "",
        returning: Literal["NONE", "ALL_OLD", "ALL_NEW"] = "NONE",
    ) -> tuple[bool, dict[str, Any]]: ...

    def due(self, message_id: str) -> Due | None:
        """What the sender of a message is still to be told; None if it has expired. Raises Temporary."""
        entries = self._entries(message_id)
        message = entries.get(MESSAGE)
        if message is None:
            return None
        replies = {
            _address(name): Reply.parse(entry["reply"])
            for name, entry in entries.items()
            if name.startswith("to:") and entry.get("answer") == DUE
        }
        rejected = {one for one in replies if entries[f"to:{one.key}"].get("state") == State.REJECTED}
        served = tuple(one for one in rejected if one.key in reached(entries))
        replies = {one: reply for one, reply in replies.items() if one not in served}
        return Due(str(message.get("source", "")), str(message.get("received_at", "")), replies, served)

    def answer_due(self, message_id: str, answer: Answer) -> None:
        """Record in the recipient's outcome, which may not exist yet, that the sender is to be told, unless it already
        says what becomes of that. Raises Temporary."""
        self._update(
            (message_id, f"to:{answer.recipient.key}"),
            "SET answer = :due, reply = :reply, expires_at = if_not_exists(expires_at, :expires_at)",
            {":due": DUE, ":reply": str(answer.reply), ":expires_at": self._expires_at(self._clock.now())},
            condition="attribute_not_exists(answer)",
        )

    def answered(self, message_id: str, recipients: Collection[Address], what: str, *, missed: bool) -> None:
        """Record in the recipients' outcomes what became of the answer to the sender; safe to repeat. The owner is told
        of a sender who `missed` it.

        Feedback may be faster than the outcome, so this may be all there is yet.
        """
        if missed:
            notes = {f"{UNANSWERED} {recipient.key}" for recipient in recipients}
            values = {":now": int(self._clock.now()), ":notes": notes}
            self._update((message_id, MESSAGE), "SET noted_at = :now ADD noted :notes", values)
        for recipient in recipients:
            self._answer(message_id, recipient, ":what", what)

    def unanswered(self, message_id: str, recipient: Address, why: str) -> None:
        """Record in the outcome why the sender is not told, unless it already says what becomes of that."""
        self._answer(message_id, recipient, "if_not_exists(answer, :what)", f"none: {why}")

    def answer_later(self, message_id: str) -> None:
        """Leave the answers that are due to the watch; safe to repeat. Raises Temporary."""
        now = self._clock.now()
        self._update(
            (ANSWERS, message_id),
            "SET noted_at = :now, #owner = :owner, expires_at = :expires_at",
            {":now": int(now), ":owner": self._owner(), ":expires_at": self._expires_at(now)},
        )

    def waiting_answers(self) -> list[Waiting]:
        """The messages left to the watch, the longest waiting first. Raises Temporary."""
        notes = self._entries(ANSWERS).values()
        return [Waiting(one["entry"], one["owner"]) for one in sorted(notes, key=lambda one: float(one["noted_at"]))]

    def no_longer_waiting(self, waiting: Waiting) -> None:
        """Delete the note, unless it was rewritten since. Raises Temporary."""
        self._items.delete(
            "DynamoDB DeleteItem (answers)",
            {"message_id": ANSWERS, "entry": waiting.message_id},
            {":owner": waiting.note},
            condition="#owner = :owner",
        )

    def _answer(self, message_id: str, recipient: Address, value: str, what: str) -> None:
        self._update(
            (message_id, f"to:{recipient.key}"),
            f"SET answer = {value}, expires_at = if_not_exists(expires_at, :expires_at)",
            {":what": what, ":expires_at": self._expires_at(self._clock.now())},
        )


def reached(entries: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Keys of the recipients in whose name a destination got part of a message, or may have."""
    claims = (entry for name, entry in entries.items() if name.startswith(f"{VIA}:") and "state" in entry)
    got = (entry for entry in claims if ClaimState(entry["state"]).reached)
    return frozenset(who for entry in got for who in (entry["recipient"], *entry.get("recipients", ())))


def _address(name: str) -> Address:
    """The recipient in the name of an entry `to:`."""
    local, _, domain = name.removeprefix("to:").rpartition("@")
    return Address(local, domain)
