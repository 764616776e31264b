"""Many destinations at once: how many, what one that fails is to the others, and what a broken one leaves behind."""

import threading
from collections.abc import Callable, Sequence

import pytest
from postern_mail import side_by_side
from postern_mail.deliver import Deliverer
from postern_mail.errors import Temporary, TooFast, Unavailable, Unsettled
from postern_mail.mail.outcomes import ClaimState
from postern_mail.sending import AT_ONCE, ROOM, Pace

from tests.builders import MESSAGE_ID, event, stored
from tests.forwarding_world import RAW, World, one_after_the_other

MANY = [f"d{number}@dest.example" for number in range(23)]


@pytest.fixture
def world() -> World:
    made = World()
    made.tables.aliases["many@example.com"] = {"destinations": MANY}
    made.tables.destinations = {one: {"delivered_at": 1} for one in MANY}
    return made


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many are sent at once, time after time."""
    found: list[int] = []

    def noted(works: Sequence[Callable[[], None]]) -> None:
        found.append(len(works))
        one_after_the_other(works)

    monkeypatch.setattr("tests.forwarding_world.one_after_the_other", noted)
    return found


def states(world: World) -> set[ClaimState | None]:
    return {one.state for one in world.ledger.claims.values()}


def test_so_many_are_sent_at_once(world: World, batches: list[int]) -> None:
    world.handle(event("many@example.com"))
    assert batches == [10, 10, 3]
    assert sorted(world.mailer.destinations) == sorted(MANY)


def test_of_a_large_message_fewer_are_sent_at_once(world: World, batches: list[int]) -> None:
    world.store.messages[MESSAGE_ID] = stored(RAW + b"\r\n" + b"x" * (ROOM // 4))
    world.handle(event("many@example.com"))
    assert max(batches) == 3


def test_no_more_are_claimed_than_are_sent_at_once(world: World) -> None:
    """So a process that is killed leaves no more of which no one knows."""
    claimed: list[int] = []
    world.mailer.before = lambda destination: claimed.append(
        sum(one.state is ClaimState.CLAIMED for one in world.ledger.claims.values())
    )
    world.handle(event("many@example.com"))
    assert max(claimed) == AT_ONCE


def test_while_ses_is_too_fast_fewer_are_sent_at_once(world: World, batches: list[int]) -> None:
    world.mailer.script = {one: [TooFast("slow")] for one in MANY[:7]}
    pace, deliverer = Pace(), Deliverer.__init__

    def paced(self: Deliverer, **given: object) -> None:
        deliverer(self, **{**given, "pace": pace})  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Deliverer, "__init__", paced)
        world.handle(event("many@example.com"))
    assert batches == [10, 3, 4, 5, 1]
    assert sorted(world.mailer.destinations) == sorted(MANY)
    assert states(world) == {ClaimState.SENT}


def test_the_pace_is_one_at_least_and_ten_at_most() -> None:
    pace = Pace()
    pace.heard(10, 10)
    assert pace.at_once(1) == 1
    for _ in range(20):
        pace.heard(1, 0)
    assert pace.at_once(1) == AT_ONCE
    assert pace.at_once(ROOM * 2) == 1


@pytest.mark.parametrize("place", [0, 4, 12, 22])
def test_one_that_fails_delays_no_other(world: World, place: int) -> None:
    world.mailer.script = {MANY[place]: [Unavailable("down")]}
    with pytest.raises(Unsettled, match="down"):
        world.handle(event("many@example.com"))
    assert sorted(world.mailer.destinations) == sorted({*MANY} - {MANY[place]})
    world.handle(event("many@example.com"))
    assert sorted(world.mailer.destinations) == sorted(MANY)


def test_what_was_sent_beside_one_that_breaks_is_settled(world: World) -> None:
    world.mailer.script = {MANY[4]: [MemoryError()]}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.forwarding_world.one_after_the_other", side_by_side.side_by_side)
        with pytest.raises(MemoryError):
            world.handle(event("many@example.com"))
    found = [str(one.state) for one in world.ledger.claims.values()]
    assert sorted(found) == [ClaimState.CLAIMED] + [ClaimState.SENT] * 9


def test_calls_are_made_at_once() -> None:
    """Each waits for the other."""
    together = threading.Barrier(3)
    side_by_side.side_by_side([lambda: together.wait(10) and None] * 3)


def test_what_one_raises_is_raised_when_all_have_ended() -> None:
    ended, gone = [], threading.Event()

    def fails() -> None:
        gone.set()
        raise Temporary("no")

    def goes_on() -> None:
        gone.wait(10)
        ended.append(1)

    with pytest.raises(Temporary, match="no"):
        side_by_side.side_by_side([fails, goes_on, goes_on])
    assert ended == [1, 1]
