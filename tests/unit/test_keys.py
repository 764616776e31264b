"""A key that no look-up asks for is named, and one that a look-up asks for never is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail import aliases, senders
from postern_mail.mail.address import Address
from postern_mail.mail.keys import NeverAsked, no_alias, no_sender
from postern_mail.mail.senders import PARENT_STYLES

from tests.builders import envelope

OURS = {"example.com", "xn--bcher-kva.example"}


@pytest.mark.parametrize(
    "key", ["info@example.com", "info+x@example.com", "@example.com", "@xn--bcher-kva.example", "@b\u00fccher.example"]
)
def test_an_alias(key: str) -> None:
    assert no_alias(key, OURS) is None


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        ("Info@example.com", "info@example.com"),
        ("@B\u00fccher.example", "@xn--bcher-kva.example"),
        ("info@exmaple.com", "info@example.com"),
        ("@exmaple.com", "@example.com"),
        ("info@other.net", ""),
        ("*@example.com", "@example.com"),
        ("example.com", "@example.com"),
        ("*.example.com", "@example.com"),
        ("info", ""),
        ("", ""),
        ("#settings", ""),
        ("#x@example.com", ""),
        ("info@", ""),
    ],
)
def test_no_alias(key: str, instead: str) -> None:
    found = no_alias(key, OURS)
    assert isinstance(found, NeverAsked)
    assert found.instead == instead


@pytest.mark.parametrize("style", PARENT_STYLES)
@given(
    local=st.from_regex(r"[a-z0-9+.-]{1,12}", fullmatch=True),
    domain=st.sampled_from(["x.spam.example", "[192.0.2.1]", "b\u00fccher.example"]),
)
def test_every_key_that_a_sender_has_is_one(style: str, local: str, domain: str) -> None:
    for key in senders.envelope_keys(envelope(source=f"{local}@{domain}"), style):
        assert no_sender(key, style) is None, key


@pytest.mark.parametrize("local", ["info", "info+x", "a.b"])
def test_every_key_that_an_alias_has_is_one(local: str) -> None:
    for domain in OURS:
        for key in aliases.keys(Address.parse(f"{local}@{domain}")):
            assert no_alias(key, OURS) is None


@pytest.mark.parametrize(
    ("key", "parent", "dot"),
    [
        ("@spam.example", "spam.example", "spam.example"),
        ("*.spam.example", "spam.example", ".spam.example"),
        ("*@spam.example", "spam.example", "spam.example"),
        ("Spam9.example", "spam9.example", "spam9.example"),
        ("Joe@Spam.example", "joe@spam.example", "joe@spam.example"),
        ("10.0.0.0/8", "", ""),
        ("192.0.2.1", "", ""),
        ("fe80::1", "", ""),
        ("", "", ""),
        ("a b", "", ""),
        ("@", "", ""),
        ("user@dom@", "", ""),
    ],
)
def test_no_sender(key: str, parent: str, dot: str) -> None:
    for style, instead in zip(PARENT_STYLES, (parent, dot), strict=True):
        found = no_sender(key, style)
        assert isinstance(found, NeverAsked)
        assert found.instead == instead


def test_the_dot_belongs_to_one_style() -> None:
    found = no_sender(".spam.example", "parent")
    assert found is not None
    assert found.instead == "spam.example"
    assert no_sender(".spam.example", "dot") is None
