"""What the Internet and SES say of example.com: a DNS server and SES's second API, on 127.0.0.1, and all well at first."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from emulator.receiving.name_server import NameServer
from emulator.receiving.zone import Zone
from emulator.sending.account_api import Standing
from emulator.sending.identities import Identities, Identity
from emulator.sending.refusals import Account
from emulator.sending.server import Sending

DOMAIN = "example.com"
TOKENS = ("one", "two", "three")
MX = "inbound-smtp.eu-west-1.amazonaws.com"
SPF = "v=spf1 include:amazonses.com ~all"


@dataclass
class World:
    """Two servers; their answers are changed by the tests, and are as at first for the next one."""

    names: NameServer
    ses: Sending
    second: NameServer
    zone: Zone = field(init=False)

    def reset(self) -> None:
        """All is well."""
        for server in (self.names, self.second):
            server.zone = good()
            server.faults = {}
        self.zone = self.names.zone
        known = Identity(tokens=TOKENS, mail_from=f"bounces.{DOMAIN}")
        self.ses.standing = Standing(identities=Identities(there={DOMAIN: known}))

    @property
    def standing(self) -> Standing:
        """What SES says of the account."""
        return self.ses.standing

    @property
    def known(self) -> Identity:
        """Our domain as SES has it."""
        return self.standing.identities.there[DOMAIN]

    def put(self, name: str, kind: str, *values: str) -> None:
        """Replace a record set; without values it is not there. Both servers say so."""
        for server in (self.names, self.second):
            server.zone.records.pop((name, kind), None)
            if values:
                server.zone.add(name, kind, *values)


def good() -> Zone:
    """Everything that a domain needs."""
    zone = Zone()
    zone.add(DOMAIN, "NS", "ns1.dns.example")
    zone.add(DOMAIN, "MX", f"10 {MX}")
    zone.add(DOMAIN, "TXT", "some-other=thing", SPF)
    zone.add(f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=none; rua=mailto:d@dest.example")
    zone.add(f"bounces.{DOMAIN}", "MX", "10 feedback-smtp.eu-west-1.amazonses.com")
    zone.add(f"bounces.{DOMAIN}", "TXT", SPF)
    for token in TOKENS:
        zone.add(f"{token}._domainkey.{DOMAIN}", "CNAME", f"{token}.dkim.amazonses.com")
    return zone


@contextmanager
def running() -> Iterator[World]:
    """Both servers, for as long as it lasts."""
    ses = Sending(Account(identities=set(), configuration_sets=set()), lambda *_: None)
    ses.start()
    try:
        with NameServer(good()) as names, NameServer(good()) as second:
            world = World(names, ses, second)
            world.reset()
            yield world
    finally:
        ses.stop()


def enter(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command asks these servers from now on."""
    monkeypatch.setenv("POSTERN_RESOLVERS", f"{world.names.address},{world.second.address}")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", world.ses.endpoint)
