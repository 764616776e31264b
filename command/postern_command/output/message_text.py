"""A stranger's message made safe to display: its header as a table, and its text.

The caller must make every line `visible`, which spells out control characters and changes of reading direction.
"""

import email
import email.policy
import html
import re
from collections.abc import Iterator
from email.message import Message as Parsed
from itertools import islice

from postern_mail.mail.encoded_words import decoded
from postern_mail.mail.fields import text_of
from postern_mail.mail.message import Message

MOST_LINES = 60  # lines of text that are shown
MOST_PARTS = 100  # parts that are listed
MOST_OCTETS = 256 * 1024  # bytes of a message that are searched for text
SHOWN = ("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "list-id", "list-unsubscribe")
_MAX_VALUE = 1000  # characters
_TAG = re.compile(r"<[^<>]*>")
_UNSEEN = re.compile(r"<(script|style)\b", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t]+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


def header_rows(raw: bytes) -> list[tuple[str, str]]:
    """(name, decoded value) of the fields that people want to see, and as the last row how many others there are."""
    message = Message.split(raw)
    rows = [
        (_spelled(field.raw), decoded(_unfolded(field.value))[:_MAX_VALUE])
        for name in SHOWN
        for field in message.named(name)
    ]
    return [*rows, ("others", f"{sum(field.name not in SHOWN for field in message.fields)} fields")]


def text_lines(raw: bytes) -> tuple[list[str], str]:
    """(the first lines of the text, a note on the rest): plain text if there is any, else HTML without its markup."""
    part, kind = _part(raw[:MOST_OCTETS])
    if part is None:
        return [], "it has no text"
    lines = [line.rstrip("\r") for line in _words(part, kind).split("\n")]
    more = len(lines) - MOST_LINES
    said = "" if kind == "text/plain" else "from HTML, without its markup"
    left = f"{more} more lines: see `postern original`" if more > 0 else ""
    return lines[:MOST_LINES], "; ".join(filter(None, (said, left)))


def part_rows(raw: bytes) -> list[tuple[str, str, int]]:
    """(content type, file name or "", bytes) of each part that is not a container, as the message says; at most 100."""
    rows = []
    for part in islice((one for one in _parts(raw) if not one.is_multipart()), MOST_PARTS):
        try:
            name, payload = part.get_filename() or "", part.get_payload(decode=True)
        except (ValueError, LookupError, AttributeError):  # the library raises these for some messages
            name, payload = "", b""
        rows.append((part.get_content_type(), str(name), len(payload) if isinstance(payload, bytes) else 0))
    return rows


def _parts(raw: bytes) -> list[Parsed]:
    try:
        return list(email.message_from_bytes(raw, policy=email.policy.compat32).walk())
    except (ValueError, LookupError, AttributeError, RecursionError):  # the library raises these for some messages
        return []


def _part(raw: bytes) -> tuple[Parsed | None, str]:
    parts = _parts(raw)
    for kind in ("text/plain", "text/html"):
        found = next((one for one in parts if one.get_content_type() == kind and not one.get_filename()), None)
        if found is not None:
            return found, kind
    return None, ""


def _words(part: Parsed, kind: str) -> str:
    try:
        octets = part.get_payload(decode=True)
        text = octets.decode(part.get_content_charset() or "utf-8", "replace") if isinstance(octets, bytes) else ""
    except (ValueError, LookupError):  # an unknown charset, or invalid transfer encoding
        text = text_of(octets) if isinstance(octets, bytes) else ""
    if kind == "text/html":
        text = _BLANK_LINES.sub("\n\n", _BLANKS.sub(" ", html.unescape(_TAG.sub(" ", _seen(text)))))
    return text.strip("\r\n")


def _seen(markup: str) -> str:
    """The markup without scripts and styles, in linear time: a stranger may send thousands that never end."""
    kept: list[str] = []
    at, lower = 0, markup.lower()
    while found := _UNSEEN.search(markup, at):
        kept.append(markup[at : found.start()])
        end = lower.find(f"</{found[1].lower()}", found.end())
        if end < 0:
            return "".join(kept)
        at = end
    return "".join((*kept, markup[at:]))


def _spelled(raw: bytes) -> str:
    return raw.partition(b":")[0].decode("ascii", "replace").strip()


def _unfolded(value: bytes) -> str:
    return "".join(text_of(value).splitlines())


def lines(raw: bytes) -> Iterator[str]:
    """The lines to print: header, text, parts."""
    rows = header_rows(raw)
    width = max(len(name) for name, _ in rows)
    yield "header"
    yield from (f"  {name:{width}}  {value}" for name, value in rows)
    text, said = text_lines(raw)
    yield f"text ({said})" if said else "text"
    yield from (f"  | {line}" for line in text)
    if len(parts := part_rows(raw)) > 1:
        yield "parts"
        yield from (f"  {kind}  {size} bytes{f'  {name}' if name else ''}" for kind, name, size in parts)
