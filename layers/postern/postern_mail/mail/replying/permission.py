"""Who may write in the name of an alias: a sender that SES itself proves to be one of its destinations.

A stranger can forge the envelope, Received, ARC and the Authentication-Results of others. From is read strictly, not as
leniently as elsewhere: a form that two programs may read differently names no one.
"""

import re
from collections.abc import Collection
from email.utils import parsedate_to_datetime

from ..address import Address, InvalidAddress
from ..days import A_DAY
from ..envelope import Envelope
from ..message import Message
from ..own_name import by_spf, is_aligned
from ..records import dataclass
from ..robots import answers, lists
from ..signatures import Signature, names, signatures
from ..verdicts import FAIL

DMARC, DKIM = REQUIREMENTS = ("dmarc", "dkim")
OLD = 14 * A_DAY  # seconds between Date and arrival after which it counts as sent again
_PASS, _NO_POLICY = "PASS", "GRAY"
_GOOGLE = ("gmail.com", "googlemail.com")
_OF_EXCHANGE = "x-auto-response-suppress"  # it occurs in mail from people, too
_MAX_FROM = 1000  # octets that are read
_ONCE = ("from", "to", "cc", "date", "subject", "message-id", "content-type", "mime-version")

_ADDRESS = r"(?P<{}>[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]+@[A-Za-z0-9.-]+)"
_SOLE = re.compile(
    r'\s*(?:(?:"(?:[^"\\]|\\.)*"|[^"<>@,:;()\\\[\]]*)\s*<' + _ADDRESS.format("named") + r">|"
    + _ADDRESS.format("bare") + r")\s*\Z"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a reply does not go out. `cause` is one word: the destination is told of each once an hour. `is_proven`: the
    replier is proved genuine, so the text may quote the reply."""

    cause: str
    why: str
    is_proven: bool = False


def robot(envelope: Envelope, message: Message) -> str:
    """The mark that shows that no person wrote it, "" if there is none."""
    if envelope.sender is None:
        return "the null sender"
    marks = [one for one in answers(message) if one != _OF_EXCHANGE]
    return next(iter((*marks, *(one for one in lists(message) if one == "precedence"))), "")


def replier(message: Message) -> Address | None:
    """The only mailbox in From, None if any part of it could be read differently."""
    named = message.named("from")
    if len(named) != 1 or len(named[0].value) > _MAX_FROM:
        return None
    found = _SOLE.match(named[0].value.decode("utf-8", "replace"))
    try:
        return Address.parse(found["named"] or found["bare"]) if found else None
    except InvalidAddress:
        return None


def is_same(one: Address, other: Address) -> bool:
    """Whether both are one mailbox, ignoring tags and Gmail's dots."""
    return _folded(one) == _folded(other)


def _folded(one: Address) -> tuple[str, str]:
    bare = one.untagged
    if bare.domain in _GOOGLE:
        return bare.local.lower().replace(".", ""), _GOOGLE[0]
    return bare.local.lower(), bare.domain


def doubt(
    envelope: Envelope, message: Message, recipient: Address, allowed: Collection[Address], requires: str
) -> Doubt | None:
    """Why this is not a reply by one of the allowed; None if it is. `requires` is one of REQUIREMENTS."""
    for name in ("spam", "virus"):
        if getattr(envelope.verdicts, name) == FAIL:
            return Doubt(name, f"{name} FAIL")
    if twice := next((name for name in _ONCE if len(message.named(name)) > 1), ""):
        return Doubt("form", f"more than one {twice.capitalize()} field")
    author = replier(message)
    if author is None:
        return Doubt("form", "From is not exactly one address in its plain form")
    if not any(is_same(author, one) for one in allowed):
        return Doubt("stranger", f"{author} is not a destination of this alias")
    why = _unproven(envelope, message, author, recipient, requires)
    if not why and _is_anothers(envelope.sender, author, allowed):
        why = f"the envelope is {envelope.sender}'s, of the same domain"
    return Doubt("unproven", f"SES does not show that {author} wrote it: {why}") if why else None


def sent_at(message: Message) -> int | None:
    """The time in Date, in epoch seconds, by which a replayed message is recognised."""
    for field in message.named("date")[:1]:
        try:
            return int(parsedate_to_datetime(field.value.decode("ascii", "replace")).timestamp())
        except (ValueError, OverflowError):
            return None
    return None


def _is_anothers(sender: Address | None, author: Address, allowed: Collection[Address]) -> bool:
    """Whether the envelope names another mailbox of the author's own domain, and not one that may write."""
    if sender is None or sender.domain != author.domain or is_same(sender, author):
        return False
    if sender.local.lower().startswith("prvs=") and sender.local.lower().endswith(f"={author.local.lower()}"):
        return False  # BATV: a key, a signature, and the author
    return not any(is_same(sender, one) for one in allowed)


def _unproven(envelope: Envelope, message: Message, author: Address, recipient: Address, requires: str) -> str:
    """Why SES's results do not prove that the author wrote this to this recipient, "" if they do."""
    if envelope.authentication is None or envelope.verdicts.dmarc == FAIL:
        return "DMARC FAIL" if envelope.authentication else "its results are unknown"
    by_envelope = any(is_aligned(one, author.domain) for one in by_spf(envelope))
    own = [one for one in signatures(message) if is_aligned(one.domain, author.domain)]
    signed = [one for one in own if one.identity in envelope.authentication.dkim]
    if signed:
        # Anyone who has a signed message can replay it: so the signature must cover its recipients and its date.
        if by_envelope or _covers(message, own, signed, envelope.authentication.dkim, recipient):
            return ""
        return "its signature does not cover To, Cc and Date, and SPF did not pass for its domain"
    if requires == DKIM:
        return f"no DKIM signature of {author.domain} passed"
    dmarc = envelope.verdicts.dmarc
    is_very_sender = envelope.sender is not None and envelope.sender.key == author.key
    if by_envelope and (dmarc == _PASS or (dmarc == _NO_POLICY and is_very_sender)):
        return ""
    return f"neither DKIM nor DMARC passed for {author.domain}"


def _covers(
    message: Message, own: list[Signature], signed: list[Signature], passed: tuple[str, ...], recipient: Address
) -> bool:
    whole = all("date" in one.covered and not one.is_partial for one in own)
    return whole and all(names(message, passed, domain, recipient) for domain in {one.domain for one in signed})
