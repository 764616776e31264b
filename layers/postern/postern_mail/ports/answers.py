"""What answering senders asks of the world."""

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
    `received_at` ISO 8601 text. `served` are rejected recipients of whom he is not told after all: another
    invocation, which knew an older row, sent a copy in their name."""

    source: str
    received_at: str
    replies: Mapping[Address, Reply]
    served: Collection[Address] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message whose answers were left to the watch; `note` tells this note from a later one."""

    message_id: str
    note: str


class AnswerLedger(Protocol):
    """The ledger, as far as it is about answers. All raise Temporary."""

    def due(self, message_id: str) -> Due | None:
        """What the sender of a message is still to be told; None if the ledger knows no such message."""

    def answer_due(self, message_id: str, answer: Answer) -> None:
        """Say in the recipient's outcome that the sender is to be told, unless something is said of that."""

    def claim_answer(self, message_id: str, number: int, group: Sequence[Address]) -> Claim | Settled:
        """Claim one answer about these recipients, or about those of an earlier attempt whose end nobody knows; or
        learn what became of it. Raises ClaimHeld."""

    def settle(self, claim: Claim, state: ClaimState, detail: str, refusals: Sequence[str] = ()) -> None:
        """Say what became of a claim. Raises ClaimLost."""

    def answered(self, message_id: str, recipients: Collection[Address], what: str, *, missed: bool) -> None:
        """Say in the recipients' outcomes what became of the answer; the owner hears of a sender who `missed` it.
        An outcome may not be recorded yet."""

    def unanswered(self, message_id: str, recipient: Address, why: str) -> None:
        """Say there why the sender is not told, unless something is said of that."""

    def answer_later(self, message_id: str) -> None:
        """Leave what is due to the watch; safe to repeat."""

    def waiting_answers(self) -> Collection[Waiting]:
        """What was left to the watch, those first that wait longest."""

    def no_longer_waiting(self, waiting: Waiting) -> None:
        """Take the note away, unless it was written again meanwhile."""


class AnswerLimits(Protocol):
    """How many answers go out in an hour."""

    def admit(self, domain: str) -> None:
        """Count one answer to a sender of this domain. Raises OverCap once an hour has had its fill, Temporary."""


class Answerer(Protocol):
    """SES, bouncing."""

    def send(self, message_id: str, answers: Sequence[Answer]) -> str:
        """Tell the sender of a message SES received, once, of all these recipients; returns SES's id for it.

        Raises Refused if SES will never do it, Unanswered if no answer came, else Temporary.
        """


class AnswerLog(Protocol):
    """The log of answers to senders."""

    def answered(self, message_id: str, recipients: Collection[str], state: ClaimState, detail: str) -> None:
        """What became of an answer to a sender: sent, failed or ambiguous."""

    def too_many_answers(self, message_id: str, recipients: Collection[str], why: str) -> None:
        """An answer was not sent because there are too many of them."""

    def answer_waits(self, message_id: str, failure: Temporary) -> None:
        """An answer could not be sent now and is left to the watch."""
