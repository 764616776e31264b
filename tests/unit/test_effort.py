"""What a message takes, as a count that no clock and no load changes: calls of functions, ours and the interpreter's."""

import sys
import threading
from collections import Counter
from types import FrameType
from typing import Any

import pytest

from bench.rewriting import HEADER
from tests.builders import MESSAGE_ID, event, stored
from tests.forwarding_world import JANE, World

RAW = HEADER + b"x" * 2_000
MOST = {"one destination": 3_500, "each destination more": 1_300}  # 3.13 makes fewer than 3.11


def called(world: World) -> int:
    """Calls for one message, in all threads; the fakes' among them."""
    counts: Counter[str] = Counter()

    def count(_: FrameType, what: str, __: Any) -> None:
        counts[what] += 1

    event_ = event("info@example.com")
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        world.handle(event_)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return counts["call"] + counts["c_call"]


def a_message(destinations: int) -> int:
    world = World()
    world.store.messages[MESSAGE_ID] = stored(RAW)
    leads = [JANE, *(f"d{number}@dest.example" for number in range(1, destinations))]
    world.tables.aliases["info@example.com"] = {"destinations": leads}
    world.tables.destinations = {one: {"delivered_at": 1} for one in leads}
    found = called(world)
    assert world.mailer.destinations == leads
    return found


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    """What is imported when it is first needed."""
    a_message(2)


def test_a_message_of_3_kb() -> None:
    assert a_message(1) <= MOST["one destination"]


def test_each_destination_takes_the_same() -> None:
    one, five, ten = map(a_message, (1, 5, 10))
    assert (five - one) / 4 <= MOST["each destination more"]
    assert ten - five <= (five - one) * 5 / 4 * 1.1, "in proportion"
