"""The production mailer against the SES double over HTTP: what each refusal becomes."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from postern_mail.aws import clients
from postern_mail.aws.forward.mailer import PAUSES, SesMailer
from postern_mail.aws.http import clients as own
from postern_mail.errors import Misconfigured, Refused, TooFast, Unanswered, Unavailable
from postern_mail.mail.address import Address
from postern_mail.mail.tags import destination_tag

from emulator.cloud import CREDENTIALS
from emulator.sending.refusals import Account, Refusal
from emulator.sending.server import Sending
from tests.builders import TAG_KEY

pytestmark = pytest.mark.function("InboundFunction")

ALIAS, JANE = Address("info", "example.com"), Address("jane", "dest.example")
RAW = b"From: <info@example.com>\r\nTo: x@y.example\r\n\r\nna\xc3\xafve \xe9\x00 no newline"


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sending, dict[str, bytes]]]:
    delivered: dict[str, bytes] = {}
    account = Account(identities={"example.com"}, configuration_sets={"postern-contract-forward"})
    sending = Sending(account, delivered.__setitem__)
    sending.start()
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_SESV2": sending.endpoint}.items():
        monkeypatch.setenv(name, value)
    yield sending, delivered
    sending.stop()


@pytest.fixture(params=["boto3", "own"])
def ses(
    request: pytest.FixtureRequest, double: tuple[Sending, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> tuple[Sending, dict[str, bytes]]:
    """The double, which `send` asks with either client."""
    if request.param == "own":
        monkeypatch.setattr(clients, "ses", own.ses)
    return double


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it waited, without waiting."""
    slept: list[float] = []
    monkeypatch.setattr("postern_mail.aws.forward.mailer.time", SimpleNamespace(sleep=slept.append))
    return slept


def send(
    raw: bytes = RAW,
    alias: Address = ALIAS,
    destination: Address = JANE,
    configuration_set: str = "postern-contract-forward",
) -> str:
    return SesMailer(clients.ses(), configuration_set, TAG_KEY).send(raw, alias, destination, "m1")


def test_the_bytes_arrive_as_they_are(ses: tuple[Sending, dict[str, bytes]]) -> None:
    assert send().endswith("-000000")
    assert ses[1]["jane@dest.example"].endswith(RAW)


