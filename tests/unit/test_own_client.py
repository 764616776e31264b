"""The client of our own: signature and endpoints as botocore has them, and what each way of failing becomes."""

import base64
import hashlib
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as Theirs
from postern_mail.aws import choice, clients
from postern_mail.aws.failures import translated, translated_sending
from postern_mail.aws.http import clients as own
from postern_mail.aws.http import connection
from postern_mail.aws.http.connection import Patience, Service
from postern_mail.aws.http.endpoints import NoEndpoint, endpoint
from postern_mail.aws.http.errors import CallFailed, NoAnswer, NotConnected, Refusal, refusal
from postern_mail.aws.http.s3 import S3
from postern_mail.aws.http.signer import Credentials, Scope, signed
from postern_mail.errors import Misconfigured, PosternError, Throttled, TooFast, Unanswered, Unavailable

from tests.own_client import ME, SES, Script

DATE = "Fri, 15 Jan 2027 08:00:00 GMT"  # tests.own_client.NOW


@pytest.mark.parametrize("whose", [ME, ME._replace(token="")], ids=["temporary", "lasting"])
@pytest.mark.parametrize(
    ("auth", "scope", "what", "header", "body"),
    [
        (
            SigV4Auth,
            SES,
            ("POST", "/v2/email/outbound-emails"),
            {"content-type": "application/json"},
            b'{"a": "\xc3\xa4"}',
        ),
        (SigV4Auth, Scope("us-east-1", "dynamodb"), ("POST", "/"), {"x-amz-target": "DynamoDB_20120810.Query"}, b"{}"),
        (SigV4Auth, SES, ("POST", "/"), {"x-amz-target": "  spaces  "}, b""),
        (S3SigV4Auth, Scope("eu-west-1", "s3"), ("GET", "/inbound/m1"), {"range": "bytes=0-65535"}, b""),
        (S3SigV4Auth, Scope("eu-west-1", "s3"), ("GET", "/a%20b/%C3%A9%2B%3F~/../x"), {}, b""),
    ],
)
def test_a_signature_is_botocores(
    auth: Any, scope: Scope, what: tuple[str, str], header: dict[str, str], body: bytes, whose: Credentials
) -> None:
    method, path = what
    botocores = AWSRequest(method, f"http://host.example:8080{path}", headers=dict(header), data=body)
    auth(Theirs(whose.key, whose.secret, whose.token or None), scope.service, scope.region).add_auth(botocores)

    at = time.mktime(time.strptime(botocores.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")) - time.timezone
    digest = hashlib.sha256(body).hexdigest()
    ours = dict(header) | ({"x-amz-content-sha256": digest} if auth is S3SigV4Auth else {})
    ours = signed(scope, what, {**ours, "host": "host.example:8080"}, digest=digest, whose=whose, now=at)

    assert ours.pop("host") == "host.example:8080"
    assert ours == {name.lower(): value for name, value in botocores.headers.items()}


def test_no_secret_is_shown() -> None:
    assert ME.secret not in repr(ME)
    assert ME.token not in f"{ME}"


class Asked(Exception):
    """Where botocore was about to ask."""


def theirs(session: Any, service: str, chosen: Mapping[str, bool], region: str) -> str:
    """The URL that botocore asks, S3's without the bucket."""
    s3 = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}  # as in aws.clients
    client = session.client(service, region_name=region, config=Config(s3=s3, **chosen))  # type: ignore[arg-type]
    if service != "s3":
        return str(client.meta.endpoint_url)

    def stop(request: Any, **_: object) -> None:
        raise Asked(request.url.replace("//abc.", "//").removesuffix("/k"))

    client.meta.events.register("before-send.s3.GetObject", stop)
    with pytest.raises(Asked) as asked:
        client.get_object(Bucket="abc", Key="k")
    return str(asked.value)


@pytest.mark.parametrize("service", ["dynamodb", "s3", "sesv2"])
def test_an_endpoint_is_botocores(monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    session = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x")
    for region, fips, dual in product(["eu-west-1", "us-east-1", "ap-southeast-4"], [False, True], [False, True]):
        chosen = {"AWS_REGION": region, "AWS_USE_FIPS_ENDPOINT": str(fips), "AWS_USE_DUALSTACK_ENDPOINT": str(dual)}
        options = {"use_fips_endpoint": fips, "use_dualstack_endpoint": dual}
        assert endpoint(service, chosen) == theirs(session, service, options, region), (region, fips, dual)


@pytest.mark.parametrize(
    "region", ["eusc-de-east-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eu-isoe-west-1", ""]
)
def test_in_a_partition_that_is_not_known_there_is_none(region: str) -> None:
    with pytest.raises(NoEndpoint):
        endpoint("sesv2", {"AWS_REGION": region})


@pytest.mark.parametrize(
    ("chosen", "url"),
    [
        ({"AWS_ENDPOINT_URL": "http://x:1/"}, "http://x:1"),
        ({"AWS_ENDPOINT_URL": "http://x:1", "AWS_ENDPOINT_URL_SESV2": "http://y:2"}, "http://y:2"),
        (
            {"AWS_ENDPOINT_URL": "http://x:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://email.eu-west-1.amazonaws.com",
        ),
    ],
)
def test_the_environment_names_an_endpoint(chosen: dict[str, str], url: str) -> None:
    assert endpoint("sesv2", {**chosen, "AWS_REGION": "eu-west-1"}) == url


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()
    yield made
    made.stop()


POST = ("POST", "/")


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_damaged_answer_is_none(script: Script) -> None:
    script.answers = [(200, {"x-amz-crc32": str(zlib.crc32(b"{}") ^ 1)}, b"{}")]
    assert script.service().ask(POST, {}, b"x").content == b"{}"
    assert len(script.requests) == 2


def named(code: str, status: int = 400, **header: str) -> tuple[int, Mapping[str, str], bytes]:
    return status, header, json.dumps({"__type": f"com.amazonaws#{code}", "message": "why"}).encode()


def test_a_connection_is_used_again_until_the_other_side_closes_it(script: Script) -> None:
    service = script.service(attempts=1)
    script.answers = [(200, {}, b"{}"), (200, {"hang-up": "1"}, b"{}")]
    for _ in range(2):
        service.ask(POST, {}, b"x")
    deadline = time.monotonic() + 5
    (idle,) = service._idle.values()
    while socket.socket.recv(idle[0][1].sock, 1, socket.MSG_PEEK) and time.monotonic() < deadline:
        time.sleep(0.01)
    service.ask(POST, {}, b"x")
    ports = [port for port, *_ in script.requests]
    assert ports[0] == ports[1] != ports[2]


@pytest.mark.parametrize(
    "answer",
    [
        "hang up",
        "cut off",
        "mumble",
        named("InternalServerError", 500),
        named("ThrottlingException"),
        (502, {}, b"<html>"),
        (503, {}, b""),
    ],
)
def test_what_may_pass_is_asked_again_after_a_random_pause(script: Script, answer: Any) -> None:
    script.answers = [answer] * 3
    assert script.service().ask(POST, {}, b"x").content == b"{}"
    assert len(script.requests) == 4
    assert all(0 <= slept <= most for slept, most in zip(script.slept, (1, 2, 4), strict=True))


@pytest.mark.parametrize(
    ("answer", "kind", "attempts"),
    [
        ("hang up", NoAnswer, 4),
        (named("ThrottlingException"), Refusal, 4),
        (named("ValidationException"), Refusal, 1),
        ((302, {}, b""), Refusal, 1),
    ],
)
def test_it_is_not_asked_for_ever_nor_after_a_plain_no(script: Script, answer: Any, kind: type, attempts: int) -> None:
    script.answers = [answer] * 9
    with pytest.raises(kind):
        script.service().ask(POST, {}, b"x")
    assert len(script.requests) == attempts


@pytest.mark.parametrize(
    "answer", ["hang up", "cut off", "mumble", named("InternalServerError", 500), named("RequestExpired", Date=DATE)]
)
def test_one_attempt_is_one(script: Script, answer: Any) -> None:
    script.answers = [answer] * 9
    with pytest.raises(CallFailed):
        script.service(attempts=1).ask(POST, {}, b"x")
    assert (len(script.requests), script.slept) == (1, [])


def test_a_clock_that_is_wrong_is_put_right_and_only_once(script: Script) -> None:
    expired = named("RequestTimeTooSkewed", 403, Date="Fri, 15 Jan 2027 09:00:00 GMT")
    script.answers = [expired]
    service = script.service()
    service.ask(POST, {}, b"x")
    service.ask(POST, {}, b"x")
    assert [header["x-amz-date"] for *_, header, _ in script.requests] == [
        "20270115T080000Z",
        *["20270115T090000Z"] * 2,
    ]
    script.answers, script.requests = [expired] * 9, []
    with pytest.raises(Refusal):
        service.ask(POST, {}, b"x")
    assert len(script.requests) == 1


def test_a_connection_that_rested_too_long_is_not_used_again(script: Script) -> None:
    """The other side may have closed it while Lambda kept the container frozen."""
    service = Service(script.url, SES, lambda: ME, Patience(1, 3, 3, idle=0))
    for _ in range(2):
        service.ask(POST, {}, b"x")
    assert len({port for port, *_ in script.requests}) == 2


def test_calls_under_way_are_asked_before_any_answer_is_read(script: Script) -> None:
    service = script.service()
    begun = [service.begin(POST, {}, body) for body in (b"1", b"2", b"3")]
    until(lambda: len(script.requests) == 3)
    assert [one.result().content for one in begun] == [b"{}"] * 3
    assert len({port for port, *_ in script.requests}) == 3
    service.ask(POST, {}, b"4")
    assert script.requests[-1][0] in {port for port, *_ in script.requests[:-1]}, "their connections are used again"


@pytest.mark.parametrize("answer", ["hang up", (503, {}, b"")])
def test_a_call_under_way_that_fails_is_made_again_when_its_answer_is_read(script: Script, answer: Any) -> None:
    script.answers = [answer]
    begun = script.service().begin(POST, {}, b"x")
    until(lambda: len(script.requests) == 1)
    assert script.slept == []
    assert begun.result().content == b"{}"
    assert (len(script.requests), len(script.slept)) == (2, 1)


def test_what_cannot_be_asked_fails_when_its_answer_is_read(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[str] = []
    service = script.service(attempts=2)

    def nowhere(host: str) -> HTTPConnection:
        dialled.append(host)
        return HTTPConnection("127.0.0.1", 1)

    monkeypatch.setattr(service, "_new", nowhere)
    begun = service.begin(POST, {}, b"x")
    with pytest.raises(NotConnected):
        begun.result()
    assert (len(dialled), len(script.slept)) == (2, 1)


def test_an_answer_that_nothing_reads_ends_its_connection(script: Script) -> None:
    """Else the next call would read it as its own."""
    service = script.service(attempts=1)
    script.answers = [(200, {}, b"the first's")]
    begun = service.begin(POST, {}, b"x")
    until(lambda: len(script.requests) == 1)
    begun.drop()
    assert service.ask(POST, {}, b"y").content == b"{}"
    begun.drop()
    assert service.ask(POST, {}, b"z").content == b"{}"
    assert script.requests[-1][0] == script.requests[-2][0] != script.requests[0][0]


def check_sum(kind: str, text: bytes) -> dict[str, str]:
    made = zlib.crc32(text).to_bytes(4, "big") if kind == "crc32" else hashlib.sha256(text).digest()
    return {f"x-amz-checksum-{kind}": base64.b64encode(made).decode()}


@pytest.mark.parametrize("kind", ["crc32", "sha256"])
def test_an_object_with_another_check_sum_is_not_taken(script: Script, kind: str) -> None:
    s3 = S3(script.service(), path_style=True)
    said = {"Last-Modified": DATE, **check_sum(kind, b"mail")}
    composite = {"Last-Modified": DATE, f"x-amz-checksum-{kind}": "AAAAAA==-2"}
    script.answers = [(200, said, b"mail"), (200, composite, b"mail"), (206, said, b"ma"), (200, said, b"male")]
    for more in ({}, {}, {"Range": "bytes=0-1"}):
        assert s3.get_object(Bucket="b", Key="k", **more)["Body"].read() in (b"mail", b"ma")
    with pytest.raises(NoAnswer, match="object k was damaged"):
        s3.get_object(Bucket="b", Key="k")


LAMBDAS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1", "HTTPS_PROXY": ""}


@pytest.mark.parametrize(
    ("changed", "does"),
    [
        ({}, True),
        ({"AWS_ENDPOINT_URL": "http://x"}, True),
        ({"AWS_ACCESS_KEY_ID": ""}, False),  # credentials of a container, of a profile
        ({"AWS_PROFILE": "p"}, False),
        ({"AWS_CONFIG_FILE": "/f"}, False),
        ({"HTTPS_PROXY": "http://p"}, False),
        ({"https_proxy": "http://p"}, False),
        ({"AWS_REGION": "cn-north-1"}, False),
        ({"AWS_REGION": ""}, False),
    ],
)
def test_what_only_boto3_knows_is_asked_by_it(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], does: bool
) -> None:
    environment = LAMBDAS | changed
    assert choice.does(environment) is does
    monkeypatch.setattr("os.environ", environment)
    assert choice.clients(choice.OWN) is (own if does else clients)
    assert choice.clients(choice.BOTO3) is clients


def test_a_client_is_made_when_it_is_used_and_once() -> None:
    made: list[object] = []

    class Client:
        def __init__(self) -> None:
            made.append(self)
            self.number = len(made)

    later = choice.Later(Client)
    assert made == []
    assert (later.number, later.number) == (1, 1)


def test_where_openssl_has_no_certificates_botocores_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a function would answer to no one after its runtime changed."""
    given: list[str | None] = []
    monkeypatch.setattr("ssl.create_default_context", lambda cafile: given.append(cafile))  # noqa: PLW0108 (by its name)
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: SimpleNamespace(cafile=None))
    for variables in ({}, {"SSL_CERT_DIR": "/d"}, {"REQUESTS_CA_BUNDLE": "/r"}, {"AWS_CA_BUNDLE": "/a"}):
        monkeypatch.setattr("os.environ", variables)
        connection._trust.__wrapped__()
    assert given[0] is not None
    assert Path(given[0]).is_file()
    assert given[1:] == [None, "/r", "/a"]


def test_silence_ends(script: Script) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    mute = Service(f"http://127.0.0.1:{listening.getsockname()[1]}", SES, lambda: ME, Patience(1, 3, 0.05))
    with pytest.raises(NoAnswer, match="timed out"):
        mute.ask(POST, {}, b"x")
    listening.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://no..name"])
def test_without_a_connection_nothing_was_asked(url: str) -> None:
    with pytest.raises(NotConnected):
        Service(url, SES, lambda: ME, Patience(1, 3, 3)).ask(POST, {}, b"x")


def test_a_server_without_a_certificate_gets_nothing(script: Script) -> None:
    service = Service(script.url.replace("http", "https"), SES, lambda: ME, Patience(1, 3, 3))
    with pytest.raises(NotConnected):
        service.ask(POST, {}, b"x")
    assert script.requests == []


@pytest.mark.parametrize(
    ("status", "header", "content", "code", "message"),
    [
        (
            400,
            {},
            b'{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"m"}',
            "ValidationException",
            "m",
        ),
        (400, {"x-amzn-errortype": "MessageRejected:http://x/"}, b'{"message":"m"}', "MessageRejected", "m"),
        (403, {}, b'{"__type":"UnrecognizedClientException","Message":"m"}', "UnrecognizedClientException", "m"),
        (
            404,
            {},
            b"<?xml?><Error><Code>NoSuchKey</Code><Message>a &lt;b&gt; &amp;lt;</Message></Error>",
            "NoSuchKey",
            "a <b> &lt;",
        ),
        (502, {}, b"<html>Bad Gateway", "502", ""),
        (400, {}, b'{"__type"', "400", ""),
        (504, {}, b"", "504", ""),
        (500, {}, b"\xff\xfe", "500", ""),
    ],
)
def test_what_an_answer_says(status: int, header: dict[str, str], content: bytes, code: str, message: str) -> None:
    assert refusal(status, header, content).response["Error"] == {"Code": code, "Message": message}


@pytest.mark.parametrize(
    ("failure", "kind", "sending"),
    [
        (NoAnswer("x"), Unavailable, Unanswered),
        (NotConnected("x"), Unavailable, Unavailable),
        (refusal(502, {}, b"<html>"), Unavailable, Unanswered),
        (refusal(500, {}, b'{"__type":"InternalServiceErrorException"}'), Unavailable, Unavailable),
        (refusal(400, {}, b'{"__type":"ThrottlingException"}'), Throttled, TooFast),
        (refusal(403, {}, b'{"__type":"AccessDeniedException"}'), Misconfigured, Misconfigured),
    ],
)
def test_what_a_failure_means(failure: CallFailed, kind: type[PosternError], sending: type[PosternError]) -> None:
    for context, expected in ((translated, kind), (translated_sending, sending)):
        with pytest.raises(PosternError) as raised, context("x"):
            raise failure
        assert type(raised.value) is expected
