"""An event made again is read as the envelope it came from."""

import pytest
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.receipt import kept_event, receipt_event, stamped
from postern_mail.mail.verdicts import Verdicts

from tests.builders import envelope, verdict

ID = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"
BLOCK = (
    b"Return-Path: <b@sender.example>\r\n"
    b"Received: from mx (mx [192.0.2.1])\r\n by inbound-smtp.eu-west-1.amazonaws.com with SMTP id "
    + ID.encode()
    + b"\r\n"
    b" for info@example.com;\r\n Sun, 22 Nov 2026 12:00:00 +0000 (UTC)\r\n"
    b"X-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: FAIL\r\n"
    b"Authentication-Results: amazonses.com;\r\n spf=pass (spfCheck: dmarc=fail) client-ip=192.0.2.1;\r\n"
    b" dkim=none header.i=@sender.example;\r\n dmarc=%b header.from=sender.example;\r\n"
    b"X-SES-RECEIPT: abc\r\n"
)
PASS, FAILS = BLOCK.replace(b"%b", b"pass"), BLOCK.replace(b"%b", b"fail")
REST = b"X-SES-Spam-Verdict: FAIL\r\nSubject: s\r\n\r\nbody"


@pytest.mark.parametrize(
    "made",
    [
        envelope("info@example.com", "team@example.com"),
        envelope("info@example.com", source=""),
        envelope("a b@example.com", "info@example.com"),
        envelope(
            "info@example.com",
            spamVerdict=verdict("FAIL"),
            dmarcVerdict=verdict("FAIL"),
            dmarcPolicy="reject",
            timestamp="2026-11-22T12:00:00Z",
        ),
    ],
)
def test_there_and_back(made: Envelope) -> None:
    recipients = [*map(str, made.recipients), *made.unreadable]
    event = receipt_event(made.message_id, made.source, recipients, made.verdicts, made.received_at)
    assert Envelope.from_event(event) == made


def test_from_the_ledgers_entry() -> None:
    entry = {"source": "b@sender.example", "received_at": "then", "verdicts": {"spam": "FAIL", "later": "x"}}
    found = Envelope.from_event(kept_event(ID, entry, ["info@example.com"]))
    assert (found.source, found.received_at, found.verdicts) == ("b@sender.example", "then", Verdicts(spam="FAIL"))


def test_what_ses_wrote_on_top_tells_of_sender_one_recipient_and_verdicts() -> None:
    found = stamped(PASS + REST, ID)
    assert found is not None
    assert (found.source, found.recipient) == ("b@sender.example", "info@example.com")
    assert found.verdicts == Verdicts(spam="PASS", virus="FAIL", spf="PASS", dkim="GRAY", dmarc="PASS")


def test_a_message_that_fails_dmarc_is_one_to_be_quarantined() -> None:
    found = stamped(FAILS + REST, ID)
    assert found is not None
    assert (found.verdicts.dmarc, found.verdicts.dmarc_policy) == ("FAIL", "quarantine")


def test_what_the_sender_wrote_below_counts_for_nothing() -> None:
    unscanned = PASS.replace(b"X-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: FAIL\r\n", b"")
    found = stamped(unscanned + REST, ID)
    assert found is not None
    assert (found.verdicts.spam, found.verdicts.virus) == ("ABSENT", "ABSENT")


@pytest.mark.parametrize(
    "raw", [b"", REST, PASS.replace(b"X-SES-RECEIPT", b"X-Other") + REST, PASS.replace(ID.encode(), b"another") + REST]
)
def test_what_is_not_sess_own_block_is_none(raw: bytes) -> None:
    assert stamped(raw, ID) is None


def test_the_null_sender() -> None:
    found = stamped(PASS.replace(b"<b@sender.example>", b"<>") + REST, ID)
    assert found is not None
    assert found.source == "<>"
