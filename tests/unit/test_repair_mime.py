"""A repaired message is read as the one it was made of: the same parts, file names and charsets, or there is none."""

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.message import Message
from postern_mail.mail.repair import repaired
from postern_mail.mail.rewrite import Style
from postern_mail.mail.stamp import TEST_KEY, stamp

from tests.builders import envelope
from tests.ses import refusals

ALIAS = Address("info", "example.com")
START = b"From: Betsy <betsy@x.example>\r\nTo: nobody\r\nMIME-Version: 1.0\r\n"
PARTS = (
    b"--b1\r\nContent-Type: text/plain; charset=iso-8859-8-i\r\n\r\nHello\r\n"
    b"--b1\r\nContent-Type: application/pdf; name=a b.pdf\r\n\r\n%PDF\r\n--b1--\r\n"
)


def repair(header: bytes, body: bytes = b"body") -> bytes | None:
    return repaired(START + header + b"\r\n" + body, ALIAS, envelope(), Style())


def tree(raw: bytes | None) -> list[tuple[str, str | None, str | None]]:
    assert raw is not None, "no repaired form"
    assert not refusals(raw).keys() & {"mime-parameters"} or b"a b.pdf" in raw, refusals(raw)
    parsed = message_from_bytes(raw)
    return [(part.get_content_type(), part.get_filename(), part.get_content_charset()) for part in parsed.walk()]


# What a sloppy program writes after a type, and the file name that it means.
NAMES = [
    (b"name=Rechnung 2026.pdf", "Rechnung 2026.pdf"),
    (b"name=Rechnung (1).pdf; x", "Rechnung (1).pdf"),
    (b'name="Rechnung 2026.pdf', "Rechnung 2026.pdf"),
    (b'name="He said "hi".pdf"; y', 'He said "hi".pdf'),
    (b'name="a;b.pdf"; y', "a;b.pdf"),
    (b'name="a.pdf" junk; y', "a.pdf"),
    (b'name = "a.pdf"; name', "a.pdf"),
    (b"name=a.pdf;;; x;", "a.pdf"),
    (b'x; name="C:\\dir\\a.pdf"', "C:\\dir\\a.pdf"),
    (b'name="a\\"b.pdf"; y', 'a"b.pdf'),
    ('name="Gr\N{LATIN SMALL LETTER O WITH DIAERESIS}\N{LATIN SMALL LETTER SHARP S}e.pdf"'.encode("latin-1"),
     "Gr\N{LATIN SMALL LETTER O WITH DIAERESIS}\N{LATIN SMALL LETTER SHARP S}e.pdf"),
    ("name=Gr\N{LATIN SMALL LETTER O WITH DIAERESIS} \N{EURO SIGN}.pdf".encode(),
     "Gr\N{LATIN SMALL LETTER O WITH DIAERESIS} \N{EURO SIGN}.pdf"),
    (b"name*=utf-8''Gr%C3%B6.pdf; y", "Gr\N{LATIN SMALL LETTER O WITH DIAERESIS}.pdf"),
    (b'name*0="Rech"; name*1="nung.pdf"; y', "Rechnung.pdf"),
    (b'(a comment) ; name="a.pdf" (another); y', "a.pdf"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "meant"), NAMES)
@pytest.mark.parametrize("field", [b"Content-Type: application/pdf; ", b"Content-Disposition: attachment; "])
def test_a_file_name_survives(field: bytes, said: bytes, meant: str) -> None:
    if field.startswith(b"Content-D"):
        said = said.replace(b"name", b"filename")
    assert [name for _, name, _ in tree(repair(field + said + b"\r\n"))] == [meant]


@pytest.mark.parametrize(
    "said",
    [
        b'filename="a b.pdf"',
        b'; filename="a b.pdf"',
        b'"attachment"; filename=a b.pdf',
        b'attachment filename="a b.pdf"',
    ],
)
def test_a_file_name_survives_a_broken_disposition(said: bytes) -> None:
    assert [name for _, name, _ in tree(repair(b"Content-Disposition: " + said + b"\r\n"))] == ["a b.pdf"]


