"""Aliases that end by themselves, on DynamoDB."""

from collections.abc import Iterator

import pytest
from postern_mail.aws import clients
from postern_mail.aws.forward.uses import USES, DynamoUses
from postern_mail.aws.watch.endings import PARTITION, DynamoEndings
from postern_mail.mail.endings import Counted
from postern_mail.ports.endings import Note

from emulator.template import Template
from tests.cloud_here import CloudHere
from tests.fakes import FakeClock
from tests.rights import acting

pytestmark = pytest.mark.function("WatchFunction")

TRIP = "trip@ends.example"
ROW = {"address": TRIP, "destinations": ["j@dest.example"], "expires_after": ["90 days", "20 messages"]}


@pytest.fixture
def book(aws: CloudHere, template: Template) -> Iterator[DynamoEndings]:
    aws.put("AliasTable", [ROW])
    names = template.name("LedgerTable"), template.name("AliasTable")
    yield DynamoEndings(clients.dynamodb(), *names, FakeClock())
    aws.delete("AliasTable", [{"address": TRIP}])
    rows = [row for row in aws.rows("LedgerTable") if row["message_id"] in (PARTITION, f"{USES}{TRIP}")]
    aws.delete("LedgerTable", ({"message_id": row["message_id"], "entry": row["entry"]} for row in rows))


def test_what_is_remembered(aws: CloudHere, book: DynamoEndings) -> None:
    book.note(TRIP, Note(5), {})
    assert book.notes() == {TRIP: Note(5)}
    book.note(TRIP, Note(5, 9), {"told": "2026-11-26", "why": "soon"})
    assert book.notes() == {TRIP: Note(5, 9)}
    (entry,) = aws.partition("LedgerTable", message_id=PARTITION)
    assert (entry["told"], entry["why"]) == ("2026-11-26", "soon")
    book.forget(TRIP)
    assert book.notes() == {}


def test_messages_are_counted_once(book: DynamoEndings, template: Template) -> None:
    with acting("InboundFunction"):
        uses = DynamoUses(clients.dynamodb(), template.name("LedgerTable"), FakeClock())
    row = Counted(TRIP, 2)
    assert [uses.count(row, one) for one in ("a", "b", "a", "c", "b")] == [True, True, True, False, True]
    assert (book.taken(TRIP), book.taken("other@ends.example")) == (2, 0)


def test_an_alias_ends_unless_its_row_was_changed(aws: CloudHere, book: DynamoEndings) -> None:
    (row,) = [one for one in book.rows() if one["address"] == TRIP]
    changed = {**ROW, "expires_after": "100 days"}
    aws.put("AliasTable", [changed])
    book.end(row, 7)
    assert [one for one in aws.rows("AliasTable") if one["address"] == TRIP] == [changed]
    aws.put("AliasTable", [ROW])
    book.end(row, 7)
    ended = {**ROW, "expires_at": 7, "updated_at": 7, "updated_by": "watch"}
    assert [one for one in aws.rows("AliasTable") if one["address"] == TRIP] == [ended]
