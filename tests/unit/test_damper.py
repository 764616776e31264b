"""The damper of robots: what counts as the same, and which message is one too many."""

import itertools

import pytest
from postern_mail.mail.address import Address
from postern_mail.mail.damper import MOST, WITHIN, echo, is_over, noted, outdated, subject
from postern_mail.mail.header import Header
from postern_mail.mail.settings import KEY

from tests.builders import envelope, event, stored, verdict
from tests.forwarding_world import JANE, JOE, World

TEAM = "team@example.com"


def seen(*seconds: float) -> set[str]:
    return {noted(f"m{number}", at) for number, at in enumerate(seconds)}


@pytest.mark.parametrize(
    ("seconds", "at", "over"),
    [
        (range(9), 20, False),
        (range(10), 20, True),
        (range(0, 1000, 100), 1000, False),  # five are too long ago
        (range(1000, 1010), 1000 + WITHIN, False),
        (range(1001, 1011), 1000 + WITHIN, True),
        (range(100, 200), 50, False),  # those behind it do not count
    ],
)
def test_the_eleventh_within_ten_minutes_is_one_too_many(seconds: range, at: int, over: bool) -> None:
    assert is_over(seen(*seconds), noted("mine", at)) is over


def test_a_message_that_is_tried_again_stays_what_it_was() -> None:
    everything = {noted(f"m{number}", 100) for number in range(30)}
    kept = [one for one in sorted(everything) if not is_over(everything, one)]
    assert len(kept) == MOST
    assert kept == sorted(everything)[:MOST], "whatever the order in which they are looked at"


def test_what_is_long_ago_is_forgotten() -> None:
    assert outdated({noted("a", 1_000), noted("b", 3_000)}, 3_100) == {noted("a", 1_000)}


@pytest.mark.parametrize(
    "raw",
    [
        b"Lunch", b"lunch", b"Re: Lunch", b"RE: Re: AW: Lunch", b"Fwd: lunch", b"Re[2]: Lunch", b"Re (3): lunch",
        b" Re :  Lunch ", b"[team] Re: [team] lunch", b"Re: [Team] Re: lunch",
    ],
)  # fmt: skip
def test_an_answer_has_the_subject_of_what_it_answers(raw: bytes) -> None:
    assert subject(raw, "[team]") == subject(b"lunch")


@pytest.mark.parametrize(
    ("one", "other"), itertools.combinations([b"lunch 1", b"lunch 2", b"relunch", b"", b"x: lunch"], 2)
)
def test_other_subjects_are_others(one: bytes, other: bytes) -> None:
    assert subject(one) != subject(other)


def test_a_stranger_does_not_use_up_a_members_count() -> None:
    """Anybody can write a member's name in From; the domain that the member counts for is another, or not proven."""
    team, header = Address.parse(TEAM), Header(authors=(Address.parse(JANE),), subject=b"hi")
    his = [
        echo(envelope(TEAM, source=source, spfVerdict=verdict(spf)), header, team, [Address.parse(JANE)])
        for source, spf in [(JANE, "PASS"), (JANE, "FAIL"), ("x@stranger.example", "PASS"), ("<>", "PASS")]
    ]
    assert len({one for one in his if one}) == 4


def stack() -> World:
    """One where mail arrived before, so that nothing goes slowly."""
    world = World()
    world.tables.destinations = {one: {"address": one, "delivered_at": 1} for one in (JANE, JOE)}
    return world


def arrives(world: World, number: int, who: str, subject_line: str, more: str = "") -> str:
    """A message of a member to the member's own list; what became of it."""
    message_id = f"m{number}"
    raw = f"From: {who}\r\nSubject: {subject_line}\r\n{more}\r\nbody".encode()
    world.store.messages[message_id] = stored(raw, source=who, message_id=message_id)
    world.handle(event(TEAM, source=who, message_id=message_id, spfVerdict=verdict("PASS")))
    world.clock.time += 5
    return world.ledger.states(message_id)[TEAM]


@pytest.mark.parametrize("more", ["Auto-Submitted: auto-replied\r\n", "Precedence: bulk\r\n", "X-Autoreply: yes\r\n"])
def test_the_eleventh_automatic_message_is_kept_whatever_its_subject(more: str) -> None:
    world = stack()
    became = [arrives(world, number, JANE, f"away {number}", more) for number in range(12)]
    assert became == ["forwarded"] * 10 + ["quarantined"] * 2
    assert arrives(world, 50, JOE, "away", more) == "forwarded", "another member"
    assert arrives(world, 51, JANE, "lunch?") == "forwarded", "a person's letter from the same mailbox"
    world.clock.time += WITHIN
    assert arrives(world, 52, JANE, "away", more) == "forwarded"


def test_the_eleventh_of_one_subject_is_kept_and_fifteen_different_mails_pass() -> None:
    world = stack()
    assert [arrives(world, number, JANE, f"mail {number}") for number in range(15)] == ["forwarded"] * 15
    world = stack()
    became = [arrives(world, number, JANE, "Re: " * number + "hi") for number in range(12)]
    assert became == ["forwarded"] * 10 + ["quarantined"] * 2


def test_the_owners_tag_is_no_part_of_a_subject() -> None:
    world = stack()
    world.tables.aliases[KEY] = {"subject_tag": "[team]"}
    became = [arrives(world, number, JANE, "Re: [team] " * (number % 3) + "hi") for number in range(11)]
    assert became[-1] == "quarantined"


def test_a_released_one_goes_through() -> None:
    world = stack()
    assert [arrives(world, number, JANE, "hi") for number in range(11)][-1] == "quarantined"
    world.ledger.released.add(TEAM)
    world.ledger.open(envelope(TEAM, message_id="m11"))
    assert arrives(world, 11, JANE, "hi") == "forwarded"


def test_mail_from_elsewhere_is_not_counted_and_costs_nothing() -> None:
    world = stack()
    for number in range(12):
        assert arrives(world, number, "betsy@sender.example", "hi") == "forwarded"
    assert not world.rates.seen
