"""Real SMTP in, real handler, bytes out: what a user of `make local` would see."""

import json
import smtplib
from collections import Counter
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from postern_mail.aws.stack_keys import STAMP, stack_keys
from postern_mail.mail.address import Address
from postern_mail.mail.message import Message
from postern_mail.mail.stamp import TEST_KEY, is_stamped
from postern_mail.owner_mail import MESSAGE_ID as DIGEST

from emulator.cloud import HOST
from emulator.receiving.authentication import EICAR, GTUBE
from emulator.receiving.rules import Filter
from emulator.sending.refusals import Refusal
from emulator.system import OWNER, Emulator
from tests.builders import event

AUTHOR = "betsy@sender.example"
JANE, JOE = "jane@dest.example", "joe@dest.example"
NOT_NOW = Refusal("InternalServiceErrorException", 500, "Service failure.")


def message(body: bytes = b"hello\r\n", header: bytes = b"") -> bytes:
    return b"From: Betsy <betsy@sender.example>\r\nTo: info@example.com\r\nSubject: hi\r\n" + header + b"\r\n" + body


class Post:
    """A sending mail server, and what it can see of the system from outside."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.before = self._counts()

    def send(self, *recipients: str, raw: bytes | None = None, sender: str = AUTHOR) -> str:
        """Send and wait until the system is idle; returns SES's message id."""
        with smtplib.SMTP(HOST, self.emulator.receiving.port, local_hostname="mx.sender.example") as client:
            client.ehlo()
            client.mail(sender)
            assert [client.rcpt(recipient)[0] for recipient in recipients] == [250] * len(recipients)
            code, said = client.data(message() if raw is None else raw)
        assert code == 250, said
        self.emulator.settle()
        return said.decode().split()[-1]

    def arrived(self) -> Counter[str]:
        return self._counts() - self.before

    def last(self, destination: str = JANE) -> bytes:
        return self.emulator.maildirs.messages(destination)[-1]

    def ledger(self, message_id: str) -> dict[str, dict[str, Any]]:
        rows = self.emulator.cloud.rows("LedgerTable")
        return {row["entry"]: row for row in rows if row["message_id"] == message_id}

    def digest(self, ahead: float) -> EmailMessage:
        """The digest that the owner gets in so many seconds, also if another test has had the one of that day."""
        keys = [
            {name: row[name] for name in ("message_id", "entry")} for row in self.emulator.cloud.rows("LedgerTable")
        ]
        self.emulator.cloud.delete("LedgerTable", [key for key in keys if key["message_id"].startswith(DIGEST)])
        before = len(self.emulator.maildirs.messages(OWNER))
        assert self.emulator.run_scheduled("DigestFunction", ahead=ahead) is None
        raw = self.emulator.maildirs.messages(OWNER)[before:][-1]  # days before it may have had none
        return message_from_bytes(raw, policy=policy.default)

    def _counts(self) -> Counter[str]:
        maildirs = self.emulator.maildirs
        return Counter({who: len(maildirs.messages(who)) for who in maildirs.everybody()})


@pytest.fixture
def post(emulator: Emulator) -> Post:
    return Post(emulator)


@pytest.mark.parametrize(
    "body",
    [b"hello\r\n", b"", b"no final newline", b"\xe9\xff\x80 8-bit\r\n", b".\r\n..\r\n.dots\r\n", b"\r\n\r\n  \r\n", b"a\nb\rc\r\n", b"NUL \x00\r\n"],
    ids=["plain", "empty", "no-newline", "8-bit", "dots", "blanks", "bare-lf-cr", "nul"],
)  # fmt: skip
def test_the_body_arrives_byte_for_byte(post: Post, body: bytes) -> None:
    """SMTP itself ends every message with a line ending (RFC 5321 4.1.1.4)."""
    with smtplib.SMTP(HOST, post.emulator.receiving.port) as client:
        client.ehlo()
        client.mail(AUTHOR)
        client.rcpt("info@example.com")
        client.putcmd("data")
        assert client.getreply()[0] == 354
        raw = message(body if body.endswith(b"\r\n") or not body else body + b"\r\n")
        client.send(
            b"\r\n".join(b"." + line if line.startswith(b".") else line for line in raw.split(b"\r\n")) + b".\r\n"
        )
        assert client.getreply()[0] == 250
    post.emulator.settle()
    assert post.last().partition(b"\r\n\r\n")[2] == raw.partition(b"\r\n\r\n")[2]


