"""What in a reply names its owner: his addresses, and the hosts that his mail came by. Looked for, and never changed.

The body is the person's own, and goes out as it is. It is read with the standard library's parser, part by part and
decoded, as the correspondent's mail program will show it.
"""

import html
import re
from collections.abc import Collection, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.message import Message as Part
from typing import cast

from ..address import Address
from ..authors import decode_phrase
from ..hostnames import is_address, is_name
from ..message import Message
from ..records import dataclass
from .outgoing import copied

WARN, REFUSE = LEAKS = ("warn", "refuse")
MOST_BODY = 8 * 1024 * 1024  # octets of a body that are read: its text comes first
MOST_READ = 512 * 1024  # octets of one part
MOST_TERMS = 60
_MOST_FOUND = 10  # that are told of
_KEYS = "application/pgp-keys"
_OTHERS = ("amazonses.com", "amazonaws.com")  # where SES received it
_TRACE = ("received", "x-originating-ip", "x-received", "x-client-ip", "x-sender-ip")
_IDS = ("message-id",)
# Of so many people that they name nobody.
_COMMON = frozenset(
    [
        "aol.com",
        "fastmail.com",
        "gmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mac.com",
        "me.com",
        "msn.com",
        "outlook.com",
        "pm.me",
        "proton.me",
        "protonmail.com",
        "web.de",
        "yahoo.com",
        "ymail.com",
    ]
)
_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]+")
_COLONS = 7  # of an address of IPv6 that is written out
_FOLD = re.compile(r"\r?\n[ \t]")
_BOUNDARY = re.compile(rb'boundary\s*=\s*(?:"([^"]*)"|([^\s;]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Leak:
    """`what` names the owner, `where` it stands; `in_header`: of the message itself."""

    where: str
    what: str
    in_header: bool = False

    def __str__(self) -> str:
        return f"{self.what} in {self.where}"


def terms(message: Message, own: Collection[Address], others: Collection[Address]) -> tuple[str, ...]:
    """What names the owner, lower case: his addresses, their domains, and the hosts in what his mail servers wrote, by
    name or number. Nothing that the addresses of correspondents and alias (`others`) have in them."""
    found = [one.key for one in own] + [one.untagged.key for one in own]
    hosts = [one.domain for one in own if one.domain not in _COMMON]
    for name in (*_TRACE, *_IDS):
        for field in message.named(name):
            hosts += _HOST.findall(field.value.decode("ascii", "replace"))
    theirs = [f".{one.domain}" for one in others] + [f".{one}" for one in _OTHERS]
    for named in map(str.lower, hosts):
        if _is_host(named) and not any(f".{named}".endswith(one) or one.endswith(f".{named}") for one in theirs):
            found.append(named)
    return tuple(dict.fromkeys(one for one in found if all(one != known.key for known in others)))[:MOST_TERMS]


def _is_host(text: str) -> bool:
    """Whether this is a host's name with a dot in it, or an address that networks know."""
    if ":" in text:  # a time of day has two
        return is_address(text) and ("::" in text or text.count(":") == _COLONS) and text != "::1"
    if is_address(text):
        return not text.startswith("127.")
    last = text.rpartition(".")[2]
    return is_name(text) and not last.isdigit() and len(last) > 1


def leaks(message: Message, named: Collection[str]) -> tuple[Leak, ...]:
    """Where these terms stand in what leaves; each place once, and of many the first."""
    wanted = _pattern(named)
    found = dict.fromkeys(_in_header(message, wanted))
    try:
        found |= dict.fromkeys(_in_body(message, wanted, named))
    except (ValueError, LookupError, RecursionError):
        found[Leak("a body that cannot be read", "anything")] = None
    return tuple(found)[:_MOST_FOUND]


def _in_header(message: Message, wanted: re.Pattern[str]) -> Iterator[Leak]:
    for field in copied(message):
        said = _BOUNDARY.sub(b"", field.value)
        for text in (said.decode("utf-8", "replace"), decode_phrase(said.decode("utf-8", "replace"))):
            for found in wanted.findall(text):
                yield Leak(f"header {field.name.capitalize()}", found.lower(), in_header=True)


def _in_body(message: Message, wanted: re.Pattern[str], named: Collection[str]) -> Iterator[Leak]:
    head = b"".join(field.raw.replace(b"\r\n", b"\n") for field in copied(message) if field.name != "subject")
    whole = cast(
        "EmailMessage", message_from_bytes(head + b"\n" + bytes(message.body[:MOST_BODY]), policy=policy.compat32)
    )
    for number, part in enumerate(whole.walk(), 1):
        where = f"part {number} ({part.get_content_type()})"
        if part.get_content_type() == _KEYS:
            yield Leak(where, "a PGP key")
        # What programs make of a host's name: it may stand within a word.
        made = {"boundary": part.get_boundary(), "Content-ID": part.get("Content-ID")}
        for name, value in made.items():
            if one := next((one for one in named if one in str(value or "").lower()), ""):
                yield Leak(f"{name} of {where}", one)
        for name, value in () if part is whole else part.items():
            for found in wanted.findall(f"{value}\n{decode_phrase(str(value))}"):
                yield Leak(f"{name} of {where}", found.lower())
        if not part.is_multipart():
            for found in wanted.findall(_text(part)):
                yield Leak(where, found.lower())


def _text(part: Part) -> str:
    """What a part holds, as it may be read; octets of another kind as Latin-1, in which a certificate has addresses."""
    payload = part.get_payload(decode=True)
    octets = payload[:MOST_READ] if isinstance(payload, bytes) else b""
    if part.get_content_maintype() != "text":
        return octets.decode("latin-1")
    try:
        text = octets.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = octets.decode("latin-1")
    unfolded = _FOLD.sub("", text) if part.get_content_subtype() in ("calendar", "vcard", "directory") else text
    return f"{unfolded}\n{html.unescape(unfolded)}" if part.get_content_subtype() == "html" else unfolded


def _pattern(named: Collection[str]) -> re.Pattern[str]:
    """These terms as words. A host's name behind an @ is another mailbox's address."""
    longest_first = sorted(named, key=len, reverse=True)
    parts = [rf"(?<![\w.{'' if '@' in one else '@'}+-]){re.escape(one)}(?![\w-]|\.\w)" for one in longest_first]
    return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)
