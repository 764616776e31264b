"""The owner's mail: what somebody must know of one day, in plain words and in one message.

It names envelopes, never a subject or a body, and it has an end however bad the day was.
"""

import quopri
from collections.abc import Collection, Iterator

from . import fields
from .address import Address
from .address_writer import written
from .dsn import UNANSWERED
from .message import CRLF
from .outcomes import State
from .records import dataclass
from .visible import visible

MAX_LINES = 100  # of one section
_MAX_LINE = 300  # octets of UTF-8

LOST = "lost"  # the word for a forward that came back
HOST_LOST = "host-lost"  # for what a host sent by the relay and did not arrive
SENT_AS_LOST = "sent-as-lost"  # for what a person sent as an alias and did not arrive

# Words that outcomes are noted under, as a heading, with what to do.
_HEADINGS: dict[str, tuple[str, str]] = {
    State.QUARANTINED: ("Quarantined: kept and not forwarded", "postern quarantine release ID, or nothing"),
    State.FAILED: (
        "Failed: SES did not take it in any form but a notice",
        "postern trace ID; postern replay ID --failed",
    ),
    UNANSWERED: ("Senders who could not be told that their recipient got nothing", "write to them, if they matter"),
    State.AMBIGUOUS: (
        "Ambiguous: SES never answered, so it may have been sent",
        "postern replay ID --failed sends it again",
    ),
    HOST_LOST: (
        "Mail of hosts that did not arrive, or was complained about",
        "fix the program that sends it, or the address that it has (docs/relay.md)",
    ),
    SENT_AS_LOST: (
        "Mail sent as an alias that did not arrive, or was complained about",
        "who gets the alias's mail was told of 20 an hour; many mean a stolen password: postern send-as rotate ADDRESS",
    ),
    LOST: (
        "Lost on the way: SES sent it, and the other server refused it",
        "postern trace ID; postern replay ID --failed",
    ),
}


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of news: `total` are there, of which `lines` name the first; `advice` says what to do.

    `links` has for each of the first lines what stands below it, which is written whole.
    """

    title: str
    advice: str
    lines: tuple[str, ...]
    total: int
    links: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Noted:
    """One recipient of one message, or another address, and the word it was noted under."""

    word: str
    message_id: str
    source: str
    who: str
    noted_at: float


def heading(word: str) -> tuple[str, str]:
    """(title, advice) of the section for a word."""
    return _HEADINGS.get(word, (word.capitalize(), "postern trace ID"))


def digest(day: str, sections: Collection[Section], sender: Address, owner: Address) -> bytes:
    """The message, header in ASCII and body in UTF-8; `day` is an ISO date."""
    counts = ", ".join(f"{section.title.partition(':')[0].lower()} {section.total}" for section in sections)
    subject = fields.shortened(one_line(f"{sender.domain} mail on {day}: {counts}"), _MAX_LINE)
    header = (
        fields.field("From", [*fields.phrase(f"{sender.domain} mail gate"), f"<{written(sender)}>"], CRLF),
        fields.field("To", [f"<{written(owner)}>"], CRLF),
        fields.field("Subject", fields.unstructured(subject), CRLF),
        fields.field("MIME-Version", ["1.0"], CRLF),
        fields.field("Content-Type", ["text/plain;", "charset=utf-8"], CRLF),
        fields.field("Content-Transfer-Encoding", ["quoted-printable"], CRLF),
        fields.field("Auto-Submitted", ["auto-generated"], CRLF),
    )
    text = "\n".join(_text(day, sections, sender)) + "\n"
    body = quopri.encodestring(text.encode("utf-8", "replace")).replace(b"\n", CRLF)
    return b"".join((*(one.raw for one in header), CRLF, body))


def _text(day: str, sections: Collection[Section], sender: Address) -> Iterator[str]:
    yield f"What somebody should know of the mail of {sender.domain} on {day} (UTC)."
    for section in sections:
        yield ""
        yield f"{section.title} ({section.total})"
        yield f"  {section.advice}"
        yield ""
        for number, line in enumerate(section.lines[:MAX_LINES]):
            yield f"  {fields.shortened(one_line(line), _MAX_LINE)}"
            yield from (f"    {link}" for link in _below(section, number))
        if section.total > len(section.lines[:MAX_LINES]):
            yield f"  and {section.total - len(section.lines[:MAX_LINES])} more"


def _below(section: Section, number: int) -> tuple[str, ...]:
    return section.links[number] if number < len(section.links) else ()


def one_line(text: str) -> str:
    """One line; what cannot be seen is spelled out."""
    return " ".join(visible(" ".join(text.split())).split())