def test_a_large_message_arrives(post: Post) -> None:
    body = b"".join(b"%07d %s\r\n" % (number, b"x" * 60) for number in range(140_000))
    post.send("info@example.com", raw=message(body))
    assert post.last().endswith(b"\r\n\r\n" + body)


def test_a_message_beyond_40_mb_is_refused_in_smtp(post: Post) -> None:
    with smtplib.SMTP(HOST, post.emulator.receiving.port) as client:
        client.ehlo()
        assert client.mail(AUTHOR, [f"size={41 * 1024 * 1024}"])[0] == 552


def test_ses_own_headers_are_put_on_top_in_its_order(post: Post) -> None:
    message_id = post.send("info@example.com")
    bucket = post.emulator.template.name("MailBucket")
    stored = post.emulator.cloud.s3.get_object(Bucket=bucket, Key=f"inbound/{message_id}")["Body"].read()
    names = [
        line.partition(b":")[0].decode() for line in stored.splitlines() if b":" in line and not line.startswith(b" ")
    ]
    assert names[:9] == [
        "Return-Path", "Received", "X-SES-Spam-Verdict", "X-SES-Virus-Verdict", "Received-SPF",
        "Authentication-Results", "X-SES-RECEIPT", "X-SES-DKIM-SIGNATURE", "From",
    ]  # fmt: skip
    assert stored.endswith(message())


def test_a_recipient_no_rule_matches_is_refused_in_smtp(post: Post) -> None:
    with smtplib.SMTP(HOST, post.emulator.receiving.port) as client:
        client.ehlo()
        client.mail(AUTHOR)
        assert client.rcpt("info@elsewhere.example") == (
            550,
            b"5.1.1 Requested action not taken: mailbox unavailable",
        )
        assert client.docmd("DATA") == (503, b"Error: need RCPT command")


def test_a_blocked_address_is_refused_at_the_recipient(post: Post) -> None:
    post.emulator.receiving.filters = (Filter("Block", "127.0.0.0/8"),)
    with smtplib.SMTP(HOST, post.emulator.receiving.port) as client:
        client.ehlo()
        client.mail(AUTHOR)
        assert client.rcpt("info@example.com") == (550, b"5.7.1 IP address blacklisted by recipient")
    post.emulator.receiving.filters = (Filter("Block", "127.0.0.0/8"), Filter("Allow", "127.0.0.1/32"))
    assert post.send("info@example.com")
    post.emulator.receiving.filters = ()


def test_one_message_each_for_several_recipients_and_destinations(post: Post) -> None:
    message_id = post.send("info@example.com", "team@example.com", "old@example.com", "nobody@example.com")
    assert post.arrived() == {JANE: 1, JOE: 1, AUTHOR: 1}, "the author is told of the two that got nothing"
    states = {entry: row["state"] for entry, row in post.ledger(message_id).items() if "state" in row}
    assert states == {
        "to:info@example.com": "forwarded",
        "to:team@example.com": "forwarded",
        "to:old@example.com": "rejected",
        "to:nobody@example.com": "rejected",
        "via:jane@dest.example": "sent",
        "via:joe@dest.example": "sent",
        "dsn:1": "sent",
    }
    assert "open" not in post.ledger(message_id)["message"]


def test_an_alias_that_is_in_no_header_is_forwarded_all_the_same(post: Post) -> None:
    post.send("info@example.com", raw=b"From: x@sender.example\r\nTo: undisclosed-recipients:;\r\n\r\nbcc\r\n")
    assert post.arrived() == {JANE: 1}


