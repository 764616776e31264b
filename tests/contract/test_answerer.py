"""The production answerer against the double of SendBounce over HTTP: what SES makes of it, and what each refusal becomes."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from postern_mail.aws import clients
from postern_mail.aws.forward import answerer
from postern_mail.aws.forward.answerer import SesAnswerer
from postern_mail.errors import Misconfigured, Refused, Throttled, TooFast, Unanswered, Unavailable
from postern_mail.mail.address import Address
from postern_mail.mail.dsn import MAX_AGE, Answer
from postern_mail.mail.reply import UNKNOWN

from emulator.cloud import CREDENTIALS
from emulator.sending.bounces import Received
from emulator.sending.refusals import Account, Refusal
from emulator.sending.server import Sending
from tests.fakes import FakeClock

pytestmark = pytest.mark.function("InboundFunction")

NOBODY, BETSY = Address("nobody", "example.com"), "betsy@sender.example"
HEADER = b"From: Betsy <betsy@sender.example>\r\nSubject: hi\r\n"


@dataclass
class World:
    clock: FakeClock = field(default_factory=FakeClock)
    delivered: list[tuple[str, bytes]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        account = Account(identities={"example.com"}, configuration_sets=set())
        self.sending = Sending(account, lambda *one: self.delivered.append(one))
        self.ses = self.sending.bouncing
        self.ses.now = self.clock.now
        self.ses.receive(Received("m1", BETSY, ("nobody@example.com",), HEADER, self.clock.time))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.time += seconds

    def send(self, message_id: str = "m1", recipient: Address = NOBODY) -> str:
        return SesAnswerer(clients.bounces(), self.clock).send(message_id, [Answer(recipient, UNKNOWN)])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()
    made.sending.start()
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_SES": made.sending.endpoint}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(answerer, "time", SimpleNamespace(sleep=made.sleep))
    yield made
    made.sending.stop()


def test_the_sender_gets_a_report_for_people_and_machines(world: World) -> None:
    assert world.send().endswith("-000000")
    ((to, raw),) = world.delivered
    report: Any = message_from_bytes(raw)
    assert (to, report["Return-Path"], report["From"]) == (BETSY, "<>", "mailer-daemon@example.com")
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    text, status, header = report.get_payload()
    assert "550 5.1.1 There is no such address here" in text.get_payload()
    _, recipient = status.get_payload()
    assert dict(recipient.items()) == {
        "Final-Recipient": "rfc822; nobody@example.com",
        "Action": "failed",
        "Status": "5.1.1",
        "Diagnostic-Code": "smtp; 550 5.1.1 There is no such address here",
    }
    assert b"Subject: hi" in header.get_payload(decode=True)


def test_calls_are_a_second_apart(world: World) -> None:
    mine = SesAnswerer(clients.bounces(), world.clock)
    for pause in (0.0, 0.25, 5.0):
        world.clock.time += pause
        mine.send("m1", [Answer(NOBODY, UNKNOWN)])
    assert world.slept == [0.75, 0.0]
    assert world.ses.accepted == 3


def test_faster_calls_are_throttled(world: World) -> None:
    world.send()
    with pytest.raises(Throttled):
        world.send()


def test_a_message_that_ses_did_not_receive_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="was not received"):
        world.send("m2")


def test_a_message_older_than_a_day_is_refused(world: World) -> None:
    assert MAX_AGE < 24 * 3600
    world.clock.time += 24 * 3600 + 1
    with pytest.raises(Refused, match="more than 24 hours"):
        world.send()


def test_someone_who_was_no_recipient_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="no recipient"):
        world.send(recipient=Address("jane", "example.com"))


def test_a_message_without_return_path_is_refused(world: World) -> None:
    world.ses.received["m1"] = replace(world.ses.received["m1"], source="")
    with pytest.raises(Refused, match="no return path"):
        world.send()


@pytest.mark.function("")  # not a sender of ours
def test_a_sender_who_is_not_verified_is_a_matter_of_configuration(world: World) -> None:
    with pytest.raises(Misconfigured, match="not verified"):
        world.send(recipient=Address("nobody", "elsewhere.example"))


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("Throttling", "Maximum sending rate exceeded.", TooFast),
        ("MessageRejected", "anything", Refused),
        ("MessageRejected", "Email address is not verified. x", Misconfigured),
        ("InvalidParameterValue", "anything", Refused),
        ("ValidationError", "anything", Refused),
        ("AccessDenied", "not authorized to perform ses:SendBounce", Misconfigured),
        ("AccountSendingPausedException", "", Misconfigured),
        ("InternalFailure", "", Unavailable),
        ("SomethingNew", "", Unavailable),
    ],
)
def test_every_error_of_ses_is_of_one_kind(world: World, code: str, message: str, kind: type[Exception]) -> None:
    world.ses.script["nobody@example.com"] = [Refusal(code, 500 if code == "InternalFailure" else 400, message)]
    with pytest.raises(kind) as raised:
        world.send()
    assert type(raised.value) is kind
    assert world.delivered == [], "one attempt is made, and no other"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ReadTimeoutError(endpoint_url="x"), Unanswered),
        (ConnectionClosedError(endpoint_url="x"), Unanswered),
        (EndpointConnectionError(endpoint_url="x"), Unavailable),
    ],
)
def test_no_answer_is_not_the_same_as_no_connection(world: World, error: Exception, kind: type[Exception]) -> None:
    client = clients.bounces()

    def fail(**_: object) -> None:
        raise error

    client.meta.events.register("before-send.ses.SendBounce", fail)
    with pytest.raises(Unavailable) as raised:
        SesAnswerer(client, world.clock).send("m1", [Answer(NOBODY, UNKNOWN)])
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>hello"), (502, b"<html>Bad Gateway"), (504, b""), (200, b"{}"), (200, b"")]
)
def test_an_answer_that_is_none_of_ses_leaves_it_unknown_what_ses_did(world: World, status: int, body: bytes) -> None:
    """Something between us and SES answered in its place, perhaps after SES had the message."""
    client: Any = clients.bounces()
    raw: Any = SimpleNamespace(stream=lambda: iter([body]))
    header: Any = HeadersDict({"Content-Type": "text/html"})
    answer = AWSResponse("x", status, header, raw)
    client.meta.events.register("before-send.ses.SendBounce", lambda **_: answer)
    with pytest.raises(Unanswered):
        SesAnswerer(client, world.clock).send("m1", [Answer(NOBODY, UNKNOWN)])
