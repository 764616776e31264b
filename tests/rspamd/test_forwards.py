"""No rule of rspamd fires on a forward that did not fire on the original: `make test-rspamd`.

mailcow, Mailu and docker-mailserver judge mail by it. What differs and is meant is named in EXPLAINED.
"""

from collections.abc import Iterator

import pytest
from postern_mail.mail.address import Address
from postern_mail.mail.notice import attached, bare_notice, notice
from postern_mail.mail.repair import repaired
from postern_mail.mail.rewrite import FROM_FORMS, Style, rewrite

from emulator.sending.delivery import delivered
from tests.builders import envelope
from tests.rspamd.server import Rspamd

pytestmark = pytest.mark.rspamd

ALIAS, JANE = Address("info", "example.com"), Address("jane", "dest.example")
BOUNCES = "0102-000000@eu-west-1.amazonses.com"  # whom SES names in MAIL FROM
COMMON = "Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\nSubject: lunch on Friday\r\n"
TYPE = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
BODY = "\r\nShall we meet at noon, at the usual place? I have booked a table.\r\n"

# Rules that may fire on a forward alone, and why.
EXPLAINED = {
    "FORGED_SENDER": "MAIL FROM is SES's own domain, for bounces; 0.3 points",
    "FORGED_RECIPIENTS": "the destination is not in To or Cc, as with every forward; 2 points",
}


@pytest.fixture(scope="module")
def rspamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rspamd]:
    server = Rspamd(tmp_path_factory.mktemp("rspamd"))
    server.start()
    yield server
    server.stop()


AUTHORS = {
    "bare": "betsy@sender.example",
    "named": "Betsy Smith <betsy@sender.example>",
    "name-is-address": '"betsy@sender.example" <betsy@sender.example>',
    "own-domain": "bob@dest.example",
    "own-domain-named": "Bob <bob@dest.example>",
    "not-ascii": "=?utf-8?q?J=C3=B6rg?= <joerg@sender.example>",
    "dots": "taro..s@docomo.example",
    "two": "Ann <ann@sender.example>, bob@sender.example",
}
RECIPIENTS = {
    "alias": "To: info@example.com\r\n",
    "list": "To: users@lists.example\r\nList-Id: <users.lists.example>\r\n",
    "others": "To: Carol <carol@rival.example>\r\nCc: dave@rival.example\r\n",
}


def test_a_bare_address_as_name_is_what_it_would_find(rspamd: Rspamd) -> None:
    """Else all of this proves nothing."""
    raw = f'From: "betsy@sender.example via example.com" <info@example.com>\r\nTo: info@example.com\r\n{COMMON}{TYPE}{BODY}'
    found = rspamd.symbols(raw.encode(), BOUNCES, str(JANE))
    assert found.keys() & {"FROM_NEQ_DISPLAY_NAME", "SPOOF_DISPLAY_NAME"}


@pytest.mark.parametrize("form", FROM_FORMS)
@pytest.mark.parametrize("to", RECIPIENTS)
@pytest.mark.parametrize("author", AUTHORS)
def test_no_rule_fires_that_the_original_did_not_fire(rspamd: Rspamd, author: str, to: str, form: str) -> None:
    raw = f"From: {AUTHORS[author]}\r\n{RECIPIENTS[to]}{COMMON}{TYPE}{BODY}".encode()
    before = rspamd.symbols(raw, "betsy@sender.example", str(ALIAS))
    style = Style(from_form=form, destination=JANE)
    for made in (rewrite(raw, ALIAS, envelope(), style), repaired(raw, ALIAS, envelope(), style) or b""):
        after = rspamd.symbols(delivered(made, "0102-1", "example.com"), BOUNCES, str(JANE))
        assert {name: after[name] for name in after.keys() - before.keys() - EXPLAINED.keys() if after[name] > 0} == {}


@pytest.mark.parametrize("author", AUTHORS)
def test_what_is_our_own_scores_nothing_of_weight(rspamd: Rspamd, author: str) -> None:
    raw = f"From: {AUTHORS[author]}\r\nTo: info@example.com\r\n{COMMON}{TYPE}{BODY}".encode()
    style, reason = Style(destination=JANE), "Duplicate header 'X'."
    for made in (
        attached(raw, ALIAS, envelope(), style, reason),
        notice(raw, ALIAS, envelope(), style, reason),
        bare_notice(ALIAS, envelope(), style, reason),
    ):
        found = rspamd.symbols(delivered(made, "0102-1", "example.com"), BOUNCES, str(JANE))
        assert {name: score for name, score in found.items() if score >= 1 and name not in EXPLAINED} == {}
