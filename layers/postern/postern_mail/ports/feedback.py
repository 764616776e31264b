"""What `feedback` needs from outside."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from ..mail.envelope import Envelope
from ..mail.health import Failure
from ..mail.records import dataclass
from ..mail.rows import Row

if TYPE_CHECKING:
    from ..mail.claims import Claim
    from ..mail.feedback import Feedback, HostMail
    from ..mail.send_as import SentAs


@dataclass(frozen=True, slots=True)
class Sending:
    """The sending that an event of SES is about: the keys of its destination and of the recipient it was for. `news`:
    whether the event is new; `sender` stands for the message's sender, as `health.known_sender` says. For a reply,
    `alias` is the address it went out as, and `replier` who is told about it.
    """

    destination: str
    recipient: str
    news: bool
    sender: str
    alias: str = ""
    replier: str = ""


class FeedbackLedger(Protocol):
    """The part of the ledger that feedback writes."""

    def note(self, feedback: "Feedback") -> Sending | None:
        """Record an event in the entry it is about, beside the entry's state and in any order; None if it contradicts
        the entry (`mail.feedback.contradicts`). Raises EntryMissing, Temporary."""

    def note_host(self, mail: "HostMail") -> bool:
        """Note for the owner what became of a host's mail; False if it was noted before. Raises Temporary."""

    def note_sent_as(self, mail: "SentAs") -> bool:
        """Note for the owner what became of mail sent as an alias; False if it was noted before. Raises Temporary."""

    def feedback_came(self, message_id: str, destination: str, *, arrived: bool) -> None:
        """Note that a sending is no longer in flight to its domain, if `ports.forward.Rates.begin` noted that it was;
        one that arrived makes room for more. Safe to repeat. Raises Temporary."""

    def lost(self, message_id: str, recipient: str, destination: str) -> Envelope | None:
        """Note for the owner that a recipient's forward did not arrive there. Returns the message's envelope for that
        recipient, None if it has none (a digest). Safe to repeat. Raises Temporary."""


class Teller(Protocol):
    """Tells people about mail sent as an alias."""

    def tell(self, mail: "SentAs") -> None:
        """Tell those who get the alias's mail, each once. Safe to repeat. Raises Temporary."""

    def tell_replier(self, feedback: "Feedback", sending: Sending) -> None:
        """Tell the writer of a reply that it did not arrive, once. Safe to repeat. Raises Temporary."""


class ReturnedLimits(Protocol):
    """Limits how often people are told about mail sent as an alias."""

    def admit(self, mail: "SentAs") -> None:
        """Count an event, once however often this is called. Raises OverCap if the hour's limit is reached,
        Temporary."""


class ReturnedLog(Protocol):
    """Logs what `returned` does."""

    def untold(self, mail: "SentAs", reason: str) -> None:
        """Log that not everyone was told; the digest has it."""

    def resent(self, claim: "Claim") -> None:
        """Log that someone is told again after an attempt whose result is unknown."""


class DailyBounces(Protocol):
    """The records of the daily test."""

    def bounced(self, tag: str, why: str) -> str:
        """Note that the sending with this tag came back. Returns its domain, "" if it is not the last test we sent.
        Safe to repeat. Raises Temporary."""


class Headers(Protocol):
    """The headers of the messages in the bucket."""

    def header(self, message_id: str) -> bytes:
        """A message, at least up to the end of its header. Raises MessageMissing, Temporary."""


class Health(Protocol):
    """The health of destinations, by the keys of their addresses. Every method is safe to repeat."""

    def failed(self, address: str, failure: Failure) -> Row:
        """Add a failure and return the updated row. Raises Temporary."""

    def delivered(self, address: str, at: int) -> None:
        """Record that a message arrived, at epoch seconds: it proves the destination and clears earlier failures.
        Raises Temporary."""

    def forget(self, address: str, failures: Collection[str]) -> None:
        """Remove these failures. Raises Temporary."""

    def suspend(self, address: str, reason: str, failed_at: int) -> Row:
        """Suspend a destination, unless it was resumed after it failed. Returns the updated row, {} if there is none.
        Raises Temporary."""

    def note_told(self, address: str) -> None:
        """Note that the owner was told of this suspension. Raises Temporary."""


class FeedbackLog(Protocol):
    """The log and the metrics of feedback; alarms depend on the metrics."""

    def feedback(self, feedback: "Feedback", destination: str, *, first: bool) -> None:
        """Log one line for an event, and count it unless it came before."""

    def suspended(self, destination: str, reason: str) -> None:
        """Log that a destination is suspended: the owner must be told."""

    def host_mail(self, mail: "HostMail", *, first: bool) -> None:
        """Log that a host's mail was lost, and count it unless it came before."""

    def sent_as(self, mail: "SentAs", *, first: bool) -> None:
        """Log that mail sent as an alias was lost, and count it unless it came before."""

    def contradicting(self, feedback: "Feedback") -> None:
        """Log and count a dropped event: it has our tags, but we did not make that sending."""

    def daily_test(self, domain: str, what: str, why: str) -> None:
        """Log that the daily test of a domain came back."""

    def unrelated(self) -> None:
        """Log an event about a message that is not a forward."""

    def failure(self, error: Exception) -> None:
        """Log a failure that is about to leave the handler, and count it under its class's name."""
