"""Answers senders whose mail was not delivered: one answer covers all affected recipients, at most three answers a
message.

`mail.dsn` decides with each outcome whether the sender is answered, and the decision is recorded with it; this module
carries it out. At most once for each recipient: if SES may already have sent an answer, it is not repeated. What cannot
be sent now is left to the watch (`late_answers`), so that no mail waits for it.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from .errors import OutOfTime, OverCap, Refused, Temporary, Unanswered
from .mail.address import Address
from .mail.claims import Claim, Settled
from .mail.dsn import MOST_ANSWERS, Answer, Correspondence, Silence, too_late
from .mail.envelope import Envelope
from .mail.outcomes import ClaimState
from .mail.records import dataclass, replace
from .mail.reply import Reply
from .mail.rows import Rows
from .mail.settings import Settings
from .ports.answers import Answerer, AnswerLedger, AnswerLimits, AnswerLog, Due
from .ports.clock import Clock
from .ports.forward import Entry, Outcome
from .ports.settings import OwnerSettings

if TYPE_CHECKING:
    from .ports.feedback import Headers

# Seconds in which one invocation may start answers; with the pause and duration of the last call, 10 at most.
ANSWER_SECONDS = 5
TOO_MANY = "too many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Answers senders, as the owner's settings say."""

    ledger: AnswerLedger
    answerer: Answerer
    limits: AnswerLimits
    clock: Clock
    log: AnswerLog
    settings: OwnerSettings

    def decided(self, envelope: Envelope, outcomes: Sequence[Outcome], raw: bytes, rows: Rows) -> list[Outcome]:
        """The outcomes, each with the answer that its sender gets, or why not; `rows` have the settings."""
        if not any(one.state.answerable for one in outcomes):
            return list(outcomes)  # most mail: the header is not parsed again
        setting = Settings.of(rows).answer_senders  # known to be valid: otherwise every recipient would be deferred
        known, now, odd = Correspondence.of(envelope, raw, setting), self.clock.now(), set(envelope.unknown)
        return [
            one
            if not one.state.answerable
            else replace(one, answer=Silence("its recipient is not an address"))
            if one.recipient in odd
            else replace(one, answer=known.answer(one.recipient, one.reply, now))
            for one in outcomes
        ]

    def carry_out(self, envelope: Envelope, entry: Entry, outcomes: Collection[Outcome], until: float) -> None:
        """Send the answers of these outcomes, and those that an earlier invocation left. Raises Temporary if they can
        neither be sent nor left to the watch."""
        if entry.due or any(isinstance(one.answer, Answer) for one in outcomes):
            self.tell(envelope.message_id, until)

    def returned(self, envelope: Envelope, reply: Reply, headers: "Headers") -> None:
        """Tell the sender that the forward to the one recipient of this envelope came back, as if it had failed at
        once; once for each recipient, whatever else happened to it. Raises Temporary."""
        (recipient,) = envelope.recipients
        answer: Answer | Silence
        if late := too_late(envelope.received_at, self.clock.now()):
            answer = Silence(late, late=True)  # nothing for the watch to send
        else:
            known = Correspondence.of(
                envelope, headers.header(envelope.message_id), self.settings.read().answer_senders
            )
            answer = known.answer(recipient, reply, self.clock.now())
        if isinstance(answer, Silence):
            self.ledger.unanswered(envelope.message_id, recipient, answer.reason)
        else:
            self.ledger.answer_due(envelope.message_id, answer)
            self.tell(envelope.message_id, self.clock.now() + ANSWER_SECONDS)

    def tell(self, message_id: str, until: float) -> bool:
        """Send the answers due for a message, starting none after `until`. Returns whether all were sent; the rest is
        left to the watch. Raises Temporary if it cannot be left."""
        try:
            self._tell(message_id, min(until, self.clock.now() + ANSWER_SECONDS))
        except Temporary as failure:
            self.ledger.answer_later(message_id)
            self.log.answer_waits(message_id, failure)
            return False
        return True

    def _tell(self, message_id: str, until: float) -> None:
        due = self.ledger.due(message_id)
        if due and due.served:
            self.ledger.answered(message_id, due.served, "none: a destination has it", missed=False)
        left = {one.key: one for one in due.replies} if due else {}
        for number in range(1, MOST_ANSWERS + 1):
            if not (left and due):
                return
            if self.clock.now() > until:
                raise OutOfTime("no time was left to begin an answer in this invocation")
            claim = self.ledger.claim_answer(message_id, number, tuple(left.values()))
            end = claim if isinstance(claim, Settled) else self._carry_out(claim, due)
            about = [left.pop(key) for key in end.group if key in left]
            self._record(message_id, about, end.state, end.reason)
        if left:
            self.ledger.answered(
                message_id, list(left.values()), f"none: {TOO_MANY} answers to one message", missed=True
            )

    def _carry_out(self, claim: Claim, due: Due) -> Settled:
        state, detail = self._try(claim, due)
        self.ledger.settle(claim, state, detail)
        if detail.startswith(TOO_MANY):
            self.log.too_many_answers(claim.message_id, claim.group, detail)
        else:
            self.log.answered(claim.message_id, claim.group, state, detail)
        return Settled(state, claim.recipient.key, detail, claim.group)

    def _record(self, message_id: str, about: Collection[Address], state: ClaimState, detail: str) -> None:
        many = detail.startswith(TOO_MANY)
        what = f"none: {detail}" if many else f"{state}: {detail}"
        self.ledger.answered(message_id, about, what, missed=not (many or state.accepted))

    def _try(self, claim: Claim, due: Due) -> tuple[ClaimState, str]:
        if claim.uncertain:
            return ClaimState.AMBIGUOUS, "an earlier attempt may have sent it, and it is not sent twice"
        if late := too_late(due.received_at, self.clock.now()):
            return ClaimState.FAILED, late
        answers = [Answer(one, reply) for one, reply in due.replies.items() if one.key in claim.group]
        try:
            self.limits.admit(due.source.rpartition("@")[2])
            return ClaimState.SENT, self.answerer.send(claim.message_id, answers)
        except OverCap as full:
            return ClaimState.FAILED, f"{TOO_MANY}: {full}"
        except Refused as refusal:
            return ClaimState.FAILED, str(refusal)
        except Unanswered as failure:
            return ClaimState.AMBIGUOUS, str(failure)
        except Temporary as failure:
            self.ledger.settle(claim, ClaimState.RELEASED, str(failure))
            raise
