"""`postern screen` and `postern explain` ask DNS lists where they are on, and say what they did not ask."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.receiving.name_server import SERVFAIL, NameServer
from emulator.receiving.zone import Zone
from tests.builders import stored
from tests.command import Done, run

COP, DBL, BY_DOMAIN = "bl.spamcop.net", "dbl.dq.spamhaus.net", "dom.example.net"
LISTED = "9.2.0.192"  # 192.0.2.9
TABLES = """\
[aliases."info@example.com"]
destinations = ["jane@dest.example"]

[[senders]]
sender = "refused.example"
action = "REJECT"

[[senders]]
sender = "friend.example"
action = "OK"

[[rules]]
number = 10
listed = true
action = "TAG [listed]"

[settings]
dnsbl_sites = "bl.spamcop.net=127.0.0.2"
rhsbl_sites = "dom.example.net=127.0.0.2, dbl.spamhaus.org"
reject_unknown_sender_domain = "tag"
reject_unknown_reverse_client_hostname = "quarantine"
reject_non_fqdn_helo_hostname = "quarantine"
"""
Command = Callable[..., Done]


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with NameServer(Zone()) as running:
        yield running


@pytest.fixture
def dns(server: NameServer) -> NameServer:
    good = {(name, "A"): ["192.0.2.1"] for name in ("good.example", "friend.example", "refused.example")}
    server.zone.records = {(f"{LISTED}.{COP}", "A"): ["127.0.0.2"], (f"bad.example.{BY_DOMAIN}", "A"): ["127.0.0.2"]}
    server.zone.records |= {**good, ("bad.example", "A"): ["192.0.2.1"]}
    server.faults, server.asked = {}, []
    return server


@pytest.fixture
def postern(tmp_path: Path, dns: NameServer, monkeypatch: pytest.MonkeyPatch) -> Command:
    path = tmp_path / "tables.toml"
    path.write_text(TABLES)
    monkeypatch.setenv("POSTERN_NAMESERVER", dns.address)
    return lambda *words: run(*words, "--tables", path)


def zones(dns: NameServer) -> set[str]:
    """The lists that were asked."""
    return {zone for zone in (COP, DBL, BY_DOMAIN) for name in dns.asked if name.endswith(f".{zone}")}


def test_screen_asks_the_lists_about_the_sender(postern: Command, dns: NameServer) -> None:
    bad, good = postern("screen", "--json", "x@bad.example", "x@good.example").objects
    assert (bad["action"], bad["text"], bad["screening"]["is_listed"]) == ("TAG", "[listed]", True)
    assert bad["screening"]["listed"] == [BY_DOMAIN]
    assert bad["screening"]["keeps"]
    assert (good["action"], good["screening"]["is_listed"], good["screening"]["keeps"]) == ("DUNNO", False, False)
    assert zones(dns) == {BY_DOMAIN}


def test_what_was_not_asked_is_said(postern: Command) -> None:
    said = postern("screen", "x@bad.example").out.splitlines()
    assert said == [
        "x@bad.example: TAG (header rule 010: TAG [listed])",
        f"  screening: {BY_DOMAIN} (MAIL FROM, 127.0.0.2); score 1 of 1: quarantined, unless an OK excuses it",
        f"  not asked: {DBL}: Spamhaus answers only with a DQS key",
        f"  not asked: {COP}: the client's address is unknown",
        "  not asked: HELO restrictions: the client's HELO name is unknown",
        "  not asked: reject_unknown_reverse_client_hostname: the client's name is unknown",
    ]


@pytest.mark.parametrize(
    ("client", "found"),
    [
        ("192.0.2.9", [f"{COP} (the client, 127.0.0.2)"]),
        ("mx.good.example[192.0.2.9]", [f"{COP} (the client, 127.0.0.2)"]),
        ("unknown[192.0.2.9]", ["reject_unknown_reverse_client_hostname", f"{COP} (the client, 127.0.0.2)"]),
        ("192.0.2.8", []),
    ],
)
def test_a_client_is_asked_about(postern: Command, client: str, found: list[str]) -> None:
    (said,) = postern("screen", "--json", "x@good.example", "--client", client, "--helo", "mx.good.example").objects
    assert said["screening"].get("found", []) == found
    assert any("client's name" in one for one in said["screening"]["not_asked"]) == ("[" not in client)


@pytest.mark.parametrize("client", ["mx.good.example", "[192.0.2.9]x", "192.0.2.9]", "mx[192.0.2.9", "a[b[192.0.2.9]"])
def test_what_is_no_client_is_a_usage_error(postern: Command, client: str) -> None:
    assert postern("screen", "x@good.example", "--client", client).status == 2


def test_a_helo_is_judged_without_the_dns(postern: Command, dns: NameServer) -> None:
    (said,) = postern("screen", "--json", "--no-dns", "x@bad.example", "--helo", "localhost").objects
    assert said["screening"]["found"] == ["reject_non_fqdn_helo_hostname"]
    assert (said["screening"]["is_listed"], said["action"], dns.asked) == (None, "DUNNO", [])
    assert f"{BY_DOMAIN} (--no-dns)" in said["screening"]["not_asked"]
    assert "reject_unknown_sender_domain (--no-dns)" in said["screening"]["not_asked"]
    assert "late" not in said["screening"]


def test_of_what_the_rules_refuse_nothing_is_asked(postern: Command, dns: NameServer) -> None:
    assert (
        postern("screen", "x@refused.example").out
        == "x@refused.example: REJECT (sender rule refused.example: REJECT)\n"
    )
    assert dns.asked == []


def test_the_same_is_asked_once(postern: Command, dns: NameServer) -> None:
    assert postern("screen", "a@good.example", "b@good.example").status == 0
    assert dns.asked.count(f"good.example.{BY_DOMAIN}") == 1


def test_a_list_that_fails_is_no_listing(postern: Command, dns: NameServer) -> None:
    dns.faults[f"bad.example.{BY_DOMAIN}"] = SERVFAIL
    said = postern("screen", "x@bad.example").out
    assert "x@bad.example: DUNNO (no rule)" in said
    assert f"  no answer: {BY_DOMAIN}: NoNameservers" in said


def test_explain_asks_about_the_client_that_ses_names(postern: Command, tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(stored(b"From: x@good.example\r\nSubject: hi\r\n\r\nx", source="x@good.example"))
    (told,) = postern("explain", path, "--recipient", "info@example.com", "--json").objects
    (recipient,) = told["recipients"]
    assert recipient["decision"] == "quarantine"
    assert f"screening: {COP} (the client, 127.0.0.2)" in recipient["reason"]
    assert told["screening"]["listed"] == [COP]
    (told,) = postern("explain", path, "--recipient", "info@example.com", "--json", "--no-dns").objects
    assert [one["decision"] for one in told["recipients"]] == ["forward"]
    assert f"{COP} (--no-dns)" in told["screening"]["not_asked"]
    path.write_bytes(b"From: x@good.example\r\nSubject: hi\r\n\r\nx")
    said = postern("explain", path, "--recipient", "info@example.com").out
    assert f"  not asked: {COP}: the client's address is unknown\n" in said


def test_where_nothing_is_on_nothing_is_said(postern: Command, dns: NameServer, tmp_path: Path) -> None:
    (tmp_path / "tables.toml").write_text(TABLES.partition("[settings]")[0])
    (said,) = postern("screen", "--json", "x@bad.example").objects
    assert (said["screening"], said["action"], dns.asked) == (None, "DUNNO", [])
