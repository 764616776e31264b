"""A message that is held survives a fault at every AWS call of both its attempts: it is not lost, nor sent twice."""

from itertools import count

import pytest

from tests.builders import stored
from tests.faults.test_every_call import SEND
from tests.faults.world import RAW, Fault, World

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow]

ALIAS, DESTINATION = "c@example.com", "d4@dest.example"
NETWORKS = (f"10.{number // 256}.{number % 256}" for number in count())
WAYS = [(after, kills) for after in (False, True) for kills in (False, True)]


def hold(world: World) -> None:
    world.cloud.put(
        "AliasTable", [{"address": "#settings", "rate_cap": 0, "greylist": True, "greylist_auto_whitelist_clients": 1}]
    )


def new(world: World) -> str:
    """A message that nothing authenticates, from a network that nobody saw before."""
    message_id = world.store(ALIAS)
    raw = stored(RAW.replace(b"hi", message_id.encode()), message_id=message_id, spf="none")
    one = next(NETWORKS)
    raw = raw.replace(b"192.0.2.9", f"{one}.1".encode())
    world.cloud.s3.put_object(Bucket=world.template.name("MailBucket"), Key=f"inbound/{message_id}", Body=raw)
    return message_id


def calls(world: World, message_id: str) -> list[str]:
    world.interference.calls.clear()
    assert world.run(message_id, ALIAS) is None
    return list(world.interference.calls)


@pytest.mark.parametrize(("after", "kills"), WAYS)
def test_no_position_loses_or_doubles_what_is_held(world: World, after: bool, kills: bool) -> None:
    hold(world)
    first = calls(world, new(world))
    for position in range(len(first)):
        message_id = new(world)
        broken(world, message_id, Fault(position, after, kills))
        world.clock.time += 10
        retried = world.run(message_id, ALIAS)
        entry = world.entries(message_id)[f"to:{ALIAS}"]
        assert (retried, entry["state"], world.copies(message_id)) == (None, "deferred", {}), first[position]
        assert "release_at" in entry
        world.clock.time += 300
        world.retry(message_id, ALIAS)
        check(world, message_id, first[position], doubled=False)


@pytest.mark.parametrize(
    ("after", "kills"), [pytest.param(*way, marks=() if all(way) else pytest.mark.long) for way in WAYS]
)
def test_nor_does_the_attempt_that_ends_it(world: World, after: bool, kills: bool) -> None:
    hold(world)
    message_id = new(world)
    calls(world, message_id)
    world.clock.time += 61
    second = calls(world, message_id)
    for position in range(len(second)):
        message_id = new(world)
        assert world.run(message_id, ALIAS) is None
        world.clock.time += 61
        broken(world, message_id, Fault(position, after, kills))
        world.clock.time += 300
        world.retry(message_id, ALIAS)
        settling = position > 0 and second[position - 1] == SEND and kills and not after
        check(world, message_id, second[position], doubled=settling or (second[position] == SEND and after))


def broken(world: World, message_id: str, fault: Fault) -> None:
    world.interference.calls.clear()
    world.interference.choose = lambda number, call: fault if number == fault.position else None
    world.run(message_id, ALIAS)
    world.interference.choose = lambda number, call: None


def check(world: World, message_id: str, where: str, *, doubled: bool) -> None:
    entries = world.entries(message_id)
    assert world.copies(message_id) == {DESTINATION: 2 if doubled else 1}, where
    assert entries[f"to:{ALIAS}"]["state"] in ("forwarded", "merged"), where
    assert "release_at" not in entries[f"to:{ALIAS}"], where
    assert "open" not in entries["message"], where
