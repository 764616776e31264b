"""A catch-all under a hundred messages at once, with a name's row for each, and a fault at every call of the learning."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from postern_mail.aws.forward.learned import PARTITION

from tests.faults.world import Fault, World

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow]

DOMAIN = {"address": "@example.com", "destinations": ["d1@dest.example"], "learn": True}
WAYS = [(after, kills) for after in (False, True) for kills in (False, True)]


@pytest.fixture(autouse=True)
def learns(world: World) -> object:
    world.cloud.put("AliasTable", [DOMAIN])
    yield
    rows = [row for row in world.cloud.rows("AliasTable") if "learned_at" in row or row["address"] == "@example.com"]
    world.cloud.delete("AliasTable", ({"address": row["address"]} for row in rows))
    names = world.cloud.partition("LedgerTable", message_id=PARTITION)
    world.cloud.delete("LedgerTable", ({"message_id": PARTITION, "entry": row["entry"]} for row in names))


def learned(world: World) -> set[str]:
    return {row["address"] for row in world.cloud.rows("AliasTable") if "learned_at" in row}


@pytest.mark.long
def test_a_hundred_messages_to_fifty_new_names(world: World) -> None:
    names = [f"name{number}@example.com" for number in range(50)]
    sent = {world.store(names[number % 50]): names[number % 50] for number in range(100)}
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda one: world.run(*one), sent.items())) == [None] * 100
    assert all(world.copies(message_id) == {"d1@dest.example": 1} for message_id in sent)
    assert learned(world) == set(names)
    for message_id, name in sent.items():
        assert world.entries(message_id)[f"to:{name}"]["state"] == "forwarded"


def test_one_message_for_several_new_names_is_one_copy(world: World) -> None:
    message_id = world.store("x1@example.com", "x2@example.com")
    assert world.run(message_id, "x1@example.com", "x2@example.com", "x1+tag@example.com") is None
    assert world.copies(message_id) == {"d1@dest.example": 1}
    assert learned(world) == {"x1@example.com", "x2@example.com"}
    again = world.store("x1@example.com", "x2@example.com")
    world.interference.calls.clear()
    assert world.run(again, "x1@example.com", "x2@example.com") is None
    assert world.copies(again) == {"d1@dest.example": 1}
    assert {world.entries(again)[f"to:{one}@example.com"]["alias"] for one in ("x1", "x2")} == {
        "x1@example.com", "x2@example.com",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["reply", "Reply+x", "postern-test+x"])
def test_a_name_that_postern_keeps_for_itself_is_not_learned(world: World, name: str) -> None:
    message_id = world.store(f"{name}@example.com")
    assert world.run(message_id, f"{name}@example.com") is None
    assert world.copies(message_id) == {"d1@dest.example": 1}
    assert learned(world) == set()


@pytest.mark.parametrize(("after", "kills"), WAYS)
def test_a_fault_of_the_learning_costs_no_mail(world: World, after: bool, kills: bool) -> None:
    first = world.store("first@example.com")
    world.interference.calls.clear()
    assert world.run(first, "first@example.com") is None
    calls = list(world.interference.calls)
    assert calls[-2:] == ["dynamodb.UpdateItem"] * 2
    for back in (2, 1):
        name = f"new{back}{after}{kills}@example.com".lower()
        fault = Fault(len(calls) - back, after, kills)
        message_id = world.store(name)
        world.interference.calls.clear()
        world.interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
        raised = world.run(message_id, name)
        world.interference.choose = lambda number, call: None
        assert kills or raised is None
        world.retry(message_id, name)
        assert world.copies(message_id) == {"d1@dest.example": 1}
        assert world.run(world.store(name), name) is None, "the next mail"
        assert name in learned(world)
    assert (first, "first@example.com" in learned(world)) == (first, True)
