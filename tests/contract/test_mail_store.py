from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.forward.mail_store import S3MailStore
from postern_mail.aws.http import clients as own
from postern_mail.errors import MessageMissing, Misconfigured
from postern_mail.ports.forward import MailStore

from emulator.cloud import Cloud
from emulator.template import Template
from tests.cloud_here import CloudHere
from tests.fakes import FakeMailStore

pytestmark = pytest.mark.function("InboundFunction")

RAW = b"From: x\r\n\r\n\xe9\x00 no newline"


@pytest.fixture(params=["boto3", "own"])
def client(request: pytest.FixtureRequest, aws: CloudHere, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "boto3":
        return clients.s3()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws.listening())
    return own.s3()


@pytest.fixture
def stored(aws: Cloud, client: Any, template: Template) -> MailStore:
    aws.s3.put_object(Bucket=template.name("MailBucket"), Key="inbound/m1", Body=RAW)
    return S3MailStore(client, template.name("MailBucket"), "inbound/")


def test_a_message_comes_back_byte_for_byte(stored: MailStore) -> None:
    for store in (stored, FakeMailStore({"m1": RAW})):
        assert store.fetch("m1") == RAW


def test_a_missing_message_is_named(stored: MailStore) -> None:
    for store in (stored, FakeMailStore({"m1": RAW})):
        with pytest.raises(MessageMissing, match="inbound/m2"):
            store.fetch("m2")


@pytest.mark.function("")  # there is no such resource
def test_a_missing_bucket_is_a_mistake_in_the_set_up(client: Any) -> None:
    with pytest.raises(Misconfigured, match="NoSuchBucket"):
        S3MailStore(client, "no-such-bucket", "inbound/").fetch("m1")


@pytest.mark.parametrize("mark", ["x-amz-key-v2", "x-amz-key", "x-amz-iv"])
def test_what_the_receipt_rule_encrypted_is_named(aws: Cloud, client: Any, template: Template, mark: str) -> None:
    """SES encrypts before it writes where the S3 action names a key; only the S3 encryption client can read that."""
    bucket = template.name("MailBucket")
    aws.s3.put_object(Bucket=bucket, Key="inbound/m2", Body=b"\x8f" * 700, Metadata={mark: "x"})
    with pytest.raises(Misconfigured, match="object inbound/m2 is encrypted by a receipt rule"):
        S3MailStore(client, bucket, "inbound/").fetch("m2")


@pytest.mark.parametrize("key", ["m 1", "m+1&x=%2F", "m\xe9", "~m/../m", "m1?x"])
def test_every_key_is_asked_for_as_it_is(aws: Cloud, client: Any, template: Template, key: str) -> None:
    bucket = template.name("MailBucket")
    aws.s3.put_object(Bucket=bucket, Key=f"inbound/{key}", Body=key.encode())
    assert S3MailStore(client, bucket, "inbound/").fetch(key) == key.encode()


def test_the_top_is_64_kilobytes_and_says_when_it_was_stored(aws: Cloud, client: Any, template: Template) -> None:
    bucket = template.name("MailBucket")
    aws.s3.put_object(Bucket=bucket, Key="inbound/m3", Body=RAW * 4000)
    at = aws.s3.head_object(Bucket=bucket, Key="inbound/m3")["LastModified"]
    assert S3MailStore(client, bucket, "inbound/").top("m3") == ((RAW * 4000)[: 64 * 1024], at)
