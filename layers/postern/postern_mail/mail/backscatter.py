"""Senders that never get an answer: robots, lists, and those who cannot be the real author.

The rules are those of Forward Email's backscatter policy, and RFC 3834 2. They read the header, which the sender
writes: so they can only suppress an answer.
"""

from itertools import chain

from .address import Address
from .envelope import NULL_SENDER, Envelope
from .header import MAX_HOPS, Header
from .message import Message
from .robots import answers, lists

_ROBOTS = frozenset({
    "mailer-daemon", "postmaster", "no-reply", "noreply", "no_reply", "donotreply", "do-not-reply", "do_not_reply",
})  # fmt: skip
_ROBOT_TAGS = ("+donotreply", "-donotreply", "+noreply", "-noreply")


def objection(envelope: Envelope, message: Message) -> str:
    """Why this message gets no answer, "" if it may get one."""
    header = Header.of(message)
    if envelope.source == NULL_SENDER or envelope.sender is None or header.null_sender:
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
    return next(chain(answers(message), lists(message)), "")


def _is_robot(address: Address) -> bool:
    local = address.local.lower()
    return local in _ROBOTS or local.endswith(_ROBOT_TAGS)
