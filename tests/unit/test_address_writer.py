"""Addresses in headers of ours: SES takes every form, whatever the sender, a third person or the alias is called."""

from collections.abc import Callable
from email import message_from_bytes, policy
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail.address import Address
from postern_mail.mail.address_writer import is_taken, written
from postern_mail.mail.notice import attached, bare_notice, notice
from postern_mail.mail.repair import repaired
from postern_mail.mail.rewrite import Style, rewrite

from emulator.sending.refusals import Request
from emulator.sending.rules import RULES
from tests.builders import envelope
from tests.ses import ACCOUNT, refusals

INFO = Address("info", "example.com")
Form = Callable[[bytes, Address], bytes]
PLAINER: dict[str, Form] = {
    "repaired": lambda raw, alias: repaired(raw, alias, envelope(), Style()) or b"",
    "attached": lambda raw, alias: attached(raw, alias, envelope(), Style(), "x"),
    "notice": lambda raw, alias: notice(raw, alias, envelope(), Style(), "x"),
    "bare notice": lambda raw, alias: bare_notice(alias, envelope(), Style(), "x"),
}
FORMS: dict[str, Form] = {"as it is": lambda raw, alias: rewrite(raw, alias, envelope(), Style()), **PLAINER}

BAD = [
    "taro..s@docomo.example",
    "taro.@docomo.example",
    ".taro@x.example",
    "a...b..c@x.example",
    "x@nas_01.corp.example",
    "x@_dmarc.example",
    '"a b"@x_y.example',
]


def reply_to(raw: bytes) -> list[str]:
    return [address for _, address in getaddresses([message_from_bytes(raw).get("Reply-To", "")]) if address]


@pytest.mark.parametrize(
    ("local", "said"),
    [
        ("taro..s", '"taro..s"'),
        ("taro.", '"taro."'),
        (".taro", '".taro"'),
        ("first.last+tag", "first.last+tag"),
        ('"a b"', '"a b"'),
        ("a b", '"a b"'),
        ('a"b\\', '"a\\"b\\\\"'),
    ],
)
def test_a_local_part_that_is_no_dot_atom_is_quoted(local: str, said: str) -> None:
    assert written(Address(local, "x.example")) == f"{said}@x.example"


@pytest.mark.parametrize("text", ["taro..s@x.example", "taro.@x.example", '"a@b"@x.example'])
def test_what_is_written_is_read_as_the_same_address(text: str) -> None:
    assert Address.parse(written(Address.parse(text))) == Address.parse(text)


@pytest.mark.parametrize("domain", ["nas_01.example", "x..example", "x.", ".x", "x y", "xé.example", "[127.0.0.1"])
def test_a_domain_cannot_be_quoted(domain: str) -> None:
    assert not is_taken(Address("x", domain))
    assert is_taken(Address("x", "[127.0.0.1]"))
    assert not is_taken(Address("jö", "x.example")), "SES has no SMTPUTF8"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    "field",
    [
        "From: {}",
        "From: Taro <{}>",
        "From: a@x.example\r\nReply-To: {}",
        "From: a@x.example\r\nReply-To: b@x.example, T <{}>",
    ],
)
def test_an_author_that_ses_does_not_take_is_in_no_header(field: str, bad: str, form: str) -> None:
    raw = f"{field.format(bad)}\r\nTo: info@example.com\r\n\r\nbody".encode()
    result = FORMS[form](raw, INFO)
    assert not refusals(result)
    assert all(is_taken(Address.parse(address)) for address in reply_to(result))
    assert ("b@x.example" in reply_to(result)) == ("b@x" in field and form != "bare notice")


@pytest.mark.parametrize("form", ["repaired", "attached", "notice"])
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("field", ["To", "Cc"])
def test_a_third_person_that_ses_does_not_take_costs_nothing(field: str, bad: str, form: str) -> None:
    raw = f"From: a@x.example\r\n{field}: info@example.com, {bad}, b@y.example\r\n\r\nbody".encode()
    result = FORMS[form](raw, INFO)
    assert not refusals(result)
    if form == "repaired":
        kept = [address for _, address in getaddresses([message_from_bytes(result)[field]])]
        assert {"info@example.com", "b@y.example"} <= set(kept)
        assert result.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("local", ["sales..eu", "sales.", ".sales", "a..b.."])
def test_the_alias_itself_is_quoted(local: str, form: str) -> None:
    alias = Address(local, "example.com")
    result = FORMS[form](b"From: a@x.example\r\n\r\nbody", alias)
    request = Request(written(alias), ("jane@dest.example",), result, "")
    assert not [rule.name for rule in RULES if rule.check(request, ACCOUNT)]
    assert message_from_bytes(result, policy=policy.default)["From"].addresses[0].username == local


def test_an_address_that_is_in_no_header_is_in_the_text() -> None:
    raw = b"From: Backup <backup@nas_01.corp.example>\r\n\r\nbody"
    for form in ("attached", "notice"):
        parts = message_from_bytes(FORMS[form](raw, INFO)).walk()
        text = next(part for part in parts if part.get_content_type() == "text/plain").get_payload(decode=True)
        assert b"backup@nas_01.corp.example" in text


def test_a_reply_to_that_ses_takes_stays_as_it_was_written() -> None:
    kept = b'Reply-To: "Desk,  1" <desk@X.example> (office)\r\n'
    assert kept in rewrite(b"From: a@x.example\r\n" + kept + b"\r\n", INFO, envelope())
    spoilt = b"Reply-To: Desk <desk..1@x.example>\r\n"
    assert b'Reply-To: "Desk" <"desk..1"@x.example>\r\n' in rewrite(
        b"From: a@x.example\r\n" + spoilt + b"\r\n", INFO, envelope()
    )


LOCAL = st.text(st.sampled_from("ab._-+'\"\\ @(é"), max_size=6)
DOMAIN = st.text(st.sampled_from("ab._-x[]é"), min_size=1, max_size=8)


@given(
    LOCAL,
    DOMAIN,
    st.sampled_from(["From: {}", "From: N <{}>", "Reply-To: {}", "From: N <{}>, b@x.example"]),
    st.sampled_from(sorted(PLAINER)),
)
def test_no_address_whatever_it_is_makes_ses_refuse_a_plainer_form(
    local: str, domain: str, field: str, form: str
) -> None:
    raw = f"{field.format(f'{local}@{domain}')}\r\nTo: info@example.com\r\n\r\nbody".encode()
    assert not refusals(FORMS[form](raw, INFO))
