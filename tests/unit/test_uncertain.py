"""What is not known of a sending stays unknown until SES says something, whatever fails in between."""

import pytest
from postern_mail.errors import Throttled, Unanswered, Unsettled
from postern_mail.mail.days import A_DAY
from postern_mail.mail.digest import Noted

from tests.builders import MESSAGE_ID, event
from tests.forwarding_world import JANE, World
from tests.unit.test_owner_mail import OWNER, Desk


@pytest.fixture
def world() -> World:
    return World()


def attempt(world: World) -> list[str]:
    """What an attempt that fails says in the log."""
    before = len(world.log.lines)
    with pytest.raises(Unsettled):
        world.handle(event("info@example.com"))
    return world.log.lines[before:]


def test_a_lost_answer_is_not_forgotten_because_the_next_attempt_was_throttled(world: World) -> None:
    """SES may have sent the first, so the third is a second copy, and must be counted as one."""
    world.mailer.script[JANE] = [Unanswered("read timeout"), Throttled("slow")]
    attempt(world)
    attempt(world)
    assert world.ledger.claims[MESSAGE_ID, f"via:{JANE}"].state == "unanswered"
    before = len(world.log.lines)
    world.handle(event("info@example.com"))
    assert f"resent {JANE}" in world.log.lines[before:]


def test_a_sending_that_the_cap_forbids_is_no_second_one(world: World) -> None:
    world.mailer.script[JANE] = [Unanswered("read timeout")]
    attempt(world)
    world.rates.cap = 0
    assert f"resent {JANE}" not in attempt(world)
    assert world.ledger.claims[MESSAGE_ID, f"via:{JANE}"].state == "unanswered"


def test_the_hours_of_a_lost_answer_count_from_when_ses_last_said_something(world: World) -> None:
    """A dead letter that is put back has its first answer lost: one lost answer is no reason to give up."""
    world.mailer.script[JANE] = [Throttled("paused"), Unanswered("read timeout")]
    attempt(world)
    world.clock.time += 40 * 3600
    attempt(world)
    world.clock.time += 60
    world.handle(event("info@example.com"))
    assert world.states == {"info@example.com": "forwarded"}


def test_a_digest_that_may_have_been_sent_stays_so() -> None:
    desk = Desk()
    at = desk.clock.now() - A_DAY / 2
    desk.news.noted_.append(Noted("failed", "m1", "a@sender.example", "info@example.com", at))
    desk.mailer.script[OWNER] = [Unanswered("?"), Throttled("slow")]
    for _ in range(2):
        with pytest.raises((Unanswered, Throttled)):
            desk.run()
    before = len(desk.log.lines)
    desk.run()
    assert f"resent {OWNER}" in desk.log.lines[before:]
