"""What is sent when SES refuses a message as it is: every form passes the double."""

from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.message import Message
from postern_mail.mail.notice import attached, attached_size, bare_notice, notice
from postern_mail.mail.repair import repaired
from postern_mail.mail.rewrite import Style, rewrite
from postern_mail.mail.stamp import TEST_KEY, is_stamped, stamp

from emulator.sending.refusals import Account, Refusal, Request
from emulator.sending.rules import check
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
    result = repaired(raw, ALIAS, envelope(), Style())
    assert result is not None
    return result


@pytest.mark.parametrize(
    "header",
    [
        b": no name\r\n",
        b"To: nobody\r\n",
        b"To: a@\r\n",
        b"Cc: A <a@y.example> <b@y.example>\r\n",
        "To: j\N{LATIN SMALL LETTER E WITH ACUTE}@y.example\r\n".encode(),
        b"Content-Type: text/plain; charset\r\n",
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
    result = repaired(raw, ALIAS, envelope(), Style())
    assert result is None or not refused(result)
    assert result is None or result.endswith(bytes(Message.split(raw).body))


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


@pytest.mark.parametrize(
    "raw",
    [
        FROM + b"\r\nbody \xe9",
        FROM + b"Subject: \xe9\x00\r\n\r\n",
        b"",
        b"\r\n\r\nx",
        FROM + b"\r\n" + b"x" * 100_000,
        FROM + b"Content-Type: text/plain; charset=x-mac-turkish\r\n\r\nx",
        FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: x/y; name\r\n\r\n--b--\r\n",
        b"From: a..b@x.example\r\nReply-To: c@nas_01.example\r\nReferences: <a@b> <c@d>\r\n\r\n",
    ],
)
def test_the_original_is_attached_whole_where_ses_does_not_read(raw: bytes) -> None:
    result = attached(raw, ALIAS, envelope(), Style(), REASON)
    assert not refused(result)
    parts = list(message_from_bytes(result).walk())
    assert [part.get_content_type() for part in parts] == ["multipart/mixed", "text/plain", "application/octet-stream"]
    assert parts[2].get_filename() == "message.eml"
    assert parts[2].get_payload(decode=True) == raw
    assert is_stamped(Message.split(result), TEST_KEY, ALIAS)
    assert len(result) <= attached_size(len(raw))


def text(raw: bytes) -> str:
    return bytes(message_from_bytes(raw).get_payload(decode=True)).decode("utf-8")


def test_the_notice_says_what_came_why_it_is_not_here_and_who_can_fetch_it_how() -> None:
    raw = FROM + b"Subject: =?utf-8?q?caf=C3=A9?=\r\n\r\nsecret body"
    result = notice(raw, ALIAS, envelope(), Style(stack="our-mail"), REASON)
    assert not refused(result)
    cafe = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    command = "postern original o3vr"
    for said in (
        "Betsy <betsy@x.example>",
        cafe,
        REASON,
        "The owner of example.com's mail",
        command,
        "--stack our-mail",
    ):
        assert said in text(result)
    assert "secret body" not in text(result)
    assert "http" not in text(result)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Unsupported attachment type '.exe'.", "an attachment of a kind that Amazon SES does not send"),
        ("50000000 octets: more than is sent whole", "too large to send"),
        (REASON, "Amazon SES does not send it."),
    ],
)
def test_the_notice_says_why_in_plain_words(reason: str, said: str) -> None:
    assert said in text(notice(FROM + b"\r\n", ALIAS, envelope(), Style(), reason))


def test_of_what_ses_says_the_notice_repeats_500_octets() -> None:
    """All of them, and of more 497 and an ellipsis."""
    for said, repeated in (("x" * 500, "x" * 500), ("x" * 501, "x" * 497 + "\N{HORIZONTAL ELLIPSIS}")):
        assert f"  {repeated}\n" in text(notice(FROM + b"\r\n", ALIAS, envelope(), Style(), said)).replace("\r\n", "\n")


@pytest.mark.parametrize(("octets", "kept"), [(900, True), (901, False)])
def test_a_word_of_900_octets_stays_as_it_is_and_a_longer_one_is_cut(octets: int, kept: bool) -> None:
    word = b"x" * octets
    result = repair(FROM + b"Subject: " + word + b"\r\n\r\nbody\r\n")
    assert (word in result) is kept
    assert b"x" * 100 not in result or kept


