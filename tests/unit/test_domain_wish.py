"""What cannot be is refused in one sentence, before anything is made."""

from typing import Any

import pytest
from postern_mail.domains.wish import MAX_BYTES, MAX_DOMAIN, MAX_DOMAINS, Wish, faults_of
from postern_mail.errors import Misconfigured

from tests.domain_fakes import STACK, Account, properties

HUNDRED = [f"{number:02}{'d' * 20}.example" for number in range(100)]  # of 30 letters


def test_what_the_template_says_is_read() -> None:
    wish = Wish.of(STACK, properties("example.com", "example.org", HostedZones=["Z1", "Z2"], MailFromLabel=""))
    assert (wish.stack, wish.domains, wish.zones) == ("postern", ("example.com", "example.org"), ("Z1", "Z2"))
    assert wish.parts == ("dkim", "mailfrom")
    assert (wish.options.region, wish.options.mail_from("example.com")) == ("eu-west-1", "")
    assert Wish.of(STACK, properties("example.com", Records=[""])).parts == ()


def test_a_hundred_domains_of_thirty_letters_fit() -> None:
    assert {len(domain) for domain in HUNDRED} == {30}
    assert len(",".join(HUNDRED)) == MAX_BYTES
    assert faults_of(HUNDRED) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"Domains": [""]}, "no domain is given"),
        ({"Domains": [f"d{number}.example" for number in range(MAX_DOMAINS + 1)]}, "101 domains in 1202 bytes; 100 in 3099 bytes"),
        ({"Domains": [*HUNDRED[:-1], "e" * 23 + ".example"]}, "100 domains in 3100 bytes"),
        ({"Domains": ["example.com", "example.org", "example.com"]}, "example.com is given twice"),
        ({"Domains": ["Example.com"]}, "'Example.com' is not a domain name"),
        ({"Domains": ["localhost"]}, "'localhost' is not a domain name"),
        ({"Domains": [f"{'a.' * 105}example"]}, f"at most {MAX_DOMAIN} letters"),
        ({"HostedZones": ["Z1", "Z1"]}, "Z1 is given twice"),
        ({"Records": ["dkim", "caa"]}, "'caa' is not one of dkim, mailfrom, spf, dmarc, mx"),
        ({"Records": ["dkim", "mx"]}, "Records has mx, but no HostedZones"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_any_call(wrong: dict[str, Any], said: str) -> None:
    account = Account()
    with pytest.raises(Misconfigured) as refusal:
        account.ask("Create", properties("example.com", **wrong))
    assert said in str(refusal.value)
    assert account.failures.calls == []


def test_a_refusal_is_short_however_much_is_wrong() -> None:
    with pytest.raises(Misconfigured) as refusal:
        Wish.of(STACK, properties(*["X" * 4000] * 100))
    assert len(str(refusal.value)) < 3000
