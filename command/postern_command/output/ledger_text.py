"""The ledger's entries for people and for programs: everything in them, even attributes unknown to this module."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from postern_mail.mail.afterwards import afterwards
from postern_mail.mail.days import moment

from .columns import Column, Columns, one_line

Entries = Mapping[str, Mapping[str, Any]]

_COLUMNS = (Column(28, 1), Column(12), Column(20, 2))
_KEYS = {"message_id", "entry", "expires_at"}
_SAID_ABOVE = {
    "state",
    "reason",
    "detail",
    "source",
    "recipients",
    "received_at",
    "size",
    "verdicts",
    "pending",
    "open",
}
_INTERNAL = {"day", "owner", "previous"}  # how the ledger works, not what happened to the mail
_KINDS = {"to": "recipients", "via": "destinations", "dsn": "answers"}


def json_value(value: Any) -> Any:
    """DynamoDB's types as JSON types: numbers, sorted lists."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (set, frozenset)):
        return sorted(map(json_value, value))
    if isinstance(value, list):
        return [json_value(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): json_value(one) for name, one in value.items()}
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def as_object(message_id: str, entries: Entries) -> dict[str, Any]:
    """One message for --json: its own entry, those of recipients, destinations and answers to the sender, and all
    others by name."""
    made: dict[str, Any] = {"message_id": message_id, "message": {}}
    made |= {kind: {} for kind in (*_KINDS.values(), "other")}
    for name, entry in sorted(entries.items()):
        attributes = {key: json_value(value) for key, value in sorted(entry.items()) if key not in _KEYS}
        kind, colon, who = name.partition(":")
        if name == "message":
            made["message"] = attributes
        elif colon and kind in _KINDS:
            made[_KINDS[kind]][who] = attributes
        else:
            made["other"][name] = attributes
    return made


def lines(message_id: str, entries: Entries, *, wide: bool = False) -> Iterator[str]:
    """One message for people, each line cut to the width of the terminal unless `wide`."""
    whole, columns = one_line(wide=wide), Columns(_COLUMNS, wide=wide)
    for line in _lines(message_id, entries, columns):
        yield whole.line([line])


def _lines(message_id: str, entries: Entries, columns: Columns) -> Iterator[str]:
    found = as_object(message_id, entries)
    yield f"message {message_id}"
    yield from _envelope(found["message"])
    for kind in (*_KINDS.values(), "other"):
        if found[kind]:
            yield kind
        for name, entry in found[kind].items():
            yield from _one(name, entry, columns)
            if kind == "recipients" and (later := afterwards(name, entries)):
                yield f"    {later.state}: {later.destination}{f': {later.detail}' if later.detail else ''}"


def _envelope(message: Mapping[str, Any]) -> Iterator[str]:
    if not message:
        yield "  no entry for the message itself: no invocation has read its envelope"
        return
    size = f", {message['size']} bytes" if message.get("size") else ""
    yield f"  from {message.get('source')}, received {message.get('received_at') or 'at an unknown time'}{size}"
    yield f"  to {', '.join(message.get('recipients', ()))}"
    verdicts = message.get("verdicts", {})
    yield f"  SES says {', '.join(f'{name} {value}' for name, value in verdicts.items() if value) or 'nothing'}"
    pending = message.get("pending", ())
    yield f"  open: {', '.join(pending)} pending" if message.get("open") else "  closed: every recipient is settled"
    yield from _rest(message)


def _one(name: str, entry: Mapping[str, Any], columns: Columns) -> Iterator[str]:
    why = entry.get("reason") or entry.get("detail")
    yield columns.line([f"  {name}", str(entry.get("state", "")), str(why or "")])
    yield from (f"  {line}" for line in _rest(entry))


def _rest(entry: Mapping[str, Any]) -> Iterator[str]:
    """The remaining attributes, one per line; times in readable form."""
    for name, value in entry.items():
        if name not in _SAID_ABOVE | _INTERNAL and value not in (None, [], ""):
            yield f"  {name} {_shown(name, value)}"


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if (name.endswith(("_at", "_until")) or name == "at") and isinstance(value, (int, float)):
        return moment(value)
    if isinstance(value, list):
        return "; ".join(_shown("", one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(key, one)}" for key, one in value.items())
    return str(value)
