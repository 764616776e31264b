"""What `feedback` asks of the world."""

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
    """One sending that SES says something of: the keys of its destination and of the recipient it was for.
    `news`: whether this was not said before; `sender` stands for who sent the message, as `health.known_sender` says.
    Of a reply `alias` is in whose name it went out, and `replier` who hears of it.
    """

    destination: str
    recipient: str
    news: bool
    sender: str
    alias: str = ""
    replier: str = ""


class FeedbackLedger(Protocol):
    """The ledger, as feedback writes it."""

    def note(self, feedback: "Feedback") -> Sending | None:
        """Write what happened into the entry it is about, beside its state and in any order; None if it contradicts
        the entry (`mail.feedback.contradicts`). Raises EntryMissing, Temporary."""

    def note_host(self, mail: "HostMail") -> bool:
        """Note for the owner what became of a host's mail; False if it was noted before. Raises Temporary."""

    def note_sent_as(self, mail: "SentAs") -> bool:
        """Note for the owner what became of mail sent as an alias; False if it was noted before. Raises Temporary."""

    def heard(self, message_id: str, destination: str, *, arrived: bool) -> None:
        """A sending is no longer out to its domain, if it was noted that it is (`ports.forward.Rates.begin`); one that
        arrived makes room for more. Safe to repeat. Raises Temporary."""

    def lost(self, message_id: str, recipient: str, destination: str) -> Envelope | None:
        """Note for the owner that a recipient's forward did not arrive there; the message's envelope for that
        recipient, None if it has none (a digest). Safe to repeat. Raises Temporary."""


class Teller(Protocol):
    """What tells people of mail that was sent as an alias."""

    def tell(self, mail: "SentAs") -> None:
        """Tell those who get the alias's mail, each once. Safe to repeat. Raises Temporary."""

    def tell_replier(self, feedback: "Feedback", sending: Sending) -> None:
        """Tell whoever wrote a reply that it did not arrive, once. Safe to repeat. Raises Temporary."""


class ReturnedLimits(Protocol):
    """How much people are told of mail that was sent as an alias."""

    def admit(self, mail: "SentAs") -> None:
        """Count an event, once however often it is asked. Raises OverCap if its hour has had its fill, Temporary."""


class ReturnedLog(Protocol):
    """Where `returned` says what it did."""

    def untold(self, mail: "SentAs", reason: str) -> None:
        """Nobody, or not everybody, was told; the digest has it."""

    def resent(self, claim: "Claim") -> None:
        """Somebody is told again after an attempt whose end nobody knows."""


class DailyBounces(Protocol):
    """The records of the daily test."""

    def bounced(self, tag: str, why: str) -> str:
        """Note that the sending with this tag came back; its domain, "" if it is no last sending of ours. Safe to
        repeat. Raises Temporary."""


class Headers(Protocol):
    """The messages in the bucket, as far as their headers."""

    def header(self, message_id: str) -> bytes:
        """A message, at least up to the end of its header. Raises MessageMissing, Temporary."""


class Health(Protocol):
    """The health of destinations, by the keys of their addresses. Every method is safe to repeat."""

    def failed(self, address: str, failure: Failure) -> Row:
        """Add a failure; the row as it is now. Raises Temporary."""

    def delivered(self, address: str, at: int) -> None:
        """A message arrived then, epoch seconds, which proves the destination and forgives what failed before. Raises
        Temporary."""

    def forget(self, address: str, failures: Collection[str]) -> None:
        """Take these failures out. Raises Temporary."""

    def suspend(self, address: str, reason: str, failed_at: int) -> Row:
        """Let a destination get no mail, unless it was resumed after it failed; the row as it is now, {} for
        none. Raises Temporary."""

    def told(self, address: str) -> None:
        """The owner was told of this suspension. Raises Temporary."""


class FeedbackLog(Protocol):
    """The log and the metrics of feedback; alarms hang on the latter."""

    def feedback(self, feedback: "Feedback", destination: str, *, first: bool) -> None:
        """One line for an event, and one count unless it came before."""

    def suspended(self, destination: str, reason: str) -> None:
        """A destination gets no mail from now on: the owner must hear of it."""

    def host_mail(self, mail: "HostMail", *, first: bool) -> None:
        """A host's mail was lost: one line, and one count unless it came before."""

    def sent_as(self, mail: "SentAs", *, first: bool) -> None:
        """Mail that was sent as an alias was lost: one line, and one count unless it came before."""

    def contradicting(self, feedback: "Feedback") -> None:
        """An event with our tags about a sending that is none of ours: dropped, and counted."""

    def daily_test(self, domain: str, what: str, why: str) -> None:
        """The daily test of a domain came back."""

    def unrelated(self) -> None:
        """An event about a message that is no forward."""

    def failure(self, error: Exception) -> None:
        """A failure that is about to leave the handler, counted under its class's name."""
