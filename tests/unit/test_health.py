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
    known_sender,
    superfluous,
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
        # The mailbox does not exist: once is enough.
        ("Permanent", "NoEmail", "", GONE),
        ("Permanent", "NoEmail", "5.7.1", GONE),
        ("Permanent", "General", "5.1.1", GONE),
        ("Permanent", "General", "5.1.10", GONE),
        ("Permanent", "General", "5.2.1", GONE),
        ("Undetermined", "Undetermined", "5.1.2", GONE),
        ("Transient", "General", "5.1.1", GONE),
        # The sender's address, another mailer, content, size, policy, a rate: a stranger chooses them.
        ("Permanent", "General", "5.1.7", None),
        ("Permanent", "General", "5.1.8", None),
        ("Permanent", "General", "5.1.9", None),
        ("Permanent", "General", "5.7.1", None),
        ("Permanent", "General", "5.6.0", None),
        ("Permanent", "General", "5.3.4", None),
        ("Permanent", "General", "5.2.3", None),
        # For good, and unclear.
        ("Permanent", "General", "", PERMANENT),
        ("Permanent", "General", "5.1.0", PERMANENT),
        ("Permanent", "General", "5.2.2", PERMANENT),
        ("Permanent", "General", "5.2.10", PERMANENT),
        ("Undetermined", "Undetermined", "", PERMANENT),
        # SES's own subtype comes before the status.
        ("Permanent", "MailboxFull", "5.1.1", PERMANENT),
        ("Permanent", "ContentRejected", "5.1.1", None),
        ("Transient", "MessageTooLarge", "5.1.1", None),
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
        ("smtp; 550 no such user, see 5.1.1 and 5.1.2.3", GONE),
        ("smtp; 550 see 5.1.1 and 5.1.2.3", PERMANENT),
        ("smtp; 554 5.7.1 junk from host 5.1.1.4", None),
    ],
)
def test_a_status_that_only_the_reply_has(diagnostic: str, counts_as: str | None) -> None:
    assert kind(bounce("Permanent", "General", "", diagnostic)) == counts_as


def test_a_transient_bounce_with_a_refusal_is_no_reply_of_a_robot() -> None:
    assert kind(bounce("Transient", "General", "", "smtp; 550 no such user")) == GONE
    assert kind(bounce("Transient", "General", "", "smtp; 452 mailbox full")) == TRANSIENT
    assert kind(bounce("Transient", "General", "", "I am out of the office, no such user is here")) is None


def failed(*days: float, kind: str = PERMANENT, message: str = "m{}", sender: str = "s{}.example") -> set[str]:
    return {
        str(Failure(int(1000 + day * DAY), kind, message.format(n), "why it, was", sender.format(n)))
        for n, day in enumerate(days)
    }


def test_a_failure_reads_as_it_was_written() -> None:
    for one in (Failure(7, PERMANENT, "m", "", "x.example"), Failure(7, GONE, "m", "so it  is")):
        assert Failure.parse(str(one)) == one


@pytest.mark.parametrize(
    ("message", "sender"),
    [
        ({"source": "a@mail.sender.example", "verdicts": {"spf": "PASS"}}, "sender.example"),
        ({"source": "a@x.co.uk", "verdicts": {"spf": "PASS"}}, "x.co.uk"),
        ({"source": "a@y.x.co.uk", "verdicts": {"spf": "PASS"}}, "x.co.uk"),
        ({"source": "a@sender.example", "verdicts": {"spf": "FAIL"}}, "-"),
        ({"source": "a@sender.example"}, "-"),
        ({"source": "", "verdicts": {"spf": "PASS"}}, "-"),
        ({}, "-"),
    ],
)
def test_who_counts_as_one_sender(message: dict[str, Any], sender: str) -> None:
    """Names below one's own domain cost nothing, and a name that no one vouches for neither."""
    assert known_sender(message) == sender


def test_a_row_of_many_failures_keeps_those_that_matter() -> None:
    noise = {str(Failure(1000 + n, TRANSIENT, f"x{n}", "full", "evil.example")) for n in range(500)}
    row = {"failures": noise | failed(0, 1)}
    left = row["failures"] - superfluous(WHO, row, RULE)
    assert len(left) == 3
    assert failed(0, 1) <= left
    assert superfluous(WHO, {"failures": left}, RULE) == set()


@pytest.mark.parametrize(
    ("row", "suspends"),
    [
        ({}, False),
        ({"failures": failed(0, 1)}, False),
        ({"failures": failed(0, 1, 7)}, True),
        ({"failures": failed(0, 1, 7.1)}, False),
        ({"failures": failed(0, 5, 10, 11.9)}, True),
        ({"failures": failed(0, 7.1, 14.2, 21.3)}, False),
        ({"failures": failed(0, 1, 2, message="one")}, True),
        ({"failures": failed(*range(7), sender="one.example")}, False),
        ({"failures": failed(0, 1, 2), "delivered_at": Decimal(1000 + DAY)}, False),
        ({"failures": failed(0, 1, 2), "delivered_at": Decimal(999)}, True),
        ({"failures": failed(0, 1, 2, kind=COMPLAINT), "delivered_at": Decimal(1000 + 2 * DAY)}, True),
        ({"failures": failed(0, kind=GONE), "delivered_at": Decimal(1000 + DAY)}, True),
        ({"failures": failed(0, kind=GONE)}, True),
        ({"failures": failed(0, 1, kind=COMPLAINT) | failed(2, kind=TRANSIENT, sender="x.example")}, True),
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
