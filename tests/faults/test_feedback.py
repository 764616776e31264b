"""A bounce survives a fault at every single AWS call of the feedback function.

Each position is tried in four ways, as in test_every_call. Taken again, the event ends as if nothing
had been: in the ledger, with the destination suspended, and with its owner told once, or a second time only where
writing down that he was told is what failed.
"""

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from postern.aws import clients, feedback_assembly
from postern.aws.ledger import DynamoLedger
from postern.aws.mail_log import PowertoolsMailLog
from postern.mail.address import Address
from postern.settings import FeedbackSettings

from emulator.cloud import Cloud
from emulator.template import Template
from tests.builders import bounce
from tests.fakes import LEASE_SECONDS, FakeClock, FakeFeedbackLog
from tests.faults.world import Fault, Interference, Killed, _interfered

CALLS = ["dynamodb.Query", *["dynamodb.UpdateItem"] * 4]  # find; note, failed, suspend, told


@pytest.mark.parametrize("kills", [True, False], ids=["killed", "network"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("position", range(len(CALLS)))
def test_no_position_loses_anything(
    aws: Cloud, template: Template, monkeypatch: pytest.MonkeyPatch, position: int, after: bool, kills: bool
) -> None:
    jane, message_id = Address(uuid.uuid4().hex, "dest.example"), uuid.uuid4().hex
    claim(template, message_id, jane)
    interference, log, fault = Interference(), FakeFeedbackLog(), Fault(position, after, kills)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setattr(clients, "dynamodb", _interfered(clients.dynamodb, interference))
    settings = FeedbackSettings.from_environment(template.resource("FeedbackFunction")["Environment"]["Variables"])
    listener = feedback_assembly.listener(settings, cast("PowertoolsMailLog", log))
    event = bounce(message_id=message_id, destination=str(jane))

    interference.choose = lambda number, call: fault if number == fault.position else None
    failed = run(listener.handle, event)
    assert failed == kills, "botocore itself asks again where the network fails"
    interference.choose = lambda number, call: None
    interference.calls.clear()
    listener.handle(event)

    entries = {row["entry"]: row for row in aws.partition("LedgerTable", message_id=message_id)}
    assert (entries[f"via:{jane.key}"]["state"], "bounced" in entries[f"via:{jane.key}"]) == ("claimed", True)
    (row,) = aws.partition("DestinationTable", address=jane.key)
    assert len(row["failures"]) == 1
    assert {"suspended_at", "told_at"} <= row.keys()
    told = sum(line.startswith("suspended") for line in log.lines)
    assert told == (2 if kills and not after and position == len(CALLS) - 1 else 1)


def test_there_are_no_other_calls(aws: Cloud, template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    jane, message_id = Address(uuid.uuid4().hex, "dest.example"), uuid.uuid4().hex
    claim(template, message_id, jane)
    interference = Interference()
    monkeypatch.setattr(clients, "dynamodb", _interfered(clients.dynamodb, interference))
    settings = FeedbackSettings.from_environment(template.resource("FeedbackFunction")["Environment"]["Variables"])
    listener = feedback_assembly.listener(settings, cast("PowertoolsMailLog", FakeFeedbackLog()))
    listener.handle(bounce(message_id=message_id, destination=str(jane)))
    assert interference.calls == CALLS


def claim(template: Template, message_id: str, destination: Address) -> None:
    """The message is on its way, and not settled."""
    ledger = DynamoLedger(
        clients.dynamodb(), template.name("LedgerTable"), clock=FakeClock(), lease_seconds=LEASE_SECONDS,
        keep_days=37, retry_hours=36,
    )  # fmt: skip
    ledger.claim(message_id, destination, Address("info", "example.com"))


def run(handle: Callable[[object], None], event: object) -> bool:
    """Whether something left the handler."""
    try:
        handle(event)
    except Killed:
        return True
    return False
