"""Robots that answer every message by way of the alias that brought it: the loop ends, and people's mail goes on."""

from collections.abc import Callable
from typing import cast

import pytest
from postern_mail.mail.address import Address

from .simulated import Post, Stack

TEAM, JANE, JOE = "team@example.com", "jane@dest.example", "joe@other.example"
WAYS: dict[str, Callable[[int], str]] = {
    "marked": lambda number: f"Auto-Submitted: auto-replied\r\nSubject: away {number}\r\n",
    "with one subject": lambda number: "Subject: Re: away\r\n",
    "with one Re: more each time": lambda number: f"Subject: {'Re: ' * (number % 40)}hello\r\n",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("robots", [1, 2])
def test_the_loop_ends(way: str, robots: int) -> None:
    stack = Stack({TEAM: {"destinations": [JANE, JOE]}}, lambda address: True, delay=1)
    for one in (JANE, JOE):
        stack.health.rows[one] = {"address": one, "delivered_at": 1}
    answered: list[str] = []
    mailer = cast("Post", stack.world.mailer)
    taken = mailer.taken

    def answers(message_id: str, destination: Address) -> None:
        taken(message_id, destination)
        if destination.key in (JANE, JOE)[:robots] and len(answered) < 500:
            answered.append(destination.key)
            raw = f"From: {destination}\r\n{WAYS[way](len(answered))}\r\nI am away".encode()
            stack.mail(TEAM, source=str(destination), raw=raw, after=stack.clock.time - stack.start + 2)

    mailer.taken = answers
    stack.mail(TEAM, source="betsy@sender.example")
    letter = stack.mail(TEAM, source=JANE, raw=f"From: {JANE}\r\nSubject: lunch?\r\n\r\n".encode(), after=300)
    stack.run(7_200)
    assert len(answered) <= (2 + 10 * robots) * robots, "two letters, and ten of each robot, to all who answer"
    assert letter in stack.arrived
