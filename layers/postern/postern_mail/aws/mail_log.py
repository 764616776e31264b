"""The log and the metrics, in the forms that CloudWatch reads: JSON lines and EMF."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..environment import Stack
from ..errors import Misconfigured, OverCap, Temporary
from ..mail.address import Address, mask
from ..mail.claims import Claim
from ..mail.dsn import Silence
from ..mail.envelope import TEST_LOCAL, Envelope
from ..mail.outcomes import ClaimState, State
from ..mail.rows import BadRow
from ..ports.forward import Entry, Outcome
from .lines import Counts, Lines

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics

    from ..mail.feedback import Feedback, HostMail
    from ..mail.link import Link
    from ..mail.send_as import SentAs
    from ..ports.watch import Overlooked
    from ..telling import Telling

NAMESPACE = "Postern"
_MOST_IDS = 100  # in one line
NEEDS_SOMEBODY = "NeedsSomebody"  # the only count with an alarm
# States and feedback that are counted. An account has ten free metrics; the ledger has the rest.
_COUNTED = (State.FORWARDED, State.DEFERRED, State.QUARANTINED, State.REJECTED)


class CloudWatchMailLog:
    """Writes a structured line for each event, and counts some.

    Unless `log_addresses`, addresses outside our own domains are masked; the log never holds a subject or a body. The
    name of the stack is the dimension `service` of the counts: several stacks share the namespace. `logger` and
    `metrics` default to Powertools'.
    """

    def __init__(
        self,
        *,
        own_domains: Collection[str],
        log_addresses: bool,
        stack: str = "postern",
        logger: Any = None,
        metrics: Any = None,
    ) -> None:
        self.logger: Logger = logger or _powertools().Logger(service=stack)
        self.metrics: Metrics = metrics or _powertools().Metrics(namespace=NAMESPACE, service=stack)
        self._own_domains = own_domains
        self._log_addresses = log_addresses

    @contextmanager
    def invocation(self, context: Any) -> Iterator[None]:
        """For a log without Powertools: add the invocation to each line, and write the counts at the end."""
        try:
            with self.logger.invocation(context), self.leaving():  # type: ignore[attr-defined]
                yield
        finally:
            self.metrics.flush_metrics()

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Mask the text of exceptions that leave the handler, whatever the setting: Lambda writes it into its log and
        into the queue."""
        try:
            yield
        except Exception as error:
            error.args = (mask(str(error), self._own_domains),)
            raise

    def link(self, link: "Link", said: str) -> None:
        """Log that a link was used, and the result."""
        shown = said if self._log_addresses else mask(said, self._own_domains)
        self.logger.info("link", deed=link.deed, message_id=link.message_id, said=shown)

    def alias_made(self, address: str, made_by: str) -> None:
        """Log that a password manager's token made an alias."""
        self.logger.info("alias made", address=self._shown(address), made_by=made_by)

    def received(self, envelope: Envelope, entry: Entry) -> None:
        """Log a message, counted as Received unless the event was delivered before, or it is only for the daily test's
        address."""
        if entry.first and any(one.local.lower() != TEST_LOCAL for one in envelope.recipients):
            self._count("Received")
        self.logger.info(
            "received" if entry.first else "received again",
            message_id=envelope.message_id,
            source=self._shown(envelope.source),
            recipients=[self._shown(str(recipient)) for recipient in envelope.recipients],
            settled=len(entry.settled),
        )

    def outcome(self, envelope: Envelope, outcome: Outcome, size: int, now: float) -> None:
        """Log an outcome, counted as Forwarded, Deferred, Quarantined or Rejected, and as NeedsSomebody if a
        destination may lack the message. The line has the message's size in octets, and its age in seconds."""
        held = outcome.release_at is not None  # nothing is wrong, so nothing is counted
        if outcome.state in _COUNTED and not held:
            self._count(outcome.state.capitalize(), now=outcome.state.noted)
        if outcome.state.replayable:
            self._needs_somebody()
        line = self.logger.warning if outcome.state.troubling and not held else self.logger.info
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
        """Log a sending; Latency is the seconds from receipt until SES accepted it. The line has the size sent to SES,
        in octets."""
        more: dict[str, Any] = {"size": size}
        if (passed := envelope.age(now)) is not None:
            more["age"] = round(passed, 3)
            self.metrics.add_metric(name="Latency", unit="Seconds", value=max(0.0, passed))
        self.logger.info(
            ClaimState.SENT, message_id=claim.message_id, destination=self._shown(str(claim.destination)), **more
        )

    def answered(self, message_id: str, recipients: Collection[str], state: ClaimState, detail: str) -> None:
        """Log an answer; a warning unless SES accepted it."""
        line = self.logger.info if state.accepted else self.logger.warning
        line(
            f"answer to the sender {state}",
            message_id=message_id,
            recipients=[self._shown(one) for one in recipients],
            detail=self._shown(detail),
        )

    def too_many_answers(self, message_id: str, recipients: Collection[str], why: str) -> None:
        """Log a warning."""
        self.logger.warning(
            "the sender is not answered",
            message_id=message_id,
            recipients=[self._shown(one) for one in recipients],
            reason=self._shown(why),
        )

    def answer_waits(self, message_id: str, failure: Temporary) -> None:
        """Log a warning; the watch sends the answer."""
        self.logger.warning(
            "answer to the sender waits",
            message_id=message_id,
            reason=self._shown(str(failure)),
            error=type(failure).__name__,
        )

    def resent(self, claim: Claim) -> None:
        """Log a warning."""
        self.logger.warning(
            "sent again, the first answer is not known",
            message_id=claim.message_id,
            destination=self._shown(str(claim.destination)),
        )

    def thread_lost(self, envelope: Envelope, failure: Temporary) -> None:
        """Log a warning."""
        self.logger.warning(
            "a reply went out, its answer will not find its thread", message_id=envelope.message_id,
            reason=str(failure),
        )  # fmt: skip

    def rescued(self, claim: Claim, form: str) -> None:
        """Log a warning."""
        self.logger.warning(
            "refused unchanged, sent in another form",
            message_id=claim.message_id,
            destination=self._shown(str(claim.destination)),
            form=form,
        )

    def bad_row(self, envelope: Envelope, reason: str) -> None:
        """Log an error, counted as NeedsSomebody."""
        self._needs_somebody()
        self.logger.error("a row must be corrected", message_id=envelope.message_id, reason=self._shown(reason))

    def deferred(self, envelope: Envelope, destination: Address, failure: Temporary) -> None:
        """Log a deferral, counted as NeedsSomebody if waiting alone does not cure it; recipients are counted by their
        outcome."""
        if isinstance(failure, (Misconfigured, OverCap)):
            self._needs_somebody()
        self.logger.warning(
            State.DEFERRED,
            message_id=envelope.message_id,
            destination=self._shown(str(destination)),
            reason=self._shown(str(failure)),
            error=type(failure).__name__,
        )

    def feedback(self, feedback: "Feedback", destination: str, *, first: bool) -> None:
        """Log an event, counted as Delivered, Bounced or Complained unless it came before. Messages that SES discarded,
        or that the account's list stopped, count as NeedsSomebody, even when the event is repeated: a function killed
        after noting it may not have counted it."""
        from ..mail import feedback as said  # noqa: PLC0415 (there already, where there is feedback)

        if first and feedback.kind in (said.DELIVERED, said.BOUNCED, said.COMPLAINED):
            self._count(feedback.kind.capitalize())
        if feedback.kind == said.REJECTED or feedback.subtype == said.ON_ACCOUNT_LIST:
            self._needs_somebody()
        line = self.logger.info if feedback.kind == said.DELIVERED else self.logger.warning
        line(
            feedback.kind,
            message_id=feedback.message_id,
            destination=self._shown(destination),
            reason=self._shown(feedback.why),
            first=first,
        )

    def suspended(self, destination: str, reason: str) -> None:
        """Log a suspension, counted as NeedsSomebody."""
        self._needs_somebody()
        self.logger.error(ClaimState.SUSPENDED, destination=self._shown(destination), reason=self._shown(reason))

    def host_mail(self, mail: "HostMail", *, first: bool) -> None:
        """Log a warning; the digest tells the owner."""
        self.logger.warning(
            "mail of a host was lost",
            kind=mail.kind,
            sender=self._shown(mail.sender),
            reason=self._shown("; ".join(f"{who}: {why}" for who, why in mail.lost)),
            first=first,
        )

    def sent_as(self, mail: "SentAs", *, first: bool) -> None:
        """Log a warning, counted as Bounced or Complained unless it came before; the digest tells the owner. A message
        in which SES found a virus counts as NeedsSomebody."""
        from ..mail import feedback as said  # noqa: PLC0415 (there already, where there is feedback)

        if first and mail.kind in (said.BOUNCED, said.COMPLAINED):
            self._count(mail.kind.capitalize())
        if mail.kind == said.REJECTED:
            self._needs_somebody()
        self.logger.warning(
            "mail sent as an alias was lost",
            kind=mail.kind,
            sender=self._shown(str(mail.address)),
            reason=self._shown("; ".join(f"{who}: {why}" for who, why in mail.lost)),
            first=first,
        )

    def untold(self, mail: "SentAs", reason: str) -> None:
        """Log a warning; the digest tells the owner."""
        self.logger.warning(
            "mail sent as an alias was lost, and no one was told",
            message_id=mail.message_id,
            sender=self._shown(str(mail.address)),
            reason=self._shown(reason),
        )

    def contradicting(self, feedback: "Feedback") -> None:
        """Log an error, counted as NeedsSomebody: someone in the account forges our events."""
        self._needs_somebody()
        self.logger.error(
            "feedback about a sending that is not ours",
            message_id=feedback.message_id,
            kind=feedback.kind,
            ses_id=feedback.ses_id,
            reason=self._shown(feedback.why),
        )

    def unrelated(self) -> None:
        """Log a line."""
        self.logger.info("feedback about a message that is not a forward")

    def learned(self, envelope: Envelope, alias: str) -> None:
        """Log a line."""
        self.logger.info("learned", message_id=envelope.message_id, alias=self._shown(alias))

    def not_learned(self, envelope: Envelope, alias: str, failure: Exception) -> None:
        """Log a warning."""
        self.logger.warning(
            "not learned",
            message_id=envelope.message_id,
            alias=self._shown(alias),
            reason=self._shown(str(failure)),
            error=type(failure).__name__,
        )

    def failure(self, error: Exception) -> None:
        """Log a failure, counted as NeedsSomebody if waiting alone does not cure it; Lambda counts the others."""
        if isinstance(error, (BadRow, Misconfigured)):
            self._needs_somebody()
        self.logger.error(self._shown(str(error)), error=type(error).__name__)

    def overlooked(self, found: "Overlooked") -> None:
        """Log the findings, counted as NeedsSomebody, zero too, so that the alarm ends."""
        self._needs_somebody(len(found.open_too_long) + len(found.never_seen))
        line = self.logger.warning if found.open_too_long or found.never_seen else self.logger.info
        line(
            "overlooked",
            open_too_long=found.open_too_long[:_MOST_IDS],
            never_seen=found.never_seen[:_MOST_IDS],
        )

    def told(self, telling: "Telling") -> None:
        """Log a line; the mail has what was told."""
        new = {one.name: len(one.new) for one in telling.sections}
        self.logger.info("told people", new=new, over=len(telling.over), still=telling.still)

    def not_subscribed(self) -> None:
        """Log a warning."""
        self.logger.warning("the subscription to the alarms is not confirmed: nothing is sent until it is")

    def _needs_somebody(self, number: int = 1) -> None:
        self._count(NEEDS_SOMEBODY, number, now=True)

    def daily_test(self, domain: str, what: str, why: str) -> None:
        """Log a line; the watch tells what is wrong."""
        self.logger.info("daily test", domain=domain, what=what, reason=self._shown(why))

    def lists(self, silent: Mapping[str, str]) -> None:
        """Log a line, without a count: `postern doctor` reports it too."""
        if silent:
            self.logger.warning("DNS lists that do not count", lists=dict(silent))

    def _count(self, name: str, value: int = 1, *, now: bool = False) -> None:
        """Count. `now`: write it at once, not when the handler ends, which a killed function never does."""
        self.metrics.add_metric(name=name, unit="Count", value=value)
        if now:
            self.metrics.flush_metrics()

    def _shown(self, text: str) -> str:
        return text if self._log_addresses else mask(text, self._own_domains)


def mail_log(stack: Stack) -> CloudWatchMailLog:
    """The log of a function."""
    return CloudWatchMailLog(own_domains=stack.domains, log_addresses=stack.log_addresses, stack=stack.name)


def fast_log(stack: Stack) -> CloudWatchMailLog:
    """The log of a function, without Powertools."""
    return CloudWatchMailLog(
        own_domains=stack.domains,
        log_addresses=stack.log_addresses,
        stack=stack.name,
        logger=Lines(stack.name),
        metrics=Counts(NAMESPACE, stack.name),
    )


def _powertools() -> Any:
    import warnings  # noqa: PLC0415

    import aws_lambda_powertools  # noqa: PLC0415 (40 ms)

    # Most invocations count nothing, and the warning would clutter the log.
    warnings.filterwarnings("ignore", "No application metrics to publish")
    return aws_lambda_powertools
