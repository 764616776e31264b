"""A group of any size settles in DynamoDB, whose items have 400 KB, with any number of its members suspended."""

import uuid
from contextlib import suppress
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.feedback.ledger import DynamoFeedbackLedger
from postern_mail.errors import Unsettled

from emulator.cloud import Cloud
from emulator.template import Template
from tests.builders import TAG_KEY, event, stored
from tests.contract.test_ledger import in_dynamodb
from tests.forwarding_world import RAW, World

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow, pytest.mark.long]

MEMBERS = 2_000
MOST = 400 * 1024  # docs.aws.amazon.com/amazondynamodb, "Quotas": an item, its names counted


def size(item: dict[str, Any]) -> int:
    """Octets, about as DynamoDB counts them; a little more."""
    return len(repr(item).encode())


@pytest.mark.parametrize("suspended", [1_000, MEMBERS - 1, MEMBERS])
def test_a_group_of_two_thousand_settles(aws: Cloud, template: Template, suspended: int) -> None:
    """Addresses as long as they may be, and the longest reasons; two aliases lead there."""
    world, message_id = World(remaining=1e9), uuid.uuid4().hex
    world.ledger = in_dynamodb(clients.dynamodb(), template, world.clock)  # type: ignore[assignment]
    world.store.messages[message_id] = stored(RAW, message_id=message_id)
    members = [f"{number}{'m' * 55}@{'d' * 60}.{'e' * 60}.{'f' * 50}.example" for number in range(MEMBERS)]
    row = {"destinations": members}
    world.tables.aliases = {"all@example.com": row, "everybody@example.com": row}
    gone = {"suspended_at": 1, "reason": "the mailbox does not exist: " + "x" * 2_000}
    world.tables.destinations = {
        who: gone if number < suspended else {"delivered_at": 1} for number, who in enumerate(members)
    }
    with suppress(Unsettled):
        world.handle(event("all@example.com", "everybody@example.com", message_id=message_id))
    rows = {one["entry"]: one for one in aws.rows("LedgerTable") if one["message_id"] == message_id}
    whole = suspended == MEMBERS
    assert rows["to:all@example.com"]["state"] == ("quarantined" if whole else "forwarded")
    assert rows["to:everybody@example.com"]["state"] == ("quarantined" if whole else "merged")
    assert "open" not in rows["message"]
    assert sum(name.startswith("via:") for name in rows) == MEMBERS
    assert max(map(size, rows.values())) < MOST / 2
    assert len(world.mailer.sent) == MEMBERS - suspended


def test_every_member_may_lose_it(aws: Cloud, template: Template) -> None:
    world, message_id = World(), uuid.uuid4().hex
    ledger = in_dynamodb(clients.dynamodb(), template, world.clock)
    world.ledger = ledger  # type: ignore[assignment]
    world.store.messages[message_id] = stored(RAW, message_id=message_id)
    world.handle(event("nobody@example.com", message_id=message_id))
    heard = DynamoFeedbackLedger(clients.dynamodb(), template.name("LedgerTable"), world.clock, TAG_KEY)
    for number in range(MEMBERS // 10):
        assert heard.lost(message_id, "nobody@example.com", f"{number}{'m' * 60}@{'d' * 60}.example") is not None
    (message,) = [one for one in aws.partition("LedgerTable", message_id=message_id) if one["entry"] == "message"]
    assert 10 * size(message) < MOST / 2
