import pytest
from postern_mail.environment import FeedbackEnvironment, InboundEnvironment
from postern_mail.errors import Misconfigured

COMPLETE = {
    "POSTERN_DOMAINS": "Example.com, example.net",
    "POSTERN_MAIL_BUCKET": "bucket",
    "POSTERN_ALIAS_TABLE": "aliases",
    "POSTERN_SENDER_TABLE": "senders",
    "POSTERN_DESTINATION_TABLE": "destinations",
    "POSTERN_LEDGER_TABLE": "ledger",
    "POSTERN_CONFIGURATION_SET": "forward",
    "POSTERN_RETRY_QUEUE": "https://sqs.example/retry",
    "POSTERN_LEASE_SECONDS": "150",
    "POSTERN_LEDGER_DAYS": "37",
}


def test_all_settings_are_read() -> None:
    settings = InboundEnvironment.from_environment(COMPLETE | {"POSTERN_LOG_ADDRESSES": "True", "HOME": "/root"})
    assert settings.stack.domains == ("example.com", "example.net")
    assert (settings.ledger.lease_seconds, settings.ledger.ledger_days) == (150, 37)
    assert settings.stack.log_addresses
    assert settings.bucket.prefix == "inbound/"


def test_everything_missing_or_wrong_is_named_at_once() -> None:
    with pytest.raises(Misconfigured) as raised:
        InboundEnvironment.from_environment(
            COMPLETE
            | {
                "POSTERN_MAIL_BUCKET": " ",
                "POSTERN_DOMAINS": ",",
                "POSTERN_LEASE_SECONDS": "-1",
                "POSTERN_LOG_ADDRESSES": "maybe",
                "POSTERN_AWS_CLIENT": "mine",
            }
        )
    said = str(raised.value)
    assert "POSTERN_MAIL_BUCKET is not set" in said
    assert "POSTERN_LEASE_SECONDS: expected a number from 0 on, found '-1'" in said
    assert "POSTERN_LOG_ADDRESSES: expected true or false, found 'maybe'" in said
    assert "POSTERN_AWS_CLIENT: expected one of own, boto3, found 'mine'" in said
    assert "POSTERN_DOMAINS: expected names, found ','" in said


def test_the_feedback_function_needs_less() -> None:
    of_the_ledger = ("LEDGER_TABLE", "LEASE_SECONDS", "LEDGER_DAYS")
    names = ("DOMAINS", *of_the_ledger, "DESTINATION_TABLE", "MAIL_BUCKET", "ALIAS_TABLE", "CONFIGURATION_SET")
    needed = {name: COMPLETE[f"POSTERN_{name}"] for name in names}
    settings = FeedbackEnvironment.from_environment({f"POSTERN_{name}": value for name, value in needed.items()})
    assert settings.alias_table == COMPLETE["POSTERN_ALIAS_TABLE"]
    with pytest.raises(Misconfigured, match="POSTERN_DOMAINS is not set; .*POSTERN_LEDGER_DAYS: expected a number"):
        FeedbackEnvironment.from_environment({"POSTERN_LEDGER_DAYS": "-1"})
