"""Screening a message: the shell with a DNS on 127.0.0.1, and what the plan makes of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from dns.resolver import NoResolverConfiguration
from postern_mail.mail import dns_lists
from postern_mail.mail.dns import NONE, Answer, Question
from postern_mail.mail.list_health import Lists, Seen
from postern_mail.resolver import DnsResolver
from postern_mail.screening import Screening

from emulator.receiving.name_server import REFUSED, SERVFAIL, SILENCE, TRUNCATED, NameServer
from emulator.receiving.zone import Zone
from tests.builders import MESSAGE_ID, event, stored
from tests.fakes import FakeGreyBook, FakeMailStore
from tests.forwarding_world import JANE, RAW, World

COP = "bl.spamcop.net"
ZEN = "zen.dq.spamhaus.net"
CLIENT = "9.2.0.192"
INFO = "info@example.com"
KEY = "s3cretkey"


@dataclass
class FakeBook:
    kept: Lists = field(default_factory=Lists)

    def lists(self) -> Lists:
        return self.kept

    def note_clients(self, before: Lists, after: Lists) -> None:
        del before
        self.kept = after


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with NameServer(Zone()) as running:
        yield running


@pytest.fixture
def dns(server: NameServer) -> NameServer:
    server.zone.records, server.faults, server.asked = {("spamcop.net", "TXT"): ["x"]}, {}, []
    return server


@dataclass
class Screened:
    """One message, taken all the way."""

    dns: NameServer
    world: World = field(default_factory=World)
    book: FakeBook = field(default_factory=FakeBook)
    key: str = ""

    def __post_init__(self) -> None:
        self.world.screening = Screening(
            resolver=DnsResolver(self.dns.address), book=self.book, grey=FakeGreyBook(), key=lambda: self.key
        )

    def run(self, raw: bytes = RAW, *, source: str = "betsy@sender.example", **settings: object) -> str:
        """The state of its recipient."""
        self.world.tables.aliases["#settings"] = settings
        if not raw.startswith(b"Return-Path"):
            raw = stored(raw, source=source)
        self.world.store = FakeMailStore({MESSAGE_ID: raw})
        self.world.handle(event(INFO, source=source))
        return self.world.states[INFO]

    @property
    def reason(self) -> str:
        return self.world.ledger.outcomes[MESSAGE_ID, INFO].reason

    @property
    def notes(self) -> dict[str, object]:
        return dict(self.world.ledger.notes[MESSAGE_ID] or {})

    @property
    def sent(self) -> bytes:
        ((*_, raw),) = self.world.mailer.sent
        return raw


@pytest.fixture
def screened(dns: NameServer) -> Screened:
    return Screened(dns)


def test_who_is_listed_is_quarantined_and_the_ledger_says_where(screened: Screened) -> None:
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"]
    assert screened.run(dnsbl_sites=COP) == "quarantined"
    assert screened.reason == f"screening: {COP} (the client, 127.0.0.2); score 1 of 1"
    assert screened.notes["listed"] == [COP]
    assert (screened.notes["client"], screened.notes["helo"]) == ("192.0.2.9", "mx.sender.example")
    assert screened.dns.asked == [f"{CLIENT}.{COP}"]


def test_who_is_not_listed_is_forwarded_without_a_word(screened: Screened) -> None:
    assert screened.run(dnsbl_sites=COP) == "forwarded"
    assert b"X-Postern-Listed" not in screened.sent
    assert screened.notes["asked"] == [COP]


@pytest.mark.parametrize(
    "values",
    [
        ["127.255.255.252"],
        ["127.255.255.254"],
        ["127.255.255.255"],
        ["127.0.0.9"],
        ["192.0.2.1"],
        ["127.0.0.2", "192.0.2.1"],
    ],
)
def test_no_other_answer_is_a_listing(screened: Screened, values: list[str]) -> None:
    """The result filter: without it fourteen projects refused all mail."""
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = values
    assert screened.run(dnsbl_sites=COP) == "forwarded"
    assert str(screened.notes["errors"]).startswith(f"['{COP}: ")
    assert "listed" not in screened.notes


@pytest.mark.parametrize("fault", [SERVFAIL, REFUSED])
def test_a_failure_of_the_dns_is_no_listing(screened: Screened, fault: str) -> None:
    screened.dns.faults[f"{CLIENT}.{COP}"] = fault
    screened.dns.faults["sender.example"] = fault
    assert screened.run(dnsbl_sites=COP, reject_unknown_sender_domain="quarantine") == "forwarded"
    assert screened.notes["errors"] == [f"{COP}: NoNameservers"]


def test_a_truncated_answer_is_asked_for_again_over_tcp(screened: Screened) -> None:
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"]
    screened.dns.faults[f"{CLIENT}.{COP}"] = TRUNCATED
    assert screened.run(dnsbl_sites=COP) == "quarantined"


def test_an_alias_of_a_name_is_followed(screened: Screened) -> None:
    screened.dns.records[f"{CLIENT}.{COP}", "CNAME"] = ["listed.example."]
    screened.dns.records["listed.example", "A"] = ["127.0.0.2"]
    assert screened.run(dnsbl_sites=COP) == "quarantined"


def test_what_is_not_answered_in_time_is_dropped(dns: NameServer) -> None:
    dns.faults["slow.example"] = SILENCE
    dns.records["fast.example", "A"] = ["192.0.2.1"]
    fast = Question("fast.example")
    assert DnsResolver(dns.address).ask([Question("slow.example"), fast, Question("none.example", "MX")], 0.3) == {
        fast: Answer(("192.0.2.1",)),
        Question("none.example", "MX"): NONE,
    }


def test_mail_servers_and_the_null_one(dns: NameServer) -> None:
    dns.records["a.example", "MX"] = ["10 MX.A.example."]
    dns.records["b.example", "MX"] = ["0 ."]
    assert DnsResolver(dns.address).ask([Question("a.example", "MX"), Question("b.example", "MX")], 2) == {
        Question("a.example", "MX"): Answer(("mx.a.example",)),
        Question("b.example", "MX"): Answer((".",)),
    }


def test_a_resolver_that_is_not_there_says_nothing(dns: NameServer) -> None:
    (answer,) = DnsResolver("127.0.0.1:1").ask([Question("a.example")], 0.5).values() or [Answer(failed="late")]
    assert answer.failed


def test_without_a_configuration_nothing_is_answered_and_nothing_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: object, _: object) -> None:
        raise NoResolverConfiguration

    monkeypatch.setattr("dns.resolver.Resolver.read_resolv_conf", missing)
    (answer,) = DnsResolver().ask([Question("a.example")], 1).values()
    assert answer.failed == "NoNameservers"


HARD_NAMES = (
    "a" * 63 + ".example",
    ".".join(["x" * 49] * 5) + ".example",
    "-a.example",
    "a..b",
    "x_y.example",
    "*.example",
)


def test_names_that_a_stranger_chose_raise_nothing(dns: NameServer) -> None:
    asked = [Question(name, kind) for name in HARD_NAMES for kind in ("A", "MX")]
    answers = DnsResolver(dns.address).ask(asked, 2)
    assert all(one == NONE or one.failed for one in answers.values())


def test_domains_of_a_message_are_asked_about_and_never_an_address(screened: Screened) -> None:
    raw = b"From: Bank <x@From.example>\r\nReply-To: y@reply.example, z@[192.0.2.7]\r\nTo: other@to.example\r\n\r\nbody"
    screened.dns.records["reply.example.uri.example", "A"] = ["127.0.1.2"]
    assert screened.run(raw, source="b@mailfrom.example", rhsbl_sites="uri.example=127.0.1.[2..6]") == "quarantined"
    assert "uri.example (Reply-To, 127.0.1.2)" in screened.reason
    asked = {name.removesuffix(".uri.example") for name in screened.dns.asked}
    assert asked == {"from.example", "reply.example", "mailfrom.example", "mx.sender.example"}


def test_how_many_domains_a_stranger_names_is_bounded(screened: Screened) -> None:
    raw = b"From: " + b", ".join(b"a@x%d.example" % number for number in range(20)) + b"\r\n\r\nbody"
    assert screened.run(raw, rhsbl_sites="uri.example=127.0.1.2") == "forwarded"
    assert len(screened.dns.asked) == 8


def test_without_a_key_spamhaus_is_not_asked_and_with_one_no_one_reads_it(screened: Screened) -> None:
    assert screened.run(dnsbl_sites="zen.spamhaus.org", verdict_fields=True) == "forwarded"
    assert screened.dns.asked == []
    again = Screened(screened.dns, key=KEY)
    again.dns.records[f"{CLIENT}.{KEY}.{ZEN}", "A"] = ["127.0.0.4"]
    assert again.run(dnsbl_sites="zen.spamhaus.org", dnsbl_action="tag") == "forwarded"
    assert again.dns.asked == [f"{CLIENT}.{KEY}.{ZEN}"]
    assert b"\r\nX-Postern-Listed: zen.dq.spamhaus.net (the client, 127.0.0.4); score 0 of 1\r\n" in again.sent
    again.dns.faults[f"{CLIENT}.{KEY}.{ZEN}"] = SERVFAIL
    third = Screened(again.dns, key=KEY)
    third.run(dnsbl_sites="zen.spamhaus.org", verdict_fields=True)
    for shown in (again, third):
        assert KEY not in f"{shown.sent!r} {shown.notes} {shown.reason} {shown.world.log.lines}"


def test_a_list_that_lists_everyone_goes_silent(screened: Screened) -> None:
    screened.dns.records[f"*.{COP}", "A"] = ["127.0.0.2"]
    screened.book.kept = Lists(recent=tuple(Seen(f"c{number}", frozenset({COP})) for number in range(9)))
    assert screened.run(dnsbl_sites=COP) == "quarantined"
    other = Screened(screened.dns, book=screened.book)
    raw = stored(RAW).replace(b"192.0.2.9", b"192.0.2.10")
    assert other.run(raw, dnsbl_sites=COP) == "forwarded"
    assert other.notes["silent"] == [COP]


def test_a_list_that_does_not_pass_its_test_does_not_count(screened: Screened) -> None:
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"]
    screened.book.kept = Lists(faulty={COP: "it lists its own entry that nothing may list"})
    assert screened.run(dnsbl_sites=COP) == "forwarded"
    assert screened.notes["silent"] == [COP]


@pytest.mark.parametrize(("address", "state"), [("192.0.2.9", "forwarded"), ("192.0.2.1", "quarantined")])
def test_a_forwarders_address_is_not_judged_if_the_name_is_its_own(
    screened: Screened, address: str, state: str
) -> None:
    raw = stored(RAW).replace(b"(mx.sender.example [", b"(mail-1.google.com [")
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"]
    screened.dns.records["mail-1.google.com", "A"] = [address]
    assert screened.run(raw, dnsbl_sites=COP) == state


def test_the_owners_own_forwarders(screened: Screened) -> None:
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"]
    screened.dns.records["mx.sender.example", "A"] = ["192.0.2.9"]
    assert screened.run(dnsbl_sites=COP, dnsbl_skip="else.example, .Sender.example") == "forwarded"
    assert screened.notes["skipped"] == ["the client is a forwarder"]


def test_an_ok_of_a_sender_rule_excuses_as_before_reject_rbl_client(screened: Screened) -> None:
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"]
    screened.world.tables.senders["sender.example", "*"] = {"action": "OK"}
    assert screened.run(dnsbl_sites=COP) == "forwarded"


def test_what_a_person_released_is_not_kept_again(screened: Screened) -> None:
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"]
    assert screened.run(dnsbl_sites=COP) == "quarantined"
    del screened.world.ledger.outcomes[MESSAGE_ID, INFO]
    screened.world.ledger.released.add(INFO)
    assert screened.run(dnsbl_sites=COP) == "forwarded"


def test_a_restriction_that_stands_alone_and_one_that_never_does(screened: Screened) -> None:
    raw = stored(RAW, helo="localhost")
    assert screened.run(raw, reject_non_fqdn_helo_hostname="quarantine", screening_threshold=5) == "quarantined"
    other = Screened(screened.dns)
    assert (
        other.run(
            raw.replace(b"(mx.sender.example [", b"(unknown ["), reject_unknown_reverse_client_hostname="quarantine"
        )
        == "forwarded"
    )
    assert b"\r\nX-Postern-Listed: reject_unknown_reverse_client_hostname; score 1 of 1\r\n" in other.sent


@pytest.mark.parametrize(("source", "state"), [("x@gone.example", "quarantined"), ("x@example.com", "forwarded")])
def test_an_unknown_sender_domain_is_kept_but_never_our_own(screened: Screened, source: str, state: str) -> None:
    assert screened.run(source=source, reject_unknown_sender_domain="quarantine") == state
    assert bool(screened.dns.asked) is (state == "quarantined")


def test_where_nothing_is_on_or_nothing_would_be_forwarded_no_one_is_asked(dns: NameServer) -> None:
    for settings, source in (({}, "betsy@sender.example"), ({"dnsbl_sites": COP}, "x@spam.example")):
        one = Screened(dns)
        one.run(source=source, **settings)  # type: ignore[arg-type]
        assert dns.asked == []
        assert one.notes == {}


def test_settings_that_cannot_be_understood_defer(screened: Screened) -> None:
    with pytest.raises(Exception, match="name the codes"):
        screened.run(dnsbl_sites="bl.x.example")
    assert screened.world.states[INFO] == "deferred"


VERDICTS = (b"X-Postern-Spam-Verdict: PASS", b"X-Postern-SPF: GRAY", b"X-Postern-DMARC: PROCESSING_FAILED")


def test_the_verdicts_for_a_mailboxs_own_filter(screened: Screened) -> None:
    raw = b"X-Postern-Spam-Verdict: FORGED\r\nX-Postern-Listed: no\r\n" + RAW
    screened.world.tables.aliases["#settings"] = {"verdict_fields": True}
    screened.world.store = FakeMailStore({MESSAGE_ID: stored(raw)})
    verdicts = {"spamVerdict": "PASS", "spfVerdict": "GRAY", "dmarcVerdict": "PROCESSING_FAILED"}
    made: dict[str, Any] = {name: {"status": status} for name, status in verdicts.items()}
    screened.world.handle(event(INFO, **made))
    for line in VERDICTS:
        assert b"\r\n" + line + b"\r\n" in screened.sent
    assert b"FORGED" not in screened.sent
    assert b"X-Postern-Listed" not in screened.sent, "nobody asked a list"
    assert (screened.world.states[INFO], JANE) == ("forwarded", "jane@dest.example")


def test_without_the_result_filter_these_tests_would_fail(screened: Screened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation, done here: a list that answers an error then quarantines."""
    monkeypatch.setattr(dns_lists, "wrong", lambda *_: "")
    monkeypatch.setattr(dns_lists.Site, "names", lambda *_: True)
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = ["127.255.255.254"]
    assert screened.run(dnsbl_sites=COP) == "quarantined"


