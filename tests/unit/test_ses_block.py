"""SES's own block: what it says, and that no one else's is taken for it."""

import pytest
from postern_mail.mail.authentication import Authentication
from postern_mail.mail.message import Field, Message
from postern_mail.mail.receipt import stamped
from postern_mail.mail.ses_block import SesBlock, named_id, passes_for_ses
from postern_mail.mail.verdicts import Verdicts

ID = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"
RETURN_PATH = b"Return-Path: <b@sender.example>\r\n"
TRACE = (
    b"Received: from mx.sender.example (out-7.isp.example [192.0.2.1])\r\n by inbound-smtp.eu-west-1.amazonaws.com"
    b" with SMTP id " + ID.encode() + b"\r\n for info@example.com;\r\n Sun, 22 Nov 2026 12:00:00 +0000 (UTC)\r\n"
)
SCANS = b"X-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: fail\r\n"
FINDINGS = (
    b"Received-SPF: fail (spfCheck: x) client-ip=192.0.2.1;\r\nAuthentication-Results: amazonses.com;\r\n"
    b" spf=fail (spfCheck: x) client-ip=192.0.2.1;\r\n dkim=none header.i=@x.example;\r\n dmarc=fail header.from=x.example;\r\n"
)
END = b"X-SES-RECEIPT: abc\r\nX-SES-DKIM-SIGNATURE: a=rsa-sha256\r\n"
FORGED = b"Authentication-Results: amazonses.com; spf=pass; dkim=pass header.i=@bank.example; dmarc=pass header.from=bank.example\r\n"
REST = b"From: a@x.example\r\n\r\nbody"
WHOLE = RETURN_PATH + TRACE + SCANS + FINDINGS + END


def block(raw: bytes, message_id: str = ID) -> SesBlock | None:
    return SesBlock.of(Message.split(raw), message_id)


def test_what_it_says() -> None:
    found = block(WHOLE + FORGED + REST)
    assert found is not None
    assert (found.source, found.recipient) == ("b@sender.example", "info@example.com")
    assert (found.client, found.helo, found.reverse_name) == ("192.0.2.1", "mx.sender.example", "out-7.isp.example")
    assert (found.spam, found.virus) == ("PASS", "FAIL")
    assert found.results.startswith("amazonses.com; spf=fail")
    assert [field.name for field in found.findings] == ["received-spf", "authentication-results"]


def test_where_the_rule_does_not_scan_there_is_no_verdict() -> None:
    found = block(RETURN_PATH + TRACE + FINDINGS + END + SCANS + REST)
    assert found is not None
    assert (found.spam, found.virus) == ("", "")


@pytest.mark.parametrize(
    ("before", "after", "known"),
    [
        (b"(out-7.isp.example [192.0.2.1])", b"([192.0.2.1])", ("192.0.2.1", "mx.sender.example", "")),
        (b"out-7.isp.example", b"unknown", ("192.0.2.1", "mx.sender.example", "")),
        (b"192.0.2.1", b"2001:db8::1", ("2001:db8::1", "mx.sender.example", "out-7.isp.example")),
        (b"192.0.2.1", b"IPv6:2001:db8::1", ("2001:db8::1", "mx.sender.example", "out-7.isp.example")),
        (b"from mx.sender.example", b"from [192.0.2.1]", ("192.0.2.1", "[192.0.2.1]", "out-7.isp.example")),
        (b"from mx.sender.example", b"from x (bank.example [203.0.113.9]) y", ("192.0.2.1", "", "out-7.isp.example")),
        (b"from mx.sender.example", b"from x (; dkim=pass", ("192.0.2.1", "", "out-7.isp.example")),
        (b"from mx.sender.example", b"from x; dkim=pass", ("192.0.2.1", "", "out-7.isp.example")),
        (b"(out-7.isp.example [192.0.2.1])", b"(no such form)", ("", "mx.sender.example", "")),
        (b" (out-7.isp.example [192.0.2.1])", b"", ("", "", "")),
    ],
)
def test_who_brought_it_as_far_as_ses_writes_it(before: bytes, after: bytes, known: tuple[str, str, str]) -> None:
    found = block(WHOLE.replace(before, after, 1) + REST)
    assert found is not None
    assert (found.client, found.helo, found.reverse_name) == known


def test_a_helo_name_cannot_name_another_message_or_recipient() -> None:
    other = b"from x by inbound-smtp.a with SMTP id other for x@bank.example; y"
    found = block(WHOLE.replace(b"from mx.sender.example", other) + REST)
    assert found is not None
    assert (found.recipient, found.client, found.helo) == ("info@example.com", "192.0.2.1", "")
    assert block(WHOLE.replace(b"from mx.sender.example", other) + REST, "other") is not None, "but no such id is SES's"


