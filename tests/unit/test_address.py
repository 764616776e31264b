import pytest
from postern_mail.mail.address import Address, InvalidAddress, mask


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [
        ("info@example.com", "info", "example.com"),
        ("<info@example.com>", "info", "example.com"),
        (" Info@EXAMPLE.com ", "Info", "example.com"),
        ('"john doe"@example.com', '"john doe"', "example.com"),
        ('"info"@example.com', "info", "example.com"),
        ('"a@b"@example.com', '"a@b"', "example.com"),
        ("a..b.@example.com", "a..b.", "example.com"),
        ("prvs=144d0cba7=sender@example.com", "prvs=144d0cba7=sender", "example.com"),
        ("jane@[192.0.2.1]", "jane", "[192.0.2.1]"),
        (
            "jane@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example",
            "jane",
            "xn--bcher-kva.example",
        ),
        ("root@localhost", "root", "localhost"),
    ],
)
def test_addresses_are_read(text: str, local: str, domain: str) -> None:
    assert Address(local, domain) == Address.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "info", "@example.com", "info@", "info@exa mple.com", "in fo@example.com", "info@example..com", "a@b@c",
     "info@example.com\r\nBcc: x@y.example", "info\x00@example.com", "<info@example.com", "j\N{LATIN SMALL LETTER E WITH ACUTE}@example.com",
     "info@exam<ple.com", '"unclosed@example.com'],
)  # fmt: skip
def test_everything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidAddress, match="not a mail address"):
        Address.parse(text)


def test_the_key_folds_case_and_the_text_keeps_it() -> None:
    address = Address.parse("Info@Example.COM")
    assert address.key == "info@example.com"
    assert str(address) == "Info@example.com"


@pytest.mark.parametrize(
    ("text", "untagged", "tag"),
    [
        ("info+news@example.com", "info@example.com", "news"),
        ("info+a+b@example.com", "info@example.com", "a+b"),
        ("info+@example.com", "info@example.com", ""),
        ("info@example.com", "info@example.com", ""),
        ("+news@example.com", "+news@example.com", ""),
        ('"a+b c"@example.com', '"a+b c"@example.com', ""),
    ],
)
def test_tags(text: str, untagged: str, tag: str) -> None:
    address = Address.parse(text)
    assert (str(address.untagged), address.tag) == (untagged, tag)


def test_an_address_without_end_is_none() -> None:
    with pytest.raises(InvalidAddress):
        Address.parse("l" * 300 + "@" + "d" * 20 + ".example")
    with pytest.raises(InvalidAddress):
        Address.parse("joe@good\u202emoc.example")


def test_masking_takes_time_in_proportion_and_knows_quoted_local_parts() -> None:
    assert mask('to "john doe"@dest.example', ()) == 'to "***@dest.example'
    assert mask("a" * 200_000, ()) == "a" * 200_000
    assert mask('"' * 200_000, ()) == '"' * 200_000


def test_masking_hides_other_peoples_addresses_and_keeps_our_own() -> None:
    text = "jane@dest.example: MessageRejected: <joe@dest.example>; alias info@Example.com"
    assert (
        mask(text, {"example.com"}) == "j***@dest.example: MessageRejected: <j***@dest.example>; alias info@Example.com"
    )
