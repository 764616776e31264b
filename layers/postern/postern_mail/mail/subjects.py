"""What lists are asked about: the client, and the domains that a message names."""

from collections.abc import Collection, Iterator

from .authors import authors
from .dns_lists import listed_domain, reversed_address
from .header import Header
from .message import Message
from .restrictions import Who

MOST_DOMAINS = 8  # of one message: a stranger chooses how many it has

# Forwarders: their client address says nothing about the sender. Recognised by confirmed host names.
FORWARDERS = (
    "amazonses.com", "anonaddy.com", "cloudflare-email.net", "forwardemail.net", "google.com", "icloud.com",
    "improvmx.com", "mail.me.com", "messagingengine.com", "mimecast.com", "mx.cloudflare.net", "outlook.com",
    "pobox.com", "pphosted.com", "protonmail.ch", "simplelogin.co", "yahoo.com",
)  # fmt: skip


def client(who: Who) -> dict[str, str]:
    """The client's address as a name below a zone, with what it is; {} if it is unknown."""
    name = reversed_address(who.client)
    return {name: "the client"} if name else {}


def domains(who: Who, message: Message, header: Header, own_domains: Collection[str]) -> dict[str, str]:
    """The domains to ask about, each with what named it first; our own are left out."""
    found: dict[str, str] = {}
    for about, name in _named(who, message, header):
        domain = listed_domain(name)
        if domain and domain not in own_domains:
            found.setdefault(domain, about)
        if len(found) == MOST_DOMAINS:
            break
    return found


def is_below(name: str, above: Collection[str]) -> bool:
    """Whether a host name is one of these or below one."""
    labels = name.lower().rstrip(".").split(".")
    return any(".".join(labels[start:]) in above for start in range(len(labels)))


def _named(who: Who, message: Message, header: Header) -> Iterator[tuple[str, str]]:
    yield "MAIL FROM", who.domain or ""
    yield "HELO", who.helo or ""
    yield "the client's name", who.reverse_name
    yield from (("From", author.domain) for author in header.authors)
    if not header.excess:
        people = (author for field in message.named("reply-to") for author in authors(field.value))
        yield from (("Reply-To", author.address.domain) for author in people)
