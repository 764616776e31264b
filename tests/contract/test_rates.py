"""One contract for the fake and for the counters in DynamoDB."""

import pytest
from postern_mail.aws import clients
from postern_mail.aws.feedback.ledger import DynamoFeedbackLedger
from postern_mail.aws.forward.rates import DynamoRates
from postern_mail.aws.http import clients as own
from postern_mail.errors import NotYet, OverCap, Unavailable
from postern_mail.mail.address import Address
from postern_mail.mail.damper import KEPT, WITHIN, Echo, noted
from postern_mail.ports.feedback import FeedbackLedger
from postern_mail.ports.forward import Rates

from emulator.cloud import Cloud
from emulator.template import Template
from tests.cloud_here import CloudHere
from tests.fakes import FakeClock, FakeFeedbackLedger, FakeRates

pytestmark = pytest.mark.function("InboundFunction")

JANE, JOE = Address("Jane", "dest.example"), Address("joe", "dest.example")


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> FakeClock:
    return FakeClock(1_795_000_000.0 + hash(request.node.name) % 10_000 * 3600)  # an hour of its own for each test


@pytest.fixture(params=["fake", "dynamodb", "own client"])
def rates(
    request: pytest.FixtureRequest, clock: FakeClock, template: Template, monkeypatch: pytest.MonkeyPatch
) -> Rates:
    if request.param == "fake":
        return FakeRates(clock=clock)
    cloud: CloudHere = request.getfixturevalue("aws")
    if request.param == "own client":
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", cloud.listening())
        monkeypatch.setattr(clients, "dynamodb", own.dynamodb)
    return DynamoRates(clients.dynamodb(), template.name("LedgerTable"), clock=clock)


def test_so_many_pass_and_no_more(rates: Rates) -> None:
    for _ in range(3):
        rates.admit(JANE, "sender.example", 3, by_domain=False)
    with pytest.raises(OverCap):
        rates.admit(Address("jane+tag", "dest.example"), "sender.example", 3, by_domain=False)


def test_each_sender_and_each_destination_has_its_own_count(rates: Rates) -> None:
    rates.admit(JOE, "sender.example", 1, by_domain=False)
    rates.admit(JOE, "friend.example", 1, by_domain=False)
    rates.admit(JOE, "?friend.example", 1, by_domain=False)
    rates.admit(JOE, "", 1, by_domain=False)
    rates.admit(JANE, "sender.example", 1, by_domain=False)


def test_what_comes_again_leaves_a_quarter_to_what_is_new(rates: Rates) -> None:
    for _ in range(3):
        rates.admit(JOE, "again.example", 4, by_domain=False, again=True)
    with pytest.raises(OverCap):
        rates.admit(JOE, "again.example", 4, by_domain=False, again=True)
    rates.admit(JOE, "again.example", 4, by_domain=False)


def test_by_a_catch_all_a_sender_has_a_third_and_all_have_the_cap(rates: Rates) -> None:
    rates.admit(JOE, "sender.example", 3, by_domain=True)
    with pytest.raises(OverCap):
        rates.admit(JOE, "sender.example", 3, by_domain=True)
    rates.admit(JOE, "friend.example", 3, by_domain=True)
    rates.admit(JOE, "third.example", 3, by_domain=True)
    with pytest.raises(OverCap):
        rates.admit(JOE, "fourth.example", 3, by_domain=True)


def test_the_next_hour_has_room_again(aws: Cloud, template: Template) -> None:
    clock = FakeClock(1_796_000_000.0)
    capped = DynamoRates(clients.dynamodb(), template.name("LedgerTable"), clock=clock)
    capped.admit(JANE, "later.example", 1, by_domain=False)
    with pytest.raises(OverCap):
        capped.admit(JANE, "later.example", 1, by_domain=False)
    clock.time += 3600
    capped.admit(JANE, "later.example", 1, by_domain=False)


def test_no_cap_counts_nothing(aws: Cloud) -> None:
    DynamoRates(clients.dynamodb(), "no-such-table", clock=FakeClock()).admit(JANE, "x.example", 0, by_domain=False)


