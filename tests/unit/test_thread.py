"""Every form in which a message can be sent stays in its conversation."""

from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.message import Message
from postern_mail.mail.notice import attached, notice
from postern_mail.mail.repair import repaired
from postern_mail.mail.rewrite import Style, rewrite
from postern_mail.mail.thread import identifiers, is_identifier, thread_fields

from tests.builders import envelope

ALIAS = Address("info", "example.com")
LONG = "<" + "1" * 300 + "@x>"
FORMS = {
    "as it is": lambda raw: rewrite(raw, ALIAS, envelope(), Style()),
    "repaired": lambda raw: repaired(raw, ALIAS, envelope(), Style()) or b"",
    "attached": lambda raw: attached(raw, ALIAS, envelope(), Style(), "x"),
    "notice": lambda raw: notice(raw, ALIAS, envelope(), Style(), "x"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("header", "in_reply_to", "references"),
    [
        ("", None, None),
        ("Message-ID: <1@x>\r\n", None, "<1@x>"),
        ("Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n", "<0@x>", "<0@x> <1@x>"),
        ("Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\nReferences: <0@x>\r\n\t<1@x>\r\n", "<1@x>", "<0@x> <1@x> <2@x>"),
        ("Message-ID: <1@x>\r\nReferences: <0@x> <1@x>\r\n", None, "<0@x> <1@x>"),
        ("Message-ID: <1@x>\r\nMessage-ID: <2@x>\r\n", None, "<1@x>"),
        (f"Message-ID:\r\n {LONG}\r\nIn-Reply-To: {LONG[:-2]}y>\r\n", f"{LONG[:-2]}y>", f"{LONG[:-2]}y> {LONG}"),
    ],
)
def test_it_stays_in_its_thread(form: str, header: str, in_reply_to: str | None, references: str | None) -> None:
    raw = f"From: a@x.example\r\n{header}Subject: s\r\n\r\nbody".encode()
    after = message_from_bytes(FORMS[form](raw))
    found = {
        name: value and " ".join(value.split()) for name in ("In-Reply-To", "References") for value in [after[name]]
    }
    assert found == {"In-Reply-To": in_reply_to, "References": references}
    assert [len(after.get_all(name, [])) for name in found] == [int(bool(in_reply_to)), int(bool(references))]


def test_several_parents_are_no_chain() -> None:
    """RFC 5322 3.6.4: References are made of In-Reply-To only where that is one identifier."""
    fields = thread_fields(Message.split(b"In-Reply-To: <a@x> <b@x>\r\nMessage-ID: <1@x>\r\n\r\n"))
    assert [one.raw for one in fields] == [b"In-Reply-To: <a@x> <b@x>\r\n", b"References: <1@x>\r\n"]


def test_of_many_references_the_last_count() -> None:
    many = [f"<{number}@x>" for number in range(1_000)]
    assert identifiers(" ".join(many).encode()) == many[-50:]


@pytest.mark.parametrize(
    "value",
    [b"", b"1@x", b"<>", b"<1@x", b"<1 @x>", b"<\xe9@x>", b"<1@x> <2@x>", b"<1@x>\r\nX: y", b"<" + b"1" * 996 + b">"],
)
def test_what_is_no_identifier(value: bytes) -> None:
    assert not is_identifier(value)


@given(
    st.lists(st.sampled_from([b"<", b">", b"1@x", b" ", b"\t", b"\r\n ", b"\xe9", b"\x00", b"," * 500])).map(b"".join)
)
def test_no_thread_brings_a_field_of_its_own_or_a_long_line(value: bytes) -> None:
    fields = thread_fields(Message.split(b"In-Reply-To: " + value + b"\r\nReferences: " + value + b"\r\n\r\n"))
    assert [one.name for one in fields] in ([], ["references"], ["in-reply-to"], ["in-reply-to", "references"])
    for one in fields:
        lines = one.raw.removesuffix(b"\r\n").split(b"\r\n")
        assert all(len(line) <= 998 and line.isascii() for line in lines)
        assert all(line.startswith(b" ") for line in lines[1:])
