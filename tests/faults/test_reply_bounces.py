"""A reply that came back survives a fault at every AWS call: its writer is told once, and no one's health suffers.

A second time only where SES's answer was lost.
"""

import pytest
from postern_mail.aws.feedback import assembly

from tests.fakes import FakeFeedbackLog
from tests.faults.test_feedback import ALIAS, DESTINATION, listening, sent, taken
from tests.faults.world import Fault, World

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow, pytest.mark.long]

REPLIER = "d1@dest.example"
UPDATE, SEND = "dynamodb.UpdateItem", "sesv2.SendEmail"
CALLS = ["dynamodb.Query", UPDATE, UPDATE, UPDATE, SEND, UPDATE]  # the claim; what was said, and noted; then the mail
WAYS = [(True, False), (True, True), (False, False), (False, True)]


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(assembly, "SystemClock", lambda: world.clock)
    return world


@pytest.mark.parametrize(("kills", "after"), WAYS)
def test_no_position_loses_or_doubles_the_telling(world: World, kills: bool, after: bool) -> None:
    for position in range(len(CALLS)):
        message_id, event = sent(world)
        via = world.entries(message_id)[f"via:{DESTINATION}"]
        world.cloud.put("LedgerTable", [{**via, "alias": ALIAS, "replier": REPLIER}])
        world.delivered.clear()
        fault, listener = Fault(position, after, kills), listening(world, FakeFeedbackLog())
        world.interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
        taken(listener, event)
        if kills and after:
            assert world.interference.calls == CALLS[: position + 1], "there are no other calls"
        world.interference.choose = lambda number, call: None
        world.clock.time += 300
        listener.handle(event)
        listener.handle(event)
        settling = position > 0 and CALLS[position - 1] == SEND and kills and not after
        doubled = (CALLS[position] == SEND and after) or settling
        assert [who for who, _ in world.delivered] == [REPLIER] * (2 if doubled else 1), fault
        assert world.entries(message_id)[f"via:{DESTINATION}"]["bounced"]["lost"] is True
        (health,) = [row for row in world.cloud.rows("DestinationTable") if row["address"] == DESTINATION]
        assert health.keys() == {"address", "delivered_at"}, fault
