"""Postfix's own reports have a null sender, which SES refuses with 501. They reach the owner, and never end in a loop."""

import smtplib

import pytest

from .postfix import DOMAIN, OWNER, Relay
from .ses_smtp import NULL_SENDER, SesSmtp


def test_a_report_is_the_message_itself_to_the_owner_from_the_domain(relay: Relay, ses: SesSmtp) -> None:
    """Not a report about a report."""
    ses.state.refused_recipients["nobody@dest.example"] = "554 Invalid domain name"
    relay.sendmail("-f", "root", "nobody@dest.example", text="Subject: nightly\n\nThe job failed\n")
    relay.wait_for(lambda: ses.state.sent)
    (report,) = ses.state.sent
    assert (report.sender, report.recipients) == (f"double-bounce@{DOMAIN}", (OWNER,))
    assert report.message["Subject"] == "Undelivered Mail Returned to Sender"
    assert report.message["From"].addresses[0].domain == DOMAIN
    assert [part.get_content_type() for part in report.message.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "message/rfc822",
    ]
    assert b"554 Invalid domain name" in report.content
    assert b"The job failed" in report.content
    relay.wait_for(lambda: not relay.queued())
    assert NULL_SENDER not in ses.state.answered


def test_a_report_that_the_owner_cannot_get_stays_on_the_host(relay: Relay, ses: SesSmtp) -> None:
    """It is on hold, and once the owner can get mail it is released and says all."""
    ses.state.refused_recipients = {"nobody@dest.example": "554 no", OWNER: "554 no owner"}
    relay.submit("shop@example.com", "nobody@dest.example", text="From: shop@example.com\n\nThe order of 12:00\n")
    relay.wait_for(relay.kept)
    assert (ses.state.answered, ses.state.sent) == (["554 no", "554 no owner"], [])
    assert "discarded" not in relay.said()

    del ses.state.refused_recipients[OWNER]
    relay.run("postsuper", "-H", "ALL")
    relay.empty()
    (report,) = ses.state.sent
    assert report.recipients == (OWNER,)
    for said in (b"554 no", b"554 no owner", b"nobody@dest.example", b"The order of 12:00"):
        assert said in report.content


def test_a_report_waits_while_ses_throttles(relay: Relay, ses: SesSmtp) -> None:
    ses.state.data_answers = ["554 no", "454 Throttling failure"]
    relay.submit("shop@example.com", "jane@dest.example")
    relay.wait_for_log("status=deferred")
    relay.run("postqueue", "-f")
    relay.wait_for(lambda: ses.state.sent)
    assert ses.state.sent[0].recipients == (OWNER,)


def test_mail_to_an_address_literal_of_this_host_is_reported(relay: Relay, ses: SesSmtp) -> None:
    relay.sendmail("root@[127.0.0.1]", text="Subject: x\n\nHello\n")
    relay.wait_for(lambda: ses.state.sent)
    assert ses.state.sent[0].recipients == (OWNER,)
    assert b"there are no mailboxes on this host" in b" ".join(ses.state.sent[0].content.split())


def test_a_program_that_uses_a_null_sender_is_told(relay: Relay) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        relay.submit("", "jane@dest.example", text="From: shop@example.com\n\nI am away\n")
    assert refused.value.recipients["jane@dest.example"] == (
        554,
        b"5.7.1 <>: Sender address rejected: SES takes no null sender",
    )


def test_one_that_cannot_go_anywhere_reaches_the_owner(relay: Relay, ses: SesSmtp) -> None:
    """Null sender, and a recipient that SES does not reach: Postfix's last resort is a notice to the owner."""
    relay.sendmail("-f", "", "jane@web9", text="Subject: away\n\nI am away\n")
    relay.wait_for(lambda: ses.state.sent)
    assert ses.state.sent[0].recipients == (OWNER,)
    assert b"I am away" in ses.state.sent[0].content
    assert "discarded" not in relay.said()


def test_one_from_sendmail_reaches_the_owner(relay: Relay, ses: SesSmtp) -> None:
    relay.sendmail("-f", "", "jane@dest.example", text="Subject: away\n\nI am away\n")
    relay.wait_for(lambda: ses.state.sent)
    assert ses.state.sent[0].recipients == (OWNER,)
    assert NULL_SENDER not in ses.state.answered
