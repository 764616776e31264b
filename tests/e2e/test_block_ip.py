"""`postern block-ip` through SES's API: who is blocked is refused within SMTP, and other stacks' filters stay."""

import smtplib
from collections.abc import Iterator

import boto3
import pytest

from emulator.cloud import HOST
from emulator.system import Emulator
from tests.command import Done
from tests.command import run as postern


@pytest.fixture
def blocking(emulator: Emulator) -> Iterator[Emulator]:
    yield emulator
    emulator.sending.operations["ListReceiptFilters"].__self__.named.clear()  # type: ignore[attr-defined]
    emulator.receiving.filters = ()


def run(emulator: Emulator, *arguments: str) -> Done:
    return postern("block-ip", *arguments, **emulator.environment)


def answer(emulator: Emulator) -> tuple[int, bytes]:
    with smtplib.SMTP(HOST, emulator.receiving.port) as client:
        client.ehlo()
        client.mail("x@stranger.example")
        return client.rcpt("info@example.com")


def foreign(emulator: Emulator, name: str, cidr: str) -> None:
    client = boto3.client("ses", region_name="eu-west-1", endpoint_url=emulator.sending.endpoint,
                          aws_access_key_id="x", aws_secret_access_key="x")  # fmt: skip
    client.create_receipt_filter(Filter={"Name": name, "IpFilter": {"Policy": "Block", "Cidr": cidr}})


def test_who_is_blocked_is_refused_until_it_is_removed(blocking: Emulator) -> None:
    said = run(blocking, "add", "127.0.0.1/8")
    assert (said.status, said.err) == (0, "")
    assert "127.0.0.0/8, for every domain of this account in eu-west-1" in said.out
    assert answer(blocking) == (550, b"5.7.1 IP address blacklisted by recipient")
    assert run(blocking, "add", "127.0.0.0/8").status == 0, "it already exists"
    assert run(blocking, "add", "127.0.0.1", "--allow").status == 0
    assert answer(blocking)[0] == 250
    assert [(one["cidr"], one["policy"]) for one in run(blocking, "list", "--json").objects] == [
        ("127.0.0.0/8", "block"),
        ("127.0.0.1/32", "allow"),
    ]
    for cidr in ("127.0.0.1", "127.0.0.0/8"):
        assert run(blocking, "remove", cidr).status == 0
    assert answer(blocking)[0] == 250


def test_only_what_this_stack_made_is_touched(blocking: Emulator) -> None:
    for name in ("postern-dev-ip-0123456789ab", "by-hand", "postern-ip-x"):
        foreign(blocking, name, f"203.0.113.{len(name)}")
    said = run(blocking, "remove", "203.0.113.7")
    assert said.status == 1
    assert "by-hand is not this stack's, and stays" in said.err
    assert "(by-hand, not this stack's)" in run(blocking, "list").out
    assert run(blocking, "add", "203.0.113.7", "--allow").status == 1, "another hand's does the opposite"


def test_a_dry_run_what_is_no_network_and_too_many(blocking: Emulator) -> None:
    assert run(blocking, "add", "192.0.2.1", "--dry-run").status == 0
    assert run(blocking, "list", "--json").objects == []
    for wrong in ("x", "0.0.0.0/0", "10.0.0.0/7", "300.1.1.1"):
        assert run(blocking, "add", wrong).status == 2, wrong
    for number in range(100):
        foreign(blocking, f"hand-{number}", f"198.51.100.{number}")
    full = run(blocking, "add", "192.0.2.1")
    assert (full.status, "100 filters" in full.err) == (1, True)
