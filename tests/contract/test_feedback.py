"""One contract for the fakes, and for ledger and health in DynamoDB."""

import uuid
from dataclasses import replace
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.destinations import DynamoDestinations
from postern_mail.aws.feedback.ledger import DynamoFeedbackLedger
from postern_mail.aws.feedback.returned import DynamoReturnedLimits
from postern_mail.aws.forward.ledger import DynamoLedger
from postern_mail.errors import EntryMissing, Misconfigured, OverCap
from postern_mail.mail.address import Address
from postern_mail.mail.claims import Claim
from postern_mail.mail.feedback import Feedback, HostMail, lost_by
from postern_mail.mail.health import GONE, Failure
from postern_mail.mail.outcomes import ClaimState
from postern_mail.mail.send_as import MOST_AN_HOUR, SentAs
from postern_mail.mail.tags import destination_tag
from postern_mail.ports.feedback import FeedbackLedger, Health, ReturnedLimits, Sending

from emulator.cloud import Cloud
from emulator.template import Template
from tests.builders import TAG_KEY, envelope
from tests.fakes import LEASE_SECONDS, FakeClock, FakeFeedbackLedger, FakeHealth, FakeReturnedLimits

pytestmark = pytest.mark.function("FeedbackFunction")

JANE, INFO = Address("Jane", "dest.example"), Address("info", "example.com")


@pytest.fixture
def message_id() -> str:
    return uuid.uuid4().hex


def dynamo(template: Template) -> DynamoLedger:
    return DynamoLedger(
        clients.dynamodb(),
        template.name("LedgerTable"),
        clock=FakeClock(),
        lease_seconds=LEASE_SECONDS,
        keep_days=37,
        retry_hours=36,
    )


ANYBODY = "-"  # no entry says who sent the message


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest, template: Template, message_id: str) -> FeedbackLedger:
    """With one claim that is not settled."""
    if request.param == "fake":
        return FakeFeedbackLedger({(message_id, JANE.key): {}}, senders={message_id: ANYBODY})
    request.getfixturevalue("aws")
    dynamo(template).claim(message_id, JANE, INFO)
    return DynamoFeedbackLedger(clients.dynamodb(), template.name("LedgerTable"), FakeClock(), TAG_KEY)


def said(message_id: str, at: int = 100, kind: str = "bounced", who: Address = JANE, **options: Any) -> Feedback:
    return Feedback(kind, message_id, destination_tag(TAG_KEY, message_id, who), at, **options)


def news(sending: Sending | None) -> bool:
    assert sending is not None
    return sending.news


def test_the_entry_is_found_by_its_tag_and_repetition_is_no_news(ledger: FeedbackLedger, message_id: str) -> None:
    assert ledger.note(said(message_id)) == Sending("jane@dest.example", INFO.key, True, ANYBODY)
    assert ledger.note(said(message_id)) == Sending("jane@dest.example", INFO.key, False, ANYBODY)


def test_an_event_about_no_sending_of_the_claim_is_dropped(aws: Cloud, template: Template, message_id: str) -> None:
    """Before the answer there is no id to compare; after a lost one any may be right; of two copies both are."""
    book, clock = dynamo(template), FakeClock()
    ledger = DynamoFeedbackLedger(clients.dynamodb(), template.name("LedgerTable"), clock, TAG_KEY)

    def believed(ses_id: str, message: str = message_id) -> bool:
        return ledger.note(said(message, ses_id=ses_id)) is not None

    claim = book.claim(message_id, JANE, INFO)
    assert isinstance(claim, Claim)
    assert believed("ses-1")
    book.settle(claim, ClaimState.SENT, "ses-1")
    assert (believed("ses-1"), believed("forged"), believed("")) == (True, False, False)

    again = f"{message_id}-again"
    first = book.claim(again, JANE, INFO)
    assert isinstance(first, Claim)
    book.settle(first, ClaimState.UNANSWERED, "no answer")
    assert believed("ses-lost", again)
    second = book.claim(again, JANE, INFO)
    assert isinstance(second, Claim)
    book.settle(second, ClaimState.SENT, "ses-2")
    assert believed("ses-2", again)
    assert believed("ses-lost", again), "the first attempt's, which nobody heard of"


def test_a_hosts_mail_is_news_once(ledger: FeedbackLedger, message_id: str) -> None:
    lost = HostMail(
        "bounced", 100, message_id, "root@example.com", (("a@dest.example", "no"), ("b@dest.example", "no"))
    )
    assert [ledger.note_host(lost), ledger.note_host(lost)] == [True, False]


def test_mail_sent_as_an_alias_is_news_once(ledger: FeedbackLedger, message_id: str) -> None:
    lost = SentAs(INFO, "bounced", 100, message_id, lost=(("a@dest.example", "no"), ("b@dest.example", "no")))
    assert [ledger.note_sent_as(lost), ledger.note_sent_as(lost)] == [True, False]


@pytest.fixture(params=["fake", "dynamodb"])
def limits(request: pytest.FixtureRequest, template: Template) -> ReturnedLimits:
    if request.param == "fake":
        return FakeReturnedLimits()
    request.getfixturevalue("aws")
    return DynamoReturnedLimits(clients.dynamodb(), template.name("LedgerTable"), FakeClock())


