"""The verdicts of the receiving double, on real signatures and a zone of our own."""

import pytest

from emulator.demo.letters import plain, signed
from emulator.receiving.authentication import Results, Session, authenticate
from emulator.receiving.zone import Zone

HERE = Session("127.0.0.1", "mx.sender.example", "betsy@sender.example")


def zone() -> Zone:
    made = Zone()
    made.add("sender.example", "TXT", "v=spf1 ip4:127.0.0.1 -all")
    made.add("my-bank.example", "TXT", "v=spf1 ip4:192.0.2.1 -all")
    made.add("_dmarc.my-bank.example", "TXT", "v=DMARC1; p=reject; sp=none")
    made.add("_dmarc.sender.example", "TXT", "v=DMARC1; p=quarantine")
    return made


def verdicts(raw: bytes, session: Session = HERE, where: Zone | None = None) -> Results:
    return authenticate(raw, session, where or zone())


def test_spf() -> None:
    raw = b"From: betsy@sender.example\r\n\r\nx"
    assert verdicts(raw).spf_verdict == "PASS"
    assert verdicts(raw, Session("192.0.2.9", "x", "betsy@sender.example")).spf_verdict == "FAIL"
    assert verdicts(raw, Session("127.0.0.1", "x", "a@nothing.example")).spf_verdict == "GRAY"
    assert verdicts(raw, Session("127.0.0.1", "nothing.example", "")).spf_verdict == "GRAY"


def test_dkim() -> None:
    made = zone()
    raw = signed(plain(), made)
    assert (verdicts(raw, where=made).dkim, verdicts(raw, where=made).dkim_domain) == ("PASS", "sender.example")
    assert verdicts(raw.replace(b"Friday", b"Monday"), where=made).dkim == "FAIL"
    assert verdicts(raw).dkim == "FAIL", "no key in this zone"
    assert verdicts(plain()).dkim == "GRAY"
    two = b"DKIM-Signature: v=1; a=rsa-sha256; d=broken.example; s=x; b=\r\n" + raw
    assert verdicts(two, where=made).dkim == "PASS", "one signature that holds is enough"


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        ("service@my-bank.example", ("FAIL", "reject")),
        ("service@mail.my-bank.example", ("FAIL", "none")),
        ("betsy@sender.example", ("PASS", "")),
        ("betsy@mail.sender.example", ("PASS", "")),
        ("x@nothing.example", ("GRAY", "")),
    ],
)
def test_dmarc(author: str, expected: tuple[str, str]) -> None:
    """The envelope's domain passes SPF; only a From aligned with it passes DMARC."""
    results = verdicts(f"From: Somebody <{author}>\r\n\r\nx".encode())
    assert (results.dmarc, results.dmarc_policy) == expected
