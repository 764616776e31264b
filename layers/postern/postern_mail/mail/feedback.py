"""Feedback from SES about a message sent for us: parses the event that EventBridge delivers.

The forms are those of docs.aws.amazon.com/ses, "Examples of event data that Amazon SES publishes"; EventBridge has the
same object under `detail`. Every sending carries two tags: the id of the message, and one for its destination.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from .bounce_cause import MOST_TEXT, has_reply
from .envelope import MESSAGE_ID
from .outcomes import ClaimState
from .records import dataclass
from .tags import DESTINATION_TAG, MESSAGE_TAG

# What happened, by SES's eventType; each is the name of the ledger's attribute.
KINDS = {
    "Bounce": "bounced",
    "Complaint": "complained",
    "Reject": "rejected",
    "DeliveryDelay": "delayed",
    "Rendering Failure": "unrendered",
    "Delivery": "delivered",
}
BOUNCED, COMPLAINED, REJECTED, DELIVERED = (KINDS[name] for name in ("Bounce", "Complaint", "Reject", "Delivery"))
ON_ACCOUNT_LIST = "OnAccountSuppressionList"  # SES did not send, because the account's own list has the address
KIND_TAG, RELAY = "kind", "relay"  # on mail that a host sent by the relay (relay/)
MAX_WHY = 500  # characters of another server's words

_LOSSES = (BOUNCED, REJECTED)  # attributes of a claim, unless it was a robot's reply
_ROBOT = ("Transient", "General", "")  # type, subtype and status of an out-of-office reply
_PEOPLE = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}
SECTIONS = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}  # the others: in lower case
_DESTINATION = re.compile(r"[0-9a-f]{32}\Z")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\Z")  # RFC 3463
_IN_DIAGNOSTIC = re.compile(r"(?:smtp; *)?\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\s", re.IGNORECASE)


class BadFeedback(ValueError):
    """The event is not feedback on a message of ours; the text says what it is instead."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One event of one sending.

    `kind` is one of KINDS's values; `destination` the tag, not an address; `at` epoch seconds, by SES's clock; `id`
    distinguishes two events of one second; `why` is the reason given. `type`, `subtype`, `status` (RFC 3463) and
    `text`, the other server's words, are those of a bounce; a complaint has a subtype too. `ses_id` is SES's id of the
    sending.
    """

    kind: str
    message_id: str
    destination: str
    at: int
    id: str = ""
    why: str = ""
    type: str = ""
    subtype: str = ""
    status: str = ""
    text: str = ""
    ses_id: str = ""

    @property
    def is_reply(self) -> bool:
        """Whether this is how SES reports an out-of-office reply: a general transient bounce without a status, in which
        no server refuses anything."""
        robot = (self.type, self.subtype, self.status) == _ROBOT
        return self.kind == BOUNCED and robot and not has_reply(self.text)

    @property
    def is_lost(self) -> bool:
        """Whether the message did not arrive and is not retried any more."""
        return self.kind in (BOUNCED, REJECTED) and not self.is_reply

    @classmethod
    def from_event(cls, event: object) -> "Feedback | None":
        """Read an event; None if its message carries neither tag, and so is not a forward.

        Raises BadFeedback for everything else.
        """
        detail = detail_of(event)
        mail = mapping_in(detail, "mail")
        message_id, destination = _tags(mail)
        if not (message_id or destination):
            return None
        if not (MESSAGE_ID.match(message_id) and _DESTINATION.match(destination)):
            raise BadFeedback(f"the tags are not ours: message {message_id!r}, destination {destination!r}")
        event_type = str(detail["eventType"])
        section = mapping_in(detail, SECTIONS.get(event_type, event_type.lower()))
        person = _person(section)
        return cls(
            kind=KINDS[event_type],
            message_id=message_id,
            destination=destination,
            at=epoch(section.get("timestamp") or mail.get("timestamp")),
            id=text_in(section, "feedbackId") or text_in(mail, "messageId"),
            why=_why(section, person)[:MAX_WHY],
            type=text_in(section, "bounceType"),
            subtype=text_in(section, "bounceSubType") or text_in(section, "complaintSubType"),
            status=_status(person),
            text=text_in(person, "diagnosticCode")[:MOST_TEXT],
            ses_id=text_in(mail, "messageId"),
        )


@dataclass(frozen=True, slots=True)
class HostMail:
    """What happened to a message that a host sent by the relay: not a forward, without a claim or a destination of
    ours.

    `id` and `at` are as in Feedback; `sender` is the envelope's; `lost` has each recipient that did not get it, or
    complained, with the reason. It is empty for events the owner need not know of: deliveries, delays, robots' replies.
    """

    kind: str
    at: int
    id: str
    sender: str
    lost: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_event(cls, event: object) -> "HostMail | None":
        """Read an event; None if it is about other mail. Raises BadFeedback."""
        detail = detail_of(event)
        mail = mapping_in(detail, "mail")
        if RELAY not in (mapping_in(mail, "tags").get(KIND_TAG) or ()):
            return None
        event_type = str(detail["eventType"])
        section = mapping_in(detail, SECTIONS.get(event_type, event_type.lower()))
        return cls(
            kind=KINDS[event_type],
            at=epoch(section.get("timestamp") or mail.get("timestamp")),
            id=text_in(section, "feedbackId") or text_in(mail, "messageId"),
            sender=text_in(mail, "source"),
            lost=tuple(lost_people(event_type, section, mail)),
        )


def lost_people(event_type: str, section: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each recipient that did not get a message, or complained, with the reason; empty for a delivery, a delay, or a
    robot's reply."""
    if event_type in ("Delivery", "DeliveryDelay"):
        return
    people = section.get(_PEOPLE.get(event_type, "")) or mail.get("destination") or ()
    for person in people if isinstance(people, list) else ():
        about = person if isinstance(person, Mapping) else {"emailAddress": person}
        form = (text_in(section, "bounceType"), text_in(section, "bounceSubType"), _status(about))
        robot = form == _ROBOT and not has_reply(text_in(about, "diagnosticCode")[:MOST_TEXT])
        if not robot and text_in(about, "emailAddress"):
            yield text_in(about, "emailAddress"), _why(section, about)[:MAX_WHY]


