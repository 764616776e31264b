"""Days are added up the same, whatever call the watch is killed at, and however often it runs; and the way of a message
pays no call for it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.watch.summaries import PARTITION, DynamoSummaries
from postern_mail.daily_summaries import DailySummaries
from postern_mail.mail.days import A_DAY
from postern_mail.mail.summaries import GRACE, LOOK_BACK, day_of

from tests import rights
from tests.faults.world import Fault, Killed, World

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow]

WRITES = ("UpdateItem", "UpdateItem", "TransactWriteItems")  # of one message with one destination
MIDNIGHT = 1_920_067_200  # 2030-11-05: no other test has mail there


def watch(world: World) -> DailySummaries:
    with rights.acting("WatchFunction"):
        client = clients.dynamodb()
    book = DynamoSummaries(client, world.template.name("LedgerTable"), lambda _: None)
    return DailySummaries(book=book, clock=world.clock)


def all_days(each: DailySummaries) -> None:
    while each.run():
        pass


def kept(world: World) -> dict[str, dict[str, Any]]:
    """What stands there of days with mail, except when it was added up."""
    rows = [row for row in world.cloud.partition("LedgerTable", message_id=PARTITION) if row.get("counts") != {}]
    return {row["entry"]: {name: value for name, value in row.items() if name != "folded_at"} for row in rows}


@pytest.fixture(autouse=True)
def nothing_is_left(world: World) -> Iterator[None]:
    """Of days that other tests have no mail on; older ones were added up and had none."""
    before = [day_of(MIDNIGHT - back * A_DAY) for back in range(3, LOOK_BACK + 1)]
    made = {"message_id": PARTITION, "counts": {}, "folded_at": 1}
    world.cloud.put("LedgerTable", [{**made, "entry": f"day {day}"} for day in before])
    yield
    rows = world.cloud.rows("LedgerTable")
    forget(
        world, (row for row in rows if row["message_id"] == PARTITION or row.get("opened_at", 0) > MIDNIGHT - 3 * A_DAY)
    )


def forget(world: World, rows: Iterable[Mapping[str, str]]) -> None:
    world.cloud.delete("LedgerTable", ({"message_id": row["message_id"], "entry": row["entry"]} for row in rows))


def test_the_row_that_answered_costs_no_call(world: World) -> None:
    world.clock.time = MIDNIGHT - 100
    message_id = world.store("c@example.com")
    world.interference.calls.clear()
    assert world.run(message_id, "c@example.com", "c+tag@example.com") is None
    written = [one for one in world.interference.calls if one.startswith("dynamodb.") and "Get" not in one]
    assert written == [f"dynamodb.{one}" for one in WRITES], "entry, claim, end"
    entries = world.entries(message_id)
    assert {entries[f"to:{who}@example.com"]["alias"] for who in ("c", "c+tag")} == {"c@example.com"}


@pytest.mark.long
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_no_position_makes_another_day(world: World, after: bool) -> None:
    for day in (2, 1):
        world.clock.time = MIDNIGHT - day * A_DAY + 3600
        assert world.run(world.store(*"ab"[:day]), "a@example.com", "nobody@example.com") is None
    world.clock.time = MIDNIGHT + GRACE
    each = watch(world)
    world.interference.calls.clear()
    all_days(each)
    calls, wanted = list(world.interference.calls), kept(world)
    assert wanted[f"day {day_of(MIDNIGHT - 1)}"]["counts"] == {"forwarded": 1, "rejected": 1}
    assert len([one for one in wanted if one.startswith("alias ")]) == 4
    for position in range(len(calls)):
        forget(world, ({"message_id": PARTITION, "entry": one} for one in wanted))
        world.interference.calls.clear()
        fault = Fault(position, after, True)
        world.interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
        with pytest.raises(Killed):
            all_days(each)
        world.interference.choose = lambda number, call: None
        all_days(each)
        assert kept(world) == wanted, f"{fault} at {calls[position]}"
    world.clock.time += A_DAY
    all_days(each)
    assert kept(world) == wanted, "a day later"