def test_an_hour_and_an_alias_has_twenty_events_each_counted_once(limits: ReturnedLimits, message_id: str) -> None:
    info = Address(message_id, "example.com")

    def event(number: int, at: int = 7200, of: Address = info) -> SentAs:
        return SentAs(of, "bounced", at, f"{message_id}{number}")

    for number in range(MOST_AN_HOUR):
        limits.admit(event(number))
        limits.admit(event(number))
    with pytest.raises(OverCap, match="20 times within this hour"):
        limits.admit(event(MOST_AN_HOUR, at=10_799))
    limits.admit(event(0))
    limits.admit(event(MOST_AN_HOUR, at=10_800))
    limits.admit(event(MOST_AN_HOUR, of=Address(f"{message_id}x", "example.com")))


def test_kinds_do_not_touch_each_other(ledger: FeedbackLedger, message_id: str) -> None:
    for kind in ("bounced", "complained", "rejected", "delayed", "unrendered", "delivered"):
        assert news(ledger.note(said(message_id, kind=kind)))


def test_the_latest_of_a_kind_stays(ledger: FeedbackLedger, message_id: str) -> None:
    assert news(ledger.note(said(message_id, 100, id="b")))
    assert not news(ledger.note(said(message_id, 99, id="z")))
    assert not news(ledger.note(said(message_id, 100, id="a")))
    assert news(ledger.note(said(message_id, 100, id="c")))
    assert news(ledger.note(said(message_id, 101, id="a")))


def test_an_entry_that_is_not_there(ledger: FeedbackLedger, message_id: str) -> None:
    with pytest.raises(EntryMissing):
        ledger.note(said(message_id, who=INFO))
    with pytest.raises(EntryMissing):
        ledger.note(said(uuid.uuid4().hex))


def test_state_is_left_to_the_sender_before_and_after_it_settles(
    aws: Cloud, template: Template, message_id: str
) -> None:
    sender = dynamo(template)
    claim = sender.claim(message_id, JANE, INFO)
    assert isinstance(claim, Claim)
    for who in ("joe", "ann"):
        sender.claim(message_id, Address(who, "dest.example"), INFO)
    ledger = DynamoFeedbackLedger(clients.dynamodb(), template.name("LedgerTable"), FakeClock(), TAG_KEY)

    def entry() -> dict[str, Any]:
        rows = aws.partition("LedgerTable", message_id=message_id)
        return next(row for row in rows if row["entry"] == f"via:{JANE.key}")

    ledger.note(said(message_id, why="no such user"))
    assert (entry()["state"], entry()["bounced"]["why"]) == ("claimed", "no such user")
    sender.settle(claim, ClaimState.SENT, "ses-1")
    ledger.note(said(message_id, 200, "delivered", ses_id="ses-1"))
    assert (entry()["state"], entry()["detail"], entry()["delivered"]["at"]) == ("sent", "ses-1", 200)
    others = [row for row in aws.partition("LedgerTable", message_id=message_id) if row["entry"] != f"via:{JANE.key}"]
    assert not any("bounced" in row for row in others)


def test_what_was_lost_is_noted_for_the_owner_once_and_gives_the_envelope(
    aws: Cloud, template: Template, message_id: str
) -> None:
    sender, received = dynamo(template), envelope(INFO.key, "team@example.com", message_id=message_id)
    sender.open(received)
    clock = FakeClock()
    ledger = DynamoFeedbackLedger(clients.dynamodb(), template.name("LedgerTable"), clock, TAG_KEY)
    for _ in range(2):
        assert ledger.lost(message_id, INFO.key, JANE.key) == replace(received, recipients=(INFO,))
        clock.time += 100
    (row,) = [one for one in aws.partition("LedgerTable", message_id=message_id) if one["entry"] == "message"]
    assert (row["noted"], row["noted_at"]) == ({f"lost {INFO.key}"}, int(FakeClock().time))
    assert ledger.lost(uuid.uuid4().hex, INFO.key, JANE.key) is None


def test_each_destination_that_lost_it_is_news(aws: Cloud, template: Template, message_id: str) -> None:
    """The second one of a group may come days after the owner was told of the first."""
    dynamo(template).open(envelope(INFO.key, message_id=message_id))
    clock = FakeClock()
    ledger = DynamoFeedbackLedger(clients.dynamodb(), template.name("LedgerTable"), clock, TAG_KEY)
    ledger.lost(message_id, INFO.key, JANE.key)
    clock.time += 3 * 86_400
    for _ in range(2):
        ledger.lost(message_id, INFO.key, "joe@dest.example")
        clock.time += 100
    (row,) = [one for one in aws.partition("LedgerTable", message_id=message_id) if one["entry"] == "message"]
    assert row["noted_at"] == int(FakeClock().time) + 3 * 86_400


