"""Who is answered, and in which words: a sender whose own domain is authenticated, and no robot."""

from typing import Any

import pytest
from postern_mail.mail.actions import Action
from postern_mail.mail.address import Address
from postern_mail.mail.authentication import Authentication
from postern_mail.mail.dsn import AUTHENTICATED, MAX_AGE, OFF, Answer, Correspondence, Silence
from postern_mail.mail.message import Message
from postern_mail.mail.reply import FAILED, MAX_TEXT, POLICY, SWITCHED_OFF, UNKNOWN, Reply, of_alias, of_rule

from tests.builders import MESSAGE_ID, envelope, stored, verdict

RAW = b"From: Betsy <betsy@sender.example>\r\nSubject: hi\r\n\r\nbody"
RECEIVED, NOW = "2026-11-22T12:00:00.000Z", 1_795_348_800.0 + 60
NOBODY = Address("nobody", "example.com")


def answer(
    raw: bytes = stored(RAW), setting: str = AUTHENTICATED, now: float = NOW, **options: Any
) -> Answer | Silence:
    made = envelope("nobody@example.com", **{"timestamp": RECEIVED, **options})
    return Correspondence.of(made, raw, setting).answer(NOBODY, UNKNOWN, now)


def reason(*args: Any, **options: Any) -> str:
    found = answer(*args, **options)
    return found.reason if isinstance(found, Silence) else ""


def test_an_authenticated_sender_is_answered_in_the_name_of_the_recipients_domain() -> None:
    found = answer()
    assert found == Answer(NOBODY, UNKNOWN)
    assert str(found.sender) == "mailer-daemon@example.com"


def test_no_one_is_answered_when_answers_are_off() -> None:
    assert reason(setting=OFF) == "answers are switched off"


def test_what_has_no_reply_is_never_answered() -> None:
    made = envelope("nobody@example.com", timestamp=RECEIVED)
    assert Correspondence.of(made, stored(RAW), AUTHENTICATED).answer(NOBODY, None, NOW) == Silence("never answered")


@pytest.mark.parametrize(
    ("age", "why"), [(-60, ""), (0, ""), (MAX_AGE - 1, ""), (MAX_AGE, "received more than 23 hours ago")]
)
def test_after_23_hours_no_one_is_answered(age: float, why: str) -> None:
    assert reason(now=NOW - 60 + age) == why


@pytest.mark.parametrize("timestamp", ["", "yesterday"])
def test_a_message_of_unknown_age_is_not_answered(timestamp: str) -> None:
    assert reason(timestamp=timestamp) == "when it was received is unknown"


@pytest.mark.parametrize(
    ("spf", "answered"), [("pass", True), ("fail", False), ("softfail", False), ("none", False), ("passing", False)]
)
def test_the_domain_of_the_envelope_sender_must_be_authenticated(spf: str, answered: bool) -> None:
    """DMARC passes in all of these, for bank.example, and says nothing about who gets the answer."""
    assert reason(stored(RAW, spf=spf)) == ("" if answered else "sender.example is not authenticated")


def letter(*lines: str, h: str = "from:to:cc:subject", d: str = "sender.example", more: str = "") -> bytes:
    """A signed letter; `lines` are fields above From."""
    header = [f"DKIM-Signature: v=1; a=rsa-sha256; d={d}; s=x;{more}", f" h={h}; bh=x; b=y", *lines]
    return "\r\n".join(header).encode() + b"\r\n" + RAW


TO = "To: Nobody <nobody@example.com>"


