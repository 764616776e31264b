"""Handles what SES reports about forwards it accepted: the ledger, the health of their destinations, and the sender if
a forward was lost.

Events arrive twice, late and in any order, even before the sending was settled. Each step can be repeated, so an event
that failed half-way is simply taken again.
"""

from collections.abc import Collection

from .answer_senders import Answering
from .mail import brake, health
from .mail.daily_test import MESSAGE_ID as TEST
from .mail.feedback import BOUNCED, DELIVERED, ON_ACCOUNT_LIST, Feedback, HostMail
from .mail.health import Failure, Rule
from .mail.records import dataclass
from .mail.reply import of_bounce
from .mail.rows import Row
from .mail.send_as import SentAs, UserOf
from .ports.feedback import DailyBounces, FeedbackLedger, FeedbackLog, Headers, Health, Sending, Teller
from .ports.settings import OwnerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Handles one SES sending event, as the owner's settings say. `domains` are ours, `user_of` names the user that
    sends as an address in one of them."""

    settings: OwnerSettings
    user_of: UserOf
    domains: Collection[str]
    ledger: FeedbackLedger
    health: Health
    headers: Headers
    answering: Answering
    tests: DailyBounces
    returned: Teller
    log: FeedbackLog

    def handle(self, event: object) -> None:
        """Record what happened; return when all of it is recorded.

        Raises BadFeedback for an event that is not feedback, EntryMissing, Temporary.
        """
        try:
            self._take(event)
        except Exception as error:
            self.log.failure(error)
            raise

    def _take(self, event: object) -> None:
        # First, because such a sender can choose all other tags.
        sent_as = SentAs.from_event(event, self.user_of, self.domains)
        if sent_as is not None:
            self._sent_as(sent_as)
            return
        host_mail = HostMail.from_event(event)
        if host_mail is not None:
            self._host(host_mail)
            return
        feedback = Feedback.from_event(event)
        if feedback is None:
            self.log.unrelated()
            return
        if feedback.message_id.startswith(TEST):
            self._test(feedback)
            return
        sending = self.ledger.note(feedback)
        if sending is None:
            self.log.contradicting(feedback)
            return
        self.log.feedback(feedback, sending.destination, first=sending.news)
        if sending.replier:
            self._reply(feedback, sending)
            return
        domain = brake.domain_key(sending.destination)
        if feedback.kind == DELIVERED:
            self.health.delivered(sending.destination, feedback.at)
        if bounce := brake.hard_bounce(feedback):
            self._brake(domain, bounce)
        if feedback.kind == DELIVERED or feedback.is_lost:
            self.ledger.feedback_came(feedback.message_id, sending.destination, arrived=feedback.kind == DELIVERED)
        failure = health.failure(feedback, sending.sender)
        if failure is not None:
            self._weigh(sending.destination, failure)
        if feedback.is_lost:
            self._lost(feedback, sending)

    def _reply(self, feedback: Feedback, sending: Sending) -> None:
        """Tell the replier; no destination's health changes, as the reply went to none."""
        if feedback.is_lost:
            self.ledger.lost(feedback.message_id, sending.recipient, sending.destination)
            self.returned.tell_replier(feedback, sending)

    def _test(self, feedback: Feedback) -> None:
        """Our own daily test: if it came back, record that for the watch to report; nothing else changes."""
        if feedback.is_lost and (domain := self.tests.bounced(feedback.destination, feedback.why)):
            self.log.daily_test(domain, feedback.kind, feedback.why)

    def _sent_as(self, mail: SentAs) -> None:
        """Tell those who get the alias's mail; no destination's health changes, as the message went to none."""
        if mail.lost:
            self.log.sent_as(mail, first=self.ledger.note_sent_as(mail))
            self.returned.tell(mail)

    def _host(self, mail: HostMail) -> None:
        """Log it for the owner and nothing else: mail sent by a host affects no health, claim or answer."""
        host = mail.sender.rpartition("@")[2].lower()
        if not any(f".{host}".endswith(f".{domain}") for domain in self.domains):
            self.log.unrelated()
        elif mail.lost:
            self.log.host_mail(mail, first=self.ledger.note_host(mail))

    def _lost(self, feedback: Feedback, sending: Sending) -> None:
        """Tell the owner, and the sender if allowed; but a message that SES itself stopped is not the sender's
        business."""
        envelope = self.ledger.lost(feedback.message_id, sending.recipient, sending.destination)
        if envelope is not None and feedback.kind == BOUNCED and feedback.subtype != ON_ACCOUNT_LIST:
            self.answering.returned(envelope, of_bounce(feedback.status), self.headers)

    def _brake(self, domain: str, bounce: Failure) -> None:
        row = self.health.failed(domain, bounce)
        found = brake.verdict(domain, row)
        if found is not None and not health.is_suspended(row):
            row = self.health.suspend(domain, brake.reason(found), found.at)
        self._tell(domain, row)
        if needless := brake.superfluous(domain, row):
            self.health.forget(domain, needless)

    def _tell(self, destination: str, row: Row) -> None:
        if health.is_suspended(row) and row.get("told_at") is None:
            self.log.suspended(destination, str(row.get("reason")))
            self.health.note_told(destination)

    def _weigh(self, destination: str, failure: Failure) -> None:
        settings = self.settings.read()
        rule = Rule(settings.suspend_after, settings.suspend_days)
        row = self.health.failed(destination, failure)
        found = health.verdict(destination, row, rule)
        if found is not None and not health.is_suspended(row):
            row = self.health.suspend(destination, health.reason(found, rule), found.at)
        self._tell(destination, row)
        if needless := health.superfluous(destination, row, rule):
            self.health.forget(destination, needless)
