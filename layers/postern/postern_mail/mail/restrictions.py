"""Postfix's restrictions by client, HELO and sender, applied to what SES recorded of them (`ses_block`).

Each is off, or its result is shown to the mailbox (`tag`), or counts (`quarantine`). Two of them count only one point,
and only beside others: many good senders have no name for their address, or their HELO name does not resolve.
"""

from collections.abc import Iterator, Mapping

from .dns import NONE, Answers, Question
from .envelope import NULL_SENDER, Envelope
from .hostnames import is_host, is_literal, is_qualified, undotted
from .records import dataclass
from .ses_block import SesBlock

OFF, TAG, QUARANTINE = CHOICES = ("off", "tag", "quarantine")

INVALID_HELO, NON_FQDN_HELO = "reject_invalid_helo_hostname", "reject_non_fqdn_helo_hostname"
UNKNOWN_HELO, UNKNOWN_CLIENT = "reject_unknown_helo_hostname", "reject_unknown_reverse_client_hostname"
NON_FQDN_SENDER, UNKNOWN_SENDER = "reject_non_fqdn_sender", "reject_unknown_sender_domain"
NAMES = (INVALID_HELO, NON_FQDN_HELO, NON_FQDN_SENDER, UNKNOWN_SENDER, UNKNOWN_CLIENT, UNKNOWN_HELO)
WEAK = (UNKNOWN_CLIENT, UNKNOWN_HELO)

_NULL_MX = "."  # RFC 7505 3


@dataclass(frozen=True, slots=True)
class Who:
    """Client, HELO and sender. An unknown value is "", for `helo` None; `domain` is that of MAIL FROM, None for the
    null sender."""

    client: str = ""
    reverse_name: str = ""
    helo: str | None = None
    domain: str | None = None

    @classmethod
    def of(cls, envelope: Envelope, block: SesBlock | None) -> "Who":
        """Read them from the envelope and from SES's block."""
        domain = envelope.sender.domain if envelope.sender else envelope.source.strip("<> ").rpartition("@")[2]
        domain_or_null = None if envelope.source == NULL_SENDER else domain
        if block is None:
            return cls(domain=domain_or_null)
        return cls(block.client, block.reverse_name, block.raw_helo or None, domain_or_null)


def found(who: Who, chosen: Mapping[str, str], answers: Answers) -> Iterator[str]:
    """The names of the restrictions that the message violates; `chosen` are CHOICES by NAMES."""
    for name in NAMES:
        if chosen.get(name, OFF) != OFF and _HOLDS[name](who, answers):
            yield name


def questions(who: Who, chosen: Mapping[str, str]) -> Iterator[Question]:
    """The queries needed for that."""
    if chosen.get(UNKNOWN_SENDER, OFF) != OFF and who.domain and is_qualified(who.domain):
        yield from (Question(undotted(who.domain), kind) for kind in ("MX", "A", "AAAA"))
    if chosen.get(UNKNOWN_HELO, OFF) != OFF and who.helo and is_qualified(who.helo):
        yield from (Question(undotted(who.helo), kind) for kind in ("A", "AAAA", "MX"))


def is_invalid_helo(helo: str) -> bool:
    """Whether reject_invalid_helo_hostname refuses it."""
    return not (is_literal(helo) if helo.startswith("[") else is_host(helo))


def is_non_fqdn_helo(helo: str) -> bool:
    """Whether reject_non_fqdn_helo_hostname refuses it."""
    return not (is_literal(helo) if helo.startswith("[") else is_qualified(helo))


def is_non_fqdn_sender(domain: str) -> bool:
    """Whether reject_non_fqdn_sender refuses the domain of MAIL FROM."""
    return not (domain.startswith("[") and domain.endswith("]")) and not is_qualified(domain)


def _unknown_sender(who: Who, answers: Answers) -> bool:
    return bool(who.domain) and is_qualified(who.domain or "") and _is_unknown(undotted(who.domain or ""), answers)


def _unknown_helo(who: Who, answers: Answers) -> bool:
    return bool(who.helo) and is_qualified(who.helo or "") and _is_unknown(undotted(who.helo or ""), answers)


def _is_unknown(name: str, answers: Answers) -> bool:
    """Whether a name takes no mail (RFC 7505), or has neither MX nor address. An unanswered query is not a finding."""
    servers = answers.get(Question(name, "MX"))
    if servers is None or servers.failed:
        return False
    if servers.values:
        return servers.values == (_NULL_MX,)
    return all(answers.get(Question(name, kind)) == NONE for kind in ("A", "AAAA"))


_HOLDS = {
    INVALID_HELO: lambda who, _: who.helo is not None and is_invalid_helo(who.helo),
    NON_FQDN_HELO: lambda who, _: who.helo is not None and is_non_fqdn_helo(who.helo),
    NON_FQDN_SENDER: lambda who, _: who.domain is not None and is_non_fqdn_sender(who.domain),
    UNKNOWN_SENDER: _unknown_sender,
    UNKNOWN_CLIENT: lambda who, _: who.client != "" and who.reverse_name == "",
    UNKNOWN_HELO: _unknown_helo,
}
