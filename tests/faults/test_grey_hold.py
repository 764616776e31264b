"""A message that is held survives a fault at every AWS call of both its attempts: it is not lost, nor sent twice."""

import json
from contextlib import suppress
from itertools import count

import pytest
from postern_mail.aws import clients
from postern_mail.aws.watch.backlog import Backlog
from postern_mail.aws.watch.state import DynamoWatchState
from postern_mail.held import GRACE, Held
from postern_mail.mail.envelope import Envelope

from tests import rights
from tests.builders import stored
from tests.faults.test_every_call import SEND
from tests.faults.world import RAW, Fault, Killed, World

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow]

ALIAS, DESTINATION = "c@example.com", "d4@dest.example"
NETWORKS = (f"10.{number // 256}.{number % 256}" for number in count())
WAYS = [(after, kills) for after in (False, True) for kills in (False, True)]


def hold(world: World) -> None:
    world.cloud.put(
        "AliasTable", [{"address": "#settings", "rate_cap": 0, "greylist": True, "greylist_auto_whitelist_clients": 1}]
    )


def new(world: World) -> str:
    """A message that nothing authenticates, from a network that no one saw before."""
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


@pytest.mark.long
@pytest.mark.parametrize(("after", "kills"), [(True, True), (False, True)], ids=["after", "before"])
def test_the_watch_wakes_it_whatever_call_it_is_killed_at(world: World, after: bool, kills: bool) -> None:
    """What brings it back is lost: the watch does, in the hour in which it was killed or in the next."""
    hold(world)
    held, url = watch(world)
    message_id = overdue(world)
    world.interference.calls.clear()
    assert message_id in held.run()
    made = list(world.interference.calls)
    assert made[-1] == "sqs.SendMessage"
    for position in range(len(made)):
        woken(world, url)
        message_id = overdue(world)
        world.interference.calls.clear()
        world.interference.choose = lambda number, call, at=position: Fault(at, after, kills) if number == at else None  # type: ignore[misc]
        with suppress(Exception, Killed):
            held.run()
        world.interference.choose = lambda number, call: None
        assert world.entries(message_id)[f"to:{ALIAS}"]["state"] == "deferred", made[position]
        held.run()
        events = woken(world, url)
        assert message_id in events, made[position]
        for _ in events:
            world.retry(message_id, ALIAS)
        check(world, message_id, made[position], doubled=False)


def watch(world: World) -> tuple[Held, str]:
    """What wakes holds, as the watch has it, and the retry queue."""
    url = str(world.template.resolve({"Ref": "RetryQueue"}))
    with rights.acting("WatchFunction"):
        book = DynamoWatchState(clients.dynamodb(), world.template.name("LedgerTable"), keep_days=37)
        return Held(book=book, queue=Backlog(clients.sqs(), url), clock=world.clock), url


def overdue(world: World) -> str:
    """A message whose hold ended an hour ago, and no one takes what would wake it off the queue: it is delayed."""
    message_id = new(world)
    assert world.run(message_id, ALIAS) is None
    world.clock.time += 61 + GRACE + 1800
    return message_id


def woken(world: World, url: str) -> list[str]:
    """The messages that the queue brings back, each as often as it does."""
    found: list[str] = []
    while letters := world.cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [Envelope.from_event(json.loads(one["Body"])["requestPayload"]).message_id for one in letters]
        for one in letters:
            world.cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found


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
