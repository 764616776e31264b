"""Signed links: what a mail of ours lets its reader do by pressing a button, without an account.

A link says what it is for and until when, and is signed with a key of the stack's own (RFC 2104), so whoever
has it may do that and nothing else. The signature is compared before anything in it is read.
"""

import base64
import hashlib
import hmac
from enum import StrEnum

from .days import A_DAY
from .records import dataclass

DAYS = 7  # that a link of the digest holds
BY = "link"  # who did it, in the ledger and in rows
MOST = 1024  # characters of a link's path; two addresses take 700
_SIGNED = 32  # hex digits of a signature: 128 bits


class Deed(StrEnum):
    """What a link does."""

    RELEASE = "release"  # a message to a recipient for whom it is kept
    BLOCK = "block"  # the sender of a message
    OFF = "off"  # an address of ours
    RESUME = "resume"  # a destination that is sent nothing
    FETCH = "fetch"  # a message that SES does not send

    @property
    def once(self) -> bool:
        """It changes something, so a link does it once; what is fetched may be fetched again."""
        return self is not Deed.FETCH


@dataclass(frozen=True, slots=True)
class Link:
    """A deed, the message that it is about ("" for none) and the address, until when (epoch seconds)."""

    deed: Deed
    message_id: str
    who: str
    until: int

    @property
    def partition(self) -> str:
        """Where the ledger says that it was used."""
        return self.message_id or f"#link:{self.who}"


@dataclass(frozen=True, slots=True)
class Door:
    """Where links lead, and the key that they are signed with."""

    url: str
    key: bytes

    def to(self, deed: Deed, message_id: str, who: str, until: float) -> str:
        """The address of a page with a button."""
        return f"{self.url.rstrip('/')}/{signed(self.key, Link(deed, message_id, who, int(until)))}"

    def for_days(self, deed: Deed, message_id: str, who: str, now: float) -> str:
        """One that holds for DAYS from now."""
        return self.to(deed, message_id, who, now + DAYS * A_DAY)


def signed(key: bytes, link: Link) -> str:
    """A link as text: letters, digits, `-`, `_` and one dot, and a hex digit at its end, so that no mail program takes
    less than the whole for a link."""
    said = "\n".join((link.deed, str(link.until), link.message_id, link.who))
    text = base64.urlsafe_b64encode(said.encode()).decode("ascii").rstrip("=")
    return f"{text}.{_signature(key, 'link', text)}"


def read(key: bytes, text: str, now: float) -> Link | None:
    """The link that is meant, None for one that we did not sign just so, or that is over."""
    said, dot, signature = text[: MOST + 1].rpartition(".")
    if len(text) > MOST or not dot or not _same(signature, _signature(key, "link", said)):
        return None
    deed, until, message_id, who = base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)).decode().split("\n", 3)
    link = Link(Deed(deed), message_id, who, int(until))
    return link if link.until > now else None


def button(key: bytes, text: str) -> str:
    """What the page's button sends along: who has not read the page, a scanner that posts to a link, lacks it."""
    return _signature(key, "button", text)


def is_pressed(key: bytes, text: str, value: str) -> bool:
    """Whether this is what the button of that link's page sends."""
    return _same(value, button(key, text))


def name(text: str) -> str:
    """What the ledger calls a link that was used."""
    return f"link:{hashlib.sha256(text.encode()).hexdigest()[:_SIGNED]}"


def _signature(key: bytes, use: str, text: str) -> str:
    return hmac.new(key, f"{use} {text}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:_SIGNED]


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("ascii"))
