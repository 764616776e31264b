"""One message: its history, its header before and after forwarding, and its text."""

from typing import Any
from urllib.parse import urlencode

from postern_mail.errors import MessageMissing
from postern_mail.mail.afterwards import afterwards
from postern_mail.mail.envelope import BadEvent, Envelope
from postern_mail.mail.keys import sender_key
from postern_mail.mail.message import Message
from postern_mail.mail.outcomes import State
from postern_mail.mail.receipt import kept_event

from ..explain import explanation
from ..ids import full_id
from ..lessons import sender_proposals
from ..log import recipients_of
from ..offline import authenticated
from ..output.ledger_text import Entries, as_object
from ..output.message_text import header_rows, part_rows, text_lines
from ..source import Source
from .asked import Asked
from .desk import Desk
from .orders import offers
from .rendering import Shown

WHOLE = 1024 * 1024  # bytes up to which a message is read whole; of a larger one the first 64 KB are shown
_TOP = "the first 64 KB of a large message; `postern original` has all of it"


def message(desk: Desk, asked: Asked) -> Shown:
    """Everything about a message."""
    message_id = full_id(desk.stack, asked.text("id"))
    entries = desk.ledger.entries(message_id)
    raw, said = _raw(desk, message_id, entries)
    if not entries and raw is None:
        raise MessageMissing(f"neither ledger nor bucket has message {message_id}")
    story = as_object(message_id, entries)
    text, of_text = text_lines(raw) if raw is not None else ([], "the bucket no longer has it")
    recipients = list(recipients_of({"message_id": message_id, **entries.get("message", {})}, entries))
    data: dict[str, Any] = {
        "title": f"Message {message_id[:8]}",
        "message_id": message_id,
        "story": story,
        "recipients": recipients,
        "later": {who: afterwards(who, entries) for who in story["recipients"]},
        "header": header_rows(raw) if raw is not None else [],
        "text": text,
        "of_text": "; ".join(filter(None, (of_text, said))),
        "parts": part_rows(raw) if raw is not None else [],
        "deliveries": _deliveries(desk, message_id, entries, raw) if asked.has("header") and raw else None,
        "quarantined": any(row["state"] == State.QUARANTINED for row in recipients),
        "orders": offers(desk, message_id, entries, raw),
        "block": _block(entries),
        "lessons": list(sender_proposals(entries)),
        "trace": desk.command("trace", message_id),
        "show": desk.command("quarantine", "show", message_id),
    }
    told = {name: data[name] for name in ("message_id", "story", "header", "text", "parts", "deliveries")}
    return Shown("message.html", data, told=told)


PAGES = {"/message": message}


def _raw(desk: Desk, message_id: str, entries: Entries) -> tuple[bytes | None, str]:
    """(the message or its first 64 KB, None if it is gone; a note about that)."""
    size = entries.get("message", {}).get("size")
    try:
        if size is not None and int(size) <= WHOLE:
            return desk.bucket.fetch(message_id), ""
        top, _ = desk.bucket.top(message_id)
    except MessageMissing:
        return None, ""
    return top, _TOP if len(top) >= 64 * 1024 else ""


def _deliveries(desk: Desk, message_id: str, entries: Entries, raw: bytes) -> dict[str, Any] | None:
    """What would happen to it now: the plan, and how the header changes for each delivery."""
    known = entries.get("message", {})
    try:
        envelope = Envelope.from_event(kept_event(message_id, known, known.get("recipients", ())))
    except BadEvent:
        return None
    source = Source(desk.live.tables, desk.policy, live=True)
    return explanation(authenticated(envelope, Message.split(raw)), raw, source)


def _block(entries: Entries) -> str:
    """The page with a rule against the sender, "" if no rule could name the sender."""
    proposed = [does for _, does in sender_proposals(entries)]
    source = sender_key(str(entries.get("message", {}).get("source", "")))
    return f"/rule/new?{urlencode({'sender': source, 'action': 'REJECT'})}" if proposed else ""
