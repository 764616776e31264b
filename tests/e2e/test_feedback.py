"""Feedback from SES's double through the bus and the real function, to who gets mail and who does not."""

import hashlib
import itertools
import json
import quopri
from collections import Counter
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from postern_mail.mail.address import Address
from postern_mail.mail.tags import destination_tag

from emulator.sending.events import NO_EMAIL, Fate, bounce
from emulator.system import OWNER, Emulator
from tests.builders import MESSAGE_ID, TAG_KEY, feedback
from tests.command import Done
from tests.command import run as postern
from tests.e2e.test_system import AUTHOR, JANE, JOE, Post

MAILBOX_FULL = Fate(False, (bounce("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 full"),))
JUNK = Fate(False, (bounce("Permanent", "General", "5.7.1", "smtp; 554 5.7.1 junk"),))


@pytest.fixture
def post(emulator: Emulator) -> Post:
    return Post(emulator)


def run(post: Post, *arguments: str) -> Done:
    return postern(*arguments, **post.emulator.environment)


def got(post: Post) -> Counter[str]:
    """What arrived, except answers to the sender."""
    return Counter({who: count for who, count in post.arrived().items() if who != AUTHOR})


def health(post: Post, address: str = JANE) -> dict[str, Any]:
    return next((row for row in post.emulator.cloud.rows("DestinationTable") if row["address"] == address), {})


def via(post: Post, message_id: str, address: str = JANE) -> dict[str, Any]:
    return post.ledger(message_id)[f"via:{address}"]


def test_a_delivery_reaches_the_ledger_before_its_sending_is_settled(post: Post) -> None:
    """The double speaks before it answers the request."""
    entry = via(post, post.send("info@example.com"))
    assert (entry["state"], entry["delivered"]["why"]) == ("sent", "250 2.0.0 OK")
    assert "failures" not in health(post)


