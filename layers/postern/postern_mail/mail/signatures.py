"""What a DKIM signature says about a message's addressee (RFC 6376).

SES verifies signatures and names the domains of those that pass. Anyone can replay a signed message to anyone, so for
an answer it matters whether the signature covers the field that names this recipient.
"""

import re
from collections.abc import Iterator

from .address import Address
from .authors import authors
from .message import Message
from .records import dataclass

_NAMES = ("to", "cc")
_MOST = 64 * 1024  # octets of a field that are read
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Signature:
    """A DKIM-Signature: `domain` is d=, `identity` the domain of i=, `covered` the names in h=, all lower case.
    `is_partial`: l= leaves the end of the body unsigned."""

    domain: str
    identity: str
    covered: tuple[str, ...]
    is_partial: bool = False


def signatures(message: Message) -> Iterator[Signature]:
    """The valid signatures of a message: a tag that occurs twice invalidates one (3.2), and so does an identity that is
    not at its domain or below it (3.5): it could be that of another signature, which passed."""
    for field in message.named("dkim-signature"):
        tags: dict[str, str] = {}
        for part in field.value[:_MOST].decode("latin-1").split(";"):
            name, equals, value = part.partition("=")
            if equals and tags.setdefault(name.strip(), value) is not value:
                break
        else:
            domain = _plain(tags.get("d", ""))
            identity = _plain(tags.get("i", "")).rpartition("@")[2] or domain
            covered = tuple(_plain(one) for one in tags.get("h", "").split(":"))
            if identity == domain or identity.endswith(f".{domain}"):
                yield Signature(domain, identity, covered, "l" in tags)
                continue
        yield Signature("", "", ())


def names(message: Message, passed: tuple[str, ...], domain: str, recipient: Address) -> bool:
    """Whether the sender's domain itself signed that the message goes to this recipient.

    `passed` are the identities' domains of the signatures that SES verified. If the domain has several signatures, all
    must cover the field, because anyone can add one that does not pass.
    """
    own = [one for one in signatures(message) if one.domain == domain]
    return bool(own) and all(one.identity in passed and _covers(message, one, recipient) for one in own)


def _covers(message: Message, signature: Signature, recipient: Address) -> bool:
    """Of several fields with one name, the signature covers as many as h= names, counted from the bottom (5.4.2)."""
    for name in _NAMES:
        found = message.named(name)
        count = signature.covered.count(name)
        if any(_has(field.value, recipient) for field in found[max(0, len(found) - count) :] if count):
            return True
    return False


def _has(value: bytes, recipient: Address) -> bool:
    if recipient.domain.encode().lower() not in value[:_MOST].lower():
        return False  # most values: nothing need be parsed
    return any(one.address.key == recipient.key for one in authors(value[:_MOST]))


def _plain(text: str) -> str:
    return _BLANKS.sub("", text).lower()
