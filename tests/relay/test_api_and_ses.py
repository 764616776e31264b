"""The way without a password, whole: Postfix, pipe(8), postern-send, and the double of SES's API."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from emulator.sending.maildirs import Maildirs
from emulator.sending.refusals import Account, Refusal
from emulator.sending.server import Sending

from .instance import Instance
from .postfix import INSTALL, OWNER, Relay

PROGRAM = "usr/local/lib/postern/postern-send"
MESSAGES = 20

pytestmark = pytest.mark.skipif(not (INSTALL.parent / "postern-send").exists(), reason="relay/postern-send is not here")


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[tuple[Sending, Maildirs, Instance]]:
    maildirs = Maildirs(folder / "maildirs")
    sending = Sending(Account({"example.com"}, {"postern"}), maildirs.deliver)
    instance = Instance()
    sending.start()
    instance.start()
    yield sending, maildirs, instance
    instance.stop()
    sending.stop()


@pytest.fixture(scope="module")
def host(postfix_is_here: None, folder: Path, world: tuple[Sending, Maildirs, Instance]) -> Iterator[Relay]:
    sending, _, instance = world
    place = folder / "api-and-ses"
    place.mkdir()
    relay = Relay(place, b"", 587, credentials="api", secret="", configuration_set="postern")
    relay.run("sed", "-i", f"s|/{PROGRAM}|{place / PROGRAM}|", "/etc/postfix/master.cf")
    told = {
        **instance.environment,
        "AWS_ENDPOINT_URL_SESV2": sending.endpoint,
        "POSTERN_RELAY_OPTIONS": str(place / "etc" / "postern" / "relay"),
    }
    exported = " ".join(f"{name}={value}" for name, value in told.items())
    relay.run("postconf", "-e", f"export_environment = TZ MAIL_CONFIG LANG {exported}")
    relay.start()
    yield relay
    relay.close()


@pytest.fixture
def sending(world: tuple[Sending, Maildirs, Instance], host: Relay) -> Sending:
    host.run("postsuper", "-d", "ALL")
    host.log.write_bytes(b"")
    world[0].account.throttled = False
    return world[0]


@pytest.fixture
def maildirs(world: tuple[Sending, Maildirs, Instance]) -> Maildirs:
    return world[1]


def test_roots_mail_reaches_the_owner_in_the_name_of_the_domain(
    host: Relay, sending: Sending, maildirs: Maildirs
) -> None:
    before = len(maildirs.messages(OWNER))
    host.sendmail("-f", "root", "root", text="Subject: nightly\n\nDone\n")
    host.wait_for(lambda: len(maildirs.messages(OWNER)) > before)
    message = message_from_bytes(maildirs.messages(OWNER)[-1], policy=policy.SMTP)
    assert message["From"].addresses[0].domain == "example.com"
    host.wait_for_log("status=sent")


def test_throttling_keeps_everything_and_each_arrives_once(host: Relay, sending: Sending, maildirs: Maildirs) -> None:
    sending.account.throttled = True
    for number in range(MESSAGES):
        host.submit(
            "shop@example.com", "jane@dest.example", text=f"From: shop@example.com\nSubject: {number}\n\nHello\n"
        )
    host.wait_for_log("status=deferred .*TooManyRequestsException")
    sending.account.throttled = False
    host.empty()
    found = [
        str(message_from_bytes(raw, policy=policy.SMTP)["Subject"]) for raw in maildirs.messages("jane@dest.example")
    ]
    assert sorted(map(int, found)) == list(range(MESSAGES))
    assert "status=bounced" not in host.said()


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("MessageRejected", 400, "Email address is not verified. The following identities failed the check"),
        Refusal("BadRequestException", 400, "Duplicate header 'Subject'."),
    ],
)
def test_what_ses_refuses_for_good_is_reported_to_the_owner(
    host: Relay, sending: Sending, maildirs: Maildirs, refusal: Refusal
) -> None:
    before = len(maildirs.messages(OWNER))
    sending.script["nobody@dest.example"] = [refusal]
    host.submit("shop@example.com", "nobody@dest.example")
    host.wait_for(lambda: len(maildirs.messages(OWNER)) > before)
    words = b" ".join(maildirs.messages(OWNER)[-1].split())
    assert refusal.code.encode() in words
    assert maildirs.messages("nobody@dest.example") == []
