"""The grey hold: Postgrey's rules and names, for unauthenticated mail. Postgrey's test, whether the sender retries, is
impossible behind SES: the delay gives DNS lists time to learn about the sender.

Keys, whitelists and counts are those of postgrey(8) 1.37: the client's network, the sender without the parts that
change from message to message, and the recipient.
"""

import hashlib
import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from .address import Address
from .envelope import NULL_SENDER, Envelope
from .header import Header
from .records import dataclass
from .rows import RESERVED, BadRow, Row

CLIENTS_KEY = f"{RESERVED}postgrey_whitelist_clients"  # items of the alias table, read only if the hold is on
RECIPIENTS_KEY = f"{RESERVED}postgrey_whitelist_recipients"
KEYS = (CLIENTS_KEY, RECIPIENTS_KEY)
LINES = "lines"  # their attribute
MOST_LINES = 2000
MAX_LINE = 500  # characters
AN_HOUR = 3600  # a client's messages count once within it
NEVER_HELD = ("postmaster@", "abuse@")  # as Postgrey's own file of recipients has it

_PASS = "PASS"  # noqa: S105 (a verdict)
_BATV = re.compile(r"prvs=[^=]*=")
_NUMBER = re.compile(r"\b[0-9]+\b")
_PART = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}\.?\Z")


@dataclass(frozen=True, slots=True)
class Whitelist:
    """The lines of one of Postgrey's files, by what they match."""

    names: frozenset[str] = frozenset()
    networks: tuple[Any, ...] = ()
    parts: tuple[str, ...] = ()
    patterns: tuple[Any, ...] = ()

    @classmethod
    def clients(cls, lines: Iterable[str]) -> "Whitelist":
        """A whitelist of clients: names and all below them, addresses, their first octets, networks, /patterns/ of
        names. Raises ValueError, which names the line."""
        return _read(lines, _client)

    @classmethod
    def recipients(cls, lines: Iterable[str]) -> "Whitelist":
        """A whitelist of recipients: domains and all below them, `user@`, `user@domain`, both with any tag, /patterns/.
        Raises ValueError, which names the line."""
        return _read(lines, _recipient)

    def has_address(self, address: str) -> bool:
        """Whether it matches a client's address."""
        if any(address == part.rstrip(".") or address.startswith(f"{part.rstrip('.')}.") for part in self.parts):
            return True
        known = _address(address)
        return known is not None and any(known in network for network in self.networks)

    def has_name(self, name: str) -> bool:
        """Whether it matches a client's name, which must be confirmed."""
        labels = name.lower().rstrip(".").split(".")
        below = any(".".join(labels[start:]) in self.names for start in range(len(labels)))
        return name != "" and (below or any(pattern.search(name) for pattern in self.patterns))

    def has_recipient(self, recipient: Address) -> bool:
        """Whether mail to this address is never held."""
        plain = recipient.untagged
        keys = {recipient.key, plain.key, f"{plain.local.lower()}@"}
        return not keys.isdisjoint(self.names) or self.has_name(plain.domain) or self._matches(recipient.key)

    def _matches(self, text: str) -> bool:
        return any(pattern.search(text) for pattern in self.patterns)


def is_authenticated(envelope: Envelope, header: Header) -> bool:
    """Whether DMARC or SPF passed, or DKIM for the domain of every author: then no recipient is held."""
    if _PASS in (envelope.verdicts.dmarc, envelope.verdicts.spf):
        return True
    signed = envelope.authentication.dkim if envelope.authentication else ()
    people = {author.domain for author in header.authors}
    return bool(people) and all(any(_aligned(one, domain) for one in signed) for domain in people)


def triplet(client: str, sender: str, recipient: Address) -> str:
    """A digest of a client's network, a sender and a recipient."""
    return _word(f"{network(client)}/{normalised(sender)}/{recipient.key}")


def client_word(client: str) -> str:
    """A digest of a client's address, "" if it is unknown."""
    return _word(client) if client else ""


def network(client: str) -> str:
    """The /24 or /64 of an address; `unknown` if there is none, as mail from an unknown client is held too."""
    address = _address(client)
    if address is None:
        return "unknown"
    return str(ip_network((address, 24 if address.version == 4 else 64), strict=False).network_address)


def normalised(sender: str) -> str:
    """A sender without BATV's mark and tag, and with # for the numbers by which lists count messages."""
    text = "" if sender == NULL_SENDER else sender.strip("<> ").lower()
    local, at, domain = text.rpartition("@")
    if not at:
        return text
    return f"{_NUMBER.sub('#', _BATV.sub('', local).partition('+')[0])}@{domain}"


def lines_of(row: Row | None, key: str) -> tuple[str, ...]:
    """The lines stored in an item of the alias table. Raises BadRow."""
    found = (row or {}).get(LINES, ())
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, str) for one in found):
        raise BadRow("aliases", key, f"{LINES}: expected a list of lines")
    return tuple(found)


def _read(lines: Iterable[str], read: Any) -> Whitelist:
    found: list[Whitelist] = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        if number > MOST_LINES or len(text) > MAX_LINE:
            raise ValueError(f"line {number}: at most {MOST_LINES} lines of {MAX_LINE} characters")
        try:
            found.append(_pattern(text) if text.startswith("/") else read(text))
        except ValueError as fault:
            raise ValueError(f"line {number}, {text!r}: {fault}") from fault
    return Whitelist(
        frozenset(one for each in found for one in each.names),
        tuple(one for each in found for one in each.networks),
        tuple(one for each in found for one in each.parts),
        tuple(one for each in found for one in each.patterns),
    )


def _client(text: str) -> Whitelist:
    if "/" in text or ":" in text:
        return Whitelist(networks=(ip_network(text, strict=False),))
    if _PART.match(text):
        return Whitelist(parts=(text,))
    return Whitelist(names=frozenset({_one_word(text)}))


def _recipient(text: str) -> Whitelist:
    return Whitelist(names=frozenset({_one_word(text)}))


def _one_word(text: str) -> str:
    if len(text.split()) != 1:
        raise ValueError("expected one word")
    return text.lower().strip(".")


def _pattern(text: str) -> Whitelist:
    """Compile with RE2, which takes linear time whatever a stranger is called; Perl features beyond it are an error."""
    import re2  # noqa: PLC0415 (for who has patterns only)

    if len(text) < 3 or not text.endswith("/"):
        raise ValueError("a pattern ends with /")
    try:
        return Whitelist(patterns=(re2.compile(f"(?i){text[1:-1]}"),))
    except re2.error as fault:
        raise ValueError(f"no pattern of RE2: {fault}") from fault


def _aligned(domain: str, author: str) -> bool:
    return domain == author or author.endswith(f".{domain}") or domain.endswith(f".{author}")


def _address(text: str) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _word(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
