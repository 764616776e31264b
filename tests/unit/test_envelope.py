from typing import Any

import pytest
from postern_mail.mail.address import Address
from postern_mail.mail.envelope import NULL_SENDER, BadEvent, Envelope

from tests.builders import MESSAGE_ID, envelope, event, sample_event


def test_the_sample_event_of_sam_cli_is_read() -> None:
    read = Envelope.from_event(sample_event("sam-generated"))
    assert read.message_id == MESSAGE_ID
    assert read.source == "janedoe@example.com"
    assert [str(recipient) for recipient in read.recipients] == ["johndoe@example.com"]
    assert (read.verdicts.spam, read.verdicts.dmarc) == ("PASS", "ABSENT")


def test_the_sample_events_are_read() -> None:
    ordinary = Envelope.from_event(sample_event("inbound"))
    assert [recipient.key for recipient in ordinary.recipients] == ["info@example.com", "team@example.com"]
    assert ordinary.received_at == "2026-11-22T12:00:00.028Z"
    assert Envelope.from_event(sample_event("dmarc-reject")).verdicts.forbids({}) is not None
    bounce = Envelope.from_event(sample_event("null-sender-unscanned"))
    assert (bounce.source, bounce.verdicts.spam, bounce.verdicts.dmarc) == (NULL_SENDER, "DISABLED", "ABSENT")
    with pytest.raises(BadEvent, match="AMAZON_SES_SETUP_NOTIFICATION"):
        Envelope.from_event(sample_event("s3-setup-notification"))


def test_recipients_are_the_envelopes_and_never_the_headers() -> None:
    """An alias in Bcc is in receipt.recipients only; a forged To is in mail.destination only."""
    made = event("hidden@example.com")
    made["Records"][0]["ses"]["mail"] |= {
        "destination": ["shown@example.com"],
        "commonHeaders": {"to": ["shown@example.com"]},
    }
    assert Envelope.from_event(made).recipients == (Address("hidden", "example.com"),)


def test_nothing_but_id_and_recipients_is_needed() -> None:
    bare = {
        "Records": [
            {"eventSource": "aws:ses", "ses": {"mail": {"messageId": "x1"}, "receipt": {"recipients": ["a@b.example"]}}}
        ]
    }
    read = Envelope.from_event(bare)
    assert (read.source, read.sender, read.received_at) == (NULL_SENDER, None, "")


@pytest.mark.parametrize("source", ["", "<>", " <> ", None])
def test_the_null_sender_in_every_spelling(source: Any) -> None:
    assert envelope(source=source).source == NULL_SENDER


def test_a_source_that_is_no_address_is_kept_as_text() -> None:
    read = envelope(source="root")
    assert (read.source, read.sender) == ("root", None)


def test_recipients_keep_their_order_and_spelling_and_come_once() -> None:
    read = envelope("B@example.com", "a@example.com", "b@EXAMPLE.com")
    assert [str(recipient) for recipient in read.recipients] == ["B@example.com", "a@example.com"]


def test_a_recipient_that_is_no_address_does_not_cost_the_others_their_mail() -> None:
    read = envelope("a@example.com", "not an address")
    assert ([str(recipient) for recipient in read.recipients], read.unreadable) == (
        ["a@example.com"],
        ("not an address",),
    )


@pytest.mark.parametrize(
    "source",
    [
        "a@spammer.example.",
        "<a@spammer.example>",
        "@relay.example:a@spammer.example",
        "@b.example,@c.example:a@spammer.example",
    ],
)
def test_a_sender_with_a_route_or_a_final_dot_is_an_address(source: str) -> None:
    assert envelope(source=source).sender == Address("a", "spammer.example")


def _two_records() -> dict[str, Any]:
    return {"Records": event("a@example.com")["Records"] * 2}


def _without(section: str) -> dict[str, Any]:
    made = event("a@example.com")
    del made["Records"][0]["ses"][section]
    return made


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (None, "no list of Records"),
        ([], "no list of Records"),
        ("text", "no list of Records"),
        ({"Records": {}}, "no list of Records"),
        ({"Records": []}, "0 records"),
        (_two_records(), "2 records"),
        ({"Records": [None]}, "eventSource is None"),
        ({"Records": [{"eventSource": "aws:sqs"}]}, "eventSource is 'aws:sqs'"),
        ({"Records": [{"eventSource": "aws:ses"}]}, "not an SES receipt event"),
        ({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": "inbound/AMAZON_SES_SETUP_NOTIFICATION"}}}]},
         "an S3 event, which carries no envelope: object 'inbound/AMAZON_SES_SETUP_NOTIFICATION'"),
        ({"Records": [{"eventSource": "aws:s3", "s3": None}]}, "an S3 event"),
        (_without("mail"), "no mail"),
        (_without("receipt"), "no receipt"),
        (event(), "no receipt.recipients"),
        (event("a@example.com", message_id=""), "no usable mail.messageId"),
        (event("a@example.com", message_id="../../etc"), "no usable mail.messageId"),
        (event("a@example.com", message_id="AMAZON_SES_SETUP_NOTIFICATION"), "AMAZON_SES_SETUP_NOTIFICATION"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_named(bad: object, named: str) -> None:
    with pytest.raises(BadEvent, match=named.replace(".", r"\.")):
        Envelope.from_event(bad)