@pytest.mark.parametrize(
    ("raw", "sender", "reason"),
    [
        (message(GTUBE + b"\r\n"), AUTHOR, "spam FAIL"),
        (message(EICAR + b"\r\n"), AUTHOR, "virus FAIL"),
        (message().replace(b"betsy@sender", b"betsy@bank"), AUTHOR, "dmarc FAIL, policy reject"),
    ],
)
def test_verdicts_quarantine(post: Post, raw: bytes, sender: str, reason: str) -> None:
    message_id = post.send("info@example.com", raw=raw, sender=sender)
    assert post.arrived() == {}
    outcome = post.ledger(message_id)["to:info@example.com"]
    assert (outcome["state"], outcome["reason"]) == ("quarantined", reason)


def test_a_strangers_orders_to_ses_are_not_carried_out(post: Post) -> None:
    """With this header left in, SES would refuse the forward: there is no such configuration set."""
    post.send("info@example.com", raw=message(header=b"X-SES-CONFIGURATION-SET: no-such-set\r\n"))
    assert b"no-such-set" not in post.last()


def test_the_stamp_is_signed_with_the_stacks_own_key(post: Post) -> None:
    post.send("info@example.com")
    alias = Address("info", "example.com")
    cloud, table = post.emulator.cloud, post.emulator.template.name("LedgerTable")
    (key,) = stack_keys(cloud.dynamodb, table, STAMP)
    assert is_stamped(Message.split(post.last()), key, alias)
    assert not is_stamped(Message.split(post.last()), TEST_KEY, alias)


def test_sender_rules_and_their_exceptions(post: Post) -> None:
    post.send("info@example.com", sender="offers@shop.spammer.example")
    assert post.arrived() == {}
    post.send("info@example.com", sender="friend@spammer.example")
    assert post.arrived() == {JANE: 1}


def test_a_pattern_of_the_domain(post: Post) -> None:
    post.send("sales-joe@example.com")
    assert post.arrived() == {JOE: 1}


def test_rules_that_add_a_line_and_a_copy(post: Post) -> None:
    """The envelope's sender has no rule here: the author in From has."""
    raw = b"From: News <news@newsletter.example>\r\nSubject: news\r\n\r\nbody\r\n"
    post.send("team@example.com", raw=raw, sender="bounces@sender.example")
    assert post.arrived() == {JANE: 1, JOE: 1, "archive@dest.example": 1}
    assert b"\r\nX-Newsletter: yes\r\n" in post.last()


def test_the_null_sender_is_forwarded(post: Post) -> None:
    post.send("info@example.com", sender="")
    assert post.arrived() == {JANE: 1}


def test_the_same_event_twice_leaves_one_message(post: Post) -> None:
    message_id = post.send("team@example.com")
    post.emulator.function.invoke(event("team@example.com", message_id=message_id))
    post.emulator.function.invoke(event("team@example.com", message_id=message_id))
    post.emulator.settle()
    assert post.arrived() == {JANE: 1, JOE: 1}
    assert post.emulator.cloud.messages("RetryQueue") == []


def test_a_refusal_for_now_is_retried_and_one_copy_arrives(post: Post) -> None:
    post.emulator.sending.script[JANE] = [NOT_NOW] * 2
    message_id = post.send("team@example.com")
    assert post.arrived() == {JANE: 1, JOE: 1}
    assert post.ledger(message_id)["via:jane@dest.example"]["attempts"] == Decimal(3)
    assert post.ledger(message_id)["to:team@example.com"]["state"] == "forwarded"
    assert post.emulator.cloud.messages("RetryQueue") == []


@pytest.mark.parametrize(
    "alias",
    ["later@example.com", "busy@example.com"],
    ids=["one destination", "all of the account"],
)
def test_what_stays_refused_ends_on_the_retry_queue_with_its_event(post: Post, alias: str) -> None:
    message_id = post.send(alias, "info@example.com")
    assert post.arrived() == {JANE: 1}, "who is sent to at the same time is not held back"
    (record,) = post.emulator.cloud.messages("RetryQueue")
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"]["Records"][0]["ses"]["mail"]["messageId"] == message_id
    assert record["responsePayload"]["errorType"] == "Unsettled"
    assert post.ledger(message_id)["message"]["open"] == "open"


