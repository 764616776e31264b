"""Answers to senders, over real SMTP: who gets one, and who does not."""

import uuid
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
    assert ledger["dsn:1"]["state"] == "sent"
    assert ledger[f"to:{NOBODY}"]["answer"] == f"sent: {ledger['dsn:1']['detail']}"
    assert "open" not in ledger["message"]


def test_the_same_event_twice_is_one_answer(post: Post) -> None:
    message_id = post.send(NOBODY)
    for _ in range(2):
        post.emulator.function.invoke(event(NOBODY, message_id=message_id))
    post.emulator.settle()
    assert post.arrived() == {AUTHOR: 1}
    assert post.emulator.cloud.messages("RetryQueue") == []


def letter(post: Post, to: str) -> tuple[str, bytes]:
    """Who wrote a letter, and the letter: signed by its domain, whose SPF our client fails."""
    domain = f"victim-{uuid.uuid4().hex}.example"
    post.emulator.zone.add(domain, "TXT", "v=spf1 -all")
    raw = plain(author=f"Vic <vic@{domain}>").replace(b"To: info@example.com", f"To: {to}".encode())
    return f"vic@{domain}", signed(raw, post.emulator.zone, domain)


def test_a_signature_that_covers_the_recipient_is_as_good(post: Post) -> None:
    """The envelope's domain fails SPF, as behind a forwarder."""
    victim, raw = letter(post, f"Nobody <{NOBODY}>")
    post.send(NOBODY, raw=raw, sender=victim)
    assert post.arrived() == {victim: 1}


@pytest.mark.slow
@pytest.mark.parametrize("to", ["friend@other.example", "info@example.com", "n0@example.org"])
def test_a_letter_that_is_sent_again_by_a_stranger_is_answered_to_no_one(post: Post, to: str) -> None:
    """The stranger has one plain letter of the victim's, and sends it to addresses of ours that do not exist."""
    victim, raw = letter(post, to)
    people = [f"n{number}@example.com" for number in range(12)]
    for copy in (raw, f"To: {people[0]}\r\n".encode() + raw):
        message_id = post.send(*people, raw=copy, sender=victim)
        answer = post.ledger(message_id)[f"to:{people[0]}"]["answer"]
        assert answer == f"none: the signature of {victim.partition('@')[2]} does not cover this recipient"
    assert post.arrived() == {}


@pytest.mark.slow
def test_fifty_recipients_are_one_answer(post: Post) -> None:
    people = [f"n{number}@example.com" for number in range(50)]
    before = post.emulator.sending.bouncing.accepted
    message_id = post.send(*people)
    assert (post.arrived(), post.emulator.sending.bouncing.accepted - before) == ({AUTHOR: 1}, 1)
    report = post.last(AUTHOR)
    assert all(f"Final-Recipient: rfc822; {one}".encode() in report for one in people)
    ledger = post.ledger(message_id)
    assert {ledger[f"to:{one}"]["answer"] for one in people} == {f"sent: {ledger['dsn:1']['detail']}"}


@pytest.mark.slow
@pytest.mark.long
def test_a_stranger_makes_us_send_no_more_than_the_limits_say(post: Post) -> None:
    """From ever new names below the stranger's own domain, all of which pass SPF."""
    for number in range(23):
        post.emulator.zone.add(f"m{number}.evil.example", "TXT", "v=spf1 ip4:127.0.0.1 -all")
        last = post.send(NOBODY, sender=f"x{number}@m{number}.evil.example")
    assert sum(post.arrived().values()) == 20
    answer = post.ledger(last)[f"to:{NOBODY}"]["answer"]
    assert answer == "none: too many: 20 answers have been sent to senders of evil.example within this hour"
    post.send(NOBODY)
    assert post.arrived()[AUTHOR] == 1, "another sender is told all the same"
    assert post.emulator.cloud.messages("RetryQueue") == []


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
def test_no_one_else_is_told_and_the_ledger_says_why(post: Post, sender: str, raw: bytes, why: str) -> None:
    message_id = post.send(NOBODY, raw=raw, sender=sender)
    assert post.arrived() == {}
    assert post.ledger(message_id)[f"to:{NOBODY}"]["answer"] == f"none: {why}"
    assert "dsn:1" not in post.ledger(message_id)


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


def test_an_answer_that_ses_does_not_take_for_now_is_sent_by_the_watch(post: Post) -> None:
    """It is in no queue, and no mail waits behind it."""
    post.emulator.sending.bouncing.script[NOBODY] = [Refusal("Throttling", 400, "Maximum sending rate exceeded.")] * 2
    message_id = post.send(NOBODY)
    assert post.emulator.cloud.messages("RetryQueue") == []
    assert (post.arrived(), post.ledger(message_id)[f"to:{NOBODY}"]["answer"]) == ({}, "due")
    for _ in range(3):
        assert post.emulator.run_scheduled("WatchFunction") is None
    assert post.arrived() == {AUTHOR: 1}
    assert [row for row in post.emulator.cloud.rows("LedgerTable") if row["message_id"] == "#answers"] == []


def test_an_answer_that_ses_refuses_is_recorded_and_ends_the_matter(post: Post) -> None:
    post.emulator.sending.bouncing.script[NOBODY] = [Refusal("MessageRejected", 400, "no")]
    message_id = post.send(NOBODY)
    assert post.arrived() == {}
    assert post.ledger(message_id)[f"to:{NOBODY}"]["answer"] == "failed: SES SendBounce: MessageRejected: no"
    assert post.emulator.cloud.messages("RetryQueue") == []
