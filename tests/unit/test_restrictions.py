"""Restrictions that ask the DNS, and who is judged; the forms of names are judged by Postfix (tests/postfix)."""

import pytest
from postern_mail.mail.dns import NONE, Answer, Answers, Question
from postern_mail.mail.message import Message
from postern_mail.mail.restrictions import (
    NAMES,
    QUARANTINE,
    UNKNOWN_CLIENT,
    UNKNOWN_HELO,
    UNKNOWN_SENDER,
    Who,
    found,
    questions,
)
from postern_mail.mail.ses_block import SesBlock

from tests.builders import MESSAGE_ID, envelope, stored

WHO = Who("192.0.2.1", "out.isp.example", "mx.sender.example", "sender.example")
SERVERS, FAILED = Answer(("mx.sender.example",)), Answer(failed="SERVFAIL")
ADDRESS, NULL_MX = Answer(("192.0.2.1",)), Answer((".",))
NOTHING = {"MX": NONE, "A": NONE, "AAAA": NONE}


def holds(name: str, who: Who, answers: Answers) -> bool:
    return list(found(who, {name: QUARANTINE}, answers)) == [name]


@pytest.mark.parametrize(
    ("answers", "unknown"),
    [
        (NOTHING, True),
        ({**NOTHING, "MX": NULL_MX}, True),
        ({**NOTHING, "MX": NULL_MX, "A": ADDRESS}, True),
        ({**NOTHING, "MX": SERVERS}, False),
        ({**NOTHING, "A": ADDRESS}, False),
        ({**NOTHING, "AAAA": Answer(("2001:db8::1",))}, False),
        ({**NOTHING, "MX": FAILED}, False),
        ({**NOTHING, "A": FAILED}, False),
        ({**NOTHING, "AAAA": FAILED}, False),
        ({"MX": NONE, "A": NONE}, False),
        ({"A": NONE, "AAAA": NONE}, False),
        ({}, False),
        ({**NOTHING, "MX": Answer((".", "mx.sender.example"))}, False),
    ],
)
@pytest.mark.parametrize(("name", "host"), [(UNKNOWN_SENDER, "sender.example"), (UNKNOWN_HELO, "mx.sender.example")])
def test_a_name_is_unknown_only_if_the_dns_says_so(
    name: str, host: str, answers: dict[str, Answer], unknown: bool
) -> None:
    said = {Question(host, kind): answer for kind, answer in answers.items()}
    assert holds(name, WHO, said) is unknown


def test_what_is_asked_is_what_is_on() -> None:
    assert list(questions(WHO, {})) == []
    assert list(questions(WHO, {UNKNOWN_SENDER: QUARANTINE})) == [
        Question("sender.example", kind) for kind in ("MX", "A", "AAAA")
    ]
    everything = dict.fromkeys(NAMES, QUARANTINE)
    assert {one.name for one in questions(WHO, everything)} == {"sender.example", "mx.sender.example"}
    for nothing in (Who(), Who(helo="[192.0.2.1]", domain="[192.0.2.1]"), Who(helo="localhost", domain="localhost")):
        assert list(questions(nothing, everything)) == []


def test_without_a_block_and_from_no_one_only_what_is_known_is_judged() -> None:
    everything = dict.fromkeys(NAMES, QUARANTINE)
    assert list(found(Who(), everything, {})) == []
    assert Who.of(envelope(source="<>"), None) == Who()
    assert not holds(UNKNOWN_CLIENT, Who(), {})
    assert holds(UNKNOWN_CLIENT, Who(client="192.0.2.1"), {})
    assert not holds(UNKNOWN_CLIENT, WHO, {})


def test_helo_is_that_of_received_and_never_that_of_the_results() -> None:
    raw = stored(b"From: a@x.example\r\n\r\n").replace(b"helo=mx.sender.example", b"helo=localhost")
    who = Who.of(envelope(source="a@x.example"), SesBlock.of(Message.split(raw), MESSAGE_ID))
    assert who == Who("192.0.2.9", "mx.sender.example", "mx.sender.example", "x.example")


def test_a_block_that_is_not_this_messages_names_no_one() -> None:
    own = stored(b"")
    forged = own.replace(MESSAGE_ID.encode(), b"another").replace(b"192.0.2.9", b"203.0.113.1")
    for raw in (own + forged + b"\r\n", forged + own + b"\r\n"):
        block = SesBlock.of(Message.split(raw), MESSAGE_ID)
        assert Who.of(envelope(), block).client == ("192.0.2.9" if raw.startswith(own) else "")