def test_the_retry_queue_delivers_when_ses_takes_it_again(post: Post) -> None:
    post.emulator.sending.script[JANE] = [NOT_NOW] * 5
    message_id = post.send("team@example.com")
    assert post.arrived() == {JOE: 1}
    assert [error and error["errorType"] for error in post.emulator.retries.consume()] == ["Unsettled"]
    assert post.emulator.retries.consume() == [], "it is hidden"
    post.emulator.retries.wake()
    assert [error and error["errorType"] for error in post.emulator.retries.consume()] == ["Unsettled"]
    post.emulator.retries.wake()
    assert post.emulator.retries.consume() == [None]
    assert post.arrived() == {JANE: 1, JOE: 1}
    assert post.ledger(message_id)["via:jane@dest.example"]["attempts"] == Decimal(6)
    assert "open" not in post.ledger(message_id)["message"]
    post.emulator.retries.wake()
    assert post.emulator.retries.consume() == []


def test_what_fails_too_often_becomes_a_dead_letter(post: Post) -> None:
    post.send("later@example.com")
    for _ in range(41):
        post.emulator.retries.wake()
        (error,) = post.emulator.retries.consume()
        assert error is not None
    post.emulator.retries.wake()
    assert post.emulator.retries.consume() == []
    (record,) = post.emulator.cloud.messages("DeadLetterQueue")
    assert record["requestPayload"]["Records"][0]["ses"]["receipt"]["recipients"] == ["later@example.com"]


def test_what_is_refused_for_good_is_recorded_and_the_original_kept(post: Post) -> None:
    message_id = post.send("never@example.com")
    assert post.arrived() == {AUTHOR: 1}, "an answer"
    outcome = post.ledger(message_id)["to:never@example.com"]
    assert outcome["state"] == "failed"
    assert "MessageRejected: Refused for good" in outcome["reason"]
    bucket = post.emulator.template.name("MailBucket")
    post.emulator.cloud.s3.head_object(Bucket=bucket, Key=f"inbound/{message_id}")
    assert post.emulator.cloud.messages("RetryQueue") == []


@pytest.mark.parametrize(
    ("bad", "error", "named"),
    [
        ({"Records": []}, "BadEvent", "0 records"),
        ({"Records": event("info@example.com")["Records"] * 2}, "BadEvent", "2 records"),
        (event(), "BadEvent", "no receipt.recipients"),
        (
            event("info@example.com", message_id="AMAZON_SES_SETUP_NOTIFICATION"),
            "BadEvent",
            "AMAZON_SES_SETUP_NOTIFICATION",
        ),
        ({"hello": "world"}, "BadEvent", "no list of Records"),
        (event("info@example.com", message_id="neverstored"), "MessageMissing", "no object inbound/neverstored"),
    ],
)
def test_events_that_cannot_be_handled_end_on_the_queue_by_name(post: Post, bad: Any, error: str, named: str) -> None:
    log_before = len(post.emulator.function_log.read_bytes())
    post.emulator.function.invoke(bad)
    post.emulator.settle()
    (record,) = post.emulator.cloud.messages("RetryQueue")
    assert record["requestPayload"] == bad
    assert record["responsePayload"]["errorType"] == error
    assert named in record["responsePayload"]["errorMessage"]
    logged = post.emulator.function_log.read_bytes()[log_before:].decode()
    assert f'"error":"{error}"' in logged


def test_a_header_that_ses_refuses_arrives_repaired(post: Post) -> None:
    message_id = post.send("info@example.com", raw=message(header=b": no name\r\n"))
    assert post.arrived() == {JANE: 1}
    assert post.last().endswith(b"\r\n\r\nhello\r\n")
    outcome = post.ledger(message_id)["to:info@example.com"]
    assert outcome["state"] == "forwarded"
    assert (
        "sent repaired, refused as it is: SES SendEmail: BadRequestException: Empty header names" in outcome["reason"]
    )
    assert len(post.ledger(message_id)["via:jane@dest.example"]["refusals"]) == 1