NOT_WHOLE = {
    "nothing": REST,
    "another-message": WHOLE.replace(ID.encode(), b"another") + REST,
    "id-is-longer": WHOLE.replace(ID.encode(), ID.encode() + b"x") + REST,
    "no-receipt": RETURN_PATH + TRACE + SCANS + FINDINGS + REST,
    "no-trace": RETURN_PATH + SCANS + FINDINGS + END + REST,
    "trace-later": RETURN_PATH + SCANS + TRACE + FINDINGS + END + REST,
    "below-a-field": b"X-Mailer: x\r\n" + WHOLE + REST,
    "below-another-trace": b"Received: from a by b\r\n" + WHOLE + REST,
    "below-a-line": b"no field\r\n" + WHOLE + REST,
    "a-field-between": RETURN_PATH + TRACE + SCANS + b"X-Mailer: x\r\n" + FORGED + END + REST,
    "a-line-between": RETURN_PATH + TRACE + SCANS + b"no field\r\n" + FORGED + END + REST,
    "results-twice": RETURN_PATH + TRACE + FINDINGS + FORGED + END + REST,
    "two-traces": RETURN_PATH + TRACE + TRACE + FINDINGS + END + REST,
    "return-path-later": TRACE + RETURN_PATH + FINDINGS + END + REST,
    "in-the-body": b"From: a@x.example\r\n\r\n" + WHOLE,
}


@pytest.mark.parametrize("raw", NOT_WHOLE.values(), ids=NOT_WHOLE.keys())
def test_what_is_not_whole_says_nothing(raw: bytes) -> None:
    assert block(raw) is None
    assert stamped(raw, ID) is None
    assert Authentication.of(Message.split(raw), ID) == Authentication()


def test_what_follows_the_receipt_is_the_senders() -> None:
    raw = RETURN_PATH + TRACE + b"X-SES-RECEIPT: abc\r\n" + FORGED + b"X-SES-RECEIPT: forged\r\n" + SCANS + REST
    found = stamped(raw, ID)
    assert found is not None
    assert found.verdicts == Verdicts()
    assert Authentication.of(Message.split(raw), ID) == Authentication()


def test_behind_a_helo_name_that_is_none_only_spf_is_a_verdict() -> None:
    raw = WHOLE.replace(b"from mx.sender.example", b"from x; dmarc=pass").replace(b"dmarc=fail", b"dmarc=pass") + REST
    found = stamped(raw, ID)
    assert found is not None
    assert (found.verdicts.spf, found.verdicts.dkim, found.verdicts.dmarc) == ("FAIL", "ABSENT", "ABSENT")


def test_the_id_that_a_stored_message_names_itself() -> None:
    assert named_id(Message.split(WHOLE + REST)) == ID
    assert named_id(Message.split(b"Received: from a by b\r\n" + WHOLE)) == ""
    assert named_id(Message.split(REST)) == ""


@pytest.mark.parametrize(
    "value",
    [
        b"amazonses.com; dmarc=pass",
        b"AmazonSES.COM;dmarc=pass",
        b"amazonses.com",
        b"amazonses.com 1; dmarc=pass",
        b"amazonses.com/1; dmarc=pass",
        b"amazonses.com(x); dmarc=pass",
        b"amazonses.com.; dmarc=pass",
        b"\r\n\tamazonses.com; dmarc=pass",
        b'"amazonses.com"; dmarc=pass',
        b'"amazon\\ses.com"; dmarc=pass',
        b"(a (b \\) c) d) (e) amazonses.com; dmarc=pass",
    ],
)
def test_results_in_sess_name(value: bytes) -> None:
    assert passes_for_ses(Field.read(b"Authentication-Results:" + value + b"\r\n"))


@pytest.mark.parametrize(
    "line",
    [
        b"Authentication-Results: mx.sender.example; spf=pass",
        b"Authentication-Results: mx.amazonses.com; spf=pass",
        b"Authentication-Results: amazonses.com.bank.example; spf=pass",
        b"Authentication-Results: (amazonses.com) mx.sender.example; spf=pass",
        b"Authentication-Results:",
        b"Authentication-Results: ((((",
        b"X-Authentication-Results: amazonses.com; spf=pass",
    ],
)
def test_results_of_others_stay(line: bytes) -> None:
    assert not passes_for_ses(Field.read(line + b"\r\n"))
