"""What answering senders needs from outside."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from ..errors import Temporary
from ..mail.address import Address
from ..mail.claims import Claim, Settled
from ..mail.dsn import Answer
from ..mail.outcomes import ClaimState
from ..mail.records import dataclass
from ..mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Due:
    """What the sender of one message is still to be told: a reply for each recipient. `source` is MAIL FROM,
    `received_at` ISO 8601 text. `served` are rejected recipients about whom the sender is not told after all: another
    invocation, which knew an older row, sent a copy in their name."""

    source: str
    received_at: str
    replies: Mapping[Address, Reply]
    served: Collection[Address] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message whose answers were left to the watch; `note` distinguishes this note from a later one."""

    message_id: str
    note: str


class AnswerLedger(Protocol):
    """The part of the ledger about answers. All raise Temporary."""

    def due(self, message_id: str) -> Due | None:
        """What the sender of a message is still to be told; None if the ledger knows no such message."""

    def answer_due(self, message_id: str, answer: Answer) -> None:
        """Record in the recipient's outcome that the sender is to be told, unless the outcome already says what becomes
        of that."""

    def claim_answer(self, message_id: str, number: int, group: Sequence[Address]) -> Claim | Settled:
        """Claim one answer about these recipients, or about those of an earlier attempt whose result is unknown; or
        return its settled state. Raises ClaimHeld."""

    def settle(self, claim: Claim, state: ClaimState, detail: str, refusals: Sequence[str] = ()) -> None:
        """Record what became of a claim. Raises ClaimLost."""

    def answered(self, message_id: str, recipients: Collection[Address], what: str, *, missed: bool) -> None:
        """Record in the recipients' outcomes what became of the answer; the owner is told of a sender who `missed` it.
        An outcome may not be recorded yet."""

    def unanswered(self, message_id: str, recipient: Address, why: str) -> None:
        """Record in the outcome why the sender is not told, unless it already says what becomes of that."""

    def answer_later(self, message_id: str) -> None:
        """Leave what is due to the watch; safe to repeat."""

    def waiting_answers(self) -> Collection[Waiting]:
        """What was left to the watch, the longest waiting first."""

    def no_longer_waiting(self, waiting: Waiting) -> None:
        """Delete the note, unless it was rewritten since."""


class AnswerLimits(Protocol):
    """Limits how many answers go out in an hour."""

    def admit(self, domain: str) -> None:
        """Count one answer to a sender of this domain. Raises OverCap if the hour's limit is reached, Temporary."""


class Answerer(Protocol):
    """SES's SendBounce."""

    def send(self, message_id: str, answers: Sequence[Answer]) -> str:
        """Tell the sender of a message SES received, once, of all these recipients; returns SES's id for it.

        Raises Refused if SES will never do it, Unanswered if no answer came, else Temporary.
        """


class AnswerLog(Protocol):
    """The log of answers to senders."""

    def answered(self, message_id: str, recipients: Collection[str], state: ClaimState, detail: str) -> None:
        """Log what became of an answer to a sender: sent, failed or ambiguous."""

    def too_many_answers(self, message_id: str, recipients: Collection[str], why: str) -> None:
        """Log that an answer was not sent because there are too many."""

    def answer_waits(self, message_id: str, failure: Temporary) -> None:
        """Log that an answer could not be sent now and is left to the watch."""
