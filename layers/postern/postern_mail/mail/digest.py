"""The owner's mail: what to know about one day, in plain words and in one message.

It names envelopes, never a subject or a body, and its length is bounded however bad the day was.
"""

from collections.abc import Collection, Iterator, Sequence
from shlex import quote
from textwrap import wrap

from . import fields
from .address import Address
from .dsn import UNANSWERED
from .gate_mail import gate_mail
from .outcomes import State
from .records import dataclass, replace
from .visible import visible

MAX_LINES = 100  # of one section
_MAX_LINE = 300  # octets of UTF-8
_WIDTH = 76  # characters of what a section means

LOST = "lost"  # the word for a forward that came back
HOST_LOST = "host-lost"  # for mail that a host sent by the relay and that did not arrive
SENT_AS_LOST = "sent-as-lost"  # for mail that a person sent as an alias and that did not arrive

DEAD, UNSEEN, STUCK, SUSPENDED = "dead letters", "never seen", "stuck", "suspended"
ENDING, LEARNED, WEEK = "ending", "learned", "week"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of news, for people who do not run mail servers: its title, what it means, and the command for each of
    its lines with what that does; "" for no command. A command may hold {id}, {who} and {source} of a line."""

    title: str
    means: str
    does: str = ""
    command: str = ""


_REPLAY = "postern replay {id} --failed --recipient {who}"
# By the word in the notes: what is lost comes first, what can wait last.
KINDS: dict[str, Kind] = {
    DEAD: Kind(
        "Dead letters",
        "Mail could not be forwarded for 36 hours, and is not retried any more. It is kept for 14 days.",
        "See what it is",
        "postern redrive --dry-run",
    ),
    UNSEEN: Kind(
        "Never seen",
        "Mail was stored, but never handled. No one got it.",
        "Find out whom it is for",
        "postern replay {id}",
    ),
    LOST: Kind(
        "Lost",
        "Mail was forwarded, but the mailbox's server refused it. It did not arrive.",
        "Send it again, once the reason is gone",
        _REPLAY,
    ),
    State.FAILED: Kind(
        "Failed",
        "Amazon refused the mail as it was. The mailbox got a notice at most.",
        "Try again",
        _REPLAY,
    ),
    State.AMBIGUOUS: Kind(
        "Uncertain",
        "Amazon never said whether it accepted the mail. It may have arrived.",
        "Send it again, perhaps a second time",
        _REPLAY,
    ),
    SENT_AS_LOST: Kind(
        "Sent as an alias and lost",
        "Mail that was sent in an alias's name did not arrive, or was reported as spam. Many of these mean that"
        " someone has stolen the password. Those who get the alias's mail were told of up to 20 an hour.",
        "Make a new password",
        "postern send-as rotate {source}",
    ),
    HOST_LOST: Kind(
        "Lost mail of servers",
        "Mail that one of your own servers sent did not arrive, or was reported as spam. Repair the program that"
        " sends it, or the address that it has.",
    ),
    STUCK: Kind(
        "Stuck",
        "Mail has not reached everyone it is for, and nothing retries it any more.",
        "Try again",
        "postern replay {id}",
    ),
    SUSPENDED: Kind(
        "Suspended mailboxes",
        "A mailbox refuses our mail, so nothing is sent there for now. Its mail is kept.",
        "Send there again, once the mailbox takes mail",
        "postern destination resume {who}",
    ),
    UNANSWERED: Kind(
        "Senders not told",
        "Mail was not forwarded, and its sender could not be told. Write to the sender if it matters.",
        "See what became of it",
        "postern trace {id}",
    ),
    State.QUARANTINED: Kind(
        "Quarantined",
        "Mail was kept and not sent on: it looked like spam, a virus or a forgery, or a rule of yours says so. What"
        " you do not miss needs nothing; it is thrown away in time.",
        "Send it on",
        "postern quarantine release {id} --recipient {who}",
    ),
    ENDING: Kind(
        "Aliases that end soon",
        "These addresses end by themselves, most within a week. Then their mail is rejected.",
        "Keep it for good",
        "postern alias set {who} --no-expires",
    ),
    LEARNED: Kind(
        "New names",
        "Mail came to these names for the first time, and the catch-all took it. Each can be switched off on its own.",
        "Reject its mail from now on",
        "postern alias disable {who}",
    ),
    WEEK: Kind("The week", "The last seven days, in figures. A message counts once for each of its recipients."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One item, in words, and the command for it, "" for none. `links` stand below it, in full."""

    text: str
    todo: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of news, by its word: there are `total` items, of which `lines` are the first."""

    word: str
    lines: tuple[Line, ...]
    total: int

    @property
    def kind(self) -> Kind:
        """The kind of news."""
        return KINDS.get(self.word) or Kind(self.word.capitalize(), "", "See what became of it", "postern trace {id}")


@dataclass(frozen=True, slots=True, order=True)
class Noted:
    """One recipient of one message, or another address, and the word of its note."""

    word: str
    message_id: str
    source: str
    who: str
    noted_at: float


def line(word: str, text: str, stack: str, *, message_id: str = "", who: str = "", source: str = "") -> Line:
    """A line of a kind, with its command, quoted for a shell."""
    command = Section(word, (), 0).kind.command
    if not command:
        return Line(text)
    named = {"id": quote(message_id), "who": quote(who), "source": quote(source)}
    return Line(text, f"{command.format(**named)} --stack {quote(stack)}")


def with_links(lines: Sequence[Line], links: Sequence[tuple[str, ...]]) -> tuple[Line, ...]:
    """The lines, with links at the first of them."""
    return (*(replace(one, links=below) for one, below in zip(lines, links, strict=False)), *lines[len(links) :])


def in_order(sections: Collection[Section]) -> list[Section]:
    """The sections, losses first; unknown kinds come last."""
    order = {word: place for place, word in enumerate(KINDS)}
    return sorted(sections, key=lambda one: order.get(one.word, order[STUCK]))


def digest(day: str, sections: Collection[Section], sender: Address, owner: Address) -> bytes:
    """The message, with an ASCII header and a UTF-8 body; `day` is an ISO date."""
    sections = in_order(sections)
    counts = ", ".join(f"{one.kind.title.lower()} {one.total}" for one in sections if one.word != WEEK)
    counts = counts or "the week in figures"
    subject = fields.shortened(one_line(f"{sender.domain} mail on {day}: {counts}"), _MAX_LINE)
    return gate_mail(sender, owner, subject, _text(day, sections, sender))


def _text(day: str, sections: Collection[Section], sender: Address) -> Iterator[str]:
    yield f"What you should know about the mail of {sender.domain} on {day} (UTC)."
    if any(one.todo for section in sections for one in section.lines):
        yield "Each command can be pasted into a terminal where Postern is installed."
    for section in sections:
        yield ""
        yield f"{one_line(section.kind.title).upper()}" + (f" ({section.total:,})" if section.word != WEEK else "")
        yield from (f"  {said}" for said in wrap(section.kind.means, _WIDTH))
        for one in section.lines[:MAX_LINES]:
            yield ""
            yield f"  {fields.shortened(one_line(one.text), _MAX_LINE)}"
            if one.todo:
                yield f"    {section.kind.does}:"
                yield f"      {one_line(one.todo)}"
            yield from (f"    {link}" for link in one.links)
        if section.total > len(section.lines[:MAX_LINES]) and section.word != WEEK:
            yield ""
            yield f"  and {section.total - len(section.lines[:MAX_LINES]):,} more"


def one_line(text: str) -> str:
    """The text on one line; invisible characters are spelled out."""
    return " ".join(visible(" ".join(text.split())).split())