@pytest.mark.parametrize(
    ("listed", "rule", "expected"),
    [
        (True, True, "quarantined"),
        (False, True, "forwarded"),
        (True, False, "forwarded"),
        (False, False, "quarantined"),
    ],
)
def test_a_header_rule_asks_whether_a_list_names_it(
    screened: Screened, listed: bool, rule: bool, expected: str
) -> None:
    screened.dns.records[f"{CLIENT}.{COP}", "A"] = ["127.0.0.2"] if listed else []
    screened.world.tables.senders["rule:010", "*"] = {"action": "HOLD look", "listed": rule, "larger_than": 10}
    assert screened.run(dnsbl_sites=COP, dnsbl_action="tag", header_rules="10") == expected
    assert ("header rule 010: HOLD look" in screened.reason) is (expected == "quarantined")


@pytest.mark.parametrize("rule", [True, False])
def test_where_no_list_answered_it_is_neither(screened: Screened, rule: bool) -> None:
    screened.dns.faults[f"{CLIENT}.{COP}"] = SERVFAIL
    screened.world.tables.senders["rule:010", "*"] = {"action": "HOLD look", "listed": rule}
    assert screened.run(dnsbl_sites=COP, header_rules="10") == "forwarded"
    assert screened.run(header_rules="10") == "forwarded"


def test_a_header_rule_takes_a_message_all_the_way(screened: Screened) -> None:
    rules = screened.world.tables.senders
    rules["rule:010", "*"] = {"action": "TAG [hi]", "subject": {"equals": "hi"}}
    rules["rule:020", INFO] = {"action": "PREPEND X-Hi: yes", "from": {"equals": "betsy@sender.example"}}
    assert screened.run(header_rules="10, 20") == "forwarded"
    assert b"\r\nSubject: [hi]\r\n hi\r\n" in screened.sent
    assert b"\r\nX-Hi: yes\r\n" in screened.sent
