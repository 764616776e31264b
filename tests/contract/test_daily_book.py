"""One contract for the fake and for the records of the daily test in the ledger."""

import uuid
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.daily_test import PARTITION, DynamoArrivals, DynamoDailyBook, understood
from postern_mail.aws.http import clients as own
from postern_mail.aws.watch.history import History
from postern_mail.mail import daily_test
from postern_mail.mail.daily_test import Record, Stage
from postern_mail.mail.message import Message
from postern_mail.mail.tags import destination_tag

from emulator.template import Template
from tests.builders import TAG_KEY
from tests.cloud_here import CloudHere
from tests.daily_fakes import AT_FIVE, DAY, FakeArrivals, FakeDailyBook
from tests.fakes import FakeClock

SENDING = Record(DAY, AT_FIVE, Stage.SENDING, tag="t1", sent_at=AT_FIVE, bounces=2)


@pytest.fixture
def domain() -> str:
    return f"{uuid.uuid4().hex}.example"


@pytest.fixture(params=["fake", "dynamodb"])
def book(request: pytest.FixtureRequest, template: Template) -> Any:
    if request.param == "fake":
        return FakeDailyBook(FakeClock(AT_FIVE + 60))
    request.getfixturevalue("aws")
    return DynamoDailyBook(clients.dynamodb(), template.name("LedgerTable"), FakeClock(AT_FIVE + 60))


@pytest.mark.function("DigestFunction")
def test_what_is_read_is_what_was_written_unless_someone_was_faster(book: Any, domain: str) -> None:
    held = Record(DAY, AT_FIVE, Stage.HELD, "why")
    assert domain not in book.records()
    assert book.look(domain, None, held)
    assert not book.look(domain, None, held)
    assert book.records()[domain] == held
    assert not book.look(domain, Record(DAY, AT_FIVE - 1, Stage.HELD), SENDING)
    assert book.look(domain, held, SENDING)
    assert book.records()[domain] == SENDING


@pytest.mark.function("DigestFunction")
def test_a_sending_ends_once(book: Any, domain: str) -> None:
    book.look(domain, None, SENDING)
    book.ended(domain, "t2", Stage.SENT)
    assert book.records()[domain] == SENDING
    book.ended(domain, "t1", Stage.SENDING)
    given_back = book.records()[domain]
    assert (given_back.stage, given_back.at, given_back.sent_at) == (Stage.SENDING, 0, AT_FIVE)
    assert book.look(domain, given_back, SENDING)
    book.ended(domain, "t1", Stage.REFUSED, "no")
    book.ended(domain, "t1", Stage.SENT)
    assert (book.records()[domain].stage, book.records()[domain].why) == (Stage.REFUSED, "no")


@pytest.mark.function("InboundFunction")
def test_the_first_arrival_stays_and_a_bounce_beside_it(book: Any, domain: str) -> None:
    tag = uuid.uuid4().hex
    sending = Record(DAY, AT_FIVE, Stage.SENDING, tag=tag, sent_at=AT_FIVE)
    book.look(domain, None, sending)
    book.arrived(domain, "another")
    book.arrived(f"x{domain}", tag)
    assert (book.records()[domain].arrived_at, f"x{domain}" in book.records()) == (0, False)
    for _ in range(2):
        book.arrived(domain, tag)
    assert [book.bounced(one, "5.1.1") for one in (tag, tag, "another")] == [domain, domain, ""]
    found = book.records()[domain]
    assert (found.arrived_at, found.bounce, found.bounced) == (AT_FIVE + 60, "5.1.1", False)
    held = Record("2024-10-05", AT_FIVE + 90, Stage.HELD, "why", tag, AT_FIVE)
    assert book.look(domain, found, held)
    assert (book.records()[domain].arrived_at, book.records()[domain].bounce) == (AT_FIVE + 60, "5.1.1")
    assert book.look(domain, held, SENDING)
    assert (book.records()[domain].arrived_at, book.records()[domain].bounce) == (0, ""), "it is about another sending"


@pytest.mark.function("InboundFunction")
@pytest.mark.parametrize("client", ["boto3", "own"])
def test_the_inbound_function_notes_it_with_either_client(
    aws: CloudHere, template: Template, domain: str, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", aws.listening())
    dynamodb: Any = clients.dynamodb() if client == "boto3" else own.dynamodb()
    book = DynamoDailyBook(dynamodb, template.name("LedgerTable"), FakeClock(AT_FIVE + 60))
    me = daily_test.address(domain)
    tag = destination_tag(TAG_KEY, daily_test.message_id(DAY), me)
    key = {"message_id": {"S": PARTITION}, "entry": {"S": domain}}
    aws.dynamodb.put_item(
        TableName=template.name("LedgerTable"),
        Item={**key, "day": {"S": DAY}, "at": {"N": "1"}, "stage": {"S": Stage.SENDING}, "tag": {"S": tag}},
    )
    message = Message.split(daily_test.raw(domain, DAY, tag))
    assert DynamoArrivals(book, TAG_KEY).note(me, message)
    assert not DynamoArrivals(book, b"another key").note(me, message)
    assert FakeArrivals(FakeDailyBook()).note(me, message), "the fake says the same"
    seen = understood(History(clients.dynamodb(), template.name("LedgerTable")).entries(PARTITION))
    assert seen[domain].arrived_at == AT_FIVE + 60, "so the watch reads it"
