"""What is carried over of the sender's own header, whole: whom to answer, the thread, what SES overwrites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.authors import authors
from postern_mail.mail.message import Message
from postern_mail.mail.rewrite import Style, rewrite

from tests.builders import envelope
from tests.unit.test_rewrite import rewritten

LOCAL, DOMAIN = "l" * 62, ".".join(["d" * 60] * 4)  # with two digits, the longest address there can be


@pytest.mark.parametrize(
    ("header", "reply_to"),
    [
        (b"From: Betsy <betsy@x.example>\r\n", b'Reply-To: "Betsy" <betsy@x.example>\r\n'),
        (b"From: betsy@x.example\r\n", b"Reply-To: betsy@x.example\r\n"),
        (b"From: A <a@x.example>, b@y.example\r\n", b'Reply-To: "A" <a@x.example>, b@y.example\r\n'),
        (b"From: betsy@x.example\r\nReply-To: other@x.example\r\n", b"Reply-To: other@x.example\r\n"),
        (b"From: betsy@x.example\r\nReply-To: \r\nReply-To: nobody\r\n", b"Reply-To: betsy@x.example\r\n"),
        (b"From: betsy@x.example\r\nReply-To: a@x.example\r\nReply-To: b@x.example\r\n", b"Reply-To: a@x.example\r\n"),
        (
            b"From: betsy@x.example\r\nreply-to :  Odd\r\n <other@x.example>\r\n",
            b"reply-to :  Odd\r\n <other@x.example>\r\n",
        ),
        (b"Subject: s\r\n", b"Reply-To: betsy@x.example\r\n"),
        (
            "From: j@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example\r\n".encode(),
            b"Reply-To: j@xn--bcher-kva.example\r\n",
        ),
    ],
)
def test_reply_to_keeps_the_authors_unless_one_is_there(header: bytes, reply_to: bytes | None) -> None:
    fields = Message.split(rewritten(header + b"\r\nbody")).named("reply-to")
    assert [field.raw for field in fields] == ([reply_to] if reply_to else [])


@pytest.mark.parametrize(
    ("header", "references"),
    [
        (b"Message-ID: <1@x>\r\n", b"References: <1@x>\r\n"),
        (b"Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n", b"References: <0@x> <1@x>\r\n"),
        (b"References: <a@x>\r\n\t<b@x>\r\nMessage-ID:\r\n <1@x>\r\n", b"References: <a@x>\r\n\t<b@x>\r\n <1@x>\r\n"),
        (b"References: <1@x> <b@x>\r\nMessage-ID: <1@x>\r\n", b"References: <1@x> <b@x>\r\n"),
        (b"References: <a@x>\r\n", b"References: <a@x>\r\n"),
        (b"Message-ID: not an id\r\n", None),
        (b"Message-ID: <" + b"1" * 993 + b"@x>\r\n", b"References:\r\n <" + b"1" * 993 + b"@x>\r\n"),
        (b"Message-ID: <" + b"1" * 994 + b"@x>\r\n", None),
        (
            b"In-Reply-To: <" + b"0" * 200 + b">\r\nMessage-ID: <1@x>\r\n",
            b"References: <" + b"0" * 200 + b">\r\n <1@x>\r\n",
        ),
        (b"In-Reply-To: <0@x>\r\n", None),
    ],
)
def test_threads_survive_the_message_id_that_ses_overwrites(header: bytes, references: bytes | None) -> None:
    after = Message.split(rewritten(b"From: a@x.example\r\n" + header + b"\r\nbody"))
    assert [one.raw for one in after.named("references")] == ([references] if references else [])
    for name in ("in-reply-to", "message-id"):
        assert [one.raw for one in after.named(name)] == [o.raw for o in Message.split(header).named(name)]


def test_what_ses_overwrites_is_kept_under_another_name() -> None:
    raw = rewritten(b"From: a@x.example\r\nDate: Sun,\r\n 22 Nov 2026\r\nMessage-ID: <1@x>\r\n\r\n")
    assert b"X-Postern-Original-Message-ID: <1@x>\r\nX-Postern-Original-Date: Sun, 22 Nov 2026\r\n" in raw


def test_what_we_say_ourselves_is_less_than_two_kilobytes() -> None:
    """The largest of everything: names, addresses and domains as long as they count, a crowd, a tag."""
    author = f'"{chr(0x1F389) * 1000}" <{LOCAL}10@{DOMAIN}>'
    crowd = ", ".join(f"a{number}@y.example" for number in range(60))
    raw = f"From: {author}\r\nReply-To: a@y.example\r\nSubject: s\r\nTo: {crowd}\r\n\r\n".encode()
    alias, style = Address(f"{LOCAL}10", DOMAIN), Style(subject_tag=chr(0x1F389) * 40)
    before, after = Message.split(raw), Message.split(rewrite(raw, alias, envelope(), style))
    ours = sum(len(one.raw) for one in after.fields) - sum(len(one.raw) for one in before.fields[1:])
    assert 1_400 < ours < 2_000


def crowd_of_authors(count: int) -> str:
    return ", ".join(f'"Author, {number}" <{LOCAL}{number:02}@{DOMAIN}>' for number in range(count))


@pytest.mark.parametrize("header", ["From: {}\r\n", "From: {}\r\nReply-To: nobody\r\n"])
def test_every_author_can_be_answered_in_order_and_no_line_is_long(header: str) -> None:
    people = crowd_of_authors(100)
    (reply_to,) = Message.split(rewritten(header.format(people).encode() + b"\r\n")).named("reply-to")
    assert authors(reply_to.value) == authors(people.encode())
    assert max(map(len, reply_to.raw.split(b"\r\n"))) <= 998


def test_what_is_carried_over_is_in_proportion_to_the_senders_own() -> None:
    people, message_id = crowd_of_authors(100), f"<{'1' * 900}@x>"
    raw = f"From: {people}\r\nMessage-ID: {message_id}\r\n\r\n".encode()
    assert len(rewritten(raw)) < 2_000 + 1.1 * len(raw) + 2 * len(message_id)


def test_ten_thousand_authors() -> None:
    raw = f"From: {', '.join(f'a{number}@x.example' for number in range(10_000))}\r\n\r\n".encode()
    (reply_to,) = Message.split(rewritten(raw)).named("reply-to")
    assert reply_to.value.count(b"@") == 10_000


@given(st.integers(900, 1_100))
def test_a_message_id_is_carried_whole_as_long_as_a_line_can_hold_it(length: int) -> None:
    message_id = b"<" + b"1" * (length - 2) + b">"
    after = Message.split(rewritten(b"From: a@x.example\r\nMessage-ID: " + message_id + b"\r\n\r\n"))
    carried = (*after.named("references"), *after.named("x-postern-original-message-id"))
    assert [one.value for one in carried] == ([message_id] * 2 if length < 998 else [])
    assert all(len(line) <= 998 for one in carried for line in one.raw.split(b"\r\n"))


def test_an_address_that_is_longer_than_any_may_be_is_none() -> None:
    """Of letters that A-labels need eight for: a line of ours could not hold it."""
    raw = "From: a@{}example\r\n\r\n".format("\N{LATIN SMALL LETTER U WITH DIAERESIS}." * 150).encode()
    assert max(map(len, rewritten(raw).split(b"\r\n"))) <= 998