def test_a_bounce_of_a_hosts_mail_reaches_the_owner(post: Post) -> None:
    """As postern-send sends it (relay/): into the digest, with sender, recipient and reason; the mailbox stays open."""
    post.emulator.sending.fates[JANE] = [NO_EMAIL]
    ses = boto3.client(
        "sesv2",
        endpoint_url=post.emulator.sending.endpoint,
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    ses.send_email(
        FromEmailAddress="root+web1@example.com",
        Destination={"ToAddresses": [JANE]},
        Content={"Raw": {"Data": b"From: root+web1@example.com\nTo: jane@dest.example\n\nHello\n"}},
        EmailTags=[{"Name": "kind", "Value": "relay"}],
        ConfigurationSetName=post.emulator.template.name("ConfigurationSet"),
    )
    post.emulator.settle()
    (note,) = [row for row in post.emulator.cloud.rows("LedgerTable") if row["message_id"] == "#relay"]
    assert (note["who"], health(post)) == (JANE, {})

    before, day = len(post.emulator.maildirs.messages(OWNER)), 2 * 86_400
    post.emulator.cloud.put("LedgerTable", [{**note, "noted_at": int(note["noted_at"]) - day}])
    assert post.emulator.run_scheduled("DigestFunction") is None
    (raw,) = post.emulator.maildirs.messages(OWNER)[before:]
    text = quopri.decodestring(raw)
    assert b"From root+web1@example.com to jane@dest.example: bounced: Permanent NoEmail" in text
    post.emulator.cloud.delete("LedgerTable", [{"message_id": note["message_id"], "entry": note["entry"]}])


def test_a_mailbox_that_is_gone_is_suspended_until_someone_resumes_it(post: Post) -> None:
    post.emulator.sending.fates[JANE] = [NO_EMAIL]
    bounced = post.send("info@example.com")
    assert got(post) == {}
    assert via(post, bounced)["bounced"]["why"].startswith("Permanent NoEmail")
    assert {"suspended_at", "told_at"} <= health(post).keys()

    kept = post.send("info@example.com")
    assert got(post) == {}
    outcome = post.ledger(kept)["to:info@example.com"]
    assert outcome["state"] == "quarantined"
    assert "jane@dest.example is suspended: the mailbox does not exist" in outcome["reason"]
    assert via(post, kept)["state"] == "suspended"
    bucket = post.emulator.template.name("MailBucket")
    post.emulator.cloud.s3.head_object(Bucket=bucket, Key=f"inbound/{kept}")

    post.send("team@example.com")
    assert got(post) == {JOE: 1}, "the others of a group get it"

    assert JANE in run(post, "destination", "list").out
    assert run(post, "destination", "resume", JANE).status == 0
    assert run(post, "destination", "resume", JANE).status == 1
    post.send("info@example.com")
    assert got(post) == {JANE: 1, JOE: 1}


def redelivered(post: Post) -> int:
    """How many messages Jane had missed; they are sent."""
    done = run(post, "destination", "redeliver", JANE)
    while post.emulator.retries.consume():
        pass
    assert done.status == 0
    return int(done.out.count("runs again for"))


def test_what_was_missed_is_sent_after_the_resumption_and_no_one_gets_it_twice(emulator: Emulator) -> None:
    redelivered(Post(emulator))  # what other tests kept from her
    post = Post(emulator)
    post.emulator.sending.fates[JANE] = [NO_EMAIL]
    post.send("info@example.com")
    alone, group = post.send("info@example.com"), post.send("team@example.com")
    assert got(post) == {JOE: 1}
    assert run(post, "destination", "redeliver", JANE).status == 1, "it is suspended"
    run(post, "destination", "resume", JANE)
    before = post.emulator.cloud.rows("LedgerTable")
    assert run(post, "destination", "redeliver", JANE, "--dry-run").out.count("would run again for") == 2
    assert post.emulator.cloud.rows("LedgerTable") == before
    assert redelivered(post) == 2
    assert got(post) == {JANE: 2, JOE: 1}
    for message_id, recipient in ((alone, "info@example.com"), (group, "team@example.com")):
        assert post.ledger(message_id)[f"to:{recipient}"]["state"] == "forwarded"
        assert "open" not in post.ledger(message_id)["message"]
    assert redelivered(post) == 0


def test_feedback_twice_and_in_any_order_ends_the_same(post: Post) -> None:
    post.emulator.sending.fates[JANE] = [MAILBOX_FULL]
    message_id = post.send("info@example.com")
    (first,) = post.emulator.bus.published
    later = json.loads(json.dumps(first))
    later["detail"]["bounce"] |= {"timestamp": "2036-01-01T00:00:00Z", "feedbackId": "later"}
    ends = []
    for order in itertools.permutations([first, later, first]):
        for event in order:
            post.emulator.feedback.invoke(event)
            post.emulator.settle()
        ends.append((via(post, message_id)["bounced"]["id"], health(post)["failures"]))
    assert {one for one, _ in ends} == {"later"}
    assert all(failures == ends[0][1] for _, failures in ends)
    assert "suspended_at" not in health(post)
    assert post.emulator.cloud.messages("FailureQueue") == []


def test_a_bounce_that_comes_again_after_the_resumption_suspends_no_one(post: Post) -> None:
    post.emulator.sending.fates[JANE] = [NO_EMAIL]
    post.send("info@example.com")
    (event,) = post.emulator.bus.published
    assert run(post, "destination", "resume", JANE).status == 0
    post.emulator.feedback.invoke(event)
    post.send("info@example.com")
    assert got(post) == {JANE: 1}
    assert "suspended_at" not in health(post)


@pytest.mark.slow
def test_a_forged_bounce_closes_no_mailbox(post: Post) -> None:
    """A program on a host of the account sends to where it bounces, with tags that name a forward: the message's id is
    in SMTP's answer, and the destination is known. Then with the very tag, as if that had leaked."""
    message_id = post.send("info@example.com")
    (event,) = post.emulator.bus.published
    digest = hashlib.sha256(f"via:{JANE}".encode()).hexdigest()[:32]
    for tag in (digest, event["detail"]["mail"]["tags"]["destination"][0]):
        forged = json.loads(json.dumps(event))
        forged["detail"] |= NO_EMAIL.said[0](JANE)
        forged["detail"]["mail"] |= {"messageId": "0102forged", "tags": {"message": [message_id], "destination": [tag]}}
        post.emulator.feedback.invoke(forged)
        post.emulator.settle()
    assert not {"failures", "suspended_at"} & health(post).keys()
    assert "bounced" not in via(post, message_id)
    post.send("info@example.com")
    assert got(post) == {JANE: 2}
    (record,) = post.emulator.cloud.messages("FailureQueue")
    assert record["responsePayload"]["errorType"] == "EntryMissing"


RATE = bounce(
    "Permanent", "General", "5.2.1",
    "smtp; 550-5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages"
    " from being delivered. https://support.google.com/mail/?p=ReceivingRatePerm",
)  # fmt: skip


# One reason in every gate, the others in the long one.
OTHERS = {
    "sender": bounce("Permanent", "General", "5.1.0", "smtp; 550 5.1.0 <betsy@sender.example> sender rejected"),
    "aol": bounce("Permanent", "General", "5.2.1", "smtp; 521 5.2.1 :  AOL will not accept delivery of this message."),
    "junk": bounce("Permanent", "General", "5.7.1", "smtp; 554 5.7.1 junk"),
    "content": bounce("Permanent", "General", "5.6.0", "smtp; 550 5.6.0 line too long"),
    "full": bounce("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 full"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(RATE, id="rate"),
        *(pytest.param(one, id=name, marks=pytest.mark.long) for name, one in OTHERS.items()),
    ],
)
def test_a_stranger_closes_no_mailbox(post: Post, refused: Callable[[str], dict[str, Any]]) -> None:
    """Six messages of one sender, whatever it is that the mailbox's server refuses them for."""
    post.emulator.sending.fates[JANE] = [Fate(False, (refused,))] * 6
    for _ in range(6):
        post.send("info@example.com")
    assert "suspended_at" not in health(post)
    post.send("info@example.com")
    assert got(post) == {JANE: 1}


def test_an_authenticated_sender_is_told_of_what_came_back(post: Post) -> None:
    post.emulator.sending.fates[JANE] = [JUNK]
    message_id = post.send("info@example.com")
    assert post.arrived() == {AUTHOR: 1}
    report = post.last(AUTHOR)
    assert b"554 5.7.1 The message could not be delivered" in report
    assert b"Final-Recipient: rfc822; info@example.com" in report
    assert b"jane" not in report
    ledger = post.ledger(message_id)
    assert (ledger["to:info@example.com"]["state"], ledger["dsn:1"]["state"]) == ("forwarded", "sent")
    assert ledger["message"]["noted"] == {"lost info@example.com"}
    (event,) = [one for one in post.emulator.bus.published if one["detail"]["eventType"] == "Bounce"]
    post.emulator.feedback.invoke(event)
    post.emulator.settle()
    assert post.arrived() == {AUTHOR: 1}


def test_what_came_back_is_sent_again_on_demand_to_who_did_not_get_it(post: Post) -> None:
    post.emulator.sending.fates[JANE] = [JUNK]
    message_id = post.send("team@example.com")
    assert run(post, "replay", message_id).status == 1
    assert run(post, "replay", message_id, "--failed").status == 0
    assert post.emulator.retries.consume() == [None]
    assert post.arrived() == {JANE: 1, JOE: 1, AUTHOR: 1}
    assert "bounced" not in via(post, message_id)


@pytest.mark.parametrize(
    ("local", "arrives", "kinds", "suspended"),
    [
        ("bounce", False, {"bounced"}, True),
        ("complaint", True, {"delivered", "complained"}, False),
        ("ooto", True, {"delivered", "bounced"}, False),
        ("suppressionlist", False, {"bounced"}, False),
    ],
)
def test_the_mailbox_simulators_addresses(
    post: Post, local: str, arrives: bool, kinds: set[str], suspended: bool
) -> None:
    address = f"{local}@dest.example"
    post.emulator.cloud.put("AliasTable", [{"address": "sim@example.com", "destinations": [address]}])
    message_id = post.send("sim@example.com")
    assert got(post) == ({address: 1} if arrives else {})
    assert kinds <= via(post, message_id, address).keys()
    assert ("suspended_at" in health(post, address)) == suspended


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"hello": "world"}, "BadFeedback"),
        (feedback("Open"), "BadFeedback"),
        (feedback("Delivery", message_id="../../x"), "BadFeedback"),
        (feedback("Delivery", message_id=f"{MESSAGE_ID}x"), "EntryMissing"),
    ],
)
def test_poison_ends_on_the_failure_queue_by_name(post: Post, event: Any, error: str) -> None:
    log_before = len(post.emulator.feedback_log.read_bytes())
    post.emulator.feedback.invoke(event)
    post.emulator.settle()
    (record,) = post.emulator.cloud.messages("FailureQueue")
    assert record["requestPayload"] == event
    assert record["responsePayload"]["errorType"] == error
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert f'"error":"{error}"' in post.emulator.feedback_log.read_bytes()[log_before:].decode()
    assert post.emulator.cloud.messages("RetryQueue") == []


