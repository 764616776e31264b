"""The later truth of one recipient, by all its destinations."""

from typing import Any

import pytest
from postern_mail.mail.afterwards import afterwards

INFO, TEAM = "info@example.com", "team@example.com"
SENT = {"state": "sent", "recipient": INFO}
DELIVERED = {**SENT, "delivered": {"at": 5}}
HIS = {"state": "sent", "recipient": TEAM, "delivered": {"at": 6}}
LOST = {**SENT, "bounced": {"at": 7, "why": "no mailbox", "lost": True}}


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, None),
        ({"via:a@x.example": SENT}, None),
        ({"via:a@x.example": DELIVERED}, ("delivered", "a@x.example", "")),
        ({"via:a@x.example": DELIVERED, "via:b@x.example": SENT}, None),  # one is not known yet
        ({"via:a@x.example": DELIVERED, "via:b@x.example": LOST}, ("lost", "b@x.example", "no mailbox")),
        ({"via:a@x.example": {**LOST, "recipient": TEAM}}, None),  # another's
        ({"via:a@x.example": {**SENT, "delayed": {"at": 1}, "delivered": {"at": 2}}}, ("delivered", "a@x.example", "")),
    ],
)
def test_the_worst_of_the_destinations_counts(claims: dict[str, Any], expected: tuple[str, str, str] | None) -> None:
    found = afterwards(INFO, {f"to:{INFO}": {"state": "forwarded"}, **claims})
    assert (found and (str(found.state), found.destination, found.detail)) == expected


@pytest.mark.parametrize(
    ("team", "claims", "expected"),
    [
        ({"state": "merged", "merged": ["a@x.example"]}, {"a": LOST, "b": DELIVERED}, "lost a@x.example"),
        ({"state": "merged", "merged": ["b@x.example"]}, {"a": LOST, "b": DELIVERED}, "delivered b@x.example"),
        ({"state": "merged", "merged": ["b@x.example"]}, {"a": LOST, "b": SENT}, None),
        ({"state": "merged", "merged": ["a@x.example", "2 more"]}, {"a": DELIVERED}, None),  # of two nothing is known
        ({"state": "merged", "merged": ["a@x.example", "2 more"]}, {"a": LOST}, "lost a@x.example"),
        ({"state": "forwarded", "merged": ["a@x.example"]}, {"a": LOST, "c": HIS}, "lost a@x.example"),
        ({"state": "forwarded", "merged": ["b@x.example"]}, {"a": LOST, "b": SENT, "c": HIS}, None),
        ({"state": "forwarded", "merged": ["b@x.example"]}, {"b": DELIVERED, "c": HIS}, "delivered c@x.example"),
        ({"state": "forwarded"}, {"a": LOST, "c": HIS}, "delivered c@x.example"),
    ],
)
def test_who_was_merged_shares_the_fate_of_that_copy_and_of_no_other(
    team: dict[str, Any], claims: dict[str, Any], expected: str | None
) -> None:
    entries = {f"to:{INFO}": {"state": "forwarded"}, f"to:{TEAM}": team}
    entries |= {f"via:{name}@x.example": claim for name, claim in claims.items()}
    found = afterwards(TEAM, entries)
    assert (found and f"{found.state} {found.destination}") == expected