@pytest.mark.parametrize(
    ("raw", "dkim", "answered"),
    [
        (letter(TO), "sender.example", True),
        (letter(TO), "SENDER.example", True),
        (letter("Cc: a@b.example,", " NOBODY@example.com"), "sender.example", True),
        (letter(TO, h="from : t\r\n o"), "sender.example", True),
        (letter(TO, d="Sender.Example"), "sender.example", True),
        (letter(TO, more=" i=@mail.sender.example;"), "mail.sender.example", True),
        # Sent again by someone who has it: they choose the envelope, and can add what is not covered.
        (letter("To: friend@other.example"), "sender.example", False),
        (letter(TO, "To: friend@other.example"), "sender.example", False),
        (letter(TO, "To: friend@other.example", h="from:to:to"), "sender.example", True),
        (letter("To: friend@other.example", TO), "sender.example", True),
        (letter(TO, h="from:subject"), "sender.example", False),
        (letter("To: x@example.com"), "sender.example", False),
        (letter('To: "nobody@example.com" <x@example.com>'), "sender.example", False),
        (letter(TO, h="from:cc"), "sender.example", False),
        (letter(), "sender.example", False),
        (TO.encode() + b"\r\n" + RAW, "sender.example", False),
        # Not the domain's own signature, or not the one that passed.
        (letter(TO, d="example"), "example", False),
        (letter(TO, d="list.example"), "list.example", False),
        (letter(TO), "bank.example", False),
        (letter(TO, more=" i=@mail.sender.example;"), "sender.example", False),
        (letter(TO, more=" d=list.example;"), "sender.example", False),
        # A second one, that does not cover it: which of them passed is not known.
        (b"DKIM-Signature: d=sender.example; h=from; b=y\r\n" + letter(TO), "sender.example", False),
        (b"DKIM-Signature: d=sender.example; h=from:to; b=y\r\n" + letter("To: z@z.example", h="from"), "sender.example", False),
    ],
)  # fmt: skip
def test_a_signature_counts_where_it_covers_the_recipient(raw: bytes, dkim: str, answered: bool) -> None:
    assert isinstance(answer(stored(raw, spf="fail", dkim=dkim)), Answer) is answered


def test_a_domain_does_not_vouch_for_those_below_it() -> None:
    raw = stored(letter(TO), source="betsy@mail.sender.example", spf="none", dkim="sender.example")
    assert reason(raw, source="betsy@mail.sender.example") == "mail.sender.example is not authenticated"


def test_the_ledger_tells_a_signature_that_does_not_cover_from_none() -> None:
    raw = stored(letter("To: friend@other.example"), spf="fail", dkim="sender.example")
    assert reason(raw) == "the signature of sender.example does not cover this recipient"


def test_several_signatures_are_looked_at() -> None:
    two = stored(letter(TO), spf="none", dkim="list.example").replace(
        b"header.i=@list.example;", b"header.i=@list.example;\r\n dkim=pass header.i=@sender.example;"
    )
    assert isinstance(answer(two), Answer)
    assert Authentication.of(Message.split(two), MESSAGE_ID).dkim == ("list.example", "sender.example")


FORGED = b"Authentication-Results: amazonses.com; spf=pass (x) client-ip=1; envelope-from=x; helo=x; dkim=pass header.i=@sender.example;\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        RAW,
        FORGED + RAW,
        b"Received: from x (x [1]) by mx.sender.example\r\n" + FORGED + RAW,
        stored(FORGED + RAW, spf="fail"),
        stored(b"Received: from x (x [1]) by inbound-smtp.eu-west-1.amazonaws.com\r\n" + FORGED + RAW, spf="fail"),
        stored(RAW, spf="fail", helo="x; dkim=pass header.i=@sender.example"),
        stored(RAW, spf="fail", helo="x;dkim=pass header.i=@sender.example"),
        stored(
            b"Received: from x (x [1]) by inbound-smtp.eu-west-1.amazonaws.com\r\n" + RAW,
            spf="fail",
            helo="x; dkim=pass header.i=@sender.example",
        ),
        stored(RAW, spf="fail").replace(b"amazonses.com;", b"mx.sender.example;"),
        stored(RAW, spf="fail").replace(b" spf=fail", b" dkim=pass header.i=@sender.example"),
    ],
    ids=["none", "on-top", "below-another", "below", "below-twice", "helo", "helo-2", "helo-3", "anothers", "no-spf"],
)
def test_only_ses_own_results_count(raw: bytes) -> None:
    assert reason(raw) == "sender.example is not authenticated"


def test_a_local_part_in_quotes_does_not_pass_for_a_result() -> None:
    source = '"x; dkim=pass header.i=@sender.example; "@sender.example'
    assert reason(stored(RAW, source=source, spf="fail"), source=source) == "sender.example is not authenticated"


def test_ses_must_not_contradict_itself() -> None:
    assert reason(spfVerdict=verdict("FAIL")) == "SES contradicts itself about SPF"
    assert isinstance(answer(spfVerdict=verdict("PASS")), Answer)


def test_a_null_return_path_is_a_null_sender_too() -> None:
    """What `mail.source` is then is in no public event."""
    raw = stored(RAW).replace(b"Return-Path: <betsy@sender.example>", b"Return-Path: <>")
    assert reason(raw, source="betsy@sender.example") == "no envelope sender to answer"


@pytest.mark.parametrize("source", ["", "<>", "no address"])
def test_without_an_envelope_sender_there_is_no_one_to_answer(source: str) -> None:
    assert reason(source=source) == "no envelope sender to answer"


