from hypothesis import given
from hypothesis import strategies as st
from postern.mail.message import Message

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
def test_joining_with_its_own_fields_changes_nothing(raw: bytes) -> None:
    message = Message.split(raw)
    assert message.join(message.fields) == raw


@given(HEADERISH)
def test_the_body_starts_at_the_first_blank_line(raw: bytes) -> None:
    message = Message.split(raw)
    assert bytes(message.rest) in (b"", b"\r") or bytes(message.rest).startswith((b"\r\n", b"\n"))
    for field in message.fields:
        assert field.raw not in (b"\r\n", b"\n"), "a blank line within the header"


def test_folded_lines_belong_to_their_field() -> None:
    message = Message.split(b"Subject: a\r\n b\r\n\tc\r\nTo: x\r\n\r\nbody")
    assert [field.name for field in message.fields] == ["subject", "to"]
    assert message.fields[0].value == b"a b\tc"
    assert bytes(message.rest) == b"\r\nbody"


def test_names() -> None:
    raw = b"From : a\r\nX-Y: b\r\nno colon\r\n: empty\r\nbad name: c\r\nSUBJECT:d\r\n\r\n"
    assert [field.name for field in Message.split(raw).fields] == ["from", "x-y", "", "", "", "subject"]


def test_the_body_is_not_copied() -> None:
    raw = b"A: b\r\n\r\n" + bytes(1000)
    assert Message.split(raw).rest.obj is raw


def test_line_endings_are_the_headers_own() -> None:
    assert Message.split(b"A: b\nC: d\n\nbody").newline == b"\n"
    assert Message.split(b"A: b\r\n\r\n").newline == b"\r\n"
    assert Message.split(b"A: b").newline == b"\r\n"
    assert Message.split(b"").newline == b"\r\n"
