"""What a refusal is about, by what real servers answer (tests/bounces/answers.tsv)."""

from pathlib import Path

import pytest
from postern_mail.mail.bounce_cause import Cause, cause, has_reply

ANSWERS = Path(__file__).parent.parent / "bounces" / "answers.tsv"


def answers() -> list[tuple[str, str, str]]:
    lines = ANSWERS.read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(truth, status.removeprefix("-"), text) for truth, status, text, _source in rows]


def test_the_table_is_large_and_each_answer_has_a_source() -> None:
    lines = [line for line in ANSWERS.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) >= 150
    assert all(len(line.split("\t")) == 4 and line.split("\t")[3] for line in lines)


def test_no_mailbox_that_is_there_is_closed() -> None:
    closed = [(status, text) for truth, status, text in answers() if truth == "alive" and _gone(status, text)]
    assert closed == []


def test_a_mailbox_that_is_gone_is_seen() -> None:
    missed = [(status, text) for truth, status, text in answers() if truth == "gone" and not _gone(status, text)]
    assert missed == []


def _gone(status: str, text: str) -> bool:
    return cause(status, text) is Cause.GONE


@pytest.mark.parametrize(
    ("status", "text", "about"),
    [
        ("5.1.1", "", Cause.GONE),
        ("5.2.1", "smtp; 550 5.2.1 mailbox disabled", Cause.GONE),
        ("5.2.1", "smtp; 550 5.2.1 too many messages for this user", Cause.MESSAGE),
        ("5.1.4", "smtp; 550 5.1.4 ambiguous", Cause.MAILBOX),
        ("5.7.1", "smtp; 550 5.7.1 user unknown", Cause.MESSAGE),
        ("4.1.1", "smtp; 450 4.1.1 user unknown", Cause.MAILBOX),
        ("", "smtp; 450 user unknown", Cause.MAILBOX),
        ("4.4.7", "554 4.4.7 Message expired: unable to deliver in 840 minutes. <421 try again later>", Cause.MAILBOX),
        # Words in a stranger's address, or in a host's name, are no one's words.
        ("5.1.1", "smtp; 550 5.1.1 <spam.policy@dest.example>: user unknown", Cause.GONE),
        ("", "smtp; 550 <no.such.user@dest.example> failed", Cause.MAILBOX),
        ("5.1.1", "host spamfilter.dest.example[192.0.2.1] said: 550 5.1.1 user unknown", Cause.GONE),
    ],
)
def test_codes_and_words(status: str, text: str, about: Cause) -> None:
    assert cause(status, text) is about


def test_ses_may_say_that_there_is_no_mailbox_but_the_words_come_first() -> None:
    assert cause("5.7.1", "", no_mailbox=True) is Cause.GONE
    assert cause("5.7.1", "smtp; 550 5.7.1 sender rejected", no_mailbox=True) is Cause.MESSAGE


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("smtp; 550 no", True),
        ("550-5.1.1 no", True),
        ("host mx.dest.example said: 452 4.2.2 full", True),
        ("I am away until 05/07/2010", False),
        ("call me at 555 1234", False),
        ("", False),
    ],
)
def test_what_is_a_reply_of_a_server(text: str, answer: bool) -> None:
    assert has_reply(text) is answer
