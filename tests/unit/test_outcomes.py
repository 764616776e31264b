"""States: what follows from each, and that no other module spells one."""

import ast
from pathlib import Path

import pytest
from postern_mail.mail.outcomes import ClaimState, State

from tests.builders import ROOT
from tests.unit.test_architecture import PRODUCT

WORDS = {*State, *ClaimState}
OUTCOMES = ROOT / "layers/postern/postern_mail/mail/outcomes.py"
# Words that are something else where they stand.
NO_STATES = {
    ("layers/postern/postern_mail/aws/forward/answerer.py", "failed"): "RFC 3464's action",
    ("layers/postern/postern_mail/aws/forward/ledger.py", "pending"): "an attribute of the message's entry",
    ("layers/postern/postern_mail/mail/dsn.py", "unanswered"): "a sender who could not be told",
    ("layers/postern/postern_mail/mail/feedback.py", "rejected"): "an attribute of a claim: what SES says of it later",
    ("layers/postern/postern_mail/mail/orders.py", "pending"): "an attribute of the message's entry",
    ("command/postern_command/output/ledger_text.py", "pending"): "an attribute of the message's entry",
    ("layers/postern/postern_mail/examination.py", "failed"): "a grade of what was looked at",
    ("layers/postern/postern_mail/aws/forward/ledger.py", "merged"): "an attribute of a recipient's entry",
    ("layers/postern/postern_mail/mail/afterwards.py", "merged"): "an attribute of a recipient's entry",
    ("command/postern_command/destination.py", "suspended"): "a key of --json",
    ("command/postern_command/output/kinds.py", "forwarded"): "a bar: several states in one",
    ("command/postern_command/output/kinds.py", "quarantined"): "a bar",
    ("command/postern_command/output/kinds.py", "rejected"): "a bar: several states in one",
    ("layers/postern/postern_mail/mail/week.py", "rejected"): "a figure of the digest: several states in one",
    ("command/postern_command/pages/destinations.py", "suspended"): "a key of --json",
    ("command/postern_command/pages/edits.py", "sent"): "what a form was sent with",
    ("command/postern_command/pages/orders.py", "failed"): "what a form asks for",
    ("command/postern_command/pages/message.py", "quarantined"): "a key of --json",
    ("command/postern_command/pages/today.py", "deferred"): "an option of `postern log`",
    ("layers/postern/postern_mail/mail/digest.py", "suspended"): "a section",
    ("layers/postern/postern_mail/replying.py", "suspended"): "a cause",
}


def spelled(path: Path) -> set[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {(str(path.relative_to(ROOT)), text) for text in texts & WORDS}


def test_no_other_module_spells_a_state() -> None:
    found = {one for path in PRODUCT if path != OUTCOMES for one in spelled(path)}
    assert found == NO_STATES.keys()


SETTLED, ANSWERABLE, NOTED, REPLAYABLE, TROUBLING = "settled", "answerable", "noted", "replayable", "troubling"
OF_OUTCOMES = {
    State.FORWARDED: {SETTLED},
    State.MERGED: {SETTLED},
    State.QUARANTINED: {SETTLED, ANSWERABLE, NOTED},
    State.REJECTED: {SETTLED, ANSWERABLE},
    State.DISCARDED: {SETTLED, ANSWERABLE},
    State.TESTED: {SETTLED},
    State.FAILED: {SETTLED, ANSWERABLE, NOTED, REPLAYABLE, TROUBLING},
    State.AMBIGUOUS: {SETTLED, ANSWERABLE, NOTED, REPLAYABLE, TROUBLING},
    State.DEFERRED: {TROUBLING},
    State.PENDING: {TROUBLING},
}
ENDS, FREE, UNCERTAIN, IDLE, ACCEPTED, MISSED = "ends", "free", "uncertain", "idle", "accepted", "missed"
OF_CLAIMS = {
    ClaimState.CLAIMED: ({UNCERTAIN, MISSED}, State.DEFERRED),
    ClaimState.SENT: ({ENDS, ACCEPTED}, State.FORWARDED),
    ClaimState.NOTICED: ({ENDS, ACCEPTED, REPLAYABLE}, State.FAILED),
    ClaimState.FAILED: ({ENDS, REPLAYABLE}, State.FAILED),
    ClaimState.AMBIGUOUS: ({ENDS, REPLAYABLE}, State.AMBIGUOUS),
    ClaimState.RELEASED: ({FREE, IDLE}, State.DEFERRED),
    ClaimState.UNANSWERED: ({FREE, UNCERTAIN, MISSED}, State.DEFERRED),
    ClaimState.SUSPENDED: ({FREE, IDLE, MISSED}, State.DEFERRED),
}


@pytest.mark.parametrize("state", State)
def test_what_follows_from_an_outcome(state: State) -> None:
    asked = {SETTLED, ANSWERABLE, NOTED, REPLAYABLE, TROUBLING}
    assert {one for one in asked if getattr(state, one)} == OF_OUTCOMES[state]
    loud = "red" if state.replayable else "yellow" if state.noted or not state.settled else ""
    assert state.colour == loud


@pytest.mark.parametrize("state", ClaimState)
def test_what_follows_from_a_claim(state: ClaimState) -> None:
    asked = {ENDS, FREE, UNCERTAIN, IDLE, ACCEPTED, REPLAYABLE, MISSED}
    assert ({one for one in asked if getattr(state, one)}, state.outcome) == OF_CLAIMS[state]


def test_a_recipient_without_a_state_is_pending_and_an_unknown_word_is_an_error() -> None:
    assert State.of({"answer": "none: a robot"}) is State.PENDING
    assert State.of({"state": "merged"}) is State.MERGED
    with pytest.raises(ValueError, match="held"):
        State.of({"state": "held"})
