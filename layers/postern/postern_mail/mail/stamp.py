"""The loop stamp, by which a forwarded message is recognised when it comes back.

`X-Postern-Loop: v1 <32 hex digits>` is an HMAC of the alias under a key of the stack, so a stranger can neither forge
one, to make mail look like a loop, nor learn the alias.
"""

import hashlib
import hmac
from collections.abc import Iterable

from .address import Address
from .message import Message

NAME = "X-Postern-Loop"
TEST_KEY = b"postern offline test key"  # for offline commands and tests; a stack makes its own
_VERSION = "v1"


def stamp(key: bytes, alias: Address) -> str:
    """The value of the stamp for an alias."""
    digest = hmac.new(key, f"{_VERSION}:{alias.key}".encode(), hashlib.sha256).hexdigest()
    return f"{_VERSION} {digest[:32]}"


def is_stamped(message: Message, key: bytes, alias: Address) -> bool:
    """Whether we have forwarded this message for this alias before; a forged stamp does not count."""
    return is_among((field.value for field in message.named(NAME.lower())), key, alias)


def is_among(values: Iterable[bytes], key: bytes, alias: Address) -> bool:
    """Whether our stamp for this alias is among these values."""
    expected = stamp(key, alias).encode("ascii")
    return any(hmac.compare_digest(value, expected) for value in values)