@pytest.mark.parametrize(
    "said",
    [
        b'"b1',
        b'"b1; charset',
        b'"b1; charset=utf-8',
        b"b1; charset",
        b'"b1"; charset',
        b"b1 (c); y",
        b'"b1" x; y',
        b"b1 ;",
    ],
)
def test_the_parts_survive(said: bytes) -> None:
    result = repair(b"Content-Type: multipart/mixed; boundary=" + said + b"\r\n", PARTS)
    assert [kind for kind, *_ in tree(result)] == ["multipart/mixed", "text/plain", "application/pdf"]


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Type: multipart/mixed\r\n",
        b"Content-Type: multipart/mixed; boundary\r\n",
        b'Content-Type: multipart/mixed; boundary="not in the body\r\n',
        b"Content-Type: multipart/mixed; boundary=" + b"b" * 950 + b"\r\n",
        b"Content-Type: multipart/mixed; boundary=b\xe9\r\n",
        b"Content-Type: text/plain; charset=iso-8859-8-i\r\n",
        b"Content-Type: text/plain; charset=x-mac-turkish\r\n",
        b'Content-Type: text/plain; charset="cp-850"\r\n',
        b"Content-Type: text/plain; charset=rot13\r\n",
        b"Content-Type: text/plain; charset=utf-8 format=flowed\r\n",
        b"Content-Type: application/pdf; name=" + b"n" * 950 + b"\r\n",
        b"Content-Transfer-Encoding: =?utf-8?q?base64?=\r\n",
    ],
)
def test_there_is_no_repaired_form_of_what_it_would_spoil(header: bytes) -> None:
    assert repair(header, PARTS) is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (b"utf-8; y", "utf-8"),
        (b'"utf-8', "utf-8"),
        (b"us-ascii (plain text)", "us-ascii"),
        (b"windows-1255; x", "windows-1255"),
    ],
)
def test_a_charset_survives(said: bytes, meant: str) -> None:
    assert tree(repair(b"Content-Type: text/plain; charset=" + said + b"\r\n")) == [("text/plain", None, meant)]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (b"base64", b"base64"),
        (b'"base64"', b"base64"),
        (b"base64;", b"base64"),
        (b"x-uuencode", b"x-uuencode"),
        (b"BINARY", b"8bit"),
    ],
)
def test_an_encoding_survives(said: bytes, meant: bytes) -> None:
    assert b"\r\nContent-Transfer-Encoding: " + meant + b"\r\n" in (
        repair(b"Content-Transfer-Encoding: " + said + b"\r\n") or b""
    )


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"), exclude_characters='";\\\N{NO-BREAK SPACE}'), min_size=1, max_size=30)  # fmt: skip


@given(
    TEXT.map(lambda text: " ".join(text.split())).filter(lambda text: text and not text.startswith("=?")),
    st.sampled_from(("{}", '"{}"', '"{}')),
)
def test_any_name_survives_however_it_was_quoted(name: str, form: str) -> None:
    header = f"Content-Type: application/pdf; name={form.format(name)}\r\n"
    assert [found for _, found, _ in tree(repair(header.encode()))] == [name]


@given(st.binary(max_size=60))
def test_what_is_repaired_breaks_no_rule_of_ses(value: bytes) -> None:
    value = value.replace(b"\n", b"").replace(b"\r", b"")
    for field in (
        b"Content-Type: ",
        b"Content-Type: text/plain; ",
        b"Content-Disposition: ",
        b"Content-Transfer-Encoding: ",
    ):
        result = repair(field + value + b"\r\n")
        assert result is None or not refusals(result).keys() - {"attachments"}


@pytest.mark.parametrize(
    "text", [b"Dear all, this is text.\r\nSecond line.\r\n", b"--b1\r\nContent-Type: text/html\r\n\r\nx\r\n"]
)
@pytest.mark.parametrize("separator", [b"", b" \r\n", b"\t\r\n"])
def test_the_text_of_a_message_without_an_empty_line_survives(separator: bytes, text: bytes) -> None:
    result = repaired(START + separator + text, ALIAS, envelope(), Style())
    assert result is not None
    assert result.endswith(b"\r\n\r\n" + text)


def test_our_own_from_is_not_cut() -> None:
    name, address = (
        "Jane Q. Publicover, Regional Sales Director Northwest",
        "jane.publicover@a-rather-long-company-name.example",
    )
    raw = f'From: "{name}" <{address}>\r\nTo: nobody\r\n\r\nbody'.encode()
    result = repaired(raw, ALIAS, envelope(), Style())
    said = message_from_bytes(result or b"", policy=policy.default)["From"].addresses[0].display_name
    assert said.endswith("-name.example) via example.com")


def test_an_encoded_word_is_not_decoded_and_lost() -> None:
    subject = b"Subject: =?iso-8859-8-i?B?+ezl7Q==?=\r\n"
    assert subject in (repair(subject) or b"")


def test_the_stamps_of_earlier_aliases_stay() -> None:
    other = stamp(TEST_KEY, Address("other", "example.com"))
    forged = b"X-Postern-Loop: <evil@x.example>\r\n" + b"X-Postern-Loop: v1 %032d\r\n" % 0 * 5
    result = repair(f"X-Postern-Loop: {other}\r\n".encode() + forged)
    values = [field.value.decode() for field in Message.split(result or b"").named("x-postern-loop")]
    assert values == [stamp(TEST_KEY, ALIAS), other, f"v1 {0:032}"]
