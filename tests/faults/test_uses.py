"""An alias that ends after so many messages, with a hundred at once and with a fault at every call."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from postern_mail.aws.forward.uses import USES

from tests.faults.world import Fault, World

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow]

ALIAS, DESTINATION = "ends@example.com", "d1@dest.example"
WAYS = [(after, kills) for after in (False, True) for kills in (False, True)]


@pytest.fixture(autouse=True)
def ends(world: World) -> Iterator[None]:
    take(world, 3)
    yield
    world.cloud.delete("AliasTable", [{"address": ALIAS}])
    forget(world)


def take(world: World, number: int) -> None:
    row = {"address": ALIAS, "destinations": [DESTINATION], "expires_after": f"{number} messages"}
    world.cloud.put("AliasTable", [row])


def forget(world: World) -> None:
    rows = world.cloud.partition("LedgerTable", message_id=f"{USES}{ALIAS}")
    world.cloud.delete("LedgerTable", ({"message_id": row["message_id"], "entry": row["entry"]} for row in rows))


def state(world: World, message_id: str) -> str:
    return str(world.entries(message_id)[f"to:{ALIAS}"]["state"])


@pytest.mark.long
def test_a_hundred_at_once_where_one_is_left_forward_one(world: World) -> None:
    for _ in range(2):
        assert world.run(world.store(ALIAS), ALIAS) is None
    sent = [world.store(ALIAS) for _ in range(100)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda one: world.run(one, ALIAS), sent)) == [None] * 100
    assert Counter(state(world, one) for one in sent) == {"forwarded": 1, "rejected": 99}
    assert sum(world.copies(one)[DESTINATION] for one in sent) == 1


@pytest.mark.parametrize(("after", "kills"), WAYS)
def test_a_fault_counts_no_message_twice_and_none_too_few(world: World, after: bool, kills: bool) -> None:
    message_id = world.store(ALIAS)
    world.interference.calls.clear()
    assert world.run(message_id, ALIAS) is None
    calls = list(world.interference.calls)
    position = calls.index("dynamodb.UpdateItem", calls.index("s3.GetObject"))  # the first after the look-up
    for number in (position, position + 1):
        forget(world)
        take(world, 1)
        message_id = world.store(ALIAS)
        fault = Fault(number, after, kills)
        world.interference.calls.clear()
        world.interference.choose = lambda at, call, fault=fault: fault if at == fault.position else None  # type: ignore[misc]
        world.run(message_id, ALIAS)
        world.interference.choose = lambda at, call: None
        world.clock.time += 300
        world.retry(message_id, ALIAS)
        assert state(world, message_id) == "forwarded"
        assert world.copies(message_id) == {DESTINATION: 1}
        last = world.store(ALIAS)
        assert world.run(last, ALIAS) is None
        assert (state(world, last), world.copies(last)[DESTINATION]) == ("rejected", 0)