@pytest.mark.function("")  # there is no such resource
def test_a_counter_that_cannot_be_written_is_temporary(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("botocore.endpoint.time", type("Time", (), {"sleep": lambda seconds: None}))
    with pytest.raises(Unavailable):
        DynamoRates(clients.dynamodb(), "ledger", clock=FakeClock()).admit(JANE, "x.example", 1, by_domain=False)


def test_what_comes_from_where_the_alias_leads_is_noted_once_and_not_for_ever(rates: Rates, clock: FakeClock) -> None:
    found = Echo(Address("team", f"t{int(clock.time)}.example"), "jane@dest.example dest.example", "automatic")
    other = Echo(found.alias, found.whom, "0123")
    first = noted("m0", clock.time)
    assert set(rates.note(found, first)) == set(rates.note(found, first)) == {first}
    assert set(rates.note(other, noted("m1", clock.time))) == {noted("m1", clock.time)}
    for number in range(KEPT + 5):
        seen = rates.note(found, noted(f"n{number}", clock.time + 1))
    assert len(seen) == KEPT, "an item does not grow for ever"
    clock.time += 3 * WITHIN
    assert set(rates.note(found, noted("later", clock.time))) == {noted("later", clock.time)}


@pytest.fixture(params=["fake", "dynamodb"])
def slow_start(
    request: pytest.FixtureRequest, clock: FakeClock, template: Template
) -> tuple[Rates, FeedbackLedger, str]:
    """What counts, what hears, and a domain of its own."""
    domain = f"d{abs(hash(request.node.name))}.example"
    if request.param == "fake":
        rates = FakeRates(clock=clock)
        return rates, FakeFeedbackLedger(rates=rates), domain
    request.getfixturevalue("aws")
    table = template.name("LedgerTable")
    return (
        DynamoRates(clients.dynamodb(), table, clock=clock),
        DynamoFeedbackLedger(clients.dynamodb(), table, clock, b"key"),
        domain,
    )


def heard(ledger: FeedbackLedger, kind: str, number: int, domain: str) -> None:
    ledger.feedback_came(f"m{number}", f"n{number}@{domain}", arrived=kind == "delivered")


def begin(rates: Rates, numbers: range, domain: str) -> list[int]:
    """Those that may go."""
    gone = []
    for number in numbers:
        try:
            rates.begin(f"m{number}", Address(f"n{number}", domain))
            gone.append(number)
        except NotYet:
            pass
    return gone


def test_ten_are_out_at_once_and_one_of_them_may_come_again(slow_start: tuple[Rates, FeedbackLedger, str]) -> None:
    rates, _, domain = slow_start
    assert begin(rates, range(12), domain) == list(range(10))
    assert begin(rates, range(3, 4), domain) == [3]
    assert begin(rates, range(3), f"other-{domain}") == [0, 1, 2]


def test_what_is_heard_of_makes_room_and_what_arrived_makes_more(slow_start: tuple[Rates, FeedbackLedger, str]) -> None:
    rates, ledger, domain = slow_start
    begin(rates, range(10), domain)
    for number in (0, 0, 1):  # an event may come twice
        heard(ledger, "delivered", number, domain)
    assert begin(rates, range(10, 20), domain) == [10, 11, 12, 13]
    heard(ledger, "bounced", 2, domain)
    assert begin(rates, range(20, 30), domain) == []
    for number in range(3, 7):
        heard(ledger, "bounced", number, domain)
    assert begin(rates, range(30, 40), domain) == [30, 31, 32]


def test_what_did_not_go_out_makes_room(slow_start: tuple[Rates, FeedbackLedger, str]) -> None:
    rates, _, domain = slow_start
    begin(rates, range(10), domain)
    rates.forgo("m4", Address("n4", domain))
    assert begin(rates, range(10, 20), domain) == [10]


def test_silence_does_not_last(slow_start: tuple[Rates, FeedbackLedger, str], clock: FakeClock) -> None:
    rates, _, domain = slow_start
    begin(rates, range(10), domain)
    clock.time += 3599
    assert begin(rates, range(10, 20), domain) == []
    clock.time += 3
    assert begin(rates, range(10, 30), domain) == list(range(10, 20))
