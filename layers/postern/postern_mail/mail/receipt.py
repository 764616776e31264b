"""Rebuilds the receipt event of a message, from what the ledger kept or from what SES wrote at the top of the message.

A replay puts exactly this event on the retry queue, so it is handled like SES's own.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from .envelope import NULL_SENDER
from .message import Message
from .records import dataclass
from .ses_block import SesBlock
from .verdicts import ABSENT, FAIL, Verdicts

_STATUSES = ("spam", "virus", "spf", "dkim", "dmarc")

_NOT_RESULTS = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)')  # quoted strings and comments hold strangers' text
_RESULT = re.compile(r"(?:^|[\s;])(spf|dkim|dmarc)=([a-z]+)", re.IGNORECASE)


def receipt_event(
    message_id: str, source: str, recipients: Collection[str], verdicts: Verdicts, received_at: str = ""
) -> dict[str, Any]:
    """The event that `Envelope.from_event` parses into this envelope."""
    receipt: dict[str, Any] = {"recipients": list(recipients), "dmarcPolicy": verdicts.dmarc_policy}
    for name in _STATUSES:
        if (status := getattr(verdicts, name)) != ABSENT:
            receipt[f"{name}Verdict"] = {"status": status}
    mail = {"messageId": message_id, "source": source, "timestamp": received_at}
    return {"Records": [{"eventSource": "aws:ses", "ses": {"mail": mail, "receipt": receipt}}]}


def kept_event(message_id: str, entry: Mapping[str, Any], recipients: Collection[str]) -> dict[str, Any]:
    """The event of a message, from its ledger entry, for some of its recipients."""
    known = {
        name: str(value) for name, value in entry.get("verdicts", {}).items() if name in Verdicts.__dataclass_fields__
    }
    source, received_at = str(entry.get("source", NULL_SENDER)), str(entry.get("received_at", ""))
    return receipt_event(message_id, source, recipients, Verdicts(**known), received_at)


@dataclass(frozen=True, slots=True)
class Stamped:
    """What SES's own block says about a message that no invocation saw.

    `recipient` is the one that its trace field names; there may have been others, which are not recorded. A message
    that fails DMARC gets the policy `quarantine`, because SES does not write the domain's own policy into the header.
    """

    source: str
    recipient: str
    verdicts: Verdicts


def stamped(raw: bytes, message_id: str) -> Stamped | None:
    """Read SES's block at the top of a stored message; None if it is not there, or another message's."""
    block = SesBlock.of(Message.split(raw), message_id)
    return Stamped(block.source or NULL_SENDER, block.recipient, _verdicts(block)) if block else None


def _verdicts(block: SesBlock) -> Verdicts:
    """The client chose its HELO name, which precedes all results but SPF's: they count only if the name is plain."""
    found = {"spam": block.spam or ABSENT, "virus": block.virus or ABSENT}
    results = _RESULT.findall(_NOT_RESULTS.sub("", block.results))
    for name in ("spf", "dkim", "dmarc"):
        words = {word.lower() for method, word in results if method.lower() == name and (block.helo or name == "spf")}
        found[name] = FAIL if "fail" in words else "PASS" if words == {"pass"} else "GRAY" if words else ABSENT
    return Verdicts(**found, dmarc_policy="quarantine" if found["dmarc"] == FAIL else "")
