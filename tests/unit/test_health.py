"""The rule by which a destination is suspended: one table, and what order and time cannot change."""

import itertools
from decimal import Decimal
from typing import Any

import pytest
from postern_mail.mail.feedback import Feedback
from postern_mail.mail.health import (
    COMPLAINT,
    GONE,
    PERMANENT,
    TRANSIENT,
    Failure,
    Rule,
    failure,
    is_suspended,
    verdict,
)
from postern_mail.mail.rows import BadRow

from tests.builders import bounce, feedback

DAY = 86_400
RULE = Rule(failures=3, days=7)
WHO = "jane@dest.example"


def kind(event: dict[str, Any]) -> str | None:
    said = Feedback.from_event(event)
    assert said is not None
    found = failure(said)
    return found.kind if found else None


@pytest.mark.parametrize(
    ("type_", "subtype", "status", "counts_as"),
    [
        # The mailbox is not there: once is enough.
        ("Permanent", "NoEmail", "", GONE),
        ("Permanent", "NoEmail", "5.7.1", GONE),
        ("Permanent", "General", "5.1.1", GONE),
        ("Permanent", "General", "5.1.10", GONE),
        ("Permanent", "General", "5.2.1", GONE),
        ("Undetermined", "Undetermined", "5.1.2", GONE),
        ("Transient", "General", "5.1.1", GONE),
        # The sender's address, another mailer: not the mailbox's fault.
        ("Permanent", "General", "5.1.7", PERMANENT),
        ("Permanent", "General", "5.1.8", PERMANENT),
        ("Permanent", "General", "5.1.9", PERMANENT),
        # For good, but maybe because of what a stranger wrote.
        ("Permanent", "General", "", PERMANENT),
        ("Permanent", "General", "5.7.1", PERMANENT),
        ("Permanent", "General", "5.2.2", PERMANENT),
        ("Permanent", "General", "5.2.10", PERMANENT),
        ("Undetermined", "Undetermined", "", PERMANENT),
        # SES answers in the mailbox's place.
        ("Permanent", "Suppressed", "5.1.1", PERMANENT),
        ("Permanent", "OnAccountSuppressionList", "5.1.1", None),
        # Not now.
        ("Transient", "General", "4.4.7", TRANSIENT),
        ("Transient", "MailboxFull", "5.2.2", TRANSIENT),
        ("Transient", "MailboxFull", "", TRANSIENT),
        # An out-of-office reply, and what is about the message alone.
        ("Transient", "General", "", None),
        ("Transient", "MessageTooLarge", "5.3.4", None),
        ("Transient", "ContentRejected", "5.7.1", None),
        ("Transient", "AttachmentRejected", "5.7.1", None),
    ],
)
def test_what_a_bounce_says_of_the_mailbox(type_: str, subtype: str, status: str, counts_as: str | None) -> None:
    assert kind(bounce(type_, subtype, status)) == counts_as


@pytest.mark.parametrize(
    ("event_type", "section", "counts_as"),
    [
        ("Complaint", {"complaintFeedbackType": "abuse"}, COMPLAINT),
        ("Complaint", {"complaintSubType": "OnAccountSuppressionList"}, None),
        ("Reject", {"reason": "Bad content"}, None),
        ("DeliveryDelay", {"delayType": "MailboxFull"}, None),
        ("Rendering Failure", {"errorMessage": "no"}, None),
        ("Delivery", {"smtpResponse": "250 ok"}, None),
    ],
)
def test_what_other_events_say_of_it(event_type: str, section: dict[str, str], counts_as: str | None) -> None:
    assert kind(feedback(event_type, **section)) == counts_as


@pytest.mark.parametrize(
    ("diagnostic", "counts_as"),
    [
        ("smtp; 550 5.1.1 no such user", GONE),
        ("550-5.2.1 the account is disabled", GONE),
        ("smtp; 550 no such user, see 5.1.1 and 5.1.2.3", PERMANENT),
        ("smtp; 554 5.7.1 junk from host 5.1.1.4", PERMANENT),
    ],
)
def test_a_status_that_only_the_reply_has(diagnostic: str, counts_as: str) -> None:
    assert kind(bounce("Permanent", "General", "", diagnostic)) == counts_as


def failed(*days: float, kind: str = PERMANENT, message: str = "m{}") -> set[str]:
    return {str(Failure(int(1000 + day * DAY), kind, message.format(n), "why it, was")) for n, day in enumerate(days)}


@pytest.mark.parametrize(
    ("row", "suspends"),
    [
        ({}, False),
        ({"failures": failed(0, 1)}, False),
        ({"failures": failed(0, 1, 7)}, True),
        ({"failures": failed(0, 1, 7.1)}, False),
        ({"failures": failed(0, 5, 10, 11.9)}, True),
        ({"failures": failed(0, 7.1, 14.2, 21.3)}, False),
        ({"failures": failed(0, 1, 2, message="one")}, False),
        ({"failures": failed(0, kind=GONE)}, True),
        ({"failures": failed(0, 1, kind=COMPLAINT) | failed(2, kind=TRANSIENT, message="x")}, True),
        ({"failures": failed(0, kind=GONE), "resumed_at": Decimal(1000)}, False),
        ({"failures": failed(0, kind=GONE), "resumed_at": Decimal(999)}, True),
        ({"failures": failed(0, 1, 2), "resumed_at": Decimal(1000)}, False),
        ({"failures": failed(0, 1, 2, 3), "resumed_at": Decimal(1000)}, True),
    ],
)  # fmt: skip
def test_when_a_destination_is_suspended(row: dict[str, Any], suspends: bool) -> None:
    assert (verdict(WHO, row, RULE) is not None) == suspends


def test_the_order_in_which_failures_come_changes_nothing() -> None:
    """Also with our clock set back or forward: only SES's own times are compared."""
    found = [
        str(verdict(WHO, {"failures": list(order)}, RULE))
        for order in itertools.permutations(failed(0, 3, 6, 20, 21, 22))
    ]
    assert len(set(found)) == 1
    assert "None" not in found


def test_one_failure_is_enough_if_the_rule_says_so() -> None:
    assert verdict(WHO, {"failures": failed(0)}, Rule(failures=1, days=0)) is not None


@pytest.mark.parametrize("row", [{"failures": {"nonsense"}}, {"failures": 7}, {"resumed_at": "soon"}])
def test_a_row_that_cannot_be_understood_is_named(row: dict[str, Any]) -> None:
    with pytest.raises(BadRow, match="destinations row 'jane@dest.example'"):
        verdict(WHO, row, RULE)


@pytest.mark.parametrize(
    ("row", "answer"),
    [(None, False), ({}, False), ({"suspended_at": None}, False), ({"suspended_at": 0}, True), ({"suspended_at": "x"}, True)],
)  # fmt: skip
def test_who_is_suspended(row: dict[str, Any] | None, answer: bool) -> None:
    assert is_suspended(row) == answer
