"""What the hourly watch told, in the ledger: changed by one run at a time."""

from collections.abc import Iterator

import pytest
from postern_mail.aws import clients
from postern_mail.aws.watch.state import PARTITION
from postern_mail.aws.watch.told import DynamoToldBook
from postern_mail.errors import Unavailable
from postern_mail.ports.telling import Told
from postern_mail.telling import Known

from emulator.cloud import Cloud
from emulator.template import Template

pytestmark = pytest.mark.function("WatchFunction")
KNOWN = {"dead letters": {"dead_letters": Known("one message", 1_795_000_000)}, "rows": {"a.b#c": Known("x", 1, False)}}


@pytest.fixture
def book(aws: Cloud, template: Template) -> Iterator[DynamoToldBook]:
    yield DynamoToldBook(clients.dynamodb(), template.name("LedgerTable"))
    aws.delete("LedgerTable", [{"message_id": PARTITION, "entry": "told"}])


def test_what_was_told_is_kept(book: DynamoToldBook) -> None:
    assert book.read() == Told()
    book.keep(KNOWN, 0)
    assert book.read() == Told(1, KNOWN)
    book.keep({}, 1)
    assert book.read() == Told(2, {})


def test_a_telling_is_claimed_until_it_is_kept_or_its_time_is_over(book: DynamoToldBook) -> None:
    assert book.claim(0, 1000, 150)
    assert not book.claim(0, 1149, 150)
    assert book.claim(0, 1151, 150), "whoever claimed it was killed"
    book.keep(KNOWN, 0)
    assert not book.claim(0, 2000, 150), "of what is told already"
    assert book.claim(1, 1152, 150)


def test_who_was_overtaken_changes_nothing(book: DynamoToldBook) -> None:
    book.keep(KNOWN, 0)
    with pytest.raises(Unavailable):
        book.keep({}, 0)
    assert book.read() == Told(1, KNOWN)