def test_what_leaves_the_handler_names_no_one(post: Post) -> None:
    """Lambda writes it into the log, whatever the setting."""
    post.emulator.cloud.put("DestinationTable", [{"address": JANE, "failures": {"nonsense"}}])
    post.emulator.sending.fates[JANE] = [MAILBOX_FULL]
    post.send("info@example.com")
    (record,) = post.emulator.cloud.messages("FailureQueue")
    assert record["responsePayload"]["errorType"] == "BadRow"
    assert "destinations row 'j***@dest.example'" in record["responsePayload"]["errorMessage"]


def test_the_log_counts_what_alarms_hang_on_and_masks_addresses(post: Post) -> None:
    log_before = len(post.emulator.feedback_log.read_bytes())
    listed = bounce("Permanent", "OnAccountSuppressionList", "5.1.1", f"not sent to {JANE}")
    post.emulator.sending.fates[JANE] = [Fate(False, (listed,)), NO_EMAIL]
    post.send("info@example.com")
    assert "suspended_at" not in health(post)
    post.send("info@example.com")
    logged = post.emulator.feedback_log.read_bytes()[log_before:].decode()
    assert '"Bounced":[1.0]' in logged
    assert logged.count('"NeedsSomebody":[1.0]') == 2, "the account's list, and the suspension"
    assert "j***@dest.example" in logged
    assert JANE not in logged


def test_events_of_another_configuration_set_are_not_ours(post: Post) -> None:
    said = feedback("Delivery")["detail"]
    said["mail"]["tags"] = {
        "destination": [destination_tag(TAG_KEY, MESSAGE_ID, Address.parse(JANE))],
        "ses:configuration-set": ["other"],
    }
    post.emulator.bus.publish("other", said)
    post.emulator.bus.publish(post.emulator.template.name("ConfigurationSet"), said)
    assert post.emulator.bus.published == []
