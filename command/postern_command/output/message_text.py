"""A stranger's message for people to look at: its header as a table, and its words, of which nothing acts.

Whoever prints this makes every line `visible`: controls are spelled out, and what turns the direction of reading.
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

MOST_LINES = 60  # of text that are shown
MOST_PARTS = 100  # that are listed
MOST_OCTETS = 256 * 1024  # of a message that are looked at for text
SHOWN = ("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "list-id", "list-unsubscribe")
_MAX_VALUE = 1000  # characters
_TAG = re.compile(r"<[^<>]*>")
_UNSEEN = re.compile(r"<(script|style)\b", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t]+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


def header_rows(raw: bytes) -> list[tuple[str, str]]:
    """The fields that say who wrote what to whom, each with its value decoded; then how many others there are."""
    message = Message.split(raw)
    rows = [
        (_spelled(field.raw), decoded(_unfolded(field.value))[:_MAX_VALUE])
        for name in SHOWN
        for field in message.named(name)
    ]
    return [*rows, ("others", f"{sum(field.name not in SHOWN for field in message.fields)} fields")]


def text_lines(raw: bytes) -> tuple[list[str], str]:
    """(the first lines of the text, what is said of the rest): plain text if there is any, else HTML without markup."""
    part, kind = _part(raw[:MOST_OCTETS])
    if part is None:
        return [], "there is no text in it"
    lines = [line.rstrip("\r") for line in _words(part, kind).split("\n")]
    more = len(lines) - MOST_LINES
    said = "" if kind == "text/plain" else "from HTML, without its markup"
    left = f"{more} lines more: `postern original` has them" if more > 0 else ""
    return lines[:MOST_LINES], "; ".join(filter(None, (said, left)))


def part_rows(raw: bytes) -> list[tuple[str, str, int]]:
    """(content type, file name or "", octets) of each part that is no container, as the message says; 100 at most."""
    rows = []
    for part in islice((one for one in _parts(raw) if not one.is_multipart()), MOST_PARTS):
        try:
            name, payload = part.get_filename() or "", part.get_payload(decode=True)
        except (ValueError, LookupError, AttributeError):  # what the library makes of some messages
            name, payload = "", b""
        rows.append((part.get_content_type(), str(name), len(payload) if isinstance(payload, bytes) else 0))
    return rows


def _parts(raw: bytes) -> list[Parsed]:
    try:
        return list(email.message_from_bytes(raw, policy=email.policy.compat32).walk())
    except (ValueError, LookupError, AttributeError, RecursionError):  # what the library makes of some messages
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
    except (ValueError, LookupError):  # an unknown charset, or a transfer encoding that is none
        text = text_of(octets) if isinstance(octets, bytes) else ""
    if kind == "text/html":
        text = _BLANK_LINES.sub("\n\n", _BLANKS.sub(" ", html.unescape(_TAG.sub(" ", _seen(text)))))
    return text.strip("\r\n")


def _seen(markup: str) -> str:
    """Without scripts and styles; a stranger may have thousands that never end, so each is looked for once."""
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
    """Header and text, each line with its indentation."""
    rows = header_rows(raw)
    width = max(len(name) for name, _ in rows)
    yield "header"
    yield from (f"  {name:{width}}  {value}" for name, value in rows)
    text, said = text_lines(raw)
    yield f"text ({said})" if said else "text"
    yield from (f"  | {line}" for line in text)
    if len(parts := part_rows(raw)) > 1:
        yield "parts"
        yield from (f"  {kind}  {size} octets{f'  {name}' if name else ''}" for kind, name, size in parts)
