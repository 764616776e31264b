"""Strangers fill a mailbox's hour; a friend's letter still comes."""

from typing import Any

import pytest

from .simulated import Stack

WAYS: dict[str, tuple[dict[str, Any], str]] = {
    "alias": ({"info@example.com": {"destinations": ["jane@dest.example"]}}, "info@example.com"),
    "catch-all": ({"@example.com": {"destinations": ["jane@dest.example"]}}, "n{}@example.com"),
}


def flooded(way: str, senders: int) -> tuple[Stack, str]:
    """320 letters within a minute to what has a cap of 60 an hour, and then one of a friend's."""
    aliases, form = WAYS[way]
    stack = Stack(aliases, lambda address: True, delay=1)
    stack.world.rates.cap = 60
    stack.mail(form.format("first"), source="first@first.example")
    for number in range(320):
        stack.mail(form.format(number), source=f"b@s{number % senders}.example", after=100 + number / 6)
    return stack, stack.mail(form.format("friend"), source="friend@friend.example", after=200)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["alias", pytest.param("catch-all", marks=pytest.mark.long)])
def test_a_friends_letter_comes_while_a_flood_waits(way: str) -> None:
    stack, friend = flooded(way, 1)
    stack.run(3_400)
    assert stack.arrived[friend] <= 200 + 300
    assert len(stack.arrived) <= 62


@pytest.mark.slow
@pytest.mark.long
def test_a_catch_all_is_capped_for_any_sender() -> None:
    stack, _ = flooded("catch-all", 320)
    stack.run(1_000)
    assert len(stack.arrived) <= 121  # the hour may change in between
