"""SES v1's SendBounce: refuses what SES refuses, and sends what SES would send (RFC 3464, RFC 6522).

Each rule has its source and grade, as in `refusals`; none of the wordings is verified [U].
"""

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from itertools import count

from .events import Undelivered
from .refusals import Account, Refusal
from .rules import verified

MAX_AGE = 24 * 3600  # seconds; [M] SendBounce
PAUSE = 1.0  # seconds between two calls; [M] SendBounce
_REPORTING_MTA = "dns; inbound-smtp.eu-west-1.amazonaws.com"  # [M] SendBounce, MessageDsn
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}\Z")  # RFC 3463 2
_TYPES = {  # [D] Bounce action
    "DoesNotExist": "5.1.1", "MessageTooLarge": "5.3.4", "ExceededQuota": "5.2.2", "ContentRejected": "5.6.1",
    "Undefined": "5.0.0", "TemporaryFailure": "4.0.0",
}  # fmt: skip


@dataclass(frozen=True)
class Received:
    """A message that SES received; `at` is epoch seconds, `header` its bytes up to the body."""

    message_id: str
    source: str
    recipients: tuple[str, ...]
    header: bytes
    at: float


@dataclass(frozen=True)
class About:
    """What a bounce says about one recipient."""

    recipient: str
    action: str
    status: str
    diagnostic: str


@dataclass(frozen=True)
class Bounce:
    """One SendBounce request."""

    original: str
    sender: str
    explanation: str
    about: tuple[About, ...]

    @classmethod
    def read(cls, form: Mapping[str, str]) -> "Bounce":
        """The request in a form. Raises Refusal for a missing parameter [M]."""
        found = cls(
            original=form.get("OriginalMessageId", ""),
            sender=form.get("BounceSender", ""),
            explanation=form.get("Explanation", ""),
            about=tuple(_about(form)),
        )
        if not (found.original and found.sender and found.about):
            raise Refusal("InvalidParameterValue", 400, f"a required parameter is missing or wrong: {found}")
        return found


def _about(form: Mapping[str, str]) -> Iterator[About]:
    for number in count(1):
        member = f"BouncedRecipientInfoList.member.{number}"
        fields = f"{member}.RecipientDsnFields"
        recipient = form.get(f"{member}.Recipient", "")
        if not recipient:
            return
        status = form.get(f"{fields}.Status") or _TYPES.get(form.get(f"{member}.BounceType", ""), "")
        if not _STATUS.match(status):
            raise Refusal("InvalidParameterValue", 400, f"the status of {recipient} is missing or wrong: {status!r}")
        yield About(
            recipient=recipient,
            action=form.get(f"{fields}.Action", "failed"),
            status=status,
            diagnostic=form.get(f"{fields}.DiagnosticCode", ""),
        )


@dataclass
class Bouncing:
    """The messages that SES received, and their bounces, which go to `deliver`.

    `script` has refusals for the next bounces to a recipient, for tests; the account's `off` can turn the rule
    `bounce-rate` off.
    """

    account: Account
    deliver: Callable[[str, bytes], None]
    now: Callable[[], float] = time.time
    received: dict[str, Received] = field(default_factory=dict)
    script: dict[str, list[Refusal]] = field(default_factory=dict)
    accepted: int = 0
    _last: float = 0.0
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, message: Received) -> None:
        """Remember a message that came in."""
        self.received[message.message_id] = message

    @property
    def pause(self) -> float:
        """The seconds until the next SendBounce is accepted."""
        return max(0.0, self._last + PAUSE - self.now())

    def send(self, form: Mapping[str, str]) -> str:
        """Carry out one SendBounce; returns SES's message id. Raises Refusal."""
        with self._asking:
            self._check_rate()
            bounce = Bounce.read(form)
            for one in bounce.about:
                if self.script.get(one.recipient):
                    raise self.script[one.recipient].pop(0)
            original = self._checked(bounce)
            self.accepted += 1
            message_id = f"0102{uuid.uuid4().hex[:12]}-{uuid.uuid4()}-000000"
            with suppress(Undelivered):  # a bounce of a bounce is dropped (RFC 5321 6.1)
                self.deliver(original.source, _report(bounce, original, message_id))
            return message_id

    def _check_rate(self) -> None:
        """[M] At most once a second."""
        now, last = self.now(), self._last
        self._last = now
        if now - last < PAUSE and "bounce-rate" not in self.account.off:
            raise Refusal("Throttling", 400, "Maximum sending rate exceeded.")

    def _checked(self, bounce: Bounce) -> Received:
        """The message to bounce. Raises Refusal if SES would not bounce it."""
        if not verified(bounce.sender, self.account):  # [M]
            said = f"Email address is not verified. The following identities failed the check: {bounce.sender}"
            raise Refusal("MessageRejected", 400, said)
        original = self.received.get(bounce.original)
        if original is None:  # [M]
            raise Refusal("MessageRejected", 400, f"Message {bounce.original} was not received by this account.")
        if self.now() - original.at > MAX_AGE:  # [M]
            raise Refusal("MessageRejected", 400, f"Message {bounce.original} is more than 24 hours old.")
        theirs = [one.lower() for one in original.recipients]
        if strange := [one.recipient for one in bounce.about if one.recipient.lower() not in theirs]:  # [M]
            raise Refusal("MessageRejected", 400, f"{strange[0]} was no recipient of the message.")
        if not original.source:  # RFC 5321 4.5.5
            raise Refusal("MessageRejected", 400, "The message has no return path.")
        return original


def _report(bounce: Bounce, original: Received, message_id: str) -> bytes:
    """The message that SES sends: a part for people, a part for programs, and the original's header."""
    report = MIMEMultipart("report", report_type="delivery-status")
    report["Return-Path"] = "<>"
    report["From"] = bounce.sender
    report["To"] = original.source
    report["Subject"] = "Delivery Status Notification (Failure)"
    report["Message-ID"] = f"<{message_id}@eu-west-1.amazonses.com>"
    report["Date"] = format_datetime(datetime.now(UTC))
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText(bounce.explanation or "An error occurred while trying to deliver the mail."))
    report.attach(_status(bounce, original))
    header = MIMEText(original.header.decode("utf-8", "replace"))
    header.replace_header("Content-Type", "text/rfc822-headers; charset=utf-8")
    report.attach(header)
    return report.as_bytes()


def _status(bounce: Bounce, original: Received) -> Message:
    """message/delivery-status (RFC 3464 2): a group about the message, one about each recipient."""
    about_message = EmailMessage()
    about_message["Reporting-MTA"] = _REPORTING_MTA
    about_message["Arrival-Date"] = format_datetime(datetime.fromtimestamp(original.at, UTC))
    part: Message = Message()
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([about_message, *map(_group, bounce.about)])
    return part


def _group(about: About) -> EmailMessage:
    made = EmailMessage()
    made["Final-Recipient"] = f"rfc822; {about.recipient}"
    made["Action"] = about.action
    made["Status"] = about.status
    if about.diagnostic:
        made["Diagnostic-Code"] = about.diagnostic
    return made
