"""Who is never answered: robots, lists, and whoever cannot be the one who wrote.

The rules are those of Forward Email's backscatter policy, and RFC 3834 2. They look at the header, which
the sender writes: they can only keep an answer back.
"""

import re
from collections.abc import Iterator

from .address import Address
from .envelope import NULL_SENDER, Envelope
from .header import MAX_HOPS, Header
from .message import Message

_ROBOTS = frozenset({
    "mailer-daemon", "postmaster", "no-reply", "noreply", "no_reply", "donotreply", "do-not-reply", "do_not_reply",
})  # fmt: skip
_ROBOT_TAGS = ("+donotreply", "-donotreply", "+noreply", "-noreply")
_SUPPRESSED = frozenset({"dr", "ndr", "autoreply", "auto-reply", "auto_reply", "all"})
_BULK = frozenset({"bulk", "junk", "autoreply", "auto-reply", "auto_reply", "list"})
_AUTORESPONDERS = ("x-autoreply", "x-autorespond", "x-auto-respond", "x-mddsn-message")
_WORD = re.compile(r"[a-z_-]+")


def objection(envelope: Envelope, message: Message) -> str:
    """Why nobody who sent this message is answered, "" if somebody may be."""
    header = Header.of(message)
    if envelope.source == NULL_SENDER or envelope.sender is None:
        return "no envelope sender to answer"
    if header.stamps or header.hops >= MAX_HOPS:
        return "it was forwarded before"
    if envelope.verdicts.virus == "FAIL" or envelope.verdicts.spam == "FAIL":
        return f"{'virus' if envelope.verdicts.virus == 'FAIL' else 'spam'} FAIL"
    if not header.authors:
        return "no author in From"
    robot = next((one for one in (envelope.sender, *header.authors) if _is_robot(one)), None)
    if robot is not None:
        return f"{robot.local}@ is a robot"
    return f"{next(_marks(message, header), '')}"


def _is_robot(address: Address) -> bool:
    local = address.local.lower()
    return local in _ROBOTS or local.endswith(_ROBOT_TAGS)


def _marks(message: Message, header: Header) -> Iterator[str]:
    """The fields that say that this is no letter from a person."""
    if header.is_automatic:
        yield "Auto-Submitted"
    for one in message.fields:
        if one.name.startswith("list-") or one.name in _AUTORESPONDERS:
            yield one.name
    for name, words in (("x-auto-response-suppress", _SUPPRESSED), ("precedence", _BULK)):
        for one in message.named(name):
            if words & set(_WORD.findall(one.value.decode("ascii", "replace").lower())):
                yield name
    for one in message.named("content-type"):
        if one.value.strip().lower().startswith(b"multipart/report"):
            yield "multipart/report"
