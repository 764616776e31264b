"""The DNS records of a mail domain at SES.

docs.aws.amazon.com/ses: "Publishing an MX record", "Easy DKIM", "Using a custom MAIL FROM domain"; RFC 7208 (SPF),
RFC 9989 (DMARC).
"""

from collections.abc import Collection
from dataclasses import dataclass

DKIM, MAIL_FROM, SPF, DMARC, MX = PARTS = ("dkim", "mailfrom", "spf", "dmarc", "mx")

INCLUDE = "include:amazonses.com"
SPF_LINE = f'"v=spf1 {INCLUDE} ~all"'
EASY_DKIM = "dkim.amazonses.com"  # unless SES says otherwise
_MX_TTL = 300  # seconds; short, because this record is the switch
_TTL = 1800


@dataclass(frozen=True, slots=True)
class RecordSet:
    """All records of one name and type: `name` in lower case without its last dot, `values` as in a zone file.

    `ttl` is in seconds; a set without values is specific to Route 53 (an alias, a weighted set).
    """

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]

    def same_records(self, other: "RecordSet") -> bool:
        """Whether both hold the same records, whatever their TTL, order and spelling."""
        return self._normalised() == other._normalised()

    def _normalised(self) -> tuple[str, str, frozenset[str]]:
        plain = self.values if self.type == "TXT" else [one.lower().rstrip(".") for one in self.values]
        return self.name, self.type, frozenset(plain)

    def lines(self) -> list[str]:
        """The records as lines of a zone file."""
        dot = "" if self.type == "TXT" else "."
        return [
            f"{self.name}. {self.ttl} IN {self.type} {value.rstrip('.') if dot else value}{dot}"
            for value in self.values
        ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record set, with the one of PARTS it belongs to."""

    part: str
    set: RecordSet


@dataclass(frozen=True, slots=True)
class Dkim:
    """Where SES publishes a domain's keys: three tokens, and the zone that the CNAME records point to."""

    tokens: tuple[str, ...] = ()
    zone: str = EASY_DKIM


@dataclass(frozen=True, slots=True)
class DnsOptions:
    """What all domains of a stack share. `label` is empty for SES's own MAIL FROM domain."""

    region: str
    label: str
    dmarc_policy: str

    def mail_from(self, domain: str) -> str:
        """The custom MAIL FROM domain, "" if there is none."""
        return f"{self.label}.{domain}" if self.label else ""


def wanted(domain: str, dkim: Dkim, options: DnsOptions, parts: Collection[str] = PARTS) -> list[Wanted]:
    """A domain's record sets for these parts of its DNS, in the order of PARTS."""
    region, mail_from = options.region, options.mail_from(domain)
    found = [
        Wanted(DKIM, RecordSet(f"{token}._domainkey.{domain}", "CNAME", _TTL, (f"{token}.{dkim.zone}",)))
        for token in dkim.tokens
    ]
    if mail_from:
        found += [
            Wanted(MAIL_FROM, RecordSet(mail_from, "MX", _TTL, (f"10 feedback-smtp.{region}.amazonses.com",))),
            Wanted(MAIL_FROM, RecordSet(mail_from, "TXT", _TTL, (SPF_LINE,))),
        ]
    found += [
        Wanted(SPF, RecordSet(domain, "TXT", _TTL, (SPF_LINE,))),
        Wanted(DMARC, RecordSet(f"_dmarc.{domain}", "TXT", _TTL, (f'"v=DMARC1; p={options.dmarc_policy}"',))),
        Wanted(MX, RecordSet(domain, "MX", _MX_TTL, (f"10 inbound-smtp.{region}.amazonaws.com",))),
    ]
    return [one for one in found if one.part in parts]


def spf_to_add(found: RecordSet) -> str:
    """The SPF record to add to a domain's TXT records, or to put in place of its own; "" if that includes SES already.
    RFC 7208 3.2: a domain has one."""
    policies = [text for value in found.values if is_spf(text := _joined(value))]
    if not policies:
        return SPF_LINE
    line = with_ses(policies[0])
    return f'"{line}"' if line else ""


def is_spf(text: str) -> bool:
    """Whether the text of a TXT record is an SPF record (RFC 7208 4.5)."""
    return text.lower().split()[:1] == ["v=spf1"]


def with_ses(policy: str) -> str:
    """An SPF record that also lets SES send, "" if this one does. A mechanism without a qualifier means + (RFC 7208
    4.6.2)."""
    if INCLUDE in policy.lower().replace(" +", " ").split():
        return ""
    return f"v=spf1 {INCLUDE}{policy[len('v=spf1') :]}"


def _joined(value: str) -> str:
    """The strings of a TXT record as one (RFC 7208 3.3)."""
    return "".join(value.split('"')[1::2]) if '"' in value else value
