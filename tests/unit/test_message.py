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
def test_joining_with_its_own_fields_changes_nothing(raw: bytes) -> None:
    message = Message.split(raw)
    assert message.join(message.fields) == raw


@given(HEADERISH)
def test_the_body_starts_at_the_first_blank_line(raw: bytes) -> None:
    message = Message.split(raw)
    assert not bytes(message.rest).partition(b"\n")[0].strip(b"\r")
    for field in message.fields:
        assert not field.raw.endswith(b"\n") or field.raw.strip(b"\r\n"), "a blank line within the header"


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
