"""Forwards golden mail. `python -m tests.messages.forwarding` prints the families that are not as expected.

It imports nothing but `postern_mail.mail`, so that a broken copy of that can be put in its place.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

from postern_mail.mail.address import Address
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.rewrite import Style, rewrite

FOLDER = Path(__file__).parent
FAMILIES = sorted(path.parent for path in FOLDER.rglob("in.eml"))


def forwarded(family: Path) -> bytes:
    """The family's message as it is forwarded."""
    said = _read(family / "event.json", json.loads)
    style = _read(family / "style.toml", tomllib.loads)
    recipient = said.get("recipient", "info@example.com")
    mail = {"messageId": "golden", "source": said.get("source", "betsy@sender.example")}
    record = {"eventSource": "aws:ses", "ses": {"mail": mail, "receipt": {"recipients": [recipient]}}}
    envelope = Envelope.from_event({"Records": [record]})
    destination = Address.parse(said["destination"]) if "destination" in said else None
    look = Style(**style, destination=destination)
    return rewrite((family / "in.eml").read_bytes(), Address.parse(recipient), envelope, look)


def unexpected() -> list[str]:
    """The names of the families that are not forwarded as expected, or not at all."""
    return [family.name for family in FAMILIES if not _is_expected(family)]


def _is_expected(family: Path) -> bool:
    try:
        return forwarded(family) == (family / "expected.eml").read_bytes()
    except Exception:  # noqa: BLE001 (a broken rule may break anything)
        return False


def _read(path: Path, parse: Any) -> dict[str, Any]:
    return dict(parse(path.read_text(encoding="utf-8"))) if path.exists() else {}


if __name__ == "__main__":
    print("\n".join(unexpected()))
