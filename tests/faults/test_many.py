"""Many messages at once, with faults at random and events that come twice: none lost, none doubled unexplained."""

import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes import LEASE_SECONDS
from tests.faults.world import ALIASES, Fault, World

pytestmark = pytest.mark.function("InboundFunction")

MESSAGES = int(os.environ.get("POSTERN_FAULT_MESSAGES", "100"))  # make faults asks for 1,000
SEED = 20261122
AT_ONCE = 100  # moto looks through a whole table for each query, so the ledger is emptied from time to time
FAULTY = 0.05  # of all AWS calls
ROUNDS = 60  # more than any message needs


class Dice:
    """A fault at random, of any kind."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.thrown = 0

    def __call__(self, number: int, call: str) -> Fault | None:
        if self._random.random() >= FAULTY:
            return None
        self.thrown += 1
        return Fault(number, after=self._random.random() < 0.5, kills=self._random.random() < 0.5)


def test_many_messages_with_random_faults(world: World) -> None:
    for start in range(0, MESSAGES, AT_ONCE):
        some_messages_with_random_faults(world, min(AT_ONCE, MESSAGES - start), SEED + start)
        rows = [row for row in world.cloud.rows("LedgerTable") if not row["message_id"].startswith("#key:")]
        world.cloud.delete("LedgerTable", ({name: row[name] for name in ("message_id", "entry")} for row in rows))


def some_messages_with_random_faults(world: World, messages: int, seed: int) -> None:
    waiting = {world.store(): "c@example.com" if number % 10 else "a@example.com" for number in range(messages)}
    wanted = {(message, who) for message, alias in waiting.items() for who in ALIASES[alias]}
    ids = set(waiting)
    world.interference.choose = dice = Dice(seed)
    for _ in range(ROUNDS):
        if not waiting:
            break
        with ThreadPoolExecutor(2) as pool:
            ended = list(pool.map(lambda one: (one[0], world.run(*one)), waiting.items()))
        waiting = {message: waiting[message] for message, raised in ended if raised is not None}
        world.clock.time += LEASE_SECONDS + 60
    world.interference.choose = lambda number, call: None
    assert not waiting, "every message is settled"
    assert dice.thrown > messages / 10
    copies = Counter((raw.partition(b"Subject: ")[2][:32].decode(), who) for who, raw in world.delivered)
    mine = {key: count for key, count in copies.items() if key[0] in ids}
    assert set(mine) == wanted, "none is lost and none goes astray"
    assert {key for key, count in mine.items() if count > 1} <= set(world.log.resendings), "none is doubled unexplained"


@pytest.mark.parametrize("times", range(5))
def test_two_invocations_of_one_event_side_by_side(world: World, times: int) -> None:
    """One of the two may find a claim held and leave the rest to a retry; SES gets each message once."""
    message_id, start = world.store(), threading.Barrier(2)

    def run() -> None:
        start.wait(10)
        world.run(message_id)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    world.clock.time += LEASE_SECONDS + 60
    world.retry(message_id)
    assert set(world.copies(message_id).values()) == {1}
    assert len(world.copies(message_id)) == 4
    assert world.log.resendings == []
    assert "open" not in world.entries(message_id)["message"]
