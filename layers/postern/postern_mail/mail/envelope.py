"""Envelope: who sent a message and to whom, as SMTP said it (RFC 5321 2.3.1), and SES's verdicts.

The recipients are `receipt.recipients`, the RCPT TO addresses that matched the rule. `mail.destination` is the To and
Cc of the header: for display, forgeable, and without an alias that was in Bcc. Nothing here reads it.
"""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from .address import MAX_ADDRESS, Address, InvalidAddress
from .authentication import Authentication
from .records import dataclass, replace
from .verdicts import Verdicts

NULL_SENDER = "<>"  # the null reverse-path, RFC 5321 4.5.5; Postfix's key for it too
SETUP_NOTIFICATION = "AMAZON_SES_SETUP_NOTIFICATION"  # SES's probe of a new S3 action
TEST_LOCAL = "postern-test"  # the local part to which the daily test is sent (`mail.daily_test`)

TOKEN_LENGTH = 26  # characters of the tag of a reply address (`mail.replying.token`)

MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,255}\Z")  # it becomes part of an S3 key and an SES tag


class BadEvent(ValueError):
    """The event is not one SES receipt; the message says what it is instead."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message as SES received it.

    `source` is MAIL FROM as SES reported it, NULL_SENDER if it was empty; `sender` is its address, None for the null
    sender and for text that is not an address. `recipients` are in the order of the event, each once; `unreadable` are
    those that are not addresses, as they came. `received_at` is ISO 8601 text, "" if SES left it out. `authentication`
    holds the results that SES wrote at the top of the message, None until they are read: the event does not have them.
    """

    message_id: str
    source: str
    sender: Address | None
    recipients: tuple[Address, ...]
    verdicts: Verdicts
    received_at: str = ""
    unreadable: tuple[str, ...] = ()
    authentication: Authentication | None = None

    @classmethod
    def from_event(cls, event: object) -> "Envelope":
        """Read SES's Lambda event (docs.aws.amazon.com/ses, "Event published to Lambda").

        Raises BadEvent, naming the reason, for anything that is not exactly one receipt with a message id and at least
        one recipient. Every other field may be missing, and a recipient that is not an address does not affect the
        others.
        """
        ses = _ses_record(event)
        mail, receipt = _section(ses, "mail"), _section(ses, "receipt")
        source = _text(mail, "source").strip()
        if source in ("", NULL_SENDER):
            source = NULL_SENDER
        recipients, unreadable = _recipients(receipt)
        return cls(
            message_id=_message_id(mail),
            source=source,
            sender=_sender(source),
            recipients=recipients,
            verdicts=Verdicts.from_receipt(receipt),
            received_at=_text(mail, "timestamp") or _text(receipt, "timestamp"),
            unreadable=unreadable,
        )

    @classmethod
    def offline(
        cls, source: str, recipients: tuple[Address, ...], verdicts: Verdicts, message_id: str = ""
    ) -> "Envelope":
        """An envelope without an event, for a dry run; `source` is MAIL FROM, "" or "<>" for the null sender;
        `message_id` is the id in the name of a stored message, "" if there is none."""
        source = source.strip()
        source = NULL_SENDER if source in ("", NULL_SENDER) else source
        return cls(message_id or "offline", source, _sender(source), recipients, verdicts)

    def age(self, now: float) -> float | None:
        """Seconds since SES received it, at `now` in epoch seconds; None if unknown."""
        return age(self.received_at, now)

    @property
    def unknown(self) -> tuple[Address, ...]:
        """Recipients that are not addresses, in the form that the ledger and the log use: no alias can match them."""
        return tuple(
            Address(local[:MAX_ADDRESS], domain[:MAX_ADDRESS]) for local, domain in map(_halves, self.unreadable)
        )

    def from_nobody(self) -> "Envelope":
        """The same envelope with the null sender."""
        return replace(self, source=NULL_SENDER, sender=None)

    def without(self, settled: Collection[str]) -> "Envelope":
        """The same envelope without the recipients with these keys."""
        left = tuple(text for text, one in zip(self.unreadable, self.unknown, strict=True) if one.key not in settled)
        return replace(self, recipients=tuple(r for r in self.recipients if r.key not in settled), unreadable=left)


def _ses_record(event: object) -> Mapping[str, Any]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise BadEvent("not an SES receipt event: it has no list of Records")
    if len(records) != 1:
        raise BadEvent(f"not an SES receipt event: {len(records)} records, SES sends exactly one")
    record = records[0]
    source = record.get("eventSource") if isinstance(record, Mapping) else None
    if source == "aws:s3":
        raise BadEvent(f"an S3 event, which carries no envelope: {_object_key(record)}")
    if source != "aws:ses" or not isinstance(record.get("ses"), Mapping):
        raise BadEvent(f"not an SES receipt event: eventSource is {source!r}")
    ses: Mapping[str, Any] = record["ses"]
    return ses


def _object_key(s3_record: Mapping[str, Any]) -> str:
    try:
        return f"object {s3_record['s3']['object']['key']!r}"
    except (KeyError, TypeError):
        return "no object named"


def _section(ses: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = ses.get(name)
    if not isinstance(section, Mapping):
        raise BadEvent(f"not an SES receipt event: it has no {name}")
    return section


def _message_id(mail: Mapping[str, Any]) -> str:
    message_id = _text(mail, "messageId")
    if message_id == SETUP_NOTIFICATION:
        raise BadEvent(f"{SETUP_NOTIFICATION}: SES's probe of a new rule, not a message")
    if not MESSAGE_ID.match(message_id):
        raise BadEvent(f"no usable mail.messageId: {message_id!r}")
    return message_id


def _sender(source: str) -> Address | None:
    if source == NULL_SENDER:
        return None
    try:
        return _path(source)
    except InvalidAddress:
        return None  # sender rules then see the text itself (senders.search_keys)


def _path(text: str) -> Address:
    """The address in MAIL FROM or RCPT TO, without a source route (RFC 5321 C) or a final dot. Raises
    InvalidAddress."""
    bare = text.strip("<> ")
    return Address.parse((bare.rpartition(":")[2] if bare.startswith("@") else bare).removesuffix("."))


def _halves(text: str) -> tuple[str, str]:
    local, at, domain = text.rpartition("@")
    return (local, domain.lower()) if at else (text, "")


def _recipients(receipt: Mapping[str, Any]) -> tuple[tuple[Address, ...], tuple[str, ...]]:
    """(addresses, texts that are not addresses)."""
    listed = receipt.get("recipients")
    if not isinstance(listed, list) or not listed:
        raise BadEvent("no receipt.recipients, so nothing to forward")
    unique: dict[str, Address] = {}
    unreadable: list[str] = []
    for text in listed:
        try:
            address = _path(text if isinstance(text, str) else repr(text))
            unique.setdefault(address.key, address)
        except InvalidAddress:
            unreadable.append(str(text))
    return tuple(unique.values()), tuple(dict.fromkeys(unreadable))


def age(received_at: str, now: float) -> float | None:
    """Seconds from an ISO 8601 time (in UTC unless it names a zone) to `now`, epoch seconds; None if it is no time."""
    try:
        received = datetime.fromisoformat(received_at)
    except ValueError:
        return None
    return now - (received if received.tzinfo else received.replace(tzinfo=UTC)).timestamp()


def _text(section: Mapping[str, Any], name: str) -> str:
    value = section.get(name)
    return value if isinstance(value, str) else ""
