import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail import fields
from postern_mail.mail.encoded_words import decoded

E_ACUTE = "\N{LATIN SMALL LETTER E WITH ACUTE}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("=?utf-8?q?caf=C3=A9?=", f"caf{E_ACUTE}"),
        ("=?UTF-8?Q?a_b=5F?=", "a b_"),
        ("=?iso-8859-1?q?caf=E9?=", f"caf{E_ACUTE}"),
        ("=?utf-8?b?w6k=?=", E_ACUTE),
        ("=?utf-8?b?w6k?=", E_ACUTE),
        ("a =?utf-8?q?b?= c", "a b c"),
        ("=?utf-8?q?a?= \t =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?=C3=A9?= =?iso-8859-1?q?=E9?=", E_ACUTE * 2),
        (" =?utf-8?q?a?= ", " a "),
        ("=?utf-8?b?w6k=?= and =?utf-8?b?w6k=?=", f"{E_ACUTE} and {E_ACUTE}"),
        ("=?utf-8?b?ww==?= =?utf-8?b?qQ==?=", E_ACUTE),
        ("=?utf-8?q?Jane Doe?=", "Jane Doe"),
        ("=?utf-8*en?q?=C3=A9?=", E_ACUTE),
        ("=?utf-8?b?a?= x", "=?utf-8?b?a?= x"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?nonsense?q?a=E9?=", "a\N{REPLACEMENT CHARACTER}"),
        ("=?hex?q?61?=", "61"),
        ("=?idna?q?xn--=E9?=", "xn--\N{REPLACEMENT CHARACTER}"),
        ("=?utf-8?q?=C3=A9?= \\u0041", f"{E_ACUTE} \\u0041"),
        ("\\U0001f389 =?utf-8?q?=C3=A9?=", f"\\U0001f389 {E_ACUTE}"),
        (f"{E_ACUTE}\N{PARTY POPPER} =?utf-8?q?=C3=A9?=", f"{E_ACUTE}\N{PARTY POPPER} {E_ACUTE}"),
    ],
)
def test_decoding(text: str, expected: str) -> None:
    assert decoded(text) == expected


@given(st.text())
def test_what_we_encode_is_decoded_again(text: str) -> None:
    assert decoded(" ".join(fields.encoded(text))) == text.encode("utf-8", "replace").decode()


@given(
    st.lists(st.sampled_from(["=?", "utf-8", "?q?", "?b?", "?=", "=C3", " ", "idna", "w6k", "\\u0041"])).map("".join)
)
def test_decoding_never_fails(text: str) -> None:
    decoded(text)


@given(st.text().filter(lambda text: "=?" not in text))
def test_text_without_encoded_words_stays(text: str) -> None:
    assert decoded(text) == text
