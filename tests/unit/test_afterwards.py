"""The later truth of one recipient, by all its destinations."""

from typing import Any

import pytest
from postern_mail.mail.afterwards import afterwards

INFO, TEAM = "info@example.com", "team@example.com"
SENT = {"state": "sent", "recipient": INFO}
DELIVERED = {**SENT, "delivered": {"at": 5}}
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
    assert (found and (str(found.state), found.destination, found.said)) == expected


def test_who_was_merged_shares_the_fate_of_the_forward() -> None:
    entries: dict[str, Any] = {
        f"to:{INFO}": {"state": "forwarded"},
        f"to:{TEAM}": {"state": "merged"},
        "via:a@x.example": LOST,
    }
    found = afterwards(TEAM, entries)
    assert found is not None
    assert found.state == "lost"
