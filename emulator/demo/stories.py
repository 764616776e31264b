"""What comes after a message: a mailbox that is gone, a message that is released, replies, and what the owner reads."""

import email
from collections.abc import Callable, Iterator
from email.policy import default
from pathlib import Path

from postern_mail.mail.days import A_DAY

from ..system import OWNER, Emulator
from . import first_day, round_trip
from .judge import Judgement, judge
from .letters import Letter, plain

_GONE = "bounce@dest.example"  # SES's double says that there is no such mailbox


def tell(emulator: Emulator, folder: Path, spam: Judgement, say: Callable[[str], None] = print) -> list[str]:
    """Tell all of them; returns what did not go as it should."""
    faults: list[str] = []
    for story in (_a_mailbox_is_gone, _spam_is_released, _ann_replies, _the_owner_reads):
        title, *rest = (story.__doc__ or "").splitlines()[0].rstrip(".").split(": ")
        say(f"\n== {title}{''.join(f': {one}' for one in rest)}\n")
        faults += story(emulator, folder, spam, say)
    return faults


def _a_mailbox_is_gone(emulator: Emulator, folder: Path, _: Judgement, say: Callable[[str], None]) -> list[str]:
    """A mailbox is gone: it is suspended at its first bounce, and the account at SES stays clean."""
    faults: list[str] = []
    for title, expected in (("the first message bounces", "forwarded"), ("the second is kept", "quarantined")):
        first = expected == "forwarded"
        done = judge(emulator, Letter(title, "gone@example.com", plain(title.capitalize()), answered=first))
        say(f"{title}{', and Betsy is told' * first}: {'; '.join(done.reasons)}")
        faults += [*done.faults, *([] if done.reasons[0].startswith(expected) else [f"{title}: {done.reasons}"])]
    faults += first_day.run(emulator, folder, say, 0, "destination", "list")
    return faults + first_day.run(emulator, folder, say, 0, "destination", "resume", _GONE)


def _spam_is_released(emulator: Emulator, folder: Path, spam: Judgement, say: Callable[[str], None]) -> list[str]:
    """What looked like spam is released, and arrives."""
    faults = first_day.run(emulator, folder, say, 0, "quarantine", "list")
    before, who = emulator.maildirs.count("jane@dest.example"), ("--recipient", spam.letter.recipient)
    faults += first_day.run(emulator, folder, say, 0, "quarantine", "release", spam.message_id, *who)
    emulator.retries.consume()
    if emulator.maildirs.count("jane@dest.example") != before + 1:
        return [*faults, "what was released did not arrive once"]
    say("\nIt is in Jane's Maildir.")
    return faults


def _ann_replies(emulator: Emulator, folder: Path, _: Judgement, say: Callable[[str], None]) -> list[str]:
    """Ann replies in the name of her shop: six messages, one thread in each mailbox, and nothing shows her address."""
    faults = round_trip.run(emulator, say)
    return faults + first_day.run(emulator, folder, say, 0, "contact", "list")


def _the_owner_reads(emulator: Emulator, _folder: Path, _spam: Judgement, say: Callable[[str], None]) -> list[str]:
    """What the owner reads of it: the digest of the day."""
    if error := emulator.run_scheduled("DigestFunction", ahead=A_DAY):
        return [f"the digest failed: {error}"]
    raw = emulator.maildirs.messages(OWNER)[-1]
    for line in _text(raw):
        say(f"  | {line}")
    return [] if b"quarantined" in raw else ["the digest does not tell of the quarantine"]


def _text(raw: bytes) -> Iterator[str]:
    message = email.message_from_bytes(raw, policy=default)
    yield from (f"{name}: {message[name]}" for name in ("From", "To", "Subject"))
    body = message.get_body(("plain",))
    yield from ["", *(body.get_content() if body else "").splitlines()]
