import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.authors import authors, count_mailboxes, decode_phrase

E_ACUTE = "\N{LATIN SMALL LETTER E WITH ACUTE}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"betsy@x.example", [("", "betsy@x.example")]),
        (b"<betsy@x.example>", [("", "betsy@x.example")]),
        (b"< betsy@x.example >", [("", "betsy@x.example")]),
        (b"Betsy <betsy@x.example>", [("Betsy", "betsy@x.example")]),
        (b"Betsy<betsy@x.example>", [("Betsy", "betsy@x.example")]),
        (b'"Doe, John" <j@x.example>', [("Doe, John", "j@x.example")]),
        (b'"a <b> c" <betsy@x.example>', [("a <b> c", "betsy@x.example")]),
        (b'"say \\"hi\\"" <betsy@x.example>', [('say "hi"', "betsy@x.example")]),
        (b"betsy@x.example (Betsy (home))", [("Betsy (home)", "betsy@x.example")]),
        (b"Betsy Smith betsy@x.example", [("Betsy Smith", "betsy@x.example")]),
        (b"A <a@x.example>, B <b@y.example>", [("A", "a@x.example"), ("B", "b@y.example")]),
        (b"Team: A <a@x.example>, b@y.example;", [("A", "a@x.example"), ("", "b@y.example")]),
        (b"undisclosed-recipients:;", []),
        (b"<@a.example,@b.example:c@x.example>", [("", "c@x.example")]),
        (b'"john doe"@x.example', [("", '"john doe"@x.example')]),
        (b"=?utf-8?Q?Jos=C3=A9_A=2E?= <j@x.example>", [(f"Jos{E_ACUTE} A.", "j@x.example")]),
        (b"=?utf-8?b?Sm9z?= =?utf-8?b?w6k=?= <j@x.example>", [(f"Jos{E_ACUTE}", "j@x.example")]),
        (b'"=?utf-8?Q?Doe=2C_John?=" <j@x.example>', [("Doe, John", "j@x.example")]),
        (b"=?utf-8?Q?Doe,_John?= <j@x.example>", [("Doe, John", "j@x.example")]),
        (b"=?utf-8?Q?Jane_(Sales)?= <j@x.example>", [("Jane (Sales)", "j@x.example")]),
        (b"=?utf-8*en?q?Jos=C3=A9?= <j@x.example>", [(f"Jos{E_ACUTE}", "j@x.example")]),
        (
            b"\x93Smith\x94 <j@x.example>",
            [("\N{LEFT DOUBLE QUOTATION MARK}Smith\N{RIGHT DOUBLE QUOTATION MARK}", "j@x.example")],
        ),
        (b"=?nonsense?Q?Jos=E9?= <j@x.example>", [("Jos\N{REPLACEMENT CHARACTER}", "j@x.example")]),
        (f"Jos{E_ACUTE} <j@x.example>".encode(), [(f"Jos{E_ACUTE}", "j@x.example")]),
        (f"Jos{E_ACUTE} <j@x.example>".encode("latin-1"), [(f"Jos{E_ACUTE}", "j@x.example")]),
        (f"Jos{E_ACUTE} =?utf-8?Q?=C3=A9?= <j@x.example>".encode(), [(f"Jos{E_ACUTE} {E_ACUTE}", "j@x.example")]),
        (b'"Betsy <betsy@x.example>', [("Betsy", "betsy@x.example")]),
        (b"", []),
        (b"Betsy", []),
        (b"@x.example", []),
        (b"betsy@", []),
        (b"<>", []),
    ],
)
def test_reading(value: bytes, expected: list[tuple[str, str]]) -> None:
    assert [(author.name, str(author.address)) for author in authors(value)] == expected


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (b"", 0),
        (b"a@x.example, B <b@x.example>", 2),
        (b"nobody, , b@x.example", 2),
        (b"Team: a@x.example, b@x.example;", 2),
        (b"A <a@x.example> (home)", 1),
        (b"A <a@x.example>e, b@x.example", 3),
        (b"<a@x.example> (home) <b@x.example>", 2),
    ],
)
def test_counting_what_a_server_may_take_for_recipients(value: bytes, count: int) -> None:
    assert count_mailboxes(value) == count


@given(st.lists(st.sampled_from(list('"\\<>(),;:@ =?.\r\n\t\x00aZ\u202e')) | st.characters()).map("".join))
def test_reading_never_fails_and_never_brings_a_line_break(text: str) -> None:
    for author in authors(text.encode("utf-8", "surrogatepass")):
        assert not set("\r\n\x00") & set(f"{author.name}{author.address}")


@pytest.mark.parametrize(
    "piece", [b'"', b'\\"', b"(", b"<", b"\\", b",", b"a ", b"=?", b'"\\"', b"=?utf-8?q?a?= ", b"=?a?q?x?="]
)
def test_reading_takes_time_in_proportion(piece: bytes) -> None:
    """100 kB that would take minutes if any token looked at all that follows."""
    authors(piece * (100_000 // len(piece)))


def test_an_encoding_that_is_slow_to_decode_is_cut_short() -> None:
    authors(b"=?punycode?q?" + b"a-" * 300_000 + b"?= <a@x.example>")


def test_invisible_characters_become_blanks() -> None:
    assert decode_phrase("a\u202eb\u200bc\r\nd\x00e\x1bf") == "a b c d e f"
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
    assert decode_phrase(family) == family
