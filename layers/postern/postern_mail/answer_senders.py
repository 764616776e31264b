"""Tells senders what became of their message, once for each recipient: claim it in the ledger, ask SES, write it down.

Whether a sender is told is decided with the outcome and recorded with it (`mail.dsn`); here it is done. At
most once: an answer of which SES may have sent one already is not sent again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from .errors import OutOfTime, Refused, Temporary, Throttled, Unanswered
from .mail.claims import DSN, Claim, Settled
from .mail.dsn import AUTHENTICATED, Answer, Correspondence, Silence, too_late
from .mail.envelope import Envelope
from .mail.outcomes import ClaimState
from .mail.reply import Reply
from .ports.clock import Clock
from .ports.feedback import Headers
from .ports.forward import Answerer, AnswerLog, Entry, Ledger, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Answers senders; `setting` is one of dsn.ANSWER_SENDERS."""

    ledger: Ledger
    answerer: Answerer
    clock: Clock
    log: AnswerLog
    setting: str = AUTHENTICATED

    def decided(self, envelope: Envelope, outcomes: Sequence[Outcome], raw: bytes) -> list[Outcome]:
        """The outcomes, each with what its sender is to be told, if anything."""
        if not any(one.state.answerable for one in outcomes):
            return list(outcomes)  # as with most mail: the header is not read again
        known, now = Correspondence.of(envelope, raw, self.setting), self.clock.now()
        return [
            replace(one, answer=known.answer(one.recipient, one.reply, now)) if one.state.answerable else one
            for one in outcomes
        ]

    def carry_out(self, envelope: Envelope, entry: Entry, outcomes: Collection[Outcome], until: float) -> list[str]:
        """Send the answers of these outcomes, and those that an earlier invocation left; returns what failed
        for now, to be tried again."""
        due = [Answer(one, entry.due[one.key]) for one in envelope.recipients if one.key in entry.due]
        due += [one.answer for one in outcomes if isinstance(one.answer, Answer)]
        failures: list[str] = []
        for answer in due:
            try:
                self._carry_out(envelope, answer, until)
            except Temporary as failure:
                failures.append(f"answer about {answer.recipient}: {failure}")
                if isinstance(failure, Throttled):
                    break  # the others would only make it worse
        return failures

    def returned(self, envelope: Envelope, reply: Reply, headers: Headers) -> None:
        """Tell the sender that the forward for the one recipient of this envelope came back, as if we had known
        at once; once for each recipient, whatever else happened to it. Raises Temporary."""
        (recipient,) = envelope.recipients
        answer: Answer | Silence
        if late := too_late(envelope.received_at, self.clock.now()):
            answer = Silence(late, late=True)  # and nobody need look
        else:
            known = Correspondence.of(envelope, headers.header(envelope.message_id), self.setting)
            answer = known.answer(recipient, reply, self.clock.now())
        if isinstance(answer, Silence):
            self.ledger.unanswered(envelope.message_id, recipient, answer.reason)
        else:
            self._tell(envelope, answer)

    def _carry_out(self, envelope: Envelope, answer: Answer, until: float) -> None:
        if self.clock.now() > until:
            raise OutOfTime("no time was left to begin sending in this invocation")
        self._tell(envelope, answer)

    def _tell(self, envelope: Envelope, answer: Answer) -> None:
        """Send it, unless that was done; raises Temporary if it is to be tried again."""
        claim = self.ledger.claim(envelope.message_id, answer.recipient, answer.recipient, DSN)
        if isinstance(claim, Settled):
            state, detail = claim.state, claim.reason
        else:
            state, detail = self._try(claim, envelope, answer)
            self.ledger.settle(claim, state, detail)
            self.log.answered(envelope.message_id, answer.recipient, state, detail)
        self.ledger.answered(envelope.message_id, answer.recipient, state, detail)

    def _try(self, claim: Claim, envelope: Envelope, answer: Answer) -> tuple[ClaimState, str]:
        if claim.uncertain:
            return ClaimState.AMBIGUOUS, "an earlier attempt may have sent it, and it is not sent twice"
        if late := too_late(envelope.received_at, self.clock.now()):
            return ClaimState.FAILED, late
        try:
            return ClaimState.SENT, self.answerer.send(claim.message_id, answer)
        except Refused as refusal:
            return ClaimState.FAILED, str(refusal)
        except Unanswered as failure:
            return ClaimState.AMBIGUOUS, str(failure)
        except Temporary as failure:
            self.ledger.settle(claim, ClaimState.RELEASED, str(failure))
            raise
