"""A real Postfix, relay/postern-send, and the doubles of SES and of the instance metadata service: the api way, whole."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emulator.sending.refusals import Account, Refusal
from emulator.sending.server import Sending
from tests.instance_metadata import InstanceMetadata

from .postfix import DOMAIN, OWNER, Relay

PROGRAM = "/usr/local/libexec/postern/postern-send"
JANE = "jane@dest.example"


@dataclass
class Way:
    """The host, SES, and what came out of SES: (destination, message), in order."""

    host: Relay
    sending: Sending
    arrived: list[tuple[str, bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def running_way(postfix_is_here: None, folder: Path) -> Iterator[Way]:
    place = folder / "way"
    place.mkdir()
    arrived: list[tuple[str, bytes]] = []
    sending = Sending(Account({DOMAIN}, {"relay"}), lambda to, message: arrived.append((to, message)))
    sending.start()
    metadata = InstanceMetadata()
    host = Relay(place, b"", 587, credentials="api", secret="", configuration_set="relay")
    host.run("sed", "-i", f"s|{PROGRAM}|{place}{PROGRAM}|", "/etc/postfix/master.cf")
    environment = {
        "AWS_ENDPOINT_URL_SESV2": sending.endpoint,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.endpoint,
        "POSTERN_RELAY_OPTIONS": f"{place}/etc/postern/relay",
    }
    exported = " ".join(f"{name}={value}" for name, value in environment.items())
    host.run("postconf", "-e", f"export_environment=TZ MAIL_CONFIG LANG {exported}")
    host.start()
    yield Way(host, sending, arrived)
    host.close()
    sending.stop()
    metadata.stop()


@pytest.fixture
def way(running_way: Way) -> Way:
    running_way.host.run("postsuper", "-d", "ALL")
    running_way.host.log.write_bytes(b"")
    running_way.arrived.clear()
    running_way.sending.script.clear()
    return running_way


def test_a_message_arrives_and_the_log_has_the_id_of_ses(way: Way) -> None:
    way.host.submit("root@localhost", JANE, "joe@dest.example", text="From: root@localhost\n\nHello\n")
    way.host.wait_for(lambda: len(way.arrived) == 2 and not way.host.queued())
    assert {to for to, _ in way.arrived} == {JANE, "joe@dest.example"}
    assert all(message.endswith(b"\nFrom: root@example.com\n\nHello\n") for _, message in way.arrived), way.arrived
    assert way.host.said().count("status=sent (delivered via postern service (SES has it as 0102") == 2


def test_throttling_is_waited_out(way: Way) -> None:
    way.sending.script[JANE] = [Refusal("TooManyRequestsException", 429, "Maximum sending rate exceeded.")]
    way.host.submit("shop@example.com", JANE)
    way.host.wait_for_log("dsn=4.3.0, status=deferred .*TooManyRequestsException: Maximum sending rate exceeded")
    way.host.empty()
    assert [to for to, _ in way.arrived] == [JANE]


def test_what_ses_refuses_for_good_is_reported_to_the_owner(way: Way) -> None:
    way.host.submit("shop@example.com", JANE, text="From: shop@elsewhere.example\n\nHello\n")
    way.host.wait_for(lambda: way.arrived and not way.host.queued())
    ((to, report),) = way.arrived
    assert to == OWNER
    assert b"5.7.1" in report
    assert b"Email address is not verified" in report


def test_a_program_that_is_killed_or_finds_no_python_loses_nothing(way: Way) -> None:
    """Out of memory, or an instance that lacks something: not the message's fault."""
    place = way.host.folder / PROGRAM[1:]
    whole = place.read_text()
    place.write_text("#!/bin/sh\ncat >/dev/null\nkill -9 $$\n")
    way.host.submit("shop@example.com", JANE)
    way.host.wait_for_log("status=deferred .*signal 9")
    place.write_text(whole.replace("/usr/bin/python3", "/usr/bin/python-that-is-not-there", 1))
    way.host.run("postqueue", "-f")
    way.host.wait_for_log("status=deferred .*No such file")
    place.write_text(whole)
    way.host.empty()
    assert [to for to, _ in way.arrived] == [JANE]


def test_a_paused_account_is_waited_out(way: Way) -> None:
    way.sending.account.state = "SendingPausedException"
    way.host.submit("shop@example.com", JANE)
    way.host.wait_for_log("status=deferred .*SendingPaused")
    way.sending.account.state = ""
    way.host.empty()
    assert [to for to, _ in way.arrived] == [JANE]


def test_what_ses_takes_for_orders_is_the_relays_alone(way: Way) -> None:
    way.host.submit("shop@example.com", JANE, text="From: shop@example.com\nX-SES-Message-Tags: a=b\n\nHello\n")
    way.host.wait_for(lambda: way.arrived)
    assert b"x-ses" not in way.arrived[0][1].lower()


def test_long_lines_are_folded_as_smtp_does(way: Way) -> None:
    """cron's output on one line: SES takes 1,000 octets."""
    way.host.sendmail("-f", "root", JANE, text=f"Subject: x\n\n{'0123456789' * 500}\nend\n")
    way.host.wait_for(lambda: way.arrived)
    body = way.arrived[0][1].partition(b"\n\n")[2]
    assert max(map(len, body.split(b"\n"))) == 998
    assert body.replace(b"\n ", b"") == b"0123456789" * 500 + b"\nend\n"
