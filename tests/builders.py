"""Values that many tests need, with everything a test does not care about filled in."""

import json
from pathlib import Path
from typing import Any

from postern_mail.mail.address import Address
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.tags import destination_tag

ROOT = Path(__file__).parent.parent
TAG_KEY = b"a key of the tests for tags"
MESSAGE_ID = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"


def sample_event(name: str = "inbound") -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def event(
    *recipients: str, source: str = "betsy@sender.example", message_id: str = MESSAGE_ID, **receipt: Any
) -> dict[str, Any]:
    """A receipt event with nothing in it that AWS might leave out."""
    mail = {"messageId": message_id, "source": source}
    ses = {"mail": mail, "receipt": {"recipients": list(recipients), **receipt}}
    return {"Records": [{"eventSource": "aws:ses", "ses": ses}]}


def envelope(*recipients: str, **options: Any) -> Envelope:
    return Envelope.from_event(event(*(recipients or ("info@example.com",)), **options))


def verdict(status: str) -> dict[str, str]:
    return {"status": status}


def stored(
    raw: bytes,
    *,
    source: str = "betsy@sender.example",
    spf: str = "pass",
    dkim: str = "",
    helo: str = "mx.sender.example",
    message_id: str = MESSAGE_ID,
) -> bytes:
    """The message as SES stores it, with its own block on top; `dkim` is the domain of a signature that passed."""
    checked = f"{spf} (spfCheck: about {source}) client-ip=192.0.2.9; envelope-from={source}; helo={helo};"
    signed = f"dkim=pass header.i=@{dkim}" if dkim else "dkim=none header.i=@"
    block = (
        f"Return-Path: <{source}>\r\nReceived: from {helo} (mx.sender.example [192.0.2.9])\r\n"
        f" by inbound-smtp.eu-west-1.amazonaws.com with SMTP id {message_id}\r\n for info@example.com;\r\n"
        f"X-SES-Spam-Verdict: PASS\r\nReceived-SPF: {checked}\r\n"
        f"Authentication-Results: amazonses.com;\r\n spf={checked}\r\n {signed};\r\n dmarc=pass header.from=bank.example;\r\n"
        "X-SES-RECEIPT: x\r\n"
    )
    return block.encode() + raw


def feedback(
    event_type: str = "Bounce", destination: str = "jane@dest.example", message_id: str = MESSAGE_ID, **section: Any
) -> dict[str, Any]:
    """What SES says of a forward; `section` is what its part for this type has beside a timestamp."""
    name = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}.get(event_type, event_type.lower())
    tags = {"message": [message_id], "destination": [destination_tag(TAG_KEY, message_id, Address.parse(destination))]}
    mail = {"timestamp": "2026-11-18T09:00:00.000Z", "messageId": "0102ses", "tags": tags}
    part = {"timestamp": "2026-11-18T10:00:00.000Z", **section}
    return {"source": "aws.ses", "detail": {"eventType": event_type, "mail": mail, name: part}}


def bounce(
    type_: str = "Permanent", subtype: str = "NoEmail", status: str = "", diagnostic: str = "", **options: Any
) -> dict[str, Any]:
    """A bounce."""
    person = {"emailAddress": "hidden@dest.example", "status": status, "diagnosticCode": diagnostic}
    known = {name: value for name, value in person.items() if value}
    return feedback("Bounce", bounceType=type_, bounceSubType=subtype, bouncedRecipients=[known], **options)
