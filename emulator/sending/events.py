"""The events that SES publishes about a message after it accepted it, as its mailbox simulator does.

The local parts are those of docs.aws.amazon.com/ses, "Using the Amazon SES mailbox simulator", at any domain. For
other events, `fates` in server.py has the fate of the next message to a destination.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .refusals import Request

_Made = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Fate:
    """What happens to an accepted message: whether it reaches the mailbox, and the events that SES publishes."""

    delivered: bool
    said: tuple[_Made, ...] = ()


class Undelivered(Exception):
    """The other server rejected a message permanently; the text is that of a diagnostic code (RFC 3464 2.3.6)."""


def bounce(type_: str, subtype: str, status: str = "", diagnostic: str = "") -> _Made:
    """A bounce event; like SES it omits an empty status or diagnostic."""

    def made(destination: str) -> dict[str, Any]:
        person = {"emailAddress": destination, "action": "failed", "status": status, "diagnosticCode": diagnostic}
        known = {name: value for name, value in person.items() if value and (status or name == "emailAddress")}
        section = {"bounceType": type_, "bounceSubType": subtype, "bouncedRecipients": [known], **_named()}
        return {"eventType": "Bounce", "bounce": section}

    return made


def _complaint(destination: str) -> dict[str, Any]:
    people = [{"emailAddress": destination}]
    return {
        "eventType": "Complaint",
        "complaint": {"complainedRecipients": people, "complaintFeedbackType": "abuse", **_named()},
    }


def _delivery(destination: str) -> dict[str, Any]:
    said = {"smtpResponse": "250 2.0.0 OK", "recipients": [destination], "processingTimeMillis": 7}
    return {"eventType": "Delivery", "delivery": {**said, "timestamp": now()}}


NO_EMAIL = Fate(False, (bounce("Permanent", "NoEmail"),))
_SIMULATED = {
    "bounce": Fate(False, (bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown"),)),
    "complaint": Fate(True, (_complaint,)),
    "ooto": Fate(True, (bounce("Transient", "General"),)),
    "suppressionlist": Fate(False, (bounce("Permanent", "Suppressed", "5.1.1", "Amazon SES has suppressed sending"),)),
}


def bounced(refusal: Undelivered) -> Fate:
    """The fate of a message that was rejected with this diagnostic code, `smtp; 550 5.1.1 ...`."""
    words = str(refusal).split()
    return Fate(False, (bounce("Permanent", "General", words[2], str(refusal)),))


def fate(destination: str) -> Fate:
    """The fate of a message by the local part of its destination; delivered unless that is one of the simulator's."""
    return _SIMULATED.get(destination.partition("@")[0].lower(), Fate(True))


def mail_of(request: Request, message_id: str, tags: Mapping[str, list[str]]) -> dict[str, Any]:
    """The event's `mail` object; `tags` are those of the request and SES's own."""
    common = {"subject": next(request.values("Subject"), ""), "from": list(request.values("From"))}
    return {
        "timestamp": now(),
        "messageId": message_id,
        "source": request.sender,
        "headersTruncated": False,
        "headers": [],
        "commonHeaders": {name: value for name, value in common.items() if value},
        "tags": dict(tags),
    }


def events(destination: str, found: Fate, mail: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The events, in SES's order."""
    for said in ((_delivery,) if found.delivered else ()) + found.said:
        yield {"mail": {**mail, "destination": [destination]}, **said(destination)}


def now() -> str:
    """The current time in SES's format."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _named() -> dict[str, str]:
    return {"feedbackId": f"0102{uuid.uuid4()}", "timestamp": now()}
