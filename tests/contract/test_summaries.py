"""Days of the ledger, added up on DynamoDB."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from postern_command.figures import By, figures
from postern_mail.aws import clients
from postern_mail.aws.watch.summaries import PARTITION, Day, DynamoSummaries
from postern_mail.mail.days import A_DAY
from postern_mail.mail.summaries import NO_ALIAS, Summary, Use, day_of, forgotten_at, start_of

from emulator.template import Template
from tests.cloud_here import CloudHere

pytestmark = pytest.mark.function("WatchFunction")

DAY, NEXT = "2031-03-09", "2031-03-10"  # no other test has messages of these days
NOON = start_of(DAY) + A_DAY // 2
INFO, TEAM = "info@example.com", "team@example.com"


@pytest.fixture
def book(aws: CloudHere, template: Template) -> Iterator[DynamoSummaries]:
    yield DynamoSummaries(clients.dynamodb(), template.name("LedgerTable"))
    rows = [row for row in aws.rows("LedgerTable") if row["message_id"] in (PARTITION,) or "2031" in row["message_id"]]
    aws.delete("LedgerTable", ({"message_id": row["message_id"], "entry": row["entry"]} for row in rows))


def happened(cloud: CloudHere, at: int, number: int = 0, **outcomes: str) -> str:
    """A message for these local parts with these states."""
    cloud.put("LedgerTable", entries(message_id := f"2031-{at}-{number}", at, **outcomes))
    return message_id


def entries(message_id: str, at: int, **outcomes: str) -> list[dict[str, Any]]:
    recipients = {f"{one}@example.com" for one in outcomes}
    own = {"message_id": message_id, "entry": "message", "day": day_of(at), "opened_at": at, "source": "b@s.example"}
    rows = [
        {"message_id": message_id, "entry": f"to:{one}@example.com", "state": state, "alias": f"{one}@example.com"}
        for one, state in outcomes.items()
    ]
    return [{**own, "recipients": recipients}, *rows]


def test_a_day_is_what_was_opened_on_it(aws: CloudHere, book: DynamoSummaries) -> None:
    for at in (start_of(DAY) - 1, start_of(DAY), NOON, start_of(NEXT) - 1, start_of(NEXT)):
        happened(aws, at, info="forwarded")
    assert book.of_day(DAY) == Summary(
        {"forwarded": 3}, {INFO: Use({"forwarded": 3}, start_of(NEXT) - 1)}, {"s.example": 3}
    )
    assert book.of_day("2031-01-01") == Summary()


def test_more_messages_than_one_call_takes_and_an_end(aws: CloudHere, book: DynamoSummaries) -> None:
    made = [entries(f"2031-{one}", NOON + one, **dict.fromkeys(("info", "x", "y"), "failed")) for one in range(60)]
    aws.put("LedgerTable", [one for each in made for one in each])
    whole, few = book.of_day(DAY, most=60), book.of_day(DAY, most=55)
    assert (whole.counts, whole.partial) == ({"failed": 180}, False)
    assert (few.counts, few.partial) == ({"failed": 165}, True)
    assert few.aliases[INFO].last_used == NOON + 59, "the latest are read"


def test_what_was_lost_is_read_whole(aws: CloudHere, book: DynamoSummaries) -> None:
    message_id = happened(aws, NOON, info="forwarded")
    via = {"recipient": INFO, "state": "sent", "bounced": {"at": 1, "lost": True}}
    own = {"message_id": message_id, "entry": "message", "day": DAY, "opened_at": NOON, "source": ""}
    aws.put(
        "LedgerTable",
        [
            {"message_id": message_id, "entry": "via:j@dest.example", **via},
            {**own, "recipients": {INFO}, "noted": {f"lost {INFO}"}},
        ],
    )
    assert book.of_day(DAY) == Summary({"lost": 1}, {INFO: Use({"lost": 1}, NOON)}, {"<>": 1})


def test_a_day_is_kept_and_read(aws: CloudHere, book: DynamoSummaries) -> None:
    now = time.time()
    use = Use({"forwarded": 2}, NOON)
    book.keep(DAY, Summary({"forwarded": 2, "rejected": 1}, {INFO: use, NO_ALIAS: Use({"rejected": 1})}), now)
    book.keep(NEXT, Summary({"forwarded": 1}, {INFO: Use({"forwarded": 1}, NOON + A_DAY)}, {"s.example": 1}, True), now)
    book.keep("2031-03-11", Summary(), now)
    assert book.days(DAY, NEXT) == {
        DAY: Day({"forwarded": 2, "rejected": 1}, False, int(now)),
        NEXT: Day({"forwarded": 1}, True, int(now)),
    }
    assert list(book.uses(DAY, DAY)) == [(DAY, NO_ALIAS, Use({"rejected": 1})), (DAY, INFO, use)]
    assert list(book.uses(NEXT, NEXT)) == [(NEXT, INFO, Use({"forwarded": 1}, NOON + A_DAY))]
    assert list(book.senders(DAY, NEXT)) == [(NEXT, {"s.example": 1})]
    assert book.last_used() == {INFO: NOON + A_DAY}
    assert book.added_up(start_of("2031-03-12")) == {DAY: int(now), NEXT: int(now), "2031-03-11": float("inf")}
    kept = {row["entry"]: row["expires_at"] for row in aws.partition("LedgerTable", message_id=PARTITION)}
    assert {kept[f"day {DAY}"], kept[f"alias {DAY} {INFO}"]} == {forgotten_at(DAY)}
    assert kept[f"used {INFO}"] == forgotten_at(NEXT)


def test_a_day_that_is_added_up_again_is_as_it_is_now(book: DynamoSummaries) -> None:
    book.keep(DAY, Summary({"deferred": 1, "pending": 1}, {INFO: Use({"deferred": 1}, NOON)}), 1)
    book.keep(DAY, Summary({"forwarded": 1, "failed": 1}, {TEAM: Use({"forwarded": 1}, NOON)}), 2)
    assert list(book.uses(DAY, DAY)) == [(DAY, TEAM, Use({"forwarded": 1}, NOON))]
    assert book.days(DAY, DAY)[DAY].counts == {"forwarded": 1, "failed": 1}
    book.keep(DAY, Summary({"forwarded": 1}, {TEAM: Use({"forwarded": 1}, NOON - 1)}), 3)
    assert book.last_used()[TEAM] == NOON, "never earlier"


def test_what_screening_found_is_counted_by_message_and_kept(aws: CloudHere, book: DynamoSummaries) -> None:
    screened = {
        "client": "unknown", "score": "1 of 1", "listed": ["bl.example"], "errors": ["dbl.example: not asked for"],
        "found": ["bl.example (the client, 127.0.0.2)", "reject_non_fqdn_sender"], "late": ["slow.example"],
        "skipped": ["the client is a forwarder"],
    }  # fmt: skip
    for number in range(2):
        own, *rows = entries(f"2031-s-{number}", NOON + number, info="rejected", team="rejected")
        rows[0]["reason"] = (
            "header rule 010: WARN x; header rule 010 for info@example.com: REJECT; header rule 020: BCC"
        )
        aws.put("LedgerTable", [{**own, "screened": screened, "release_at": NOON}, *rows])
    happened(aws, NOON, 9, info="forwarded")
    found = book.of_day(DAY)
    twice = (
        "held", "screened", "threshold reached", "client unknown", "client is a forwarder", "listed: bl.example",
        "reject_non_fqdn_sender", "error: dbl.example", "late: slow.example", "header rule 010", "header rule 020",
    )  # fmt: skip
    assert found.screening == dict.fromkeys(twice, 2)
    book.keep(DAY, found, 5)
    assert book.days(DAY, DAY)[DAY].screening == found.screening
    made = figures(book, By.SCREENING, 1, NOON)
    assert {one.label: one.total for one in made.lines} == found.screening
    assert not made.by_outcome
