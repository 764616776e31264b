from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern.mail.address import Address
from postern.mail.message import Message
from postern.mail.rewrite import rewrite

from emulator.sending.refusals import Account, Request, check
from tests.builders import envelope
from tests.unit.test_message import HEADERISH

ALIAS = Address("info", "example.com")
REWRITTEN = {"from", "return-path", "sender", "dkim-signature", "message-id"}


def rewritten(raw: bytes, source: str = "betsy@x.example") -> bytes:
    return rewrite(raw, ALIAS, envelope(source=source))


def display(raw: bytes) -> str:
    """The display name as a mail program shows it."""
    name, address = parseaddr(message_from_bytes(raw)["From"])
    assert address == "info@example.com"
    return str(make_header(decode_header(name)))


def kept(raw: bytes) -> list[bytes]:
    """The fields that are not ours to change."""
    return [f.raw for f in Message.split(raw).fields if f.name not in REWRITTEN and not f.name.startswith("x-ses-")]


@given(HEADERISH)
def test_the_body_and_every_field_not_ours_stay_byte_for_byte(raw: bytes) -> None:
    message, result = Message.split(raw), rewritten(raw)
    after = Message.split(result)
    assert bytes(after.rest) == bytes(message.rest)
    expected = [field.rstrip(b"\r\n") for field in kept(raw)]
    had_reply_to = bool(message.named("reply-to"))
    found = [f.raw.rstrip(b"\r\n") for f in after.fields if f.name != "from" and (had_reply_to or f.name != "reply-to")]
    assert [line for line in found if not line.lower().startswith(b"message-id")] == expected


@given(HEADERISH)
def test_there_is_exactly_one_from_and_it_is_the_aliass(raw: bytes) -> None:
    fields = Message.split(rewritten(raw)).named("from")
    assert len(fields) == 1
    assert fields[0].raw.rstrip(b"\r\n").endswith(b"<info@example.com>")


@given(st.text(), st.sampled_from([b"\r\n", b"\n"]))
def test_no_display_name_can_bring_a_field_of_its_own(name: str, newline: bytes) -> None:
    name_bytes = name.encode("utf-8", "surrogatepass").replace(b"\n", b"\n ").replace(b"\r", b"\r ")
    raw = b'From: "' + name_bytes + b'" <betsy@x.example>' + newline + b"Subject: s" + newline * 2 + b"body"
    before, after = Message.split(raw), Message.split(rewritten(raw))
    assert {field.name for field in after.fields} <= {field.name for field in before.fields} | {"from", "reply-to"}
    assert all(len(line) <= 76 for field in after.named("from") for line in field.raw.splitlines())


@pytest.mark.parametrize(
    ("author", "shown"),
    [
        (b"betsy@x.example", "betsy@x.example via example.com"),
        (b"<betsy@x.example>", "betsy@x.example via example.com"),
        (b"Betsy <betsy@x.example>", "Betsy (betsy@x.example) via example.com"),
        (b'"betsy@x.example" <betsy@x.example>', "betsy@x.example via example.com"),
        (b'"Doe, John" <j@x.example>', "Doe, John (j@x.example) via example.com"),
        (b'"a <b> c" <j@x.example>', "a <b> c (j@x.example) via example.com"),
        (b'"say \\"hi\\" \\\\ bye" <j@x.example>', 'say "hi" \\ bye (j@x.example) via example.com'),
        (b"=?utf-8?Q?Jos=C3=A9?= <j@x.example>", "Jos\N{LATIN SMALL LETTER E WITH ACUTE} (j@x.example) via example.com"),
        ("\N{PARTY POPPER}\N{PARTY POPPER} <j@x.example>".encode() , "\N{PARTY POPPER}\N{PARTY POPPER} (j@x.example) via example.com"),
        (b"A <a@x.example>, B <b@y.example>", "A (a@x.example) via example.com"),
        (b"", "betsy@x.example via example.com"),
        (b"undisclosed:;", "betsy@x.example via example.com"),
    ],
)  # fmt: skip
def test_the_authors_name_and_address_are_in_the_display_name(author: bytes, shown: str) -> None:
    assert display(rewritten(b"From: " + author + b"\r\n\r\n")) == shown


def test_a_message_without_any_author_says_so() -> None:
    raw = rewritten(b"Subject: s\r\n\r\n", source="<>")
    assert display(raw) == "unknown sender via example.com"
    assert b"Reply-To" not in raw


