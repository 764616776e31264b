"""Our domain on the first day, and once it is set up: its SES identity, and public DNS."""

from postern_mail.domains.records import Dkim, DnsOptions, wanted

from .account import REGION
from .receiving.zone import Zone
from .sending.account_api import Standing
from .sending.identities import Identity

TOKENS = ("token-one", "token-two", "token-three")
_OPTIONS = DnsOptions(REGION, "bounces", "none")


def register(zone: Zone, domain: str) -> None:
    """Put the domain into public DNS, without any mail records."""
    zone.add(domain, "NS", "ns1.dns.example")


def deploy(standing: Standing, domain: str, configuration_set: str, *, verified: bool) -> None:
    """Do what the stack does: create the domain's identity in SES, which is verified once its records are published."""
    standing.identities.there[domain] = Identity(
        verified=verified, tokens=TOKENS, mail_from=_OPTIONS.mail_from(domain), configuration_set=configuration_set
    )


def publish(zone: Zone, domain: str) -> None:
    """Publish every record that the domain needs."""
    for one in wanted(domain, Dkim(TOKENS), _OPTIONS):
        values = [value.strip('"') for value in one.set.values]
        zone.add(one.set.name, one.set.type, *values)
