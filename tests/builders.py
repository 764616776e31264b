"""Values that many tests need, with everything a test does not care about filled in."""

import json
from pathlib import Path
from typing import Any

from postern.mail.envelope import Envelope

ROOT = Path(__file__).parent.parent
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
