"""Our domain as it is on the first day, and once it is set up: what SES says of it, and public DNS."""

from postern_mail.domains.records import Dkim, Manner, wanted

from .account import REGION
from .receiving.zone import Zone
from .sending.account_api import Standing
from .sending.identities import Identity

TOKENS = ("token-one", "token-two", "token-three")
_MANNER = Manner(REGION, "bounces", "none")


def register(zone: Zone, domain: str) -> None:
    """The domain is in public DNS, and has no mail."""
    zone.add(domain, "NS", "ns1.dns.example")


def deploy(standing: Standing, domain: str, *, verified: bool) -> None:
    """What the stack does: SES has the domain as an identity, verified as soon as it saw the records."""
    standing.identities.there[domain] = Identity(verified=verified, tokens=TOKENS, mail_from=_MANNER.mail_from(domain))


def publish(zone: Zone, domain: str) -> None:
    """Every record that the domain needs."""
    for one in wanted(domain, Dkim(TOKENS), _MANNER):
        values = [value.strip('"') for value in one.set.values]
        zone.add(one.set.name, one.set.type, *values)
