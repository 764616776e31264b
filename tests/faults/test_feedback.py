"""A bounce survives a fault at every single AWS call of the feedback function.

Each position is tried in four ways, as in test_every_call. Taken again, the event ends as if nothing
had been: in the ledger, with the destination suspended, its owner told once (or a second time only where writing
down this notice is what failed), and the sender told at most once; not at all only where SES's answer
was lost.
"""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from postern_mail.aws.feedback import assembly
from postern_mail.aws.mail_log import CloudWatchMailLog
from postern_mail.aws.stack_keys import TAGS, stack_keys
from postern_mail.environment import FeedbackEnvironment
from postern_mail.feedback import Listener
from postern_mail.mail.address import Address
from postern_mail.mail.brake import domain_key
from postern_mail.mail.tags import destination_tag

from emulator.cloud import Cloud
from tests.builders import bounce
from tests.fakes import FakeFeedbackLog
from tests.faults.world import AUTHOR, Fault, Killed, World
from tests.rights import acting

pytestmark = pytest.mark.function("InboundFunction")

ALIAS, DESTINATION = "c@example.com", "d4@dest.example"
UPDATE, BOUNCE = "dynamodb.UpdateItem", "ses.SendBounce"
FIND, SETTINGS = "dynamodb.Query", "dynamodb.BatchGetItem"
CALLS = [
    FIND, UPDATE, UPDATE, UPDATE,  # note, the bounce at the domain, what is out there
    SETTINGS, UPDATE, UPDATE, UPDATE,  # failed, suspend, told
    UPDATE, "s3.GetObject", SETTINGS, UPDATE, FIND,  # the owner's note; the header; what is due, and all that is
    UPDATE, SETTINGS, UPDATE, UPDATE, BOUNCE, UPDATE, UPDATE,  # the claim, two counts, the answer, its end twice
]  # fmt: skip
SENT = CALLS.index(BOUNCE)
CLAIM, SETTLE, TOLD = SENT - 4, SENT + 1, 7


@pytest.fixture
def world(world: World, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(assembly, "SystemClock", lambda: world.clock)
    yield world
    aws.delete("DestinationTable", [{"address": DESTINATION}, {"address": domain_key(DESTINATION)}])


def listening(world: World, log: FakeFeedbackLog) -> Listener:
    variables = world.template.resource("FeedbackFunction")["Environment"]["Variables"]
    with acting("FeedbackFunction"):
        made = assembly.listener(FeedbackEnvironment.from_environment(variables), cast("CloudWatchMailLog", log))
    world.interference.calls.clear()  # the key was read
    return made


def sent(world: World) -> tuple[str, dict[str, Any]]:
    """(a message that SES took, the event that says that it came back)."""
    world.interference.choose = lambda number, call: None
    message_id = world.store(ALIAS)
    assert world.run(message_id, ALIAS) is None
    world.interference.calls.clear()
    (key,) = stack_keys(world.cloud.dynamodb, world.template.name("LedgerTable"), TAGS)
    made = bounce(message_id=message_id, destination=DESTINATION)
    tag = destination_tag(key, message_id, Address.parse(DESTINATION))
    made["detail"]["mail"]["tags"]["destination"] = [tag]
    made["detail"]["mail"]["messageId"] = world.entries(message_id)[f"via:{DESTINATION}"]["detail"]
    return message_id, made


def taken(listener: Listener, event: object) -> bool:
    """Whether it was; what it was killed or failed by is another matter."""
    try:
        listener.handle(event)
    except (Exception, Killed):  # noqa: BLE001 (Lambda's boundary)
        return False
    return True


def test_there_are_no_other_calls(world: World) -> None:
    _, event = sent(world)
    listening(world, FakeFeedbackLog()).handle(event)
    assert world.interference.calls == CALLS


def may_be_missing(fault: Fault) -> bool:
    """We had the claim, and did not hear from SES or live to write down what it said."""
    if fault.position == SENT:
        return fault.kills or fault.after
    begun = fault.position > CLAIM or (fault.position == CLAIM and fault.after)
    return fault.kills and begun and (fault.position < SETTLE or (fault.position == SETTLE and not fault.after))


@pytest.mark.slow
@pytest.mark.parametrize("kills", [True, pytest.param(False, marks=pytest.mark.long)], ids=["killed", "network"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("position", range(len(CALLS)))
def test_no_position_loses_anything(world: World, position: int, after: bool, kills: bool) -> None:
    message_id, event = sent(world)
    fault, log = Fault(position, after, kills), FakeFeedbackLog()
    listener = listening(world, log)
    world.interference.choose = lambda number, call: fault if number == fault.position else None
    done = taken(listener, event)
    # botocore itself asks again where the network fails, but SES; an answer that it did not take is left to the watch
    assert done == (not kills)
    world.interference.choose = lambda number, call: None
    world.clock.time += 300
    listener.handle(event)

    entries = world.entries(message_id)
    claim = entries[f"via:{DESTINATION}"]
    assert (claim["state"], claim["bounced"]["lost"]) == ("sent", True)
    untold = {f"unanswered {ALIAS}"} if may_be_missing(fault) else set()
    assert entries["message"]["noted"] == {f"lost {ALIAS}"} | untold
    assert entries[f"to:{ALIAS}"]["state"] == "forwarded"
    (row,) = world.cloud.partition("DestinationTable", address=DESTINATION)
    assert len(row["failures"]) == 1
    assert {"suspended_at", "told_at"} <= row.keys()
    told = sum(line.startswith("suspended") for line in log.lines)
    assert told == (2 if kills and not after and position == TOLD else 1)
    reports = [raw for who, raw in world.delivered if who == AUTHOR and message_id.encode() in raw]
    assert len(reports) <= 1
    answer = entries[f"to:{ALIAS}"]["answer"]
    assert answer.partition(":")[0] == ("ambiguous" if may_be_missing(fault) else "sent")
    assert len(reports) == 1 or answer.startswith("ambiguous")
