import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.message import Message

# Bytes that fall into the gaps between lines, fields and folds far more often than chance would.
HEADERISH = st.lists(
    st.sampled_from(
        [b"From: a@b\r\n", b"X: y", b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\x00", b"\xe9", b"Subject", b"\r\n\r\n"]
    )
    | st.binary(max_size=6)
).map(b"".join)


@given(HEADERISH)
def test_splitting_and_joining_gives_the_same_bytes(raw: bytes) -> None:
    message = Message.split(raw)
    assert b"".join(field.raw for field in message.fields) + bytes(message.rest) == raw


@given(HEADERISH)
def test_joining_with_its_own_fields_changes_nothing_but_the_missing_separator(raw: bytes) -> None:
    message = Message.split(raw)
    joined = message.join(message.fields)
    if message.is_separated or not message.rest:
        assert joined == raw
    again = Message.split(joined)
    assert bytes(again.body) == bytes(message.body)
    assert again.is_separated or not message.rest


@given(HEADERISH)
def test_no_blank_line_is_within_the_header(raw: bytes) -> None:
    for field in Message.split(raw).fields:
        assert not field.raw.endswith(b"\n") or field.raw.strip(b"\r\n")


BODY = b"Dear all, this is text.\r\nSender: in the body\r\nX-SES-MESSAGE-TAGS: a=b\r\n\r\nmore\r\n"
PART = b"--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("header", "separator", "body"),
    [
        (b"From: a@x\r\nSubject: s\r\n", b"", BODY),
        (b"From: a@x\r\nSubject: s\r\n", b" \r\n", BODY),
        (b"From: a@x\r\nSubject: s\r\n", b"\t \r\n", PART),
        (b"From: a@x\r\nContent-Type: multipart/mixed; boundary=b\r\n", b" \r\n", PART),
        (b"From: a@x\r\nContent-Type: multipart/mixed; boundary=b\r\n", b"", PART),
        (b"From: a@x\n", b" \n", b"text: without a header behind it\nend\n"),
        (b"From: a@x\r\n", b" \r\n", b"Sender: in the body\r\nContent-Type: text/html\r\n"),
        (b"From: a@x\r\nSubject: s\r\n", b" \r\n", b"Subject: a header quoted\r\nTo: x\r\n\r\nbody"),
        (b"From: a@x\r\n", b"", b":-) is how it begins\r\nSender: x\r\nand no field\r\n"),
        (b"From: a@x\r\n", b"", b"bad name: c\r\n"),
        (b"From: a@x\r\n", b"", b"\xc3\xa4: c\r\n"),
        (b"From: a@x\r\n", b"", b"From what I see\r\nX: y\r\n"),
        (b"", b"", b"no header at all\r\nSender: x\r\n"),
        (b"From: a@x\rContent-Type: multipart/mixed; boundary=b\r", b"\r", PART.replace(b"\r\n", b"\r")),
        (b"Received: x\r\nFrom: a@x\rSubject: s\r", b"\r", b"text\rSender: in the body\r\r\n"),
    ],
)
def test_where_the_body_begins_without_an_empty_line(header: bytes, separator: bytes, body: bytes) -> None:
    """At the first line that is no field, as in Postfix; what it looks like is not asked behind it."""
    message = Message.split(header + separator + body)
    assert b"".join(field.raw for field in message.fields) == header
    assert bytes(message.body) == body
    joined = message.join(message.fields)
    assert bytes(Message.split(joined).body) == body
    assert re.search(rb"\n\r?\n" + re.escape(body), joined) or not header, "every parser must see it"


@pytest.mark.parametrize("doubtful", [b" \r\n", b"\t\r\n \r\n", b": no name\r\n", b":\r\n"])
def test_a_doubtful_line_is_of_the_header_if_that_goes_on_to_an_empty_line(doubtful: bytes) -> None:
    raw = b"From: a@x\r\nSubject: s\r\n" + doubtful + b"X-SES-MESSAGE-TAGS: a=b\r\nTo: y\r\n\r\nbody"
    message = Message.split(raw)
    assert [field.name for field in message.fields if field.name] == ["from", "subject", "x-ses-message-tags", "to"]
    assert bytes(message.body) == b"body"


def test_an_mbox_line_is_of_the_header_below_what_ses_wrote_and_above_a_field() -> None:
    ours = b"Return-Path: <x@y>\r\nReceived: x\r\nX-SES-Receipt: y\r\n"
    names = [field.name for field in Message.split(ours + b">From x@y Sun\r\nTo: z\r\n\r\n").fields]
    assert names == ["return-path", "received", "x-ses-receipt", "", "to"]
    assert len(Message.split(ours + b"From x@y Sun\r\nit goes on\r\nTo: z\r\n\r\n").fields) == 3


def test_a_stray_cr_in_a_value_ends_no_header() -> None:
    message = Message.split(b"Subject: a\rb\r\nTo: x\r\n\r\nbody")
    assert [(field.name, field.value) for field in message.fields] == [("subject", b"ab"), ("to", b"x")]
    assert [field.name for field in Message.split(b"Subject: a\r\rb\r\nTo: x\r\n\r\nbody").fields] == ["subject", "to"]


def test_folded_lines_belong_to_their_field() -> None:
    message = Message.split(b"Subject: a\r\n b\r\n\tc\r\nTo: x\r\n\r\nbody")
    assert [field.name for field in message.fields] == ["subject", "to"]
    assert message.fields[0].value == b"a b\tc"
    assert bytes(message.rest) == b"\r\nbody"


def test_names() -> None:
    raw = b"From : a\r\nX-Y: b\r\n: empty\r\nSUBJECT:d\r\n\r\n"
    assert [field.name for field in Message.split(raw).fields] == ["from", "x-y", "", "subject"]


def test_the_body_is_not_copied() -> None:
    raw = b"A: b\r\n\r\n" + bytes(1000)
    assert Message.split(raw).rest.obj is raw


def test_line_endings_are_the_headers_own() -> None:
    assert Message.split(b"A: b\nC: d\n\nbody").newline == b"\n"
    assert Message.split(b"A: b\r\n\r\n").newline == b"\r\n"
    assert Message.split(b"A: b").newline == b"\r\n"
    assert Message.split(b"").newline == b"\r\n"


def test_a_blank_line_is_one_of_cr_and_lf_whatever_their_number() -> None:
    message = Message.split(b"A: b\r\r\n\r\r\nSender: in the body\r\n")
    assert [field.name for field in message.fields] == ["a"]
    assert bytes(message.rest) == b"\r\r\nSender: in the body\r\n"


def test_no_field_hides_behind_a_lone_cr() -> None:
    message = Message.split(b"A: b\rX-SES-ORDER: c\r d\r\nE: f\r\n\r\n")
    assert [(field.name, field.raw) for field in message.fields] == [
        ("a", b"A: b\r"),
        ("x-ses-order", b"X-SES-ORDER: c\r d\r\n"),
        ("e", b"E: f\r\n"),
    ]
    first, _, last = message.fields
    assert message.join([first, last]) == b"A: b\r\nE: f\r\n\r\n", "nothing may be glued to a lone CR"
    assert message.join([first]) == b"A: b\r\n\r\n"


def test_a_body_is_not_copied_when_its_header_is_rewritten() -> None:
    raw = b"From: a@x.example\r\n\r\n" + bytes(4_000_000)
    message = Message.split(raw)
    tracemalloc.start()
    halves = message.halves(message.fields)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000
    assert (len(halves), bytes(halves)) == (len(raw), raw)
