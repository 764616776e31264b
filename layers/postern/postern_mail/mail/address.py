"""Mail addresses as values: parsed once, at the edge, and compared by their look-up key.

Grammar: RFC 5321 4.1.2 (Mailbox). SES has no SMTPUTF8, so a local part is ASCII, and an internationalised domain
becomes A-labels (RFC 5891, mapped by UTS 46).
"""

import re
from collections.abc import Collection
from functools import cached_property
from typing import Any

from .records import dataclass

RECIPIENT_DELIMITER = "+"  # Postfix's recipient_delimiter: info+news@ is info@ with the tag news

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
# Dots may stand anywhere: a..b@ and a.@ break RFC 5321 but are in use.
_DOT_ATOM = re.compile(rf"(?:{_ATEXT}|\.)+\Z")
_QUOTED = re.compile(r'"(?:[ !#-\[\]-~]|\\[ -~])*"\Z')
_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\Z")
_LITERAL = re.compile(r"\[[0-9A-Za-z:.\-]+\]\Z")

# A match starts where a word or a quoted local part starts, so the search takes linear time.
_MENTIONED = re.compile(r"""(?<![^\s@<>(),;:'"])([^\s@<>(),;:'"]+|"[^"@]{0,64}")@([^\s@<>(),;:'"]+)""")
MAX_ADDRESS = 320  # octets: 64 of local part, @, 255 of domain (RFC 5321 4.5.3.1)


class InvalidAddress(ValueError):
    """The text is not a mail address; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox name. `local` keeps its spelling; `domain` is lower case and ASCII."""

    local: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `local@domain`, with or without angle brackets.

        Raises InvalidAddress for anything else. A local part quoted without need is unquoted, as RFC 5321 4.1.2 asks:
        `"info"@example.com` is `info@example.com`.
        """
        bare = text.strip()
        if bare.startswith("<") and bare.endswith(">"):
            bare = bare[1:-1]
        local, at, domain = bare.rpartition("@")
        domain = _ascii(domain)
        if not at or len(bare) > MAX_ADDRESS or not (_DOMAIN.match(domain) or _LITERAL.match(domain)):
            raise InvalidAddress(f"not a mail address: {text!r}")
        if _QUOTED.match(local):
            content = re.sub(r"\\(.)", r"\1", local[1:-1])
            local = content if _DOT_ATOM.match(content) else local
        elif not _DOT_ATOM.match(local):
            raise InvalidAddress(f"not a mail address: {text!r}")
        return cls(local, domain.lower())

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @cached_property
    def key(self) -> str:
        """The address in lower case: the key of tables and ledger."""
        return f"{self.local.lower()}@{self.domain}"

    @property
    def tag(self) -> str:
        """What follows the first `+` of the local part, or "" (a leading `+` does not start a tag)."""
        return self.local[self._delimiter + 1 :] if self._delimiter > 0 else ""

    @property
    def untagged(self) -> "Address":
        """The same address without its tag; itself if it has none."""
        return Address(self.local[: self._delimiter], self.domain) if self._delimiter > 0 else self

    @property
    def _delimiter(self) -> int:
        return -1 if self.local.startswith('"') else self.local.find(RECIPIENT_DELIMITER)


def spellings(key: str) -> tuple[str, ...]:
    """The keys under which people may write a row for this one: with A-labels, then with U-labels.

    `info@xn--mnchen-3ya.example` is also `info@m\u00fcnchen.example`; most keys have one spelling.
    """
    local, at, domain = key.rpartition("@")
    if "xn--" not in domain:
        return (key,)
    try:
        bare = domain.removeprefix(".")
        return (key, f"{local}{at}{domain[: -len(bare)]}{_idna().decode(bare)}")
    except UnicodeError:
        return (key,)  # A-labels of nothing


def alias_key(text: str) -> str:
    """`Info@Bücher.example` and `@Bücher.example` as they are looked up.

    Text without such a form is returned in lower case.
    """
    text = text.strip()
    try:
        if text.startswith("@"):
            return f"@{Address.parse(f'x{text}').domain}"
        return Address.parse(text).key
    except InvalidAddress:
        return text.lower()


def _ascii(domain: str) -> str:
    """A domain as A-labels, "" if it has none: SES accepts no others, and each domain must have one key."""
    try:
        return domain if domain.isascii() else _idna().encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        return ""


def _idna() -> Any:
    import idna  # noqa: PLC0415 (large, and few domains need it)

    return idna


def mask(text: str, keep: Collection[str]) -> str:
    """For logs: every address in a text cut down to its first character, `j***@dest.example`, except at the domains to
    keep (our own: operators need them to find a row)."""
    return _MENTIONED.sub(lambda found: found[0] if found[2].lower() in keep else f"{found[1][:1]}***@{found[2]}", text)
