"""The log and the metrics, in the forms CloudWatch reads: JSON lines and EMF (Powertools)."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from ..environment import Stack
from ..errors import Temporary
from ..mail.address import Address, mask
from ..mail.claims import Claim
from ..mail.dsn import Silence
from ..mail.envelope import Envelope
from ..mail.feedback import ON_ACCOUNT_LIST, REJECTED, Feedback, HostMail
from ..mail.outcomes import ClaimState, State
from ..ports.forward import Entry, Outcome
from ..ports.watch import Overlooked

NAMESPACE = "Postern"
_MOST_IDS = 100  # in one line
_FEEDBACK = {REJECTED: "SesRejected"}  # Rejected is what we do


class PowertoolsMailLog:
    """One structured line and one count for each thing that happens.

    Unless `log_addresses`, addresses outside our own domains are masked; there is never a
    subject or a body in the log. The name of the stack is the dimension `service` of the counts:
    several stacks share the namespace.
    """

    def __init__(self, *, own_domains: Collection[str], log_addresses: bool, stack: str = "postern") -> None:
        self.logger = Logger(service=stack)
        self.metrics = Metrics(namespace=NAMESPACE, service=stack)
        self._own_domains = own_domains
        self._log_addresses = log_addresses

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Mask what leaves the handler, whatever the setting: Lambda writes it into its log and into the queue."""
        try:
            yield
        except Exception as error:
            error.args = (mask(str(error), self._own_domains),)
            raise

    def received(self, envelope: Envelope, entry: Entry) -> None:
        """Counted as Received, or as Repeated when the event was delivered before."""
        self._count("Received" if entry.first else "Repeated")
        self.logger.info(
            "received" if entry.first else "received again",
            message_id=envelope.message_id,
            source=self._shown(envelope.source),
            recipients=[self._shown(str(recipient)) for recipient in envelope.recipients],
            settled=len(entry.settled),
        )

    def outcome(self, envelope: Envelope, outcome: Outcome, size: int, now: float) -> None:
        """Counted under the state's name: Forwarded, Merged, Quarantined, ... Deferred. The line has the message's
        size in octets, and how many seconds ago it was received."""
        self._count(outcome.state.capitalize(), now=outcome.state.noted)
        line = self.logger.warning if outcome.state.troubling else self.logger.info
        more: dict[str, Any] = {"outcome": outcome.state, "size": size}
        if (passed := envelope.age(now)) is not None:
            more["age"] = round(passed, 3)
        if outcome.alias:
            more["alias"] = self._shown(str(outcome.alias))
        if isinstance(outcome.answer, Silence):
            more["answer"] = f"none: {self._shown(outcome.answer.reason)}"
        line(
            outcome.state,
            message_id=envelope.message_id,
            recipient=self._shown(str(outcome.recipient)),
            reason=self._shown(outcome.reason),
            **more,
        )

    def sent(self, envelope: Envelope, claim: Claim, size: int, now: float) -> None:
        """Bytes are what SES was given, and Latency the seconds from receipt until it took that."""
        more: dict[str, Any] = {"size": size}
        self.metrics.add_metric(name="Bytes", unit=MetricUnit.Bytes, value=size)
        if (passed := envelope.age(now)) is not None:
            more["age"] = round(passed, 3)
            self.metrics.add_metric(name="Latency", unit=MetricUnit.Seconds, value=max(0.0, passed))
        self.logger.info(
            ClaimState.SENT, message_id=claim.message_id, destination=self._shown(str(claim.destination)), **more
        )

    def answered(self, message_id: str, recipients: Collection[str], state: ClaimState, detail: str) -> None:
        """Counted as AnswerSent, AnswerFailed or AnswerAmbiguous."""
        self._count(f"Answer{state.capitalize()}")
        line = self.logger.info if state.accepted else self.logger.warning
        line(
            f"answer to the sender {state}",
            message_id=message_id,
            recipients=[self._shown(one) for one in recipients],
            detail=self._shown(detail),
        )

    def too_many_answers(self, message_id: str, recipients: Collection[str], why: str) -> None:
        """Counted as AnswerTooMany."""
        self._count("AnswerTooMany")
        self.logger.warning(
            "the sender is not answered",
            message_id=message_id,
            recipients=[self._shown(one) for one in recipients],
            reason=self._shown(why),
        )

    def answer_waits(self, message_id: str, failure: Temporary) -> None:
        """A line and no count: the watch takes it up."""
        self.logger.warning(
            "answer to the sender waits",
            message_id=message_id,
            reason=self._shown(str(failure)),
            error=type(failure).__name__,
        )

    def resent(self, claim: Claim) -> None:
        """Counted as Resent."""
        self._count("Resent", now=True)
        self.logger.warning(
            "sent again, the first answer is not known",
            message_id=claim.message_id,
            destination=self._shown(str(claim.destination)),
        )

    def rescued(self, claim: Claim, form: str) -> None:
        """Counted as Rescued."""
        self._count("Rescued")
        self.logger.warning(
            "refused as it is, sent in another form",
            message_id=claim.message_id,
            destination=self._shown(str(claim.destination)),
            form=form,
        )

    def bad_row(self, envelope: Envelope, reason: str) -> None:
        """Counted as BadRow."""
        self._count("BadRow")
        self.logger.error("a row must be mended", message_id=envelope.message_id, reason=self._shown(reason))

    def deferred(self, envelope: Envelope, destination: Address, failure: Temporary) -> None:
        """Counted under the name of the failure's class; its recipients are counted as Deferred by their outcome."""
        self._count(type(failure).__name__)
        self.logger.warning(
            State.DEFERRED,
            message_id=envelope.message_id,
            destination=self._shown(str(destination)),
            reason=self._shown(str(failure)),
            error=type(failure).__name__,
        )

    def feedback(self, feedback: Feedback, destination: str, *, first: bool) -> None:
        """Counted under the kind's name, Bounced, Complained, ... SesRejected, and as OnAccountSuppressionList where
        the account's list stopped it; an event that came before is not, unless an alarm hangs on it."""
        listed = feedback.subtype == ON_ACCOUNT_LIST
        alarms = listed or feedback.kind == REJECTED  # a function killed after it was noted may not have counted it
        if first or alarms:
            self._count(_FEEDBACK.get(feedback.kind, feedback.kind.capitalize()), now=alarms)
            if listed:
                self._count(ON_ACCOUNT_LIST, now=True)
        line = self.logger.info if feedback.kind == "delivered" else self.logger.warning
        line(
            feedback.kind,
            message_id=feedback.message_id,
            destination=self._shown(destination),
            reason=self._shown(feedback.why),
            first=first,
        )

    def suspended(self, destination: str, reason: str) -> None:
        """Counted as Suspended."""
        self._count("Suspended", now=True)
        self.logger.error(ClaimState.SUSPENDED, destination=self._shown(destination), reason=self._shown(reason))

    def host_mail(self, mail: HostMail, *, first: bool) -> None:
        """Counted as HostMailLost; an event that came before is not."""
        if first:
            self._count("HostMailLost")
        self.logger.warning(
            "mail of a host was lost",
            kind=mail.kind,
            sender=self._shown(mail.sender),
            reason=self._shown("; ".join(f"{who}: {why}" for who, why in mail.lost)),
            first=first,
        )

    def contradicting(self, feedback: Feedback) -> None:
        """Counted as Contradicting."""
        self._count("Contradicting")
        self.logger.error(
            "feedback about no sending of ours",
            message_id=feedback.message_id,
            kind=feedback.kind,
            ses_id=feedback.ses_id,
            reason=self._shown(feedback.why),
        )

    def unrelated(self) -> None:
        """Counted as Unrelated."""
        self._count("Unrelated")
        self.logger.info("feedback about a message that is no forward")

    def failure(self, error: Exception) -> None:
        """Counted as Errors and under the name of its class."""
        self._count("Errors")
        self._count(type(error).__name__)
        self.logger.error(self._shown(str(error)), error=type(error).__name__)

    def overlooked(self, found: Overlooked) -> None:
        """Counted as OpenTooLong and NeverSeen, also when there are none, so that an alarm ends."""
        self._count("OpenTooLong", len(found.open_too_long))
        self._count("NeverSeen", len(found.never_seen))
        line = self.logger.warning if found.open_too_long or found.never_seen else self.logger.info
        line(
            "overlooked",
            open_too_long=found.open_too_long[:_MOST_IDS],
            never_seen=found.never_seen[:_MOST_IDS],
        )

    def _count(self, name: str, value: int = 1, *, now: bool = False) -> None:
        """`now`: it leaves at once, and not when the handler ends, which a killed function never does."""
        self.metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        if now:
            self.metrics.flush_metrics()

    def _shown(self, text: str) -> str:
        return text if self._log_addresses else mask(text, self._own_domains)


def mail_log(stack: Stack) -> PowertoolsMailLog:
    """The log of a function."""
    return PowertoolsMailLog(own_domains=stack.domains, log_addresses=stack.log_addresses, stack=stack.name)
