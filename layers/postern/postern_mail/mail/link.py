"""Signed links: a mail of ours lets its reader act by pressing a button, without an account.

A link says what it does and until when, and is signed with a key of the stack's own (RFC 2104), so its holder can do
that and nothing else. The signature is checked before anything in the link is parsed.
"""

import base64
import hashlib
import hmac
from enum import StrEnum

from .days import A_DAY
from .records import dataclass

DAYS = 7  # for which a link in the digest works
BY = "link"  # made_by in the ledger and in rows
MOST = 1024  # characters of a link's path; two addresses take 700
_SIGNED = 32  # hex digits of a signature: 128 bits


class Deed(StrEnum):
    """The action of a link."""

    RELEASE = "release"  # a quarantined message, to its recipient
    BLOCK = "block"  # the sender of a message
    OFF = "off"  # an address of ours
    RESUME = "resume"  # a suspended destination
    FETCH = "fetch"  # a message that SES does not send

    @property
    def single_use(self) -> bool:
        """Whether a link does it only once, because it changes something; a message may be fetched again."""
        return self is not Deed.FETCH


@dataclass(frozen=True, slots=True)
class Link:
    """An action, the message ("" for none) and the address that it is about, and when it expires (epoch seconds)."""

    deed: Deed
    message_id: str
    who: str
    until: int

    @property
    def partition(self) -> str:
        """The ledger's partition that records its use."""
        return self.message_id or f"#link:{self.who}"


@dataclass(frozen=True, slots=True)
class Door:
    """The base URL of links, and the key that signs them."""

    url: str
    key: bytes

    def to(self, deed: Deed, message_id: str, who: str, until: float) -> str:
        """The URL of a page with a button."""
        return f"{self.url.rstrip('/')}/{signed(self.key, Link(deed, message_id, who, int(until)))}"

    def for_days(self, deed: Deed, message_id: str, who: str, now: float) -> str:
        """A URL that works for DAYS from now."""
        return self.to(deed, message_id, who, now + DAYS * A_DAY)


def signed(key: bytes, link: Link) -> str:
    """A link as text: letters, digits, `-`, `_` and one dot, ending in a hex digit, so that mail programs recognise the
    whole of it as a link."""
    said = "\n".join((link.deed, str(link.until), link.message_id, link.who))
    text = base64.urlsafe_b64encode(said.encode()).decode("ascii").rstrip("=")
    return f"{text}.{_signature(key, 'link', text)}"


def read(key: bytes, text: str, now: float) -> Link | None:
    """Parse a link; None if we did not sign exactly this text, or if it has expired."""
    said, dot, signature = text[: MOST + 1].rpartition(".")
    if len(text) > MOST or not dot or not _same(signature, _signature(key, "link", said)):
        return None
    deed, until, message_id, who = base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)).decode().split("\n", 3)
    link = Link(Deed(deed), message_id, who, int(until))
    return link if link.until > now else None


def button(key: bytes, text: str) -> str:
    """The value that the page's button sends: a scanner that posts to a link without reading the page lacks it."""
    return _signature(key, "button", text)


def is_pressed(key: bytes, text: str, value: str) -> bool:
    """Whether this value is the one that the button of that link's page sends."""
    return _same(value, button(key, text))


def name(text: str) -> str:
    """The name of a used link in the ledger."""
    return f"link:{hashlib.sha256(text.encode()).hexdigest()[:_SIGNED]}"


def _signature(key: bytes, use: str, text: str) -> str:
    return hmac.new(key, f"{use} {text}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:_SIGNED]


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("ascii"))
