"""What came back of mail that was sent as an alias survives a fault at every single AWS call.

Each position is tried in four ways, as in test_every_call. Taken again, the event ends as if nothing had been: noted for
the owner once, each destination of the alias told once; a second time only where SES's answer was lost.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import pytest
from postern_mail.aws.feedback import assembly
from postern_mail.mail.address import Address
from postern_mail.mail.send_as import SentAs, UserOf, user_name

from emulator.account import REGION
from emulator.cloud import Cloud
from tests.builders import bounce
from tests.fakes import FakeFeedbackLog
from tests.faults.test_feedback import listening, taken
from tests.faults.world import Fault, World

pytestmark = [pytest.mark.function("FeedbackFunction"), pytest.mark.slow]

ALIAS, TOLD = "a@example.com", {"d1@dest.example", "d2@dest.example"}
READ, UPDATE, SEND = "dynamodb.BatchGetItem", "dynamodb.UpdateItem", "sesv2.SendEmail"
CALLS = [
    UPDATE, READ, READ, UPDATE,  # the owner's note; the alias, its destinations' health; the count of the hour
    UPDATE, SEND, UPDATE, UPDATE, SEND, UPDATE,  # for each the claim, the mail, the end of the claim
]  # fmt: skip


@pytest.fixture
def world(world: World, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(assembly, "SystemClock", lambda: world.clock)
    yield world
    aws.delete("LedgerTable", [
        {"message_id": row["message_id"], "entry": row["entry"]}
        for row in aws.rows("LedgerTable")
        if row["message_id"].startswith(("#relay", "returned"))
    ])  # fmt: skip


def ours(world: World) -> UserOf:
    return partial(user_name, world.template.stack, REGION)


def came_back(user_of: UserOf) -> dict[str, Any]:
    event = bounce(status="5.1.1", diagnostic="smtp; 550 5.1.1 user unknown")
    user = user_of(Address.parse(ALIAS))
    event["detail"]["mail"] |= {"source": ALIAS, "tags": {"ses:caller-identity": [user]}}
    event["detail"]["bounce"] |= {"feedbackId": "0102", "bouncedRecipients": [{"emailAddress": "betsy@sender.example"}]}
    return event


def test_there_are_no_other_calls(world: World) -> None:
    listening(world, FakeFeedbackLog()).handle(came_back(ours(world)))
    assert world.interference.calls == CALLS


def may_come_twice(fault: Fault) -> bool:
    """SES took it, and we did not hear, or live to write it down."""
    sent = CALLS[fault.position] == SEND and fault.after
    ended = CALLS[fault.position - 1] == SEND and not fault.after and fault.kills
    return sent or ended


def faults() -> Iterator[Any]:
    """All four at the mail itself in every gate; the rest in the long one."""
    for position, after, kills in product(range(len(CALLS)), (False, True), (True, False)):
        short = position == CALLS.index(SEND)
        name = f"{position}-{'after' if after else 'before'}-{'killed' if kills else 'network'}"
        yield pytest.param(position, after, kills, id=name, marks=() if short else pytest.mark.long)


@pytest.mark.parametrize(("position", "after", "kills"), faults())
def test_no_position_loses_anything(world: World, position: int, after: bool, kills: bool) -> None:
    event, log = came_back(ours(world)), FakeFeedbackLog()
    fault, listener = Fault(position, after, kills), listening(world, log)
    world.interference.choose = lambda number, call: fault if number == fault.position else None
    done = taken(listener, event)
    assert done == (not kills and CALLS[position] != SEND), "botocore itself asks again, but for SES"
    world.interference.choose = lambda number, call: None
    world.clock.time += 300
    listener.handle(event)
    listener.handle(event)

    read = SentAs.from_event(event, ours(world), ["example.com"])
    assert read is not None
    entries = world.entries(read.message_id)
    assert {name: entry["state"] for name, entry in entries.items()} == {f"via:{one}": "sent" for one in TOLD}
    (note,) = world.cloud.partition("LedgerTable", message_id="#relay")
    assert (note["word"], note["who"], note["source"]) == ("sent-as-lost", "betsy@sender.example", ALIAS)
    copies = Counter(who for who, raw in world.delivered if b"betsy@sender.example" in raw)
    assert copies.keys() == TOLD
    assert sum(copies.values()) == 2 + may_come_twice(fault)
    told = [row for row in world.cloud.rows("DestinationTable") if row["address"] in TOLD]
    assert not any("suspended_at" in row for row in told), "rows of other tests may be there"
