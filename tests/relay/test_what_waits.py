"""Nothing is bounced that waiting would cure, by either way: a paused account, a right that was lost, no password."""

import re
from pathlib import Path

import pytest

from tests.contract.test_postern_send import _program

from .postfix import Relay, install
from .ses_smtp import SesSmtp

JANE = "jane@dest.example"
DENIED = "User `arn:aws:iam::123456789012:user/relay' is not authorized to perform `ses:SendRawEmail' on resource"
FAILED = "Email address is not verified. The following identities failed the check in region EU-WEST-1:"

# (SMTP's answer, the API's name, its text): what a cure there is for.
WAIT = [
    ("554 Message rejected: Sending paused for this account. For more information, please check the inbox of the email "
     "address associated with your AWS account.", "MessageRejected", "Sending paused for this account."),
    ("554 Message rejected: Sending suspended for this account.", "AccountSuspendedException", ""),
    ("554 5.7.1 Message rejected: Sending paused for this configuration set", "SendingPausedException", ""),
    (f"554 Access denied: {DENIED} `arn:aws:ses:eu-west-1:123456789012:identity/example.com'", "AccessDeniedException",
     f"{DENIED} `arn:aws:ses:eu-west-1:123456789012:identity/example.com'"),
    (f"554 Access denied: {DENIED} `arn:aws:ses:eu-west-1:123456789012:identity/shop@example.com'",
     "AccessDeniedException", f"{DENIED} `arn:aws:ses:eu-west-1:123456789012:identity/*' because no policy allows it"),
    (f"554 Access denied: {DENIED} `arn:aws:ses:eu-west-1:123456789012:configuration-set/x'", "AccessDenied", DENIED),
    (f"554 Message rejected: {FAILED} shop@example.com", "MessageRejected", f"{FAILED} Shop <shop@example.com>"),
    ("530 Authentication required", "UnrecognizedClientException", "The security token included is invalid."),
    ("454 Throttling failure: Daily message quota exceeded.", "LimitExceededException", "Daily message quota exceeded."),
    ("554 Daily message quota exceeded.", "TooManyRequestsException", "Maximum sending rate exceeded."),
    ("554 Configuration set does not exist", "NotFoundException", "Configuration set <x> does not exist."),
    ("554-Message rejected: Sending paused for this account.\r\n554 Look into your inbox: sending is paused", "", ""),
]  # fmt: skip
REPORT = [
    (f"554 Message rejected: {FAILED} jane@dest.example", "MessageRejected", f"{FAILED} jane@dest.example"),
    (f"554 Message rejected: {FAILED} shop@example.com, jane@dest.example", "MessageRejected",
     f"{FAILED} shop@example.com, jane@dest.example"),
    (f"554 Message rejected: {FAILED} x@notexample.com", "MessageRejected", f"{FAILED} x@example.com.evil.example"),
    (f"554 Access denied: {DENIED} `arn:aws:ses:eu-west-1:123456789012:identity/other.example'", "AccessDeniedException",
     f"{DENIED} `arn:aws:ses:eu-west-1:123456789012:identity/other.example'"),
    ("554 Transaction failed: Missing final '@domain'", "BadRequestException", "Missing final '@domain'"),
    ("554 Transaction failed: Header size limit exceeded", "BadRequestException", "Header size limit exceeded"),
    ("554 Transaction failed: Duplicate header 'X-Signature'.", "BadRequestException", "Duplicate header 'X-Quota'."),
    ("554 Message rejected: Address is on the suppression list", "MessageRejected", "Address is on the suppression list"),
    ("552 Message is too long.", "BadRequestException", "Message length is more than 41943040 bytes long"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("answer", [answer for answer, _, _ in WAIT])
def test_by_smtp_it_waits_and_arrives(relay: Relay, ses: SesSmtp, answer: str) -> None:
    ses.state.data_answers = [answer]
    relay.submit("shop@example.com", JANE)
    relay.wait_for_log("status=deferred")
    relay.empty()
    assert [sent.recipients for sent in ses.state.sent] == [(JANE,)]
    assert "status=bounced" not in relay.said()


@pytest.mark.slow
@pytest.mark.parametrize("answer", [answer for answer, _, _ in REPORT])
def test_by_smtp_what_time_does_not_cure_is_reported_at_once(relay: Relay, ses: SesSmtp, answer: str) -> None:
    ses.state.data_answers = [answer]
    relay.submit("shop@example.com", JANE)
    relay.wait_for(lambda: ses.state.sent)
    assert ses.state.sent[0].sender == "double-bounce@example.com"


def test_a_paused_account_loses_neither_mail_nor_report(relay: Relay, ses: SesSmtp) -> None:
    """The whole story: SES answers everybody so, also the report, and then takes mail again."""
    paused = WAIT[0][0]
    ses.state.data_answers = ["554 Transaction failed: Missing final '@domain'", *[paused] * 3]
    relay.submit("shop@example.com", "nobody@dest.example")
    relay.wait_for_log("status=bounced")
    relay.submit("shop@example.com", JANE)
    relay.wait_for(lambda: relay.said().count("status=deferred") >= 2)
    relay.empty()
    assert {sent.recipients for sent in ses.state.sent} == {(JANE,), ("ops@dest.example",)}
    assert "discarded" not in relay.said()


def test_another_relayhost_takes_the_old_password_away_first(relay: Relay, ses: SesSmtp, tmp_path: Path) -> None:
    """As on a host that Secrets Manager does not answer yet: the mail waits and is not refused with 530."""
    etc = tmp_path / "etc" / "postfix"
    assert install(root=str(tmp_path), smtp_port=str(relay.ses_port)).returncode == 0
    (etc / "sasl_passwd").write_text("of the old host")
    assert install(root=str(tmp_path), smtp_port=str(relay.ses_port)).returncode == 0
    assert (etc / "sasl_passwd").exists()  # nothing changed
    for changed in ({"smtp_port": "2587"}, {"smtp_host": "vpce-1.example.net"}, {"region": "eu-west-2"}):
        (etc / "sasl_passwd").write_text("of the old host")
        said = install(root=str(tmp_path), **changed).stdout.splitlines()
        assert said.index("relay: removed /etc/postfix/sasl_passwd") < said.index("relay: wrote /etc/postfix/main.cf")


def test_without_logging_in_it_waits(relay: Relay, ses: SesSmtp) -> None:
    """A password file of another relayhost: Postfix speaks without AUTH, SES says 530."""
    path = relay.config / "sasl_passwd"
    path.write_text(path.read_text().replace("amazonaws.com", "amazonaws.example"))
    relay.run("postfix", "reload")
    relay.submit("shop@example.com", JANE)
    relay.wait_for_log("status=deferred .*430")
    relay.write_credentials("AKIAFIRST:first-password")
    relay.run("postfix", "reload")
    relay.empty()
    assert [sent.recipients for sent in ses.state.sent] == [(JANE,)]


def test_both_ways_have_one_table() -> None:
    """postern-send's verdict on the API's answer is Postfix's on the SMTP service's."""
    program = _program()
    raw = b"From: shop@example.com\n\nHello\n"
    for expected, cases in (("wait", WAIT), ("report", REPORT)):
        for smtp, name, text in cases:
            verdict, _ = program.verdict_on(smtp.splitlines()[0], ["example.com"])
            assert (verdict == "wait") == (expected == "wait"), smtp
            if name:
                said = program.refused(name, text, "shop@example.com", raw, ["example.com"])
                assert (said.status == 75) == (expected == "wait"), (name, text)


def test_the_table_is_postfixs_too(relay: Relay) -> None:
    """Each pattern is one that POSIX and Python read alike, as far as Postfix and the cases show."""
    for expected, cases in ((True, WAIT), (False, REPORT)):
        for smtp, _, _ in cases:
            for line in smtp.splitlines():
                became = relay.run("postmap", "-q", line, "regexp:/etc/postfix/replies", status=None).strip() or line
                assert became.startswith("4") == expected, line
                assert re.sub(r"^[45]", "", became).startswith(re.sub(r"^[45]", "", line)[:3])
