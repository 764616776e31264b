"""Display names: none is taken for an address, and none for what we say ourselves."""

from email import message_from_bytes, policy
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.display_names import neutral, plain
from postern_mail.mail.repair import repaired
from postern_mail.mail.rewrite import ADDRESS, FROM_FORMS, NAME, NAME_AND_ADDRESS, Style, rewrite

from tests.builders import envelope

ALIAS = Address("info", "example.com")


def shown(author: str, form: str = NAME_AND_ADDRESS) -> str:
    raw = rewrite(f"From: {author}\r\n\r\n".encode(), ALIAS, envelope(), Style(from_form=form))
    return str(message_from_bytes(raw, policy=policy.default)["From"].addresses[0].display_name)


@pytest.mark.parametrize(
    ("author", "form", "expected"),
    [
        ("betsy@x.example", NAME_AND_ADDRESS, "betsy at x.example via example.com"),
        ("betsy@x.example", NAME, "betsy at x.example via example.com"),
        ("Betsy <betsy@x.example>", ADDRESS, "betsy at x.example via example.com"),
        ("Betsy <betsy@x.example>", NAME_AND_ADDRESS, "Betsy (betsy at x.example) via example.com"),
        ('"Betsy@X.example" <betsy@x.example>', NAME, "betsy at x.example via example.com"),
        ('"boss@bank.example" <e@x.example>', NAME, "boss at bank.example (e at x.example) via example.com"),
        ('"Bank (a@bank.example) via example.com" <e@x.example>', NAME_AND_ADDRESS,
         "Bank [a at bank.example] (e at x.example) via example.com"),
        ('"Bank (a at bank.example) via example.com" <e@x.example>', NAME,
         "Bank [a at bank.example] (e at x.example) via example.com"),
        ('"Bank via EXAMPLE.com" <e@x.example>', NAME, "Bank via example.com"),
        ('"Bank (a@bank.example" <e@x.example>', NAME_AND_ADDRESS, "Bank [a at bank.example (e at x.example) via example.com"),
        ('"Bank \N{FULLWIDTH LEFT PARENTHESIS}a\N{FULLWIDTH COMMERCIAL AT}bank.example\N{FULLWIDTH RIGHT PARENTHESIS}"'
         " <e@x.example>", NAME_AND_ADDRESS, "Bank [a at bank.example] (e at x.example) via example.com"),
        ('"Jane (Sales)" <j@x.example>', NAME, "Jane (Sales) via example.com"),
        ('"Jane via Users" <j@x.example>', NAME, "Jane via Users via example.com"),
        ('"Jane via booking.example" <j@x.example>', NAME, "Jane via booking.example via example.com"),
        ("=?utf-8?q?Mic=CD=8Fro=C2=ADsoft=F3=A0=84=B9?= <e@x.example>", NAME, "Microsoft via example.com"),
        ("=?utf-8?q?Bank=E3=85=A4=E2=A0=80=E1=85=9Fx?= <e@x.example>", NAME, "Bank x via example.com"),
        ("=?utf-8?q?=E2=9D=A4=EF=B8=8F_you?= <e@x.example>", NAME, "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16} you via example.com"),
    ],
)  # fmt: skip
def test_how_an_author_is_shown(author: str, form: str, expected: str) -> None:
    assert shown(author, form) == expected


@given(st.text(max_size=60), st.sampled_from(FROM_FORMS))
def test_there_is_no_at_sign_in_any_display_name(name: str, form: str) -> None:
    name = name.replace("\r", " ").replace("\n", " ").replace('"', " ")
    raw = f'From: "{name}" <e@x.example>\r\nTo: "{name}" <t@x.example>, info@example.com\r\n\r\n'.encode(
        "utf-8", "replace"
    )
    assert "@" not in shown(f'"{name}" <e@x.example>'.encode("utf-8", "replace").decode(), form)
    result = repaired(raw, ALIAS, envelope(), Style(from_form=form))
    assert result is not None
    for field in ("From", "Reply-To", "To"):
        found = message_from_bytes(result, policy=policy.default)[field]
        assert not any("@" in address.display_name for address in found.addresses)


@given(st.text(st.sampled_from("a.@( )viaexample.com\uff20"), max_size=40))
def test_a_name_that_is_neutral_stays_so(name: str) -> None:
    assert "@" not in plain(name)
    assert "via example.com" not in neutral(f"x {name} via example.com", "example.com")


def thunderbird_replies_to(raw: bytes, identity: str) -> list[str]:
    """nsMsgCompose.cpp: a message from one of my identities that names none of them in To or Cc is a reply to self,
    and goes to its To; any other to Reply-To, else From."""
    message = message_from_bytes(raw)

    def listed(*names: str) -> list[str]:
        return [address for _, address in getaddresses([message.get(name, "") for name in names]) if address]

    if identity in listed("From") and identity not in listed("To", "Cc"):
        return listed("To")
    return listed("Reply-To") or listed("From")


@pytest.mark.parametrize(
    "header",
    [
        "To: info@example.com",
        "To: INFO@example.com",
        "To: carol@rival.example, dave@rival.example",
        "To: users@lists.example\r\nList-Post: <mailto:users@lists.example>",
        "To: undisclosed-recipients:;",
        "To: users@lists.example\r\nCc: dave@rival.example",
        "To: users@lists.example\r\nCC:",
        'To: users@lists.example\r\ncc : "Dave\r\n B" <dave@rival.example>',
        "Cc: team: dave@rival.example, carol@rival.example;",
        'Cc: "never closed <dave@rival.example>',
        "X-No: recipients",
        "To: info@example.com.evil.example",
        "To: " + ", ".join(f"a{number}@y.example" for number in range(49)),
        "To: " + ", ".join(f"a{number}@y.example" for number in range(60)),
    ],
)
@pytest.mark.parametrize("form", ["as it is", "repaired"])
def test_reply_reaches_the_author_alone_where_the_alias_is_an_identity(header: str, form: str) -> None:
    raw = f"From: Betsy <betsy@sender.example>\r\n{header}\r\n\r\nbody".encode()
    make = rewrite if form == "as it is" else repaired
    result = make(raw, ALIAS, envelope(), Style()) or b""
    identity = "INFO@example.com" if "INFO" in header else "info@example.com"
    result = result.replace(b"<info@", f"<{identity[:4]}@".encode()) if "INFO" in header else result
    assert thunderbird_replies_to(result, identity) == ["betsy@sender.example"]
