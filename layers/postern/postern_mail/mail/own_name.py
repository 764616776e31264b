"""Our own name: whether mail that says it comes from a domain of ours does.

What is forwarded leaves under our signature, in the form of our own mail: a forged From of ours would look
better on the way out than it came in. So DMARC's verdict is not enough, which is GRAY where a domain publishes
nothing; SES's own results must show that the domain passed SPF or DKIM.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

from .envelope import Envelope
from .header import Header

_DOMAIN = re.compile(r"@\s*([\w-]+(?:\.[\w-]+)*)")


def impostor(envelope: Envelope, header: Header, own_domains: Collection[str]) -> str:
    """An author at a domain of ours, or below one, for whom SES's results do not speak; "" if there is none.

    Where From has no address, what is shown in its place counts: its text, else the envelope's sender. "" as well
    where SES's results are not known, as in a dry run without the message.
    """
    if envelope.authentication is None:
        return ""
    for author, domain in _shown(envelope, header):
        own = _own(domain, own_domains)
        if own and not _speaks(envelope, header, own):
            return author
    return ""


def _shown(envelope: Envelope, header: Header) -> Iterator[tuple[str, str]]:
    """Whom a reader takes for an author, with the domain."""
    for author in header.authors or ((envelope.sender,) if envelope.sender and not header.said else ()):
        yield str(author), author.domain
    for found in _DOMAIN.finditer(unicodedata.normalize("NFKC", header.said).lower()):
        yield found[0], found[1]


def _own(domain: str, own_domains: Collection[str]) -> str:
    """The domain of ours that this one is or is below, the longest; "" if it is a stranger's."""
    labels = domain.split(".")
    above = (".".join(labels[start:]) for start in range(len(labels)))
    return next((one for one in above if one in own_domains), "")


def _speaks(envelope: Envelope, header: Header, own: str) -> bool:
    """Whether SPF or DKIM passed for a domain that is aligned with ours. A signature covers one From, and who reads
    a message with two may be shown the other (RFC 9989, before RFC 7489 6.6.1)."""
    assert envelope.authentication is not None  # else nothing is asked
    if header.from_fields > 1:
        return False
    return any(is_aligned(one, own) for one in (*by_spf(envelope), *envelope.authentication.dkim))


def by_spf(envelope: Envelope) -> tuple[str, ...]:
    """The domain of MAIL FROM if SPF passed for it. Where quotes or a route leave open which domain was
    asked for, none; nor for the null sender, where that was HELO's."""
    assert envelope.authentication is not None  # else nothing is asked
    sender = envelope.sender
    if sender is None or envelope.authentication.spf != "pass" or envelope.verdicts.spf == "FAIL":
        return ()
    is_plain = '"' not in sender.local and envelope.source.strip("<> ").lower() == sender.key
    return (sender.domain,) if is_plain else ()


def is_aligned(domain: str, own: str) -> bool:
    """Whether both are one owner's: one is the other, or above it. A top-level domain has no mail."""
    return domain == own or domain.endswith(f".{own}") or ("." in domain and own.endswith(f".{domain}"))