def test_a_long_name_is_cut_and_folded() -> None:
    raw = rewritten(b'From: "' + b"long name " * 100 + b'" <betsy@x.example>\r\n\r\n')
    assert max(map(len, raw.splitlines())) <= 76
    assert display(raw).endswith("\N{HORIZONTAL ELLIPSIS} (betsy@x.example) via example.com")


@pytest.mark.parametrize(
    ("header", "reply_to"),
    [
        (b"From: Betsy <betsy@x.example>\r\n", b'Reply-To: "Betsy" <betsy@x.example>\r\n'),
        (b"From: betsy@x.example\r\n", b"Reply-To: betsy@x.example\r\n"),
        (b"From: A <a@x.example>, b@y.example\r\n", b'Reply-To: "A" <a@x.example>, b@y.example\r\n'),
        (b"From: betsy@x.example\r\nReply-To: other@x.example\r\n", b"Reply-To: other@x.example\r\n"),
        (
            b"From: betsy@x.example\r\nreply-to :  Odd\r\n <other@x.example>\r\n",
            b"reply-to :  Odd\r\n <other@x.example>\r\n",
        ),
        (b"Subject: s\r\n", b"Reply-To: betsy@x.example\r\n"),
        ("From: j@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example\r\n".encode(), None),
    ],
)
def test_reply_to_keeps_the_authors_unless_one_is_there(header: bytes, reply_to: bytes | None) -> None:
    fields = Message.split(rewritten(header + b"\r\nbody")).named("reply-to")
    assert [field.raw for field in fields] == ([reply_to] if reply_to else [])


def test_what_is_removed_and_what_stays() -> None:
    raw = (
        b"Return-Path: <x@y.example>\r\nReceived: from a\r\n by b\r\nX-SES-Spam-Verdict: PASS\r\n"
        b"x-ses-configuration-set: stolen\r\nDKIM-Signature: v=1;\r\n b=abc\r\nDkim-Signature: v=1\r\n"
        b"Sender: list@x.example\r\nFrom: Betsy <betsy@x.example>\r\nMessage-ID: <1@x>\r\nMessage-Id:\r\n <2@x>\r\n"
        b"Subject: =?x?=\r\nnot a header line\r\nX-SESAME: stays\r\n\r\nbody"
    )
    assert rewritten(raw) == (
        b"Received: from a\r\n by b\r\n"
        b'From: "Betsy (betsy@x.example) via example.com" <info@example.com>\r\n'
        b'Reply-To: "Betsy" <betsy@x.example>\r\nMessage-ID: <1@x>\r\n'
        b"Subject: =?x?=\r\nnot a header line\r\nX-SESAME: stays\r\n\r\nbody"
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", b'From: "betsy@x.example via example.com" <info@example.com>\r\nReply-To: betsy@x.example\r\n'),
        (b"\r\nbody", b'From: "betsy@x.example via example.com" <info@example.com>\r\nReply-To: betsy@x.example\r\n\r\nbody'),
        (b"To: x", b'To: x\r\nFrom: "betsy@x.example via example.com" <info@example.com>\r\nReply-To: betsy@x.example\r\n'),
        (b"From: a@x.example\n\nbody", b'From: "a@x.example via example.com" <info@example.com>\nReply-To: a@x.example\n\nbody'),
        (b"From : a@x.example\r\n\r\n", b'From: "a@x.example via example.com" <info@example.com>\r\nReply-To: a@x.example\r\n\r\n'),
        (b"From: a@x.example\r\nFrom: b@x.example\r\n\r\n",
         b'From: "a@x.example via example.com" <info@example.com>\r\nReply-To: a@x.example, b@x.example\r\n\r\n'),
    ],
)  # fmt: skip
def test_odd_shapes(raw: bytes, expected: bytes) -> None:
    assert rewritten(raw) == expected


@given(st.text(max_size=80))
def test_what_is_written_passes_the_ses_double(name: str) -> None:
    raw = (
        b"From: "
        + name.encode("utf-8", "replace").replace(b"\n", b"").replace(b"\r", b"")
        + b" <betsy@x.example>\r\n\r\nx"
    )
    account = Account(identities={"example.com"}, configuration_sets=set())
    check(Request("info@example.com", ("jane@dest.example",), rewritten(raw), ""), account)


def test_a_header_of_ten_thousand_lines() -> None:
    raw = b"From: a@x.example\r\n" + b"X-Line: y\r\n" * 10_000 + b"\r\nbody"
    assert rewritten(raw).count(b"X-Line") == 10_000
