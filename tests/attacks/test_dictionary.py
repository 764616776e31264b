"""A stranger tries names: each that is no mailbox is a hard bounce of the account's, which SES pauses for them."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from .simulated import Stack

NAMES = 150
DELAYS = (0, 10, 600)  # seconds until a bounce is known

WAYS: dict[str, tuple[dict[str, Any], str]] = {
    "domain to domain": ({"@example.com": {"destinations": ["@dest.example"]}}, "n{}@example.com"),
    "by a domain of ours": (
        {
            "@example.com": {"destinations": ["@two.example.com"]},
            "@two.example.com": {"destinations": ["@dest.example"]},
        },
        "n{}@example.com",
    ),
    "tags kept": (
        {"info@example.com": {"destinations": ["gone@dest.example"], "keep_tag": True}},
        "info+{}@example.com",
    ),
    "tags kept by domain": (
        {"info@example.com": {"destinations": ["@dest.example"], "keep_tag": True}},
        "info+{}@example.com",
    ),
    "pattern": (
        {"@example.com": {"patterns": [{"pattern": "x(.*)", "destinations": [r"\1@dest.example"]}]}},
        "xn{}@example.com",
    ),
    "catch-all": ({"@example.com": {"destinations": ["gone@dest.example"]}}, "n{}@example.com"),
}


def variants() -> Iterator[Any]:
    """(way, delay, messages a second, known): those that have bounced most in each gate, the others in the long one."""
    for way, delay, rate, known in product(WAYS, DELAYS, (0.1, 20), (False, True)):
        short = (delay, rate, known) == (600, 20, True)
        yield pytest.param(way, delay, rate, known, marks=() if short else pytest.mark.long)


@pytest.mark.slow
@pytest.mark.parametrize(("way", "delay", "rate", "known"), variants())
def test_a_dictionary_makes_few_hard_bounces(way: str, delay: float, rate: float, known: bool) -> None:
    """`known`: mail arrived at the domain before."""
    aliases, form = WAYS[way]
    stack = Stack(
        {**aliases, "jane@example.com": {"destinations": ["jane@dest.example"]}}, "jane@dest.example".__eq__, delay
    )
    if known:
        stack.mail("jane@example.com")
    for number in range(NAMES):
        stack.mail(form.format(number), after=1_000 + number / rate)
    stack.run(1_000 + NAMES / rate + 12 * 3600)
    assert 1 <= len(stack.hard_bounces) <= 20
    assert any("suspended" in line for line in stack.log.lines)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("way", ["domain to domain", "catch-all"])
def test_ten_thousand_names_make_no_more_of_them(way: str) -> None:
    aliases, form = WAYS[way]
    stack = Stack(aliases, lambda address: False)
    for number in range(10_000):
        stack.mail(form.format(number), after=number / 20)
    stack.run(12 * 3600)
    assert 1 <= len(stack.hard_bounces) <= 20


@pytest.mark.slow
@pytest.mark.parametrize("delay", [1, pytest.param(5, marks=pytest.mark.long)])
@pytest.mark.parametrize("way", ["listed", "domain to domain"])
def test_500_good_addresses_imported_at_once_get_their_mail_within_ten_minutes(way: str, delay: float) -> None:
    listed: dict[str, Any] = {
        f"n{number}@example.com": {"destinations": [f"n{number}@dest.example"]} for number in range(500)
    }
    stack = Stack(listed if way == "listed" else WAYS[way][0], lambda address: True, delay)
    for number in range(500):
        stack.mail(f"n{number}@example.com", after=number / 50)
    stack.run(600)
    assert len(stack.arrived) == 500


def test_what_arrived_before_arrives_while_others_are_held() -> None:
    stack = Stack(WAYS["domain to domain"][0], "jane@dest.example".__eq__)
    stack.mail("jane@example.com")
    for number in range(100):
        stack.mail(f"n{number}@example.com", after=100 + number)
    last = stack.mail("jane@example.com", after=1_000)
    stack.run(2_000)
    assert last in stack.arrived
