"""Answers to senders, over real SMTP: who gets one, and who does not."""

from email import message_from_bytes

import pytest

from emulator.demo.letters import plain, signed
from emulator.receiving.authentication import GTUBE
from emulator.sending.refusals import Refusal
from emulator.system import Emulator
from tests.builders import event
from tests.e2e.test_system import AUTHOR, JANE, Post, message

NOBODY = "nobody@example.com"


@pytest.fixture
def post(emulator: Emulator) -> Post:
    return Post(emulator)


def test_an_authenticated_sender_is_told_of_an_address_that_does_not_exist(post: Post) -> None:
    message_id = post.send(NOBODY)
    assert post.arrived() == {AUTHOR: 1}
    report = message_from_bytes(post.last(AUTHOR))
    assert (report["Return-Path"], report["From"]) == ("<>", "mailer-daemon@example.com")
    assert report.get_content_type() == "multipart/report"
    assert b"550 5.1.1 There is no such address here" in post.last(AUTHOR)
    ledger = post.ledger(message_id)
    assert ledger[f"dsn:{NOBODY}"]["state"] == "sent"
    assert ledger[f"to:{NOBODY}"]["answer"] == f"sent: {ledger[f'dsn:{NOBODY}']['detail']}"
    assert "open" not in ledger["message"]


def test_the_same_event_twice_is_one_answer(post: Post) -> None:
    message_id = post.send(NOBODY)
    for _ in range(2):
        post.emulator.function.invoke(event(NOBODY, message_id=message_id))
    post.emulator.settle()
    assert post.arrived() == {AUTHOR: 1}
    assert post.emulator.cloud.messages("RetryQueue") == []


def test_a_signature_of_the_senders_domain_is_as_good(post: Post) -> None:
    """The envelope's domain has no SPF; the signature is that of the domain above it."""
    raw = signed(plain(author="Betsy <betsy@sender.example>"), post.emulator.zone)
    post.send(NOBODY, raw=raw, sender="betsy@bounces.sender.example")
    assert post.arrived() == {"betsy@bounces.sender.example": 1}


@pytest.mark.parametrize(
    ("sender", "raw", "why"),
    [
        ("service@bank.example", message(), "bank.example is not authenticated"),
        ("x@nothing.example", message(), "nothing.example is not authenticated"),
        ("", message(), "no envelope sender to answer"),
        (AUTHOR, message(header=b"List-Id: <l.example>\r\n"), "list-id"),
        (AUTHOR, message(header=b"Auto-Submitted: auto-generated\r\n"), "auto-submitted"),
        ("noreply@sender.example", message(), "noreply@ is a robot"),
        (AUTHOR, message(GTUBE + b"\r\n"), "spam FAIL"),
        (
            "service@bank.example",
            b"Authentication-Results: amazonses.com; spf=pass (x) client-ip=1; dkim=pass header.i=@bank.example;\r\n"
            + message(),
            "bank.example is not authenticated",
        ),
    ],
    ids=["forged", "no-spf", "null", "list", "robot", "noreply", "spam", "forged-results"],
)
def test_nobody_else_is_told_and_the_ledger_says_why(post: Post, sender: str, raw: bytes, why: str) -> None:
    message_id = post.send(NOBODY, raw=raw, sender=sender)
    assert post.arrived() == {}
    assert post.ledger(message_id)[f"to:{NOBODY}"]["answer"] == f"none: {why}"
    assert f"dsn:{NOBODY}" not in post.ledger(message_id)


def test_a_sender_rule_is_told_in_its_own_words(post: Post) -> None:
    post.emulator.cloud.put("SenderTable", [{"sender": AUTHOR, "scope": "*", "action": "550 5.7.0 not here"}])
    post.send("info@example.com")
    assert post.arrived() == {AUTHOR: 1}
    assert b"Diagnostic-Code: smtp; 550 5.7.0 not here" in post.last(AUTHOR)


def test_a_destination_that_failed_is_told_of_without_its_name(post: Post) -> None:
    post.send("never@example.com")
    assert post.arrived() == {AUTHOR: 1}
    assert b"Status: 5.0.0" in post.last(AUTHOR)
    assert b"dest.example" not in post.last(AUTHOR)


def test_what_is_forwarded_is_not_told_of(post: Post) -> None:
    message_id = post.send("info@example.com")
    assert post.arrived() == {JANE: 1}
    assert "answer" not in post.ledger(message_id)["to:info@example.com"]


def test_an_answer_that_ses_does_not_take_for_now_is_tried_again(post: Post) -> None:
    post.emulator.sending.bouncing.script[NOBODY] = [Refusal("Throttling", 400, "Maximum sending rate exceeded.")] * 2
    post.send(NOBODY)
    assert post.arrived() == {AUTHOR: 1}
    assert post.emulator.cloud.messages("RetryQueue") == []


def test_an_answer_that_ses_refuses_is_recorded_and_ends_the_matter(post: Post) -> None:
    post.emulator.sending.bouncing.script[NOBODY] = [Refusal("MessageRejected", 400, "no")]
    message_id = post.send(NOBODY)
    assert post.arrived() == {}
    assert post.ledger(message_id)[f"to:{NOBODY}"]["answer"] == "failed: SES SendBounce: MessageRejected: no"
    assert post.emulator.cloud.messages("RetryQueue") == []
