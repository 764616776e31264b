"""What SES answers, and what becomes of the mail: deferred if it may get better, else reported to the owner."""

import smtplib

import pytest

from .postfix import OWNER, Relay, letter
from .ses_smtp import BUSY, THROTTLED, UNVERIFIED, SesSmtp


def test_a_wrong_password_defers_and_the_right_one_sends(relay: Relay, ses: SesSmtp) -> None:
    relay.reset("AKIAFIRST:wrong-password")
    relay.submit("shop@example.com", "jane@dest.example")
    relay.wait_for_log("status=deferred .*535 Authentication Credentials Invalid")
    assert (ses.state.answered, ses.state.sent) == (["535"], [])

    relay.write_credentials("AKIAFIRST:first-password")
    relay.run("postfix", "reload")
    relay.run("postqueue", "-f")
    relay.wait_for(lambda: ses.state.sent)


def test_without_credentials_it_defers(relay: Relay, ses: SesSmtp) -> None:
    (relay.config / "sasl_passwd").unlink()
    relay.run("postfix", "reload")
    relay.submit("shop@example.com", "jane@dest.example")
    relay.wait_for_log("status=deferred")
    assert not ses.state.sent


@pytest.mark.parametrize("answer", [THROTTLED, "451 Timeout", "454 Temporary service failure"])
def test_what_is_temporary_defers(relay: Relay, ses: SesSmtp, answer: str) -> None:
    ses.state.data_answers = [answer]
    relay.submit("shop@example.com", "jane@dest.example")
    relay.wait_for_log(f"status=deferred .*{answer}")
    relay.run("postqueue", "-f")
    relay.wait_for(lambda: ses.state.sent)
    assert ses.state.answered == [answer]


def test_too_many_connections_defer(relay: Relay, ses: SesSmtp) -> None:
    ses.state.greeting = BUSY
    relay.submit("shop@example.com", "jane@dest.example")
    relay.wait_for_log(f"status=deferred .*{BUSY}")
    ses.state.greeting = ""
    relay.run("postqueue", "-f")
    relay.wait_for(lambda: ses.state.sent)


def test_an_unverified_author_bounces_to_the_owner(relay: Relay, ses: SesSmtp) -> None:
    relay.submit("shop@example.com", "jane@dest.example", text="From: shop@other.example\n\nThe order of 12:00\n")
    relay.wait_for(lambda: ses.state.sent)
    (report,) = ses.state.sent
    assert ses.state.answered == [UNVERIFIED]
    assert (report.sender, report.recipients) == ("double-bounce@example.com", (OWNER,))
    words = b" ".join(report.content.split())  # Postfix folds the answer
    for said in (
        UNVERIFIED.encode(),
        b"The order of 12:00",
        b"shop@other.example",
        b"verified identities only",
        b"jane@dest.example",
    ):
        assert said in words
    assert "status=bounced" in relay.said()


def test_a_refused_recipient_is_reported_and_the_others_get_theirs(relay: Relay, ses: SesSmtp) -> None:
    ses.state.refused_recipients["nobody@dest.example"] = "554 Invalid domain name"
    relay.submit("shop@example.com", "jane@dest.example", "nobody@dest.example")
    relay.wait_for(lambda: len(ses.state.sent) == 2)
    assert {sent.recipients for sent in ses.state.sent} == {("jane@dest.example",), (OWNER,)}


def test_40_mb_pass_and_41_mb_are_refused(relay: Relay, ses: SesSmtp) -> None:
    line = b"x" * 70 + b"\r\n"
    header = b"From: shop@example.com\r\n\r\n"
    for size, refused in ((40 * 1024 * 1024 - 4096, False), (41 * 1024 * 1024, True)):
        message = header + line * ((size - len(header)) // len(line))
        with smtplib.SMTP("127.0.0.1", relay.port, timeout=60) as client:
            if refused:
                with pytest.raises(smtplib.SMTPSenderRefused) as answer:
                    client.sendmail("shop@example.com", "jane@dest.example", message)
                assert answer.value.smtp_code == 552
            else:
                client.sendmail("shop@example.com", "jane@dest.example", message)
                relay.wait_for(lambda: ses.state.sent)
                assert ses.state.sent[0].content.endswith(message[-4096:])
                assert len(ses.state.sent[0].content) > len(message)


def test_smtputf8_is_not_offered(relay: Relay) -> None:
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=60) as client:
        client.ehlo()
        assert client.has_extn("size")
        assert not client.has_extn("smtputf8")
        assert client.docmd("VRFY", "root")[0] == 502
        with pytest.raises(smtplib.SMTPNotSupportedError):
            client.sendmail(
                "shop@example.com", ["zoë@dest.example"], letter("shop@example.com").as_bytes(), ["SMTPUTF8"]
            )


EMPTY = ("To:", "To: ", "to:\t", "Cc: ,", "To: <>", "Bcc:", "Reply-To: ;", "Sender:")


@pytest.mark.parametrize("line", EMPTY)
def test_an_empty_field_that_ses_would_refuse_the_message_for_goes(relay: Relay, ses: SesSmtp, line: str) -> None:
    relay.sendmail("-f", "root", "jane@dest.example", text=f"Subject: x\n{line}\n\nTo:\n")
    relay.wait_for(lambda: ses.state.sent)
    header, _, body = ses.state.sent[0].content.partition(b"\r\n\r\n")
    assert line.partition(":")[0].lower().encode() + b":" not in header.lower()
    assert body == b"To:\r\n"


def test_a_malformed_field_is_reported_in_words_that_help(relay: Relay, ses: SesSmtp) -> None:
    ses.state.data_answers = ["554 Transaction failed: Illegal semicolon, not in group"]
    relay.submit(
        "shop@example.com", "jane@dest.example", text="From: shop@example.com\nTo: a@d.example; b@d.example\n\nx\n"
    )
    relay.wait_for(lambda: ses.state.sent)
    assert b"addresses are separated by commas" in b" ".join(ses.state.sent[0].content.split())
