"""Answers to senders: whether a sender is told that a recipient was not reached, and in which words.

SES has said 250 long before we decide, so a refusal becomes a message of its own (RFC 3464), which SES composes and
sends to the envelope's sender (API "SendBounce"). Anyone can forge that address, so a sender is answered only if it is
proved to have sent this message to this recipient; a DMARC PASS is about From, to which nothing is sent.
"""

from .address import Address
from .authentication import Authentication
from .backscatter import objection
from .envelope import Envelope, age
from .message import MAX_HEADER, Message
from .records import dataclass
from .reply import Reply

OFF, AUTHENTICATED = ANSWER_SENDERS = ("off", "authenticated")
# Seconds after receipt: SES bounces nothing older than 24 hours (SES API reference, "SendBounce"), and clocks differ.
MAX_AGE = 23 * 3600
MOST_ANSWERS = 3  # to one message, however many recipients it has and whenever their answers are due
UNANSWERED = "unanswered"  # noted for the owner: a sender who should have been told
POSTMASTER = "mailer-daemon"  # local part of the address that answers come from


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told about one recipient."""

    recipient: Address
    reply: Reply

    @property
    def sender(self) -> Address:
        """The sender of the answer: an address at the recipient's own domain."""
        return Address(POSTMASTER, self.recipient.domain)


@dataclass(frozen=True, slots=True)
class Silence:
    """The sender is not told, and why. `late`: only because SES bounces nothing that old."""

    reason: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Correspondence:
    """What is known of a message's sender; `objection` is why it gets no answer at all, "" if it may get one."""

    objection: str
    envelope: Envelope
    message: Message | None = None

    @classmethod
    def of(cls, envelope: Envelope, raw: bytes, setting: str) -> "Correspondence":
        """Examine envelope and header; `setting` is one of ANSWER_SENDERS."""
        if setting == OFF:
            return cls("answers are switched off", envelope)
        message = Message.split(raw, MAX_HEADER)
        return cls(objection(envelope, message), envelope, message)

    def answer(self, recipient: Address, reply: Reply | None, now: float) -> Answer | Silence:
        """What the sender is told about a recipient that was not reached. `reply` is what SMTP would have said, None
        for an outcome that is never answered; `now` is epoch seconds."""
        if reply is None:
            return Silence("never answered")
        if self.message is None or self.objection:
            return Silence(self.objection)
        if unknown := _not_authenticated(self.envelope, self.message, recipient):
            return Silence(unknown)
        late = too_late(self.envelope.received_at, now)
        return Silence(late, late=True) if late else Answer(recipient, reply)


def too_late(received_at: str, now: float) -> str:
    """Why a message received at that time (ISO 8601) is not answered any more, "" if it is."""
    passed = age(received_at, now)
    if passed is None:
        return "when it was received is unknown"
    return "received more than 23 hours ago" if passed >= MAX_AGE else ""


def _not_authenticated(envelope: Envelope, message: Message, recipient: Address) -> str:
    assert envelope.sender is not None  # else there is an objection
    found = Authentication.of(message, envelope.message_id)
    if found.spf == "pass" and envelope.verdicts.spf == "FAIL":
        return "SES contradicts itself about SPF"
    return found.doubt(message, envelope.sender, recipient)
