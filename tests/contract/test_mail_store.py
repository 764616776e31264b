from datetime import UTC, datetime

import pytest
from postern.aws import clients
from postern.aws.mail_store import S3MailStore
from postern.errors import MessageMissing, Misconfigured
from postern.ports import MailStore

from emulator.cloud import Cloud
from emulator.template import Template
from tests.fakes import FakeClock, FakeMailStore

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


def test_a_missing_bucket_is_a_mistake_in_the_set_up(aws: Cloud) -> None:
    with pytest.raises(Misconfigured, match="NoSuchBucket"):
        S3MailStore(clients.s3(), "no-such-bucket", "inbound/").fetch("m1")


@pytest.mark.parametrize("region", ["eu-west-1", "eu-central-1", "us-east-1", "eu-south-1"])
def test_a_link_is_signed_for_the_regions_own_host(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2 signatures, and the global host, do not work for every bucket."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_SESSION_TOKEN": "c" * 1200,
        "AWS_DEFAULT_REGION": region,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    clock = FakeClock()
    link = S3MailStore(clients.s3(), "bucket", "inbound/", link_seconds=3600, clock=clock).link("m1")
    assert link is not None
    assert link.url.startswith(f"https://bucket.s3.{region}.amazonaws.com/inbound/m1?")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link.url
    assert "X-Amz-Expires=3600" in link.url
    assert link.until == datetime.fromtimestamp(clock.time + 3600, UTC).strftime("%Y-%m-%d %H:%M UTC")
    assert clients.lifetime(24 * 3600) == 3600, "temporary credentials"


def test_links_may_be_off(aws: Cloud) -> None:
    assert S3MailStore(clients.s3(), "bucket", "inbound/").link("m1") is None
    assert clients.lifetime(24 * 3600) == 24 * 3600, "credentials without an end"