@pytest.mark.parametrize(("local", "kind"), [("temperror", Unavailable), ("permerror", Refused), ("throttle", TooFast)])
def test_failure_on_demand(ses: tuple[Sending, dict[str, bytes]], local: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        send(destination=Address(local, "dest.example"))
    assert ses[1] == {}


@pytest.mark.parametrize(
    ("code", "status", "message", "kind"),
    [
        ("TooManyRequestsException", 429, "Maximum sending rate exceeded.", TooFast),
        ("LimitExceededException", 400, "", TooFast),
        ("ThrottlingException", 400, "Daily message quota exceeded", TooFast),
        ("AccountSuspendedException", 400, "", Misconfigured),
        ("SendingPausedException", 400, "", Misconfigured),
        ("MailFromDomainNotVerifiedException", 400, "", Misconfigured),
        ("NotFoundException", 404, "Configuration set <x> does not exist.", Misconfigured),
        ("MessageRejected", 400, "Email address is not verified. The following identities failed", Misconfigured),
        ("MessageRejected", 400, "Sending paused for this account.", Misconfigured),
        ("MessageRejected", 400, "Missing final '@domain'", Refused),
        ("BadRequestException", 400, "Duplicate header 'X'.", Refused),
        ("BadRequestException", 400, "Unsupported encoding Sending suspended", Refused),
        ("InternalServiceErrorException", 500, "", Unavailable),
        ("ConcurrentModificationException", 500, "", Unavailable),
        ("AccessDeniedException", 403, "not authorized to perform ses:SendRawEmail", Misconfigured),
        ("SomethingNew", 400, "", Unavailable),
    ],
)
def test_every_error_of_ses_is_of_one_kind(
    ses: tuple[Sending, dict[str, bytes]], code: str, status: int, message: str, kind: type[Exception]
) -> None:
    ses[0].script["jane@dest.example"] = [Refusal(code, status, message)] * 4  # it may be asked so often
    with pytest.raises(kind) as raised:
        send()
    assert type(raised.value) is kind


@pytest.mark.parametrize("refusals", [1, 2, 3])
def test_while_ses_says_too_fast_it_is_asked_again_after_a_pause(
    ses: tuple[Sending, dict[str, bytes]], pauses: list[float], refusals: int
) -> None:
    ses[0].script["jane@dest.example"] = [
        Refusal("TooManyRequestsException", 429, "Maximum sending rate exceeded.")
    ] * refusals
    send()
    assert (ses[0].accepted, pauses) == (1, list(PAUSES[:refusals]))


def test_it_is_not_asked_for_ever_nor_once_the_day_is_used_up(
    ses: tuple[Sending, dict[str, bytes]], pauses: list[float]
) -> None:
    with pytest.raises(TooFast):
        send(destination=Address("throttle", "dest.example"))
    assert pauses == list(PAUSES)
    ses[0].script["jane@dest.example"] = [Refusal("ThrottlingException", 400, "Daily message quota exceeded")]
    with pytest.raises(TooFast):
        send()
    assert pauses == list(PAUSES)
    assert 1 < sum(PAUSES) < 2  # SES counts by the second


def test_exactly_one_attempt_is_made(ses: tuple[Sending, dict[str, bytes]]) -> None:
    """A retry of botocore's own could be a second copy."""
    ses[0].script["jane@dest.example"] = [Refusal("InternalServiceErrorException", 500, "")]
    with pytest.raises(Unavailable):
        send()
    assert ses[0].accepted == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ReadTimeoutError(endpoint_url="x"), Unanswered),
        (ConnectionClosedError(endpoint_url="x"), Unanswered),
        (ConnectTimeoutError(endpoint_url="x"), Unavailable),
        (SSLError(endpoint_url="x", error=OSError("y")), Unavailable),
        (EndpointConnectionError(endpoint_url="x"), Unavailable),
    ],
)
def test_no_answer_is_not_the_same_as_no_connection(
    double: tuple[Sending, dict[str, bytes]], error: Exception, kind: type[Exception]
) -> None:
    client = clients.ses()

    def fail(**_: object) -> None:
        raise error

    client.meta.events.register("before-send.sesv2.SendEmail", fail)
    with pytest.raises(Unavailable) as raised:
        SesMailer(client, "postern-contract-forward", TAG_KEY).send(RAW, ALIAS, JANE, "m1")
    assert type(raised.value) is kind


def test_a_tag_is_what_ses_takes() -> None:
    tag = destination_tag(TAG_KEY, "m1", Address("Jane+x", "dest.example"))
    assert len(tag) == 32
    assert set(tag) <= set("0123456789abcdef")
    assert tag == destination_tag(TAG_KEY, "m1", Address("jane+x", "dest.example"))


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>hello"), (502, b"<html>Bad Gateway"), (504, b""), (200, b"{}"), (200, b"")]
)
def test_an_answer_that_is_none_of_ses_leaves_it_unknown_what_ses_did(
    double: tuple[Sending, dict[str, bytes]], status: int, body: bytes
) -> None:
    """Something between us and SES answered in its place, perhaps after SES had the message."""
    client: Any = clients.ses()
    raw: Any = SimpleNamespace(stream=lambda: iter([body]))
    header: Any = HeadersDict({"Content-Type": "text/html"})
    answer = AWSResponse("x", status, header, raw)
    client.meta.events.register("before-send.sesv2.SendEmail", lambda **_: answer)
    with pytest.raises(Unanswered):
        SesMailer(client, "postern-contract-forward", TAG_KEY).send(RAW, ALIAS, JANE, "m1")
