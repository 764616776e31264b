"""The log: what an alarm hangs on leaves at once."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest
from postern_mail.aws.mail_log import PowertoolsMailLog
from postern_mail.mail.address import Address
from postern_mail.mail.feedback import Feedback
from postern_mail.mail.outcomes import State
from postern_mail.ports.forward import Outcome

from tests.builders import envelope
from tests.fakes import INFO


def counted(printed: str) -> set[str]:
    lines = [json.loads(line) for line in printed.splitlines() if '"_aws"' in line]
    return {name for line in lines for name in line if name not in ("_aws", "service")}


@dataclass(frozen=True)
class Case:
    metric: str
    tell: Callable[[PowertoolsMailLog], Any]


def of(state: State) -> Callable[[PowertoolsMailLog], Any]:
    outcome = Outcome(Address.parse(INFO), state, "why")
    return lambda log: log.outcome(envelope(INFO), outcome, 1, 0.0)


def said(kind: str, subtype: str = "") -> Callable[[PowertoolsMailLog], Any]:
    again = Feedback(kind, "m", "d", 1, subtype=subtype)
    return lambda log: log.feedback(again, "x@dest.example", first=False)


@pytest.mark.parametrize(
    "case",
    [
        Case("Failed", of(State.FAILED)),
        Case("Ambiguous", of(State.AMBIGUOUS)),
        Case("Quarantined", of(State.QUARANTINED)),
        Case("Suspended", lambda log: log.suspended("x@dest.example", "why")),
        Case("SesRejected", said("rejected")),
        Case("OnAccountSuppressionList", said("bounced", "OnAccountSuppressionList")),
    ],
    ids=lambda case: cast("Case", case).metric,
)
def test_what_an_alarm_hangs_on_leaves_before_the_handler_ends(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """A killed function never ends its handler. An event that was noted before may not have been counted."""
    log = PowertoolsMailLog(own_domains=(), log_addresses=True, stack="test-at-once")
    case.tell(log)
    assert case.metric in counted(capsys.readouterr().out)


def test_other_counts_leave_together(capsys: pytest.CaptureFixture[str]) -> None:
    log = PowertoolsMailLog(own_domains=(), log_addresses=True, stack="test-at-once")
    of(State.FORWARDED)(log)
    assert counted(capsys.readouterr().out) == set()
    log.metrics.flush_metrics()
