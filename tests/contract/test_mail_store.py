import pytest
from postern_mail.aws import clients
from postern_mail.aws.forward.mail_store import S3MailStore
from postern_mail.errors import MessageMissing, Misconfigured
from postern_mail.ports.forward import MailStore

from emulator.cloud import Cloud
from emulator.template import Template
from tests.fakes import FakeMailStore

pytestmark = pytest.mark.function("InboundFunction")

RAW = b"From: x\r\n\r\n\xe9\x00 no newline"


@pytest.fixture(params=["fake", "s3"])
def store(request: pytest.FixtureRequest, template: Template) -> MailStore:
    if request.param == "fake":
        return FakeMailStore({"m1": RAW})
    cloud: Cloud = request.getfixturevalue("aws")
    cloud.s3.put_object(Bucket=template.name("MailBucket"), Key="inbound/m1", Body=RAW)
    return S3MailStore(clients.s3(), template.name("MailBucket"), "inbound/")


def test_a_message_comes_back_byte_for_byte(store: MailStore) -> None:
    assert store.fetch("m1") == RAW


def test_a_missing_message_is_named(store: MailStore) -> None:
    with pytest.raises(MessageMissing, match="inbound/m2"):
        store.fetch("m2")


@pytest.mark.function("")  # there is no such resource
def test_a_missing_bucket_is_a_mistake_in_the_set_up(aws: Cloud) -> None:
    with pytest.raises(Misconfigured, match="NoSuchBucket"):
        S3MailStore(clients.s3(), "no-such-bucket", "inbound/").fetch("m1")


@pytest.mark.parametrize("mark", ["x-amz-key-v2", "x-amz-key", "x-amz-iv"])
def test_what_the_receipt_rule_encrypted_is_named(aws: Cloud, template: Template, mark: str) -> None:
    """SES encrypts before it writes where the S3 action names a key; only the S3 encryption client can read that."""
    bucket = template.name("MailBucket")
    aws.s3.put_object(Bucket=bucket, Key="inbound/m2", Body=b"\x8f" * 700, Metadata={mark: "x"})
    with pytest.raises(Misconfigured, match="object inbound/m2 is encrypted by a receipt rule"):
        S3MailStore(clients.s3(), bucket, "inbound/").fetch("m2")
