"""One contract for the fakes and for what the ledger keeps of screening."""

import json
import uuid

import pytest
from postern_mail.aws import clients
from postern_mail.aws.forward.grey_rows import DynamoGreyBook
from postern_mail.aws.forward.list_book import LISTS, DynamoListBook
from postern_mail.aws.forward.queue import LONGEST_DELAY, SqsQueue
from postern_mail.aws.http import clients as own
from postern_mail.mail.list_health import Lists, Seen
from postern_mail.ports.screening import GreyBook

from emulator.template import Template
from tests.cloud_here import CloudHere
from tests.fakes import FakeGreyBook

pytestmark = pytest.mark.function("InboundFunction")

NOW, DAY = 1_795_000_000.0, 86400.0


@pytest.fixture(params=["boto3", "own client"])
def chosen(request: pytest.FixtureRequest, aws: CloudHere, monkeypatch: pytest.MonkeyPatch) -> CloudHere:
    if request.param == "own client":
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", aws.listening())
        monkeypatch.setattr(clients, "dynamodb", own.dynamodb)
    return aws


@pytest.fixture(params=["fake", "dynamodb"])
def grey(request: pytest.FixtureRequest, template: Template, chosen: CloudHere) -> GreyBook:
    del chosen
    return (
        FakeGreyBook() if request.param == "fake" else DynamoGreyBook(clients.dynamodb(), template.name("LedgerTable"))
    )


def test_when_it_came_first_and_that_it_is_forgotten(grey: GreyBook) -> None:
    word = uuid.uuid4().hex
    assert grey.first_seen(word, NOW, DAY) == NOW
    assert grey.first_seen(word, NOW + DAY, DAY) == NOW
    assert grey.first_seen(word, NOW + 2 * DAY, DAY) == NOW, "it came again meanwhile"
    assert grey.first_seen(word, NOW + 3 * DAY + 1, DAY) == NOW + 3 * DAY + 1, "the row is still there"
    assert grey.first_seen(word, NOW + 3 * DAY + 2, DAY) == NOW + 3 * DAY + 1


def test_a_client_counts_once_an_hour(grey: GreyBook) -> None:
    client = uuid.uuid4().hex
    assert grey.passes(client, NOW) == 0
    for seconds, passes in ((0, 1), (3599, 1), (3600, 2), (3601, 2), (7200, 3)):
        grey.passed(client, NOW + seconds, DAY)
        assert grey.passes(client, NOW + seconds) == passes


def test_what_lists_named_is_kept_unless_someone_was_faster(template: Template, chosen: CloudHere) -> None:
    chosen.delete("LedgerTable", [{"message_id": LISTS, "entry": "state"}])
    book = DynamoListBook(clients.dynamodb(), template.name("LedgerTable"))
    assert book.lists() == Lists()
    one = Lists().with_client("a", ["l.example"])
    book.note_clients(Lists(), one)
    assert book.lists() == Lists(recent=(Seen("a", frozenset({"l.example"})),), version=1)
    book.note_clients(Lists(), Lists().with_client("b", []))
    assert book.lists().recent == one.recent
    before = book.lists()
    assert book.note_faults(before, Lists(faulty={"l.example": "why"}))
    assert not book.note_faults(before, Lists())
    assert book.lists() == Lists({"l.example": "why"}, one.recent, 2)


@pytest.mark.parametrize(("after", "delay"), [(60, 61), (0.5, 1), (-5, 0), (86400, LONGEST_DELAY)])
def test_what_is_held_comes_back_in_a_message_of_its_own(
    template: Template, aws: CloudHere, monkeypatch: pytest.MonkeyPatch, after: float, delay: int
) -> None:
    del aws
    client, sent = clients.sqs(), []
    monkeypatch.setattr(client, "send_message", lambda **request: sent.append(request))
    SqsQueue(client, template.name("RetryQueue")).wake({"Records": []}, NOW + after, NOW)
    (request,) = sent
    assert request["DelaySeconds"] == delay
    assert json.loads(request["MessageBody"])["requestPayload"] == {"Records": []}