def test_an_attachment_that_ses_does_not_send_becomes_a_notice_that_names_the_command(post: Post) -> None:
    part = b'--b\r\nContent-Disposition: attachment; filename="tool.exe"\r\n\r\nMZ\r\n--b--\r\n'
    raw = message(part, header=b"Content-Type: multipart/mixed; boundary=b\r\n")
    message_id = post.send("info@example.com", raw=raw)
    assert post.arrived() == {JANE: 1}
    notice = bytes(message_from_bytes(post.last()).get_payload(decode=True)).decode("utf-8")
    assert "Unsupported attachment type '.exe'" in notice
    assert f"postern original {message_id} --stack " in notice
    via = post.ledger(message_id)["via:jane@dest.example"]
    assert (via["state"], len(via["refusals"])) == ("noticed", 1), "no other form is asked for in vain"
    assert post.ledger(message_id)["to:info@example.com"]["state"] == "failed"


@pytest.mark.parametrize(
    "raw",
    [
        b"From: taro..s@docomo.example\r\nTo: info@example.com\r\n\r\nhello\r\n",
        b"From: x@sender.example\r\nReply-To: backup@nas_01.example\r\n\r\nhello\r\n",
        b"From: x@sender.example\r\nCc: a@nas_01.example, b..c@y.example\r\n\r\nhello\r\n",
    ],
)
def test_an_address_that_ses_does_not_take_costs_no_message(post: Post, raw: bytes) -> None:
    message_id = post.send("info@example.com", raw=raw)
    assert post.arrived() == {JANE: 1}
    assert post.last().endswith(b"\r\n\r\nhello\r\n")
    assert post.ledger(message_id)["to:info@example.com"]["state"] == "forwarded"


def test_an_unreadable_row_is_named_and_correcting_it_delivers(post: Post) -> None:
    post.emulator.cloud.put("AliasTable", [{"address": "typo@example.com", "destinations": "jane at dest"}])
    message_id = post.send("typo@example.com", "info@example.com")
    assert post.arrived() == {JANE: 1}
    (record,) = post.emulator.cloud.messages("RetryQueue")
    assert "aliases row 'typo@example.com'" in record["responsePayload"]["errorMessage"]
    post.emulator.cloud.put("AliasTable", [{"address": "typo@example.com", "destinations": JOE}])
    post.emulator.function.invoke(record["requestPayload"])
    post.emulator.settle()
    assert post.arrived() == {JANE: 1, JOE: 1}
    assert post.ledger(message_id)["to:typo@example.com"]["state"] == "forwarded"


def test_the_log_shows_our_addresses_and_masks_the_others(post: Post) -> None:
    log_before = len(post.emulator.function_log.read_bytes())
    post.send("info@example.com", "never@example.com")
    logged = post.emulator.function_log.read_bytes()[log_before:].decode()
    assert "info@example.com" in logged
    assert "b***@sender.example" in logged
    for private in (AUTHOR, JANE, "permerror@dest.example", "hello"):
        assert private not in logged


def test_the_log_has_one_line_for_each_recipient_and_what_was_measured(post: Post) -> None:
    log_before = len(post.emulator.function_log.read_bytes())
    message_id = post.send("info+news@example.com", "nobody@example.com")
    lines = [json.loads(line) for line in post.emulator.function_log.read_bytes()[log_before:].splitlines()]
    told = {line["recipient"]: line for line in lines if "outcome" in line}
    info, nobody = told["info+news@example.com"], told["nobody@example.com"]
    assert (info["message_id"], info["alias"], info["outcome"]) == (message_id, "info@example.com", "forwarded")
    assert (nobody["outcome"], nobody["reason"]) == ("rejected", "nobody@example.com is unknown")
    size = post.ledger(message_id)["message"]["size"]
    assert info["size"] == nobody["size"] == size > 100
    assert all(line["age"] >= 0 for line in told.values())
    (metrics,) = [line for line in lines if "_aws" in line and "Received" in line]
    assert len(metrics["Latency"]) == 1
    units = {one["Name"]: one["Unit"] for one in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert units == {"Received": "Count", "Forwarded": "Count", "Rejected": "Count", "Latency": "Seconds"}
    (sent,) = [line for line in lines if line.get("message") == "sent"]
    assert size / 2 < sent["size"] < len(post.last()), "what SES was given: less than it delivered"
