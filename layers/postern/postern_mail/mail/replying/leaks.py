"""Finds what names the owner in a reply: the owner's addresses, and the hosts that the mail came through. Nothing is
changed.

The body is the person's own, and goes out unchanged. It is read with the standard library's parser, part by part and
decoded, as the correspondent's mail program will show it. Lines may break anywhere, because programs wrap, quote and
flow text, so a name is also found with line breaks in it.
"""

import html
import re
from collections.abc import Collection, Iterable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.message import Message as Part
from email.utils import collapse_rfc2231_value
from typing import cast

from ..address import Address, spellings
from ..authors import MAX_PHRASE, decode_phrase
from ..hostnames import is_address, is_name
from ..message import Message
from ..records import dataclass
from .outgoing import copied

WARN, REFUSE = LEAKS = ("warn", "refuse")
MOST_BODY = 8 * 1024 * 1024  # octets of a body that are read: its text comes first
MOST_READ = 512 * 1024  # octets of one part that is not text; text is read whole
MOST_TERMS = 60
_MOST_FOUND = 10  # leaks that are reported
_KEYS = "application/pgp-keys"
_OTHERS = ("amazonses.com", "amazonaws.com")  # hosts by which SES received it
_TRACE = ("received", "x-originating-ip", "x-received", "x-client-ip", "x-sender-ip")
_IDS = ("message-id",)
# Of so many people that they identify no one.
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
_COLONS = 7  # of an IPv6 address written in full
_FOLD = re.compile(r"\r?\n[ \t]")
_FOLDED = ("calendar", "vcard", "x-vcard", "directory")  # subtypes of text whose lines are folded (RFC 5545, 6350)
_ESCAPED = re.compile(r"%\n?([0-7])\n?([0-9A-Fa-f])")  # of ASCII, as in links (RFC 3986 2.1)
_TAG = re.compile(r"<[^<>]*>")
_ROW = re.compile(r"</?(?:p|br|div|t[drh]|li|pre|blockquote|h[1-6])\b[^<>]*>", re.IGNORECASE)  # starts a line
# A line break with the blanks and quote marks around it, and what stands before one that goes on (RFC 2045 6.7 rule 5).
# It begins behind a word, so that a run of blanks is read once.
_BREAK = re.compile(r"(?<!\s)=?\s*[\n\r\v\f\x85\u2028\u2029][\s>|]*")
_UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")  # where a line may be broken, or may not
_SOFT = re.compile(r" \r?\n>* ?")  # a break that DelSp=yes takes out (RFC 3676 4.1 to 4.5)
_GLUED = re.compile(r"(?<=\S)(?==\?[\w*-]+\?[BbQq]\?)|(?<=\?=)(?=\S)")  # an encoded-word within a word
_GOOGLE = ("gmail.com", "googlemail.com")
_BOUNDARY = re.compile(rb'boundary\s*=\s*(?:"([^"]*)"|([^\s;]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Leak:
    """`what` names the owner, `where` it stands; `in_header`: in the message's own header."""

    where: str
    what: str
    in_header: bool = False

    def __str__(self) -> str:
        return f"{self.what} in {self.where}"


def terms(message: Message, own: Collection[Address], others: Collection[Address]) -> tuple[str, ...]:
    """The terms that name the owner, in lower case: the owner's addresses, their domains, and the hosts in fields that
    the owner's mail servers wrote, by name or number. Without terms that also occur in the addresses of correspondents
    and the alias (`others`)."""
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
    """Whether this is a host name with a dot in it, or a routable IP address."""
    if ":" in text:  # a time of day has two
        return is_address(text) and ("::" in text or text.count(":") == _COLONS) and text != "::1"
    if is_address(text):
        return not text.startswith("127.")
    last = text.rpartition(".")[2]
    return is_name(text) and not last.isdigit() and len(last) > 1


def leaks(message: Message, named: Collection[str]) -> tuple[Leak, ...]:
    """The places of these terms in what goes out; each place once, and at most the first few."""
    wanted = _pattern(named)
    found = dict.fromkeys(_in_header(message, wanted))
    try:
        found |= dict.fromkeys(_in_body(message, wanted, named))
    except (ValueError, LookupError, RecursionError, TypeError):
        found[Leak("a body that cannot be read", "anything")] = None
    return tuple(found)[:_MOST_FOUND]


def _in_header(message: Message, wanted: re.Pattern[str]) -> Iterator[Leak]:
    for field in copied(message):
        where = f"header {field.name.capitalize()}"
        said = _BOUNDARY.sub(b"", field.value) if field.name == "content-type" else field.value
        for found in wanted.findall(_read(said.decode("utf-8", "replace"))):
            yield Leak(where, _whole(found), in_header=True)
        if len(said) > MAX_PHRASE and b"=?" in said:
            yield Leak(where, "anything, as it is too long to read,", in_header=True)


def _read(value: str) -> str:
    """A field's value in the ways that programs read it, with encoded-words decoded even where RFC 2047 allows none."""
    return _joined((value, decode_phrase(value), decode_phrase(_GLUED.sub(" ", value))))


def _joined(ways: Iterable[str]) -> str:
    """The text in these ways and percent-decoded, with each line break and what belongs to it as one `\\n`."""
    plain = [_BREAK.sub("\n", _UNSEEN.sub("", way)) for way in ways]
    return "\0".join(dict.fromkeys((*plain, *map(_unescaped, plain))))


def _whole(found: str) -> str:
    return found.replace("\n", "").lower()


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
        made = {"boundary": part.get_boundary(), **{name: part.get(name) for name in ("Content-ID", "Message-ID")}}
        for name, value in made.items():
            if one := next((one for one in named if one in str(value or "").lower()), ""):
                yield Leak(f"{name} of {where}", one)
        for name, value in _parameters(part) if part is whole else (*part.items(), *_parameters(part)):
            for found in wanted.findall(_read(str(value))):
                yield Leak(f"{name} of {where}", _whole(found), in_header=part is whole)
        if part.get_content_maintype() == "message" and _encoding(part) in ("base64", "quoted-printable"):
            yield Leak(where, "a message that cannot be read")
        text = _joined((part.preamble or "", part.epilogue or "")) if part.is_multipart() else _text(part)
        for found in wanted.findall(text):
            yield Leak(where, _whole(found))


def _parameters(part: Part) -> Iterator[tuple[str, str]]:
    """(field, value) of each parameter except the boundary, joined and decoded (RFC 2231)."""
    for name in ("Content-Type", "Content-Disposition"):
        for parameter, value in part.get_params((), name)[1:]:
            if parameter.lower() != "boundary":
                said = collapse_rfc2231_value(value).replace("\\", "")
                yield name, f"{said}\n{said.rpartition('.')[0]}"  # a file's name ends otherwise than a host's


def _encoding(part: Part) -> str:
    """Content-Transfer-Encoding without comments and blanks, lower case."""
    return str(part.get("Content-Transfer-Encoding", "")).partition("(")[0].strip().lower()


def _text(part: Part) -> str:
    """The content of a part, in the ways that it may be read; octets of another kind as Latin-1, in which certificates
    hold addresses, and as UTF-16, in which documents do."""
    if encoding := _encoding(part):
        part.replace_header("Content-Transfer-Encoding", encoding)
    payload = part.get_payload(decode=True)
    octets = payload if isinstance(payload, bytes) else b""
    if part.get_content_maintype() != "text":
        octets = octets[:MOST_READ]
        return _joined((octets.decode("latin-1"), octets.replace(b"\0", b"").decode("latin-1")))
    try:
        text = octets.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = octets.decode("latin-1")
    ways = [_FOLD.sub("", text) if part.get_content_subtype() in _FOLDED else text]
    if str(part.get_param("delsp")).lower() == "yes":
        ways.append(_SOFT.sub("", text))
    if part.get_content_subtype() == "html":
        ways += [html.unescape(text), html.unescape(_TAG.sub("", _ROW.sub("\n", text)))]
    return _joined(ways)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1] + found[2], 16)), text)


