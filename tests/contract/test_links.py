"""Links in notices: whose they are, when they end, and what happens when nobody can sign them."""

import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.stub import Stubber
from postern_mail.aws import clients
from postern_mail.aws.forward import assembly
from postern_mail.aws.forward.links import S3Links
from postern_mail.aws.forward.mail_store import S3MailStore
from postern_mail.errors import Misconfigured, Unavailable
from postern_mail.mail.notice import Link
from postern_mail.settings import Settings

from emulator.cloud import CREDENTIALS, Cloud
from emulator.template import Template
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

pytestmark = pytest.mark.function("InboundFunction")

RAW = b"From: x\r\n\r\n\xe9\x00 no newline"
BUCKET = "postern-contract-mail-123456789012-eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/link"
NOON = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)


def query(link: Link) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link.url).query).items()}


def stubbed(seconds: int, session: timedelta) -> Link:
    """A link made at noon, in a session that ends so much later."""
    sts = clients.sts()
    credentials = {
        "AccessKeyId": "A" * 20,
        "SecretAccessKey": "s",
        "SessionToken": "t" * 1200,
        "Expiration": NOON + session,
    }
    with Stubber(sts) as stubber:
        asked = {"RoleArn": ROLE, "RoleSessionName": "postern-link", "DurationSeconds": 3600}
        stubber.add_response("assume_role", {"Credentials": credentials}, asked)
        links = S3Links(ROLE, seconds=seconds, clock=FakeClock(NOON.timestamp()), connect=lambda: sts)
        return links.link(BUCKET, "inbound/m1", "m1.eml")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of a function, which are temporary, and no emulator."""
    for name, value in {**CREDENTIALS, "AWS_SESSION_TOKEN": "function"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.mark.parametrize(
    ("seconds", "session", "works", "until"),
    [
        (600, timedelta(hours=1), "600", "2026-11-23 12:10 UTC"),
        (3600, timedelta(minutes=59, seconds=58), "3598", "2026-11-23 13:00 UTC"),
        (24 * 3600, timedelta(minutes=30), "1800", "2026-11-23 12:30 UTC"),
    ],
)
@pytest.mark.usefixtures("environment")
def test_a_link_ends_with_the_setting_or_the_session_whichever_is_earlier(
    seconds: int, session: timedelta, works: str, until: str
) -> None:
    link = stubbed(seconds, session)
    assert (query(link)["X-Amz-Expires"], link.until) == (works, until)


@pytest.mark.parametrize("region", ["eu-west-1", "eu-central-1", "us-east-1", "eu-south-1"])
@pytest.mark.usefixtures("environment")
def test_a_link_is_signed_by_the_session_for_the_regions_own_host(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2 signatures, and the global host, do not work for every bucket."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    link = stubbed(3600, timedelta(hours=1))
    assert link.url.startswith(f"https://{BUCKET}.s3.{region}.amazonaws.com/inbound/m1?")
    assert query(link)["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query(link)["X-Amz-Credential"].startswith("A" * 20)
    assert query(link)["X-Amz-Security-Token"] == "t" * 1200
    assert clients.sts().meta.endpoint_url == f"https://sts.{region}.amazonaws.com"


def test_a_link_fetches_the_message(aws: Cloud, template: Template) -> None:
    bucket, clock = template.name("MailBucket"), FakeClock(time.time())
    aws.s3.put_object(Bucket=bucket, Key="inbound/m1", Body=RAW)
    store = S3MailStore(clients.s3(), bucket, "inbound/", S3Links(template.arn("LinkRole"), seconds=3600, clock=clock))
    link = store.link("m1")
    assert link is not None
    with urllib.request.urlopen(link.url, timeout=10) as answer:
        assert answer.read() == RAW
        assert answer.headers["Content-Type"] == "message/rfc822"
    assert CREDENTIALS["AWS_ACCESS_KEY_ID"] not in query(link)["X-Amz-Credential"]
    assert 3500 < int(query(link)["X-Amz-Expires"]) <= 3600


def test_nothing_but_a_link_asks_sts(aws: Cloud, template: Template) -> None:
    bucket, asked = template.name("MailBucket"), list[str]()
    aws.s3.put_object(Bucket=bucket, Key="inbound/m1", Body=RAW)

    def connect() -> "STSClient":
        asked.append("STS")
        return clients.sts()

    links = S3Links(ROLE, seconds=3600, clock=FakeClock(time.time()), connect=connect)
    store = S3MailStore(clients.s3(), bucket, "inbound/", links)
    store.fetch("m1")
    assert asked == []
    store.link("m1")
    assert asked == ["STS"]


def test_a_role_that_cannot_be_assumed_is_a_mistake_in_the_set_up(aws: Cloud) -> None:
    sts = clients.sts()
    with Stubber(sts) as stubber:
        stubber.add_client_error("assume_role", "AccessDenied", "not authorized to perform: sts:AssumeRole", 403)
        links = S3Links(ROLE, seconds=3600, clock=FakeClock(), connect=lambda: sts)
        with pytest.raises(Misconfigured, match=f"STS AssumeRole {ROLE}: AccessDenied"):
            links.link(BUCKET, "inbound/m1", "m1.eml")


def test_sts_out_of_reach_is_temporary(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Unavailable, match="STS AssumeRole"):
        S3Links(ROLE, seconds=3600, clock=FakeClock()).link(BUCKET, "inbound/m1", "m1.eml")


@pytest.mark.parametrize(("hours", "made"), [("1", True), ("0", False)])
def test_links_are_a_setting(hours: str, made: bool, template: Template) -> None:
    declared = template.resource("InboundFunction")["Environment"]["Variables"]
    settings = Settings.from_environment(declared | {"POSTERN_LINK_HOURS": hours})
    assert (assembly.links(settings, FakeClock()) is not None) == made
    assert settings.link_role == template.arn("LinkRole")
