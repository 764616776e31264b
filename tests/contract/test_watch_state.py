"""One contract for the fakes of the scheduled check and for what they stand for."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.watch.bucket import S3Bucket
from postern_mail.aws.watch.state import PARTITION, DynamoWatchState
from postern_mail.ports.watch import Bucket, Progress, WatchState

from emulator.cloud import Cloud
from emulator.template import Template
from tests.fakes import FakeBucket, FakeWatchState

pytestmark = pytest.mark.function("WatchFunction")


@dataclass
class Kept:
    """A book, and how a message gets into it."""

    book: WatchState
    cloud: Cloud | None = None

    def put(self, message_id: str, **attributes: Any) -> None:
        if self.cloud is not None:
            self.cloud.put("LedgerTable", [{"message_id": message_id, "entry": "message", **attributes}])
        else:
            assert isinstance(self.book, FakeWatchState)
            self.book.own[message_id] = attributes


@pytest.fixture(params=["fake", "dynamodb"])
def kept(request: pytest.FixtureRequest, template: Template) -> Iterator[Kept]:
    if request.param == "fake":
        yield Kept(FakeWatchState())
        return
    cloud: Cloud = request.getfixturevalue("aws")
    rows = [row for row in cloud.rows("LedgerTable") if row["message_id"] == PARTITION or "open" in row]
    cloud.delete("LedgerTable", ({"message_id": row["message_id"], "entry": row["entry"]} for row in rows))
    yield Kept(DynamoWatchState(clients.dynamodb(), template.name("LedgerTable"), keep_days=37), cloud)


def test_progress_is_kept(kept: Kept) -> None:
    assert kept.book.progress() == Progress()
    made = Progress(after="m", started_at=1_795_000_000.5, checked_until=1_794_000_000.0, finished_at=7.0)
    kept.book.save(made)
    assert kept.book.progress() == made


def test_notes_are_kept_until_they_are_taken_away(kept: Kept) -> None:
    now = float(int(time.time()))
    kept.book.remember("a", now)
    kept.book.remember("a", now)
    kept.book.remember("b", now + 0.5)
    kept.book.save(Progress("x"))
    assert kept.book.remembered() == {"a": now, "b": now + 0.5}
    kept.book.forget("a")
    kept.book.forget("a")
    assert set(kept.book.remembered()) == {"b"}


def test_more_messages_than_one_call_takes_are_asked_for(kept: Kept) -> None:
    ids = [uuid.uuid4().hex for _ in range(230)]
    for message_id in ids[::2]:
        kept.put(message_id, opened_at=1)
    assert set(kept.book.message_entries(ids)) == set(ids[::2])
    assert kept.book.message_entries([]) == {}


def test_open_messages_oldest_first(kept: Kept) -> None:
    old, older, new, closed = (uuid.uuid4().hex for _ in range(4))
    kept.put(old, opened_at=200, open="open")
    kept.put(older, opened_at=100, open="open")
    kept.put(new, opened_at=300, open="open")
    kept.put(closed, opened_at=100)
    assert list(kept.book.open_since_before(300)) == [older, old]


@pytest.mark.parametrize("kind", ["fake", "s3"])
def test_a_bucket_is_listed_page_by_page(kind: str, request: pytest.FixtureRequest, template: Template) -> None:
    names = [f"page{number}" for number in range(5)]
    bucket: Bucket = FakeBucket(dict.fromkeys(names, 1.0))
    if kind == "s3":
        cloud: Cloud = request.getfixturevalue("aws")
        where = template.name("MailBucket")
        for found in cloud.s3.list_objects_v2(Bucket=where).get("Contents", ()):
            cloud.s3.delete_object(Bucket=where, Key=found["Key"])
        for name in ("inbound/", *(f"inbound/{name}" for name in names), "other/x"):
            cloud.s3.put_object(Bucket=where, Key=name, Body=b"")
        bucket = S3Bucket(clients.s3(), where, "inbound/", page_size=2)
    listed: list[str] = []
    after, pages = "", 0
    while pages == 0 or after:
        stored, after = bucket.page(after)
        listed += stored
        pages += 1
    assert (listed, pages) == (names, 3)
