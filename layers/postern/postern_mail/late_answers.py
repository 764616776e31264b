"""Delayed answers to senders, sent by the watch: throttled ones, and those whose claim was left by an invocation that
died.

They are in no queue: what is due stands in the ledger beside each recipient, and a note names the message.
"""

from .answer_senders import ANSWER_SECONDS, Answering
from .mail.records import dataclass
from .ports.answers import AnswerLedger
from .ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class LateAnswers:
    """Sends the answers left to the watch, the longest waiting first; those that fail again go to the end."""

    ledger: AnswerLedger
    answering: Answering
    clock: Clock

    def run(self) -> None:
        """Send as many as time allows. Raises Temporary."""
        until = self.clock.now() + ANSWER_SECONDS
        for waiting in self.ledger.waiting_answers():
            if self.clock.now() > until:
                return
            if self.answering.tell(waiting.message_id, until):
                self.ledger.no_longer_waiting(waiting)