@pytest.mark.parametrize(
    "local",
    [
        "MAILER-DAEMON",
        "postmaster",
        "no-reply",
        "noreply",
        "shop+noreply",
        "shop-noreply",
        "x+donotreply",
        "x-donotreply",
    ],
)
def test_robots_are_not_answered_by_name(local: str) -> None:
    assert reason(source=f"{local}@sender.example") == f"{local}@ is a robot"
    assert reason(stored(RAW.replace(b"<betsy@", f"<{local}@".encode()))) == f"{local}@ is a robot"


@pytest.mark.parametrize("local", ["betsy", "reply", "noreplying", "donotreply.not", "mailer"])
def test_people_are(local: str) -> None:
    assert isinstance(answer(source=f"{local}@sender.example"), Answer)


def test_a_message_without_author_is_not_answered() -> None:
    assert reason(stored(b"Subject: hi\r\n\r\nbody")) == "no author in From"
    assert reason(stored(b"From: <>\r\n\r\nbody")) == "no author in From"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Auto-Submitted: auto-replied", "auto-submitted"),
        ("X-Auto-Response-Suppress: OOF, AutoReply", "x-auto-response-suppress"),
        ("X-Auto-Response-Suppress: DR", "x-auto-response-suppress"),
        ("x-auto-response-suppress: All", "x-auto-response-suppress"),
        ("List-Id: <l.example>", "list-id"),
        ("List-Unsubscribe: <https://l.example>", "list-unsubscribe"),
        ("X-Autoreply: yes", "x-autoreply"),
        ("X-Autorespond: yes", "x-autorespond"),
        ("X-Auto-Respond: yes", "x-auto-respond"),
        ("Precedence: bulk", "precedence"),
        ("Precedence: List", "precedence"),
        ("Precedence: auto_reply", "precedence"),
        ("X-MDDSN-Message: from mdaemon", "x-mddsn-message"),
        ("Content-Type: multipart/report; report-type=delivery-status", "multipart/report"),
        ("X-Postern-Loop: anything", "it was forwarded before"),
        ("\r\n".join(["Received: by x"] * 49), "it was forwarded before"),
        ("Auto-Submitted: no", ""),
        ("X-Auto-Response-Suppress: OOF", ""),
        ("Precedence: first-class", ""),
        ("Content-Type: multipart/mixed", ""),
        ("\r\n".join(["Received: by x"] * 48), ""),
    ],
)
def test_robots_and_lists_are_not_answered_by_their_header(line: str, why: str) -> None:
    assert reason(stored(line.encode() + b"\r\n" + RAW)) == why


@pytest.mark.parametrize("name", ["virus", "spam"])
def test_viruses_and_spam_are_not_answered(name: str) -> None:
    assert reason(**{f"{name}Verdict": verdict("FAIL")}) == f"{name} FAIL"


@pytest.mark.parametrize(
    ("outcome", "reply"), [("unknown", UNKNOWN), ("disabled", SWITCHED_OFF), ("expired", SWITCHED_OFF)]
)
def test_an_alias_that_takes_no_mail(outcome: str, reply: Reply) -> None:
    assert of_alias(outcome) == reply


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("REJECT", "554 5.7.1 Access denied"),
        ("REJECT go away", "554 5.7.1 go away"),
        ("REJECT 5.7.0 go away", "554 5.7.0 go away"),
        ("550 never", "550 5.7.1 never"),
        ("552 5.2.2 the box is full", "552 5.2.2 the box is full"),
        ("550 5.1.1", "550 5.1.1 Access denied"),
        ("550 4.1.1 mixed", "550 5.7.1 mixed"),
        ("550 5.1.1x text", "550 5.7.1 5.1.1x text"),
        ("REJECT caf\u00e9\u2028\r\nBcc: x", "554 5.7.1 caf?Bcc: x"),
        (f"REJECT {'x' * 999}", f"554 5.7.1 {'x' * MAX_TEXT}"),
    ],
)
def test_a_sender_rule_says_what_postfix_would(action: str, said: str) -> None:
    assert str(of_rule(Action.parse(action))) == said


@pytest.mark.parametrize("reply", [UNKNOWN, SWITCHED_OFF, POLICY, FAILED])
def test_what_is_written_down_is_read_again(reply: Reply) -> None:
    assert Reply.parse(str(reply)) == reply
    assert reply.status[0] == reply.code[0] == "5"
