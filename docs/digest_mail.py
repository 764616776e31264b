"""docs/reference/digest.md: a digest with one thing of each kind, made by the code that makes them."""

import quopri

from postern_mail.mail.address import Address
from postern_mail.mail.digest import (
    DEAD,
    ENDING,
    KINDS,
    LEARNED,
    LOST,
    SENT_AS_LOST,
    STUCK,
    SUSPENDED,
    UNSEEN,
    WEEK,
    Line,
    Section,
    digest,
    line,
)
from postern_mail.mail.outcomes import State
from postern_mail.mail.week import Week, dates, section

SUNDAY = "2026-11-22"
_ID = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"
_SENDER = Address("postmaster", "example.com")
_SAID = """\
The digest comes at 5:00 UTC to `OwnerAddress` and is about the day before. It begins with lost mail and ends with what
may wait. Each finding has a command to copy, and with [links](../links.md) also a link that does the same. The digest
names senders, recipients and reasons, but never a subject or a text. A day without findings sends no digest, except
Sunday, whose digest has the figures of the week if any mail came.

This is a digest with one finding of each kind."""


_WHY: dict[str, str] = {
    LOST: "jane@home.example: 550 5.1.1 No such user here",
    State.FAILED: "jane@home.example: SES does not take a message of 45 MB",
    State.AMBIGUOUS: "jane@home.example: SES did not answer for 36 hours",
    State.QUARANTINED: "spam FAIL",
}


def document() -> str:
    """The page, without its first line."""
    text = "\n".join(f"    {one}".rstrip() for one in _mail().splitlines())
    return f"# The daily digest\n\n{_SAID}\n\n{text}\n"


def _mail() -> str:
    header, _, body = digest(SUNDAY, list(map(_section, KINDS)), _SENDER, Address("you", "home.example")).partition(
        b"\r\n\r\n"
    )
    subject = header.partition(b"Subject: ")[2].partition(b"\r\nMIME-Version")[0].decode().replace("\r\n", "")
    return f"Subject: {subject}\n\n{quopri.decodestring(body).decode()}"


def _section(word: str) -> Section:
    if word == WEEK:
        found = section(SUNDAY, _week())
        assert found is not None
        return found
    return Section(word, (_line(word),), 1)


def _line(word: str) -> Line:
    source, who = ("betsy@shop.example", "info@example.com")
    if word == SENT_AS_LOST:
        source, who = "info@example.com", "joe@shop.example"
    if word == DEAD:
        return line(word, "All of them", "postern")
    if word in (UNSEEN, STUCK):
        return line(word, _ID, "postern", message_id=_ID)
    if word == ENDING:
        why = "no mail since 2026-08-29, and it ends after 90 days without"
        return line(word, f"trip@example.com: {why}", "postern", who="trip@example.com")
    if word == LEARNED:
        return line(word, "shop@example.com", "postern", who="shop@example.com")
    if word == SUSPENDED:
        return line(word, "jane@home.example: 550 5.1.1 No such user here", "postern", who="jane@home.example")
    text = f"From {source} to {who}: {_WHY.get(word, '554 5.7.1 Message refused')}"
    return line(word, text, "postern", message_id=_ID, who=who, source=source)


def _week() -> Week:
    days = {one: {"forwarded": 30, "rejected": 12, "quarantined": 2} for one in dates(SUNDAY)}
    days[SUNDAY] = {"forwarded": 21, "lost": 1}
    before = {one: {"forwarded": 33} for one in dates(SUNDAY, 1)}
    return Week(days, before, {"info@example.com": 101, "shop@example.com": 64, "@example.com": 22})