@given(st.text(max_size=700), st.sampled_from(["info", "sales..eu", ".x", "x.", 'a"b', "a b"]))
def test_the_bare_notice_has_nothing_in_its_header_that_a_stranger_chose(reason: str, local: str) -> None:
    result = bare_notice(Address(local, "example.com"), envelope(), Style(stack="our-mail"), reason)
    assert message_from_bytes(result).keys() == ["From", "To", "Subject", "Auto-Submitted", "X-Postern-Loop"]
    assert not refused(result)
    assert result.isascii()
    assert b"--stack our-mail > message.eml" in result


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (FROM + b"Reply-To: desk@x.example\r\n", "desk@x.example"),
        (FROM, '"Betsy" <betsy@x.example>'),
        (b"", "betsy@sender.example"),
    ],
)
def test_an_answer_to_a_notice_reaches_whom_an_answer_to_the_message_would(header: bytes, answer: str) -> None:
    raw = header + b"\r\nbody"
    for result in (form(raw, ALIAS, envelope(), Style(), "x") for form in (notice, attached)):
        assert message_from_bytes(result)["Reply-To"] == answer


COUNTERFEIT = b"X-Postern-Loop: v1 00000000000000000000000000000000\r\n"


@pytest.mark.parametrize("raw", [COUNTERFEIT + FROM + b": bad\r\n\r\n", COUNTERFEIT + b"\r\n"])
def test_a_counterfeit_stamp_does_not_take_the_place_of_ours(raw: bytes) -> None:
    assert is_stamped(Message.split(repair(raw)), TEST_KEY, ALIAS)


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        (
            b'Content-Type: multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary="s"',
            "as it is",
        ),
        (b"Content-Type: multipart/mixed; x-boundary=zzz; boundary=def", "as it is"),
        (b"Content-Type: text/calendar; method=REQUEST; charset=utf-8", "as it is"),
        (b"Content-Type: multipart/mixed; boundary*0=a; boundary*1=b", "as it is"),
        (b'Content-Disposition: attachment; filename="a b.pdf"', "as it is"),
        (b"Content-Transfer-Encoding: base64 (comment)", "Content-Transfer-Encoding: base64"),
        (b"Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: 8bit"),
        (b"List-Unsubscribe: <https://x.example/" + b"u" * 100 + b">", "as it is"),
    ],
)
def test_what_decides_how_a_body_is_read_survives_the_repair(field: bytes, kept: str) -> None:
    result = repair(FROM + b": bad\r\n" + field + b"\r\n\r\nbody")
    expected = field.decode() if kept == "as it is" else kept
    unfolded = [
        f"{one.raw.partition(b':')[0].decode()}:{one.value.decode().join((' ', ''))}"
        for one in Message.split(result).fields
    ]
    assert expected in unfolded
    boundary = b"Content-Type: multipart/mixed; boundary=" + b"b" * 100
    assert b"b" * 100 in repair(FROM + b": bad\r\n" + boundary + b"\r\n\r\n")


def test_each_field_comes_once_and_received_as_often_as_it_was() -> None:
    result = repair(
        FROM + b": bad\r\nTo: a@y.example\r\nTo: b@y.example\r\nReceived: from a\r\n by b\r\nReceived: c\r\n\r\n"
    )
    names = [field.name for field in Message.split(result).fields]
    assert (names.count("to"), names.count("received")) == (1, 2)
    assert b"Cc: info@example.com\r\n" in repair(FROM + b": bad\r\n\r\n")


@given(HEADERISH, st.text(max_size=700))
def test_any_notice_is_taken(raw: bytes, reason: str) -> None:
    assert not refused(notice(raw, ALIAS, envelope(), Style(), reason))


@pytest.mark.parametrize("odd", [b"x\r: y", b"x\x00y", b"x\x0b y", b"x\r y"])
def test_a_trace_field_that_readers_split_differently_is_left_out(odd: bytes) -> None:
    """A lone CR is the end of a line for SES, and what follows it a field without a name."""
    raw = b"Received: from a by b\r\nReceived: " + odd + b"\r\nFrom: a@x.example\r\n\r\nbody"
    result = repaired(raw, ALIAS, envelope(), Style())
    assert result is not None
    assert result.count(b"Received:") == 1
    assert result.split(b"\r\n\r\n")[1] == b"body"


@pytest.mark.parametrize("name", [b"Received ", b"received\t", b"RECEIVED"])
def test_a_trace_field_is_written_without_a_blank_before_its_colon(name: bytes) -> None:
    result = repair(name + b": from a.example by b.example; x\r\nFrom: a@sender.example\r\n\r\nbody")
    assert result.startswith(b"Received: from a.example by b.example; x\r\n")


def test_the_stamps_of_others_stay_so_that_a_loop_of_two_ends_soon() -> None:
    theirs = stamp(b"their key", Address("info", "other.example"))
    result = repair(f"X-Postern-Loop: {theirs}\r\nx-postern-loop : {theirs}\r\nFrom: a@b.example\r\n\r\nb".encode())
    assert result.count(f"X-Postern-Loop: {theirs}\r\n".encode()) == 1
    assert is_stamped(Message.split(result), TEST_KEY, ALIAS)
