"""The verdicts of the receiving double, on real signatures and a zone of our own."""

from datetime import UTC, datetime

import pytest
from postern_mail.mail.message import Message
from postern_mail.mail.ses_block import SesBlock

from emulator.demo.letters import plain, signed
from emulator.receiving.authentication import Results, Session, authenticate
from emulator.receiving.stamps import Receipt
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


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "PASS"),
        ("v=spf1 -all", "FAIL"),
        ("v=spf1 ~all", "GRAY"),
        ("v=spf1 ?all", "GRAY"),
        ("v=spf1 nonsense -all", "PROCESSING_FAILED"),
    ],
)
def test_sess_word_for_each_result_of_spf(record: str, word: str) -> None:
    made = zone()
    made.add("other.example", "TXT", record)
    raw = b"From: betsy@sender.example\r\n\r\nx"
    assert verdicts(raw, Session("192.0.2.9", "x", "a@other.example"), made).spf_verdict == word


@pytest.mark.parametrize(
    ("comments", "domain"),
    [("(" * 5_000 + ")" * 5_000, "my-bank.example"), ("(a (b) \\) c)", "my-bank.example"), ("(" * 5_000, "")],
)
def test_comments_are_no_trouble(comments: str, domain: str) -> None:
    raw = f'From: "x (y" {comments} <service@my-bank.example>\r\n\r\nx'.encode()
    assert verdicts(raw).from_domain == domain


def test_lines_that_end_in_cr_cr_lf_fail_and_stop_nothing() -> None:
    raw = b"DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=x; b=\r\r\nFrom: betsy@sender.example\r\r\n\r\nx"
    assert verdicts(raw).dkim == "FAIL"


def test_the_client_has_two_names() -> None:
    made = zone()
    made.add("9.2.0.192.in-addr.arpa", "PTR", "out-9.isp.example")
    session = Session("192.0.2.9", "mx.sender.example", "", made.reverse_name("192.0.2.9"))
    at = datetime(2026, 11, 26, tzinfo=UTC)
    raw = b"From: betsy@sender.example\r\n\r\nx"
    stored = Receipt("i" * 40, session, authenticate(raw, session, made), at).stamped(
        raw, "info@example.com", scanned=True
    )
    block = SesBlock.of(Message.split(stored), "i" * 40)
    assert block is not None
    assert (block.client, block.helo, block.reverse_name) == ("192.0.2.9", "mx.sender.example", "out-9.isp.example")
    assert (block.source, block.has_null_sender, block.recipient) == ("", True, "info@example.com")
    assert b"envelope-from=postmaster@mx.sender.example" in stored
    assert made.reverse_name("192.0.2.1") == "unknown"


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
