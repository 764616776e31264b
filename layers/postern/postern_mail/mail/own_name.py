"""Our own name: whether mail that claims to come from a domain of ours really does.

A forward leaves under our signature, in the form of our own mail: a forged From of ours would look more genuine on the
way out than it did coming in. So DMARC's verdict is not enough, which is GRAY if a domain publishes no policy; SES's
own results must show that the domain passed SPF or DKIM.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

from .envelope import Envelope
from .header import Header

_DOMAIN = re.compile(r"@\s*([\w-]+(?:\.[\w-]+)*)")


def impostor(envelope: Envelope, header: Header, own_domains: Collection[str]) -> str:
    """An author at a domain of ours, or below one, that SES's results do not confirm; "" if there is none.

    If From has no address, what a reader sees instead counts: its text, else the envelope's sender. "" also if SES's
    results are unknown, as in a dry run without the message.
    """
    if envelope.authentication is None:
        return ""
    for author, domain in _shown(envelope, header):
        own = _own(domain, own_domains)
        if own and not _speaks(envelope, header, own):
            return author
    return ""


def _shown(envelope: Envelope, header: Header) -> Iterator[tuple[str, str]]:
    """What a reader would see as an author, with the domain."""
    for author in header.authors or ((envelope.sender,) if envelope.sender and not header.unaddressed else ()):
        yield str(author), author.domain
    for found in _DOMAIN.finditer(unicodedata.normalize("NFKC", header.unaddressed).lower()):
        yield found[0], found[1]


def _own(domain: str, own_domains: Collection[str]) -> str:
    """The domain of ours that this one is, or is below, the longest; "" if it is not ours."""
    labels = domain.split(".")
    above = (".".join(labels[start:]) for start in range(len(labels)))
    return next((one for one in above if one in own_domains), "")


def _speaks(envelope: Envelope, header: Header, own: str) -> bool:
    """Whether SPF or DKIM passed for a domain aligned with ours. A signature covers one From, and a reader of a message
    with two may be shown the other (RFC 9989, before RFC 7489 6.6.1)."""
    assert envelope.authentication is not None  # checked by the caller
    if header.from_fields > 1:
        return False
    return any(is_aligned(one, own) for one in (*by_spf(envelope), *envelope.authentication.dkim))


def by_spf(envelope: Envelope) -> tuple[str, ...]:
    """The domain of MAIL FROM if SPF passed for it; () if quotes or a route leave open which domain was checked, and
    for the null sender, for which it was HELO's."""
    assert envelope.authentication is not None  # checked by the caller
    sender = envelope.sender
    if sender is None or envelope.authentication.spf != "pass" or envelope.verdicts.spf == "FAIL":
        return ()
    is_plain = '"' not in sender.local and envelope.source.strip("<> ").lower() == sender.key
    return (sender.domain,) if is_plain else ()


def is_aligned(domain: str, own: str) -> bool:
    """Whether both have one owner: they are equal, or one is above the other. A top-level domain has no mail."""
    return domain == own or domain.endswith(f".{own}") or ("." in domain and own.endswith(f".{domain}"))
