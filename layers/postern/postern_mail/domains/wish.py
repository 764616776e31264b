"""What the template asks for. Impossible wishes are refused in one sentence before anything is created."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import Misconfigured
from ..mail.records import dataclass
from .records import DKIM, MAIL_FROM, PARTS, DnsOptions

MAX_DOMAINS = 100  # recipients of one receipt rule (docs.aws.amazon.com/ses, "Service quotas")
# Bytes of the list with its commas: 100 domains of 30 letters. It must fit into an environment of 4 KB and into
# policies of 10,240 and 6,144 characters (tests/template/test_domains.py adds them up).
MAX_BYTES = 3099
# Letters of the stack's name that leave room for that, and how often the name occurs in one environment.
SHORT_NAME, TIMES_NAMED = 20, 11
MAX_DOMAIN = 209  # letters: with a DKIM token and `._domainkey.` before it, at most 253
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")


@dataclass(frozen=True, slots=True)
class Wish:
    """The domains, and the state each should have. `parts` of their DNS may be written into `zones`, ids of hosted
    zones."""

    stack: str
    domains: tuple[str, ...]
    zones: tuple[str, ...]
    parts: tuple[str, ...]
    options: DnsOptions
    configuration_set: str

    @classmethod
    def of(cls, stack: str, properties: Mapping[str, Any]) -> "Wish":
        """Read the properties of the resource; `stack` is its ARN. Raises Misconfigured, which names every fault."""
        region, name = stack.split(":")[3], stack.split("/")[1]
        options = DnsOptions(region, properties["MailFromLabel"], properties["DmarcPolicy"])
        wish = cls(
            name,
            _given(properties["Domains"]),
            _given(properties["HostedZones"]),
            _given(properties["Records"]),
            options,
            properties["ConfigurationSet"],
        )
        if faults := [*faults_of(wish.domains, wish.stack), *wish._faults()]:
            raise Misconfigured("; ".join(faults))
        return wish

    def _faults(self) -> list[str]:
        unknown = sorted(set(self.parts) - set(PARTS))
        homeless = [part for part in self.parts if part in PARTS and part not in (DKIM, MAIL_FROM) and not self.zones]
        return [
            *(f"Records: {part!r} is not one of {', '.join(PARTS)}" for part in unknown),
            *(f"HostedZones: {zone} is given twice" for zone in _twice(self.zones)),
            *([f"Records has {', '.join(homeless)}, but no HostedZones to write them to"] if homeless else []),
        ]


def faults_of(domains: Sequence[str], stack: str = "") -> list[str]:
    """What is wrong with the list of mail domains of a stack of this name; empty if it can be deployed."""
    size = len(",".join(domains))
    room = room_for(stack)
    wrong = [one for one in domains if not _DOMAIN.fullmatch(one) or len(one) > MAX_DOMAIN]
    return [
        *([] if domains else ["Domains: no domain is given"]),
        *(
            [f"Domains: {len(domains)} domains in {size} bytes; {MAX_DOMAINS} in {room} bytes fit into one stack"]
            if len(domains) > MAX_DOMAINS or size > room
            else []
        ),
        *(
            f"Domains: {one[:99]!r} is not a domain name in lower case of at most {MAX_DOMAIN} letters"
            for one in wrong[:5]
        ),
        *(f"Domains: {one[:99]} is given twice" for one in _twice(domains)[:5]),
    ]


def room_for(stack: str) -> int:
    """The bytes that the list may take, given the stack's name."""
    return MAX_BYTES - TIMES_NAMED * max(0, len(stack) - SHORT_NAME)


def _given(values: Sequence[str]) -> tuple[str, ...]:
    """The members of a list; CloudFormation sends an empty list as one empty member."""
    return tuple(value for value in values if value)


def _twice(values: Sequence[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if values.count(value) > 1]