def detail_of(event: object) -> Mapping[str, Any]:
    """SES's own object in an event of EventBridge. Raises BadFeedback."""
    if not isinstance(event, Mapping) or event.get("source") != "aws.ses":
        raise BadFeedback("not an event of SES: its source is not aws.ses")
    detail = mapping_in(event, "detail")
    if detail.get("eventType") == "RenderingFailure":  # EventBridge's spelling of it; SNS has a space there
        detail = {**detail, "eventType": "Rendering Failure"}
    if detail.get("eventType") not in KINDS:
        raise BadFeedback(f"not one of the events that are subscribed to: eventType is {detail.get('eventType')!r}")
    return detail


def _tags(mail: Mapping[str, Any]) -> tuple[str, str]:
    tags = mapping_in(mail, "tags")
    found = [tags.get(name) or [""] for name in (MESSAGE_TAG, DESTINATION_TAG)]
    if not all(isinstance(one, list) and len(one) == 1 and isinstance(one[0], str) for one in found):
        raise BadFeedback(f"the tags are not ours: {found!r}")
    return found[0][0], found[1][0]


def mapping_in(where: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under a name. Raises BadFeedback."""
    found = where.get(name)
    if not isinstance(found, Mapping):
        raise BadFeedback(f"not an event of SES sending: it has no {name}")
    return found


def text_in(where: Mapping[str, Any], name: str) -> str:
    """The text under a name, "" if there is none."""
    value = where.get(name)
    return value if isinstance(value, str) else ""


def epoch(value: object) -> int:
    """SES's time in epoch seconds. Raises BadFeedback."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadFeedback(f"its timestamp is {value!r}") from None
    if moment.tzinfo is None:
        raise BadFeedback(f"its timestamp has no zone: {value!r}")
    return int(moment.timestamp())


def _person(section: Mapping[str, Any]) -> Mapping[str, Any]:
    """SES's report on the one destination that each sending has; empty if there is none."""
    for name in ("bouncedRecipients", "delayedRecipients"):
        people = section.get(name)
        if isinstance(people, list) and people and isinstance(people[0], Mapping):
            return people[0]
    return {}


def _status(person: Mapping[str, Any]) -> str:
    """RFC 3463's code: the event's own, or that of the reply SES quotes."""
    status = text_in(person, "status").strip()
    if _STATUS.match(status):
        return status
    quoted = _IN_DIAGNOSTIC.match(text_in(person, "diagnosticCode"))
    return quoted[1] if quoted else ""


_SAID = ("bounceType", "bounceSubType", "complaintSubType", "complaintFeedbackType", "delayType", "reason",
         "errorMessage", "smtpResponse")  # fmt: skip


def _why(section: Mapping[str, Any], person: Mapping[str, Any]) -> str:
    words = [text_in(section, name) for name in _SAID]
    words += [text_in(person, "status"), text_in(person, "diagnosticCode")]
    return " ".join(" ".join(words).split())


def lost_by(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """SES's report that the forward of a claim did not arrive, {} if there is none."""
    said = (entry.get(name) for name in _LOSSES)
    return next((one for one in said if isinstance(one, Mapping) and one.get("lost")), {})


def contradicts(claim: Mapping[str, Any], ses_id: str) -> bool:
    """Whether an event with this SES id is about a sending that the claim did not make.

    A claim settled as sent knows its ids. One that is not settled yet does not, nor one with an attempt that ended
    without an answer (counted as `Resent` if it was repeated): there the tag is trusted.
    """
    settled = ClaimState(str(claim["state"])).accepted if "state" in claim else False
    return settled and not claim.get("id_unknown") and ses_id not in (claim.get("ses_ids") or ())
