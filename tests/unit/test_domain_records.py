"""The DNS records of a domain, and what becomes of those that are there."""

import pytest
from postern_mail.domains.plan import Change, Left, record_step
from postern_mail.domains.records import (
    DKIM,
    DMARC,
    MAIL_FROM,
    MX,
    SPF,
    SPF_LINE,
    Dkim,
    DnsOptions,
    RecordSet,
    Wanted,
    spf_to_add,
    wanted,
)

OPTIONS = DnsOptions("eu-west-1", "bounces", "quarantine")
NAMES = ("a", "b", "c")


def apex(*values: str) -> RecordSet:
    return RecordSet("example.com", "TXT", 60, values)


def test_all_records_as_a_zone_file() -> None:
    found = wanted("example.com", Dkim(NAMES, "dkim.eu-west-1.example"), OPTIONS)
    assert [line for one in found for line in one.set.lines()] == [
        *(f"{one}._domainkey.example.com. 1800 IN CNAME {one}.dkim.eu-west-1.example." for one in NAMES),
        "bounces.example.com. 1800 IN MX 10 feedback-smtp.eu-west-1.amazonses.com.",
        'bounces.example.com. 1800 IN TXT "v=spf1 include:amazonses.com ~all"',
        'example.com. 1800 IN TXT "v=spf1 include:amazonses.com ~all"',
        '_dmarc.example.com. 1800 IN TXT "v=DMARC1; p=quarantine"',
        "example.com. 300 IN MX 10 inbound-smtp.eu-west-1.amazonaws.com.",
    ]


@pytest.mark.parametrize(("part", "number"), [(DKIM, 3), (MAIL_FROM, 2), (SPF, 1), (DMARC, 1), (MX, 1)])
def test_each_part_can_be_asked_for(part: str, number: int) -> None:
    found = wanted("example.com", Dkim(NAMES), OPTIONS, [part])
    assert [one.part for one in found] == [part] * number


def test_a_domain_without_a_mail_from_of_its_own_has_no_records_for_one() -> None:
    assert wanted("example.com", Dkim(NAMES), DnsOptions("eu-west-1", "", "none"), [MAIL_FROM]) == []


@pytest.mark.parametrize(
    ("there", "line"),
    [
        (['"v=spf1 include:amazonses.com ~all"'], ""),
        (['"google-site-verification=x"', '"V=SPF1 INCLUDE:amazonses.com -all"'], ""),
        (
            ['"v=spf1 mx include:_spf.example.net -all"'],
            '"v=spf1 include:amazonses.com mx include:_spf.example.net -all"',
        ),
        (['"v=spf1 +include:amazonses.com -all"'], ""),
        (['"v=spf1 ip4:192.0.2.1" " -all"'], '"v=spf1 include:amazonses.com ip4:192.0.2.1 -all"'),
        (['"v=spf1"'], '"v=spf1 include:amazonses.com"'),
        (['"v=spf10 x"', '"other"'], SPF_LINE),
        (
            ['"v=spf1 include:amazonses.com.evil.example ~all"'],
            '"v=spf1 include:amazonses.com include:amazonses.com.evil.example ~all"',
        ),
        ([], SPF_LINE),
    ],
)
def test_the_line_to_add_keeps_what_the_spf_record_says(there: list[str], line: str) -> None:
    assert spf_to_add(apex(*there)) == line


def test_the_domains_own_txt_records_are_never_touched() -> None:
    one = Wanted(SPF, apex(SPF_LINE))
    for values in (['"x"'], ['"v=spf1 -all"'], [SPF_LINE, '"x"'], []):
        step = record_step("example.com", one, apex(*values), apex(*values))
        assert step is None or isinstance(step, Left)
    left = record_step("example.com", one, apex('"v=spf1 mx -all"'), None)
    assert left == Left("example.com", 'write in place of its SPF record: "v=spf1 include:amazonses.com mx -all"')
    assert record_step("example.com", one, apex('"x"'), None) == Left(
        "example.com", f"write beside its TXT records: {SPF_LINE}"
    )


def test_what_says_the_same_is_left_however_it_is_spelled() -> None:
    mx = RecordSet("example.com", "MX", 300, ("10 inbound-smtp.eu-west-1.amazonaws.com",))
    there = RecordSet("example.com", "MX", 60, ("10 INBOUND-SMTP.eu-west-1.amazonaws.com.",))
    assert record_step("example.com", Wanted(MX, mx), there, None) is None


def test_only_what_we_wrote_is_changed_and_only_where_that_is_exact() -> None:
    def dmarc(policy: str, ttl: int = 1800) -> RecordSet:
        return RecordSet("_dmarc.example.com", "TXT", ttl, (f'"v=DMARC1; p={policy}"',))

    one = Wanted(DMARC, dmarc("reject"))
    assert record_step("example.com", one, dmarc("none"), dmarc("none")) == Change(dmarc("reject"), dmarc("none"))
    for found, before in [
        (dmarc("none"), None),
        (dmarc("none", 60), dmarc("none")),
        (dmarc("quarantine"), dmarc("none")),
    ]:
        assert isinstance(record_step("example.com", one, found, before), Left)


@pytest.mark.parametrize("part", [MX, MAIL_FROM, DKIM])
def test_no_other_record_is_ever_replaced(part: str) -> None:
    """Also where it is what we wrote under other parameters."""
    for one in wanted("example.com", Dkim(NAMES), OPTIONS, [part]):
        there = RecordSet(one.set.name, one.set.type, 60, ("10 elsewhere.example",))
        left = record_step("example.com", one, there, there)
        assert isinstance(left, Left)
        assert "10 elsewhere.example" in left.why
        alias = record_step("example.com", one, RecordSet(one.set.name, one.set.type, 0, ()), None)
        assert isinstance(alias, Left)
        assert "an alias" in alias.why
