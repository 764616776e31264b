"""The receipt event of a message, made again: from what the ledger kept, or from what SES wrote on top of it.

What a replay puts on the retry queue is this and nothing else, so it takes the way that SES's own event takes.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .envelope import NULL_SENDER
from .message import Field, Message
from .verdicts import ABSENT, FAIL, Verdicts

_STATUSES = ("spam", "virus", "spf", "dkim", "dmarc")

# What SES writes in its own block (docs.aws.amazon.com/ses, "Event published to Lambda"). The block ends
# with X-SES-RECEIPT, which is always there; fields of the same names below it are the sender's.
_LAST = "x-ses-receipt"
_TRACE = re.compile(rb"\bby inbound-smtp\.[\w.-]+ with SMTP id (\S+)\s+for <?([^\s<>;]+)>?;")
_NOT_RESULTS = re.compile(rb'"(?:[^"\\]|\\.)*"|\([^()]*\)')  # quoted strings and comments hold what strangers wrote
_RESULT = re.compile(rb"(?:^|[\s;])(spf|dkim|dmarc)=([a-z]+)", re.IGNORECASE)


def receipt_event(
    message_id: str, source: str, recipients: Collection[str], verdicts: Verdicts, received_at: str = ""
) -> dict[str, Any]:
    """The event that `Envelope.from_event` reads as this envelope."""
    receipt: dict[str, Any] = {"recipients": list(recipients), "dmarcPolicy": verdicts.dmarc_policy}
    for name in _STATUSES:
        if (status := getattr(verdicts, name)) != ABSENT:
            receipt[f"{name}Verdict"] = {"status": status}
    mail = {"messageId": message_id, "source": source, "timestamp": received_at}
    return {"Records": [{"eventSource": "aws:ses", "ses": {"mail": mail, "receipt": receipt}}]}


def kept_event(message_id: str, entry: Mapping[str, Any], recipients: Collection[str]) -> dict[str, Any]:
    """The event of a message by its ledger entry, for some of its recipients."""
    known = {
        name: str(value) for name, value in entry.get("verdicts", {}).items() if name in Verdicts.__dataclass_fields__
    }
    source, received_at = str(entry.get("source", NULL_SENDER)), str(entry.get("received_at", ""))
    return receipt_event(message_id, source, recipients, Verdicts(**known), received_at)


@dataclass(frozen=True, slots=True)
class Stamped:
    """What SES's own block says of a message that no invocation ever saw.

    `recipient` is the one that its trace field names; there may have been others, which nothing
    says. A message that fails DMARC gets the policy `quarantine`, because SES does not write the
    domain's own into the header.
    """

    source: str
    recipient: str
    verdicts: Verdicts


def stamped(raw: bytes, message_id: str) -> Stamped | None:
    """Read SES's block at the top of a stored message; None if it is not there, or another message's."""
    block: list[Field] = []
    for field in Message.split(raw).fields:
        block.append(field)
        if field.name == _LAST:
            break
    else:
        return None
    trace = _TRACE.search(_first(block, "received"))
    if trace is None or trace[1].decode("ascii", "replace") != message_id:
        return None
    source = _first(block, "return-path").decode("ascii", "replace").strip("<> ")
    return Stamped(source or NULL_SENDER, trace[2].decode("ascii", "replace"), _verdicts(block))


def _verdicts(block: list[Field]) -> Verdicts:
    found = {name: _word(_first(block, f"x-ses-{name}-verdict")) for name in ("spam", "virus")}
    results = _NOT_RESULTS.sub(b"", _first(block, "authentication-results"))
    for name in ("spf", "dkim", "dmarc"):
        words = {word.lower() for method, word in _RESULT.findall(results) if method.lower() == name.encode()}
        found[name] = FAIL if b"fail" in words else "PASS" if words == {b"pass"} else "GRAY" if words else ABSENT
    return Verdicts(**found, dmarc_policy="quarantine" if found["dmarc"] == FAIL else "")


def _word(value: bytes) -> str:
    return value.decode("ascii", "replace").strip().upper() or ABSENT


def _first(block: list[Field], name: str) -> bytes:
    return next((field.value for field in block if field.name == name), b"")