def test_what_thousands_lost_stays_small(
    aws: Cloud, template: Template, message_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group has any size, and an item 400 KB."""
    monkeypatch.setattr("postern_mail.aws.feedback.ledger.MOST_LOSSES", 3)
    dynamo(template).open(envelope(INFO.key, message_id=message_id))
    clock = FakeClock()
    ledger = DynamoFeedbackLedger(clients.dynamodb(), template.name("LedgerTable"), clock, TAG_KEY)
    for number in range(5):
        assert ledger.lost(message_id, INFO.key, f"{'x' * 60}{number}@{'d' * 60}.example") is not None
        clock.time += 100
    assert ledger.lost(message_id, "team@example.com", "one@more.example") is not None
    (row,) = [one for one in aws.partition("LedgerTable", message_id=message_id) if one["entry"] == "message"]
    assert row["noted"] == {f"lost {INFO.key}", "lost team@example.com"}, "another recipient is news all the same"
    assert sum(map(len, row["losses"])) <= 4 * 12


@pytest.mark.parametrize("reply_at", [50, 100, 200])
@pytest.mark.parametrize("reply_first", [True, False])
def test_a_holiday_reply_does_not_hide_that_the_message_was_lost(
    aws: Cloud, template: Template, message_id: str, reply_at: int, reply_first: bool
) -> None:
    """A mailbox that forwards elsewhere may do both."""
    dynamo(template).claim(message_id, JANE, INFO)
    ledger = DynamoFeedbackLedger(clients.dynamodb(), template.name("LedgerTable"), FakeClock(), TAG_KEY)
    lost = said(message_id, 100, id="b", type="Permanent", subtype="General", why="554 no")
    events = [said(message_id, reply_at, id="a", type="Transient", subtype="General"), lost]
    for one in events if reply_first else reversed(events):
        ledger.note(one)
    (row,) = aws.partition("LedgerTable", message_id=message_id)
    assert lost_by(row)["why"] == "554 no"


@pytest.mark.parametrize(
    ("kind", "options", "lost"),
    [
        ("bounced", {"type": "Permanent", "subtype": "General", "status": "5.7.1"}, True),
        ("bounced", {"type": "Transient", "subtype": "MailboxFull"}, True),
        ("bounced", {"type": "Transient", "subtype": "General"}, False),
        ("rejected", {}, True),
        ("complained", {}, False),
        ("delayed", {}, False),
    ],
)
def test_the_claim_says_whether_the_message_was_lost(
    aws: Cloud, template: Template, message_id: str, kind: str, options: dict[str, Any], lost: bool
) -> None:
    dynamo(template).claim(message_id, JANE, INFO)
    ledger = DynamoFeedbackLedger(clients.dynamodb(), template.name("LedgerTable"), FakeClock(), TAG_KEY)
    ledger.note(said(message_id, kind=kind, **options))
    (row,) = aws.partition("LedgerTable", message_id=message_id)
    assert (row[kind].get("lost", False), bool(lost_by(row))) == (lost, lost)


@pytest.fixture(params=["fake", "dynamodb"])
def health(request: pytest.FixtureRequest, template: Template) -> Health:
    clock = FakeClock()
    if request.param == "fake":
        return FakeHealth(clock)
    request.getfixturevalue("aws")
    return DynamoDestinations(clients.dynamodb(), template.name("DestinationTable"), clock)


@pytest.fixture
def who() -> str:
    return f"{uuid.uuid4().hex}@dest.example"


def test_failures_are_a_set(health: Health, who: str) -> None:
    one, other = Failure(100, GONE, "m1", "no such user"), Failure(99, GONE, "m2")
    health.failed(who, one)
    health.failed(who, other)
    assert health.failed(who, one) == {"address": who, "failures": {str(one), str(other)}}


def test_a_destination_is_suspended_once(health: Health, who: str) -> None:
    first = health.suspend(who, "gone", 100)
    again = health.suspend(who, "something else", 200)
    assert (first["reason"], first["suspended_at"]) == ("gone", int(FakeClock().now()))
    assert again == first
    assert "told_at" not in first
    health.note_told(who)
    assert health.suspend(who, "gone", 100)["told_at"] == int(FakeClock().now())


def test_no_one_is_told_of_a_suspension_that_was_lifted(health: Health, who: str) -> None:
    health.failed(who, Failure(100, GONE, "m1"))
    health.note_told(who)
    assert "told_at" not in health.failed(who, Failure(100, GONE, "m1"))


@pytest.mark.function("")  # there is no such resource
def test_a_table_that_is_not_there_is_a_temporary_failure(aws: Cloud) -> None:
    with pytest.raises(Misconfigured, match="ResourceNotFound"):
        DynamoDestinations(clients.dynamodb(), "no-such-table", FakeClock()).suspend("a@b.example", "gone", 1)


def test_a_failure_from_before_the_resumption_suspends_no_one(
    request: pytest.FixtureRequest, health: Health, who: str
) -> None:
    """Someone resumes it between the two writes of an event that is on its way."""
    row = {"address": who, "resumed_at": 100}
    if isinstance(health, FakeHealth):
        health.rows[who] = row
    else:
        request.getfixturevalue("aws").put("DestinationTable", [row])
    assert "suspended_at" not in health.suspend(who, "gone", 100)
    assert "suspended_at" in health.suspend(who, "gone", 101)
