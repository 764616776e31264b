"""What an alias's people are told about replies: that one was not sent, or did not arrive, and why.

It goes to a destination on record, never to an address in a message. All text is ours except a stranger's words, on a
line of their own.
"""

from .. import fields, stamp
from ..address import Address
from ..gate_mail import gate_mail
from ..message import CRLF

_MAX_WORDS = 500  # octets of quoted words
_NOT_SENT = "Your reply was not sent"


def mail(alias: Address, subject: str, lines: list[str], stamp_key: bytes = b"") -> bytes:
    """A mail in the name of the alias's domain; with our stamp, if its key is known, so that it cannot loop."""
    mark = [fields.field(stamp.NAME, [stamp.stamp(stamp_key, alias)], CRLF)] if stamp_key else []
    return gate_mail(alias, alias, subject, lines, mark)


def not_sent(alias: Address, why: str, message_id: str, stack: str, *, is_proven: bool) -> tuple[str, list[str]]:
    """(subject, lines) about a message that was not sent on. `is_proven`: SES's results show that the replier wrote
    it."""
    subject = _NOT_SENT if is_proven else f"A reply in the name of {alias} was not sent"
    whose = "Your reply" if is_proven else "A message that claims to be your reply"
    return subject, [
        f"{whose} in the name of {alias} was not sent on, because:",
        "",
        f"  {shown(why)}",
        "",
        *([] if is_proven else ["If you did not write it, there is nothing to do.", ""]),
        *_kept(alias, message_id, stack),
        "You are told of each reason at most once an hour.",
    ]


def not_delivered(alias: Address, contact: str, why: str, message_id: str, stack: str) -> tuple[str, list[str]]:
    """(subject, lines) about a reply that did not arrive, with the words of SES or of the other server."""
    return "Your reply was not delivered", [
        f"Your reply in the name of {alias} to {contact} was not delivered:",
        "",
        f"  {shown(why)}",
        "",
        *_kept(alias, message_id, stack),
    ]


def leaked(alias: Address, where: list[str]) -> tuple[str, list[str]]:
    """(subject, lines) about a reply that went out and may name its owner."""
    return "Your reply may have shown who you are", [
        f"Your reply in the name of {alias} was sent. It contains:",
        "",
        *(f"  {shown(one)}" for one in where),
        "",
        "Its header contains none of that. `postern settings set leaks refuse` holds such replies back.",
    ]


def shown(text: str) -> str:
    """Quoted text on one line, without control characters."""
    return fields.shortened(" ".join("".join(one if one.isprintable() else " " for one in text).split()), _MAX_WORDS)


def _kept(alias: Address, message_id: str, stack: str) -> list[str]:
    return [
        f"The message is kept. The owner of {alias.domain}'s mail can fetch it, with this command:",
        "",
        f"  postern original {message_id} --stack {stack}",
        "",
    ]