def _pattern(named: Collection[str]) -> re.Pattern[str]:
    """A pattern for these terms as words, delimited by anything but ASCII letters and digits, as other scripts have no
    blanks around them. A host name after an @ is another mailbox's address. Each may hold line breaks (`_joined`)."""
    longest_first = [spelt for one in sorted(named, key=len, reverse=True) for spelt in spellings(one)]
    mailboxes = "|".join(_mailbox(one) for one in longest_first if "@" in one) or "(?!)"
    hosts = "|".join(_host(one) for one in longest_first if "@" not in one) or "(?!)"
    end = r"(?!-?[A-Za-z0-9]|\.[A-Za-z0-9])"
    return re.compile(
        rf"(?<![A-Za-z0-9])(?<![A-Za-z0-9][.+_-])(?:{mailboxes}){end}"
        rf"|(?<![A-Za-z0-9@])(?<![A-Za-z0-9@][.+_-])(?:{hosts}){end}",
        re.IGNORECASE,
    )


def _mailbox(address: str) -> str:
    """A pattern for an address with any tag, and with Gmail's dots and domain names."""
    local, _, domain = address.rpartition("@")
    is_google = domain in _GOOGLE and bool(local.replace(".", ""))
    name = r"\n?\.?\n?".join(map(re.escape, local.replace(".", ""))) if is_google else _broken(local)
    there = "|".join(map(_broken, _GOOGLE if is_google else (domain,)))
    return rf"{name}\n?(?:\+[\w.=\n-]{{0,64}})?@\n?(?:{there})"


def _host(name: str) -> str:
    """A pattern for a host. A line may end after a dot, with the sentence, and the next one begin with a new word or
    number."""
    return re.escape(name) if is_address(name) else _broken(name).replace(r"\.\n?", r"\.")


def _broken(text: str) -> str:
    return r"\n?".join(map(re.escape, text))
