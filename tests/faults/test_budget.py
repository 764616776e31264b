"""What a message may ask AWS for, in calls: by how many recipients and destinations it has."""

from itertools import pairwise

import pytest
from postern_mail.aws.choice import OWN

from tests.fakes import LEASE_SECONDS
from tests.faults.world import Fault, World

pytestmark = pytest.mark.function("InboundFunction")

SEND = "sesv2.SendEmail"


def aliases(world: World, leads: dict[str, list[str]]) -> None:
    destinations = sorted({one for there in leads.values() for one in there})
    world.cloud.put("AliasTable", [{"address": key, "destinations": value} for key, value in leads.items()])
    world.cloud.put("DestinationTable", [{"address": one, "delivered_at": 1_700_000_000} for one in destinations])


def calls(world: World, *recipients: str) -> list[str]:
    message_id = world.store(*recipients)
    world.interference.calls.clear()
    assert world.run(message_id, *recipients) is None
    return list(world.interference.calls)


def test_one_recipient_with_one_destination(world: World) -> None:
    world.is_warm = True
    assert len(calls(world, "c@example.com")) == 7, "entry, object, rows; health; claim, sending, end"
    assert len(calls(world, "c@example.com")) == 6, "where it led before, its health is read with the rows"


@pytest.mark.parametrize("world", [OWN], indirect=True)
def test_one_destination_takes_four_rounds(world: World) -> None:
    """A round ends when an answer is read before the next call is made."""
    world.is_warm = True
    for rounds in (5, 4):
        world.interference.turns.clear()
        calls(world, "c@example.com")
        turns = world.interference.turns
        assert 1 + sum(pair == ("answered", "asked") for pair in pairwise(turns)) == rounds
        assert turns[:3] == ["asked"] * 3, "entry, object, rows"


def test_ten_destinations(world: World) -> None:
    aliases(world, {"ten@example.com": [f"ten{number}@dest.example" for number in range(10)]})
    assert len(calls(world, "ten@example.com")) == 6 + 10


@pytest.mark.slow
@pytest.mark.long
def test_a_hundred_recipients(world: World) -> None:
    leads = {f"r{number}@example.com": [f"r{number}@dest.example"] for number in range(100)}
    aliases(world, leads)
    made = calls(world, *leads)
    assert made.count(SEND) == 100
    assert len(made) <= 150


def test_a_claim_that_another_holds_delays_no_one_else(world: World) -> None:
    """Of an invocation that was killed while it sent to one of four destinations."""
    message_id = world.store()
    world.interference.calls.clear()
    world.interference.choose = lambda number, call: Fault(number, True, True) if call == SEND else None
    world.run(message_id, "c@example.com")
    world.interference.choose = lambda number, call: None
    assert "another invocation" in str(world.run(message_id))
    assert len(world.copies(message_id)) == 4, "the other three got it beside the claim that lives"
    assert world.entries(message_id)["to:c@example.com"]["state"] == "deferred"
    assert world.entries(message_id)["to:b@example.com"]["state"] == "forwarded"
    world.clock.time += LEASE_SECONDS + 60
    world.retry(message_id)
