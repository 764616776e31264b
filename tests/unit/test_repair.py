"""What is sent when SES refuses a message as it is: every form passes the double."""

from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern.mail.address import Address
from postern.mail.message import Message
from postern.mail.notice import Link, notice, wrapped
from postern.mail.repair import repaired
from postern.mail.rewrite import Style, rewrite
from postern.mail.stamp import TEST_KEY, is_stamped

from emulator.sending.refusals import Account, Refusal, Request, check
from tests.builders import envelope
from tests.unit.test_message import HEADERISH

ALIAS = Address("info", "example.com")
ACCOUNT = Account(identities={"example.com"}, configuration_sets=set())
REASON = "SES SendEmail: BadRequestException: Duplicate header 'X'."
FROM = b"From: Betsy <betsy@x.example>\r\n"


def refused(raw: bytes) -> str:
    """SES's words, "" if it takes the message."""
    try:
        check(Request("info@example.com", ("jane@dest.example",), raw, ""), ACCOUNT)
    except Refusal as refusal:
        return refusal.message
    return ""


def repair(raw: bytes) -> bytes:
    return repaired(raw, ALIAS, envelope(), Style())


@pytest.mark.parametrize(
    "header",
    [
        b": no name\r\n",
        b"To: nobody\r\n",
        b"To: a@\r\n",
        b"Cc: A <a@y.example> <b@y.example>\r\n",
        "To: j\N{LATIN SMALL LETTER E WITH ACUTE}@y.example\r\n".encode(),
        b"Content-Type: text/plain; charset\r\n",
        b"Content-Type: text/plain; charset=cp-850\r\n",
        b"Content-Type: nonsense; charset\r\n",
        b"X-Long: " + b"x" * 2000 + b"\r\n",
        b"Subject: " + b"x" * 2000 + b"\r\n",
        b"References: " + b"<" + b"x" * 2000 + b">\r\n",
    ],
)
def test_a_header_that_ses_refuses_is_taken_repaired(header: bytes) -> None:
    raw = FROM + header + b"\r\nbody \xe9\r\n"
    assert refused(rewrite(raw, ALIAS, envelope())), "else there is nothing to repair"
    result = repair(raw)
    assert not refused(result)
    assert result.endswith(b"\r\n\r\nbody \xe9\r\n")


@given(HEADERISH)
def test_any_header_is_taken_repaired_and_the_body_stays(raw: bytes) -> None:
    result = repair(raw)
    assert not refused(result)
    body = bytes(Message.split(raw).rest)
    assert result.endswith(body.lstrip(b"\r").removeprefix(b"\n"))


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_taken_repaired(name: str, subject: str) -> None:
    fields = f'From: "{name}" <a@x.example>\r\nSubject: {subject}\r\nTo: {name}\r\nList-Id: {subject}\r\n\r\nbody'
    assert not refused(repair(fields.encode("utf-8", "replace")))


def test_what_matters_to_a_reader_survives_the_repair() -> None:
    raw = (
        FROM + b": bad\r\nTo: Info <info@example.com>\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\nIn-Reply-To: <0@x>\r\n"
        b'Message-ID: <1@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; x; boundary="b b"\r\n\r\n--b b\r\n'
    )
    message = message_from_bytes(repair(raw))
    assert message.get_content_type() == "multipart/mixed"
    assert message.get_boundary() == "b b"
    assert message["References"] == "<0@x> <1@x>"
    assert message["To"] == '"Info" <info@example.com>'
    assert "betsy@x.example" in message["Reply-To"]
    assert is_stamped(Message.split(repair(raw)), TEST_KEY, ALIAS)


@pytest.mark.parametrize("raw", [FROM + b"\r\nbody \xe9", FROM + b"Subject: \xe9\x00\r\n\r\n", b"", b"\r\n\r\nx"])
def test_the_wrapper_holds_the_original_whole(raw: bytes) -> None:
    result = wrapped(raw, ALIAS, envelope(), Style(), REASON)
    assert not refused(result)
    assert b"\r\n\r\n" + raw + b"\r\n--postern-" in result
    assert [part.get_content_type() for part in message_from_bytes(result).walk()][2] == "message/rfc822"
    assert is_stamped(Message.split(result), TEST_KEY, ALIAS)


def test_the_notice_says_who_what_why_and_how() -> None:
    raw = FROM + b"Subject: =?utf-8?q?caf=C3=A9?=\r\n\r\nsecret body"
    link = Link("https://bucket.example/x?y=z", "2026-11-23 12:00 UTC")
    result = notice(raw, ALIAS, envelope(), Style(), reason=REASON, link=link)
    assert not refused(result)
    for said in (
        b"Betsy <betsy@x.example>",
        "caf\N{LATIN SMALL LETTER E WITH ACUTE}".encode(),
        REASON.encode(),
        b"postern original o3vr",
        link.url.encode(),
        b"2026-11-23 12:00 UTC",
    ):
        assert said in result
    assert b"secret body" not in result
    assert b"https" not in notice(raw, ALIAS, envelope(), Style(), reason=REASON, link=None)


@given(HEADERISH, st.text(max_size=700))
def test_any_notice_is_taken(raw: bytes, reason: str) -> None:
    assert not refused(notice(raw, ALIAS, envelope(), Style(), reason=reason, link=None))
