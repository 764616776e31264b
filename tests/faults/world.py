"""The production parts on moto and the SES double, with a fault at any AWS call one likes.

A fault is at the n-th call, before or after it takes effect: the process is killed there, or the
network fails. `Killed` is no Exception, so nothing in between can catch it.
"""

import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial, partialmethod
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from botocore.httpsession import URLLib3Session
from moto.core.models import botocore_stubber
from postern_mail import side_by_side as code
from postern_mail.aws import clients
from postern_mail.aws.choice import OWN
from postern_mail.aws.forward import assembly
from postern_mail.aws.http.connection import Request, Service
from postern_mail.aws.http.errors import NoAnswer, NotConnected
from postern_mail.aws.mail_log import CloudWatchMailLog
from postern_mail.environment import InboundEnvironment
from postern_mail.forward import Forwarder
from postern_mail.lookup import Ways
from postern_mail.mail.records import replace

from emulator.cloud import Cloud
from emulator.sending.bounces import Bouncing, Received
from emulator.sending.refusals import Account
from emulator.sending.server import Sending
from emulator.template import Template
from tests.builders import event, stored
from tests.cloud_here import CloudHere
from tests.fakes import LEASE_SECONDS, FakeClock, FakeMailLog

RAW = b"From: Betsy <betsy@sender.example>\r\nSubject: hi\r\n\r\nbody\r\n"
AUTHOR = "betsy@sender.example"
DESTINATIONS = {f"d{number}@dest.example" for number in (1, 2, 3, 4)}
ALIASES = {
    "a@example.com": ["d1@dest.example", "d2@dest.example"],
    "b@example.com": ["d2@dest.example", "d3@dest.example"],
    "c@example.com": ["d4@dest.example"],
}
_NAMES = defaultdict(lambda: "dynamodb", GetObject="s3", SendEmail="sesv2")
_READS = ("BatchGetItem",)  # moto does these in one step, and they may be under way while others are made
_CLIENTS = ("bounces", "dynamodb", "s3", "ses", "sqs")


class Killed(BaseException):
    """The function's process ends here."""


@dataclass
class Life:
    """Of one invocation: once it is killed no thread of it makes another call."""

    is_over: bool = False


LIFE: ContextVar[Life] = ContextVar("life")


def side_by_side(works: Sequence[Callable[[], None]]) -> None:
    """As the code does it; threads have the life of their invocation."""
    code.side_by_side([partial(copy_context().run, work) for work in works])


@dataclass(frozen=True)
class Fault:
    """What happens at the call with this number, from 0."""

    position: int
    after: bool
    kills: bool

    def error(self, url: str) -> BaseException:
        """What the caller of boto3 meets."""
        if self.kills:
            return Killed()
        return ConnectionClosedError(endpoint_url=url) if self.after else EndpointConnectionError(endpoint_url=url)

    def error_of_our_own(self, host: str) -> BaseException:
        """What the caller of our own client meets."""
        if self.kills:
            return Killed()
        return NoAnswer(f"no answer from {host}") if self.after else NotConnected(f"no connection to {host}")


@dataclass
class Interference:
    """Sits below every client and counts their calls."""

    choose: Callable[[int, str], Fault | None] = lambda number, call: None
    calls: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    network: URLLib3Session = field(default_factory=URLLib3Session)
    turns: list[str] = field(default_factory=list)  # of our own client: "asked", "answered"
    under_way: dict[Any, tuple[Fault | None, ExitStack]] = field(default_factory=dict)  # by connection

    def __call__(self, request: Any, event_name: str, **_: Any) -> Any:
        """botocore's before-send hook."""
        call = event_name.removeprefix("before-send.")
        fault = self._fault(call)
        answer = self._send(call, request) if fault is None or fault.after else None
        if fault is not None:
            self._ends(fault)
            raise fault.error(request.url)
        return answer

    def write(self, asked: Any, service: Service, request: Request) -> Any:
        """In the place of Service.write, which is `asked`."""
        operation = request.header.get("x-amz-target", "").rpartition(".")[2] or (
            "GetObject" if request.target[0] == "GET" else "SendEmail"
        )
        call = f"{_NAMES[operation]}.{operation}"
        fault = self._fault(call)
        if fault is not None and not fault.after:
            self._ends(fault)
            raise fault.error_of_our_own(service.url.netloc)
        alone: AbstractContextManager[object] = (
            self.one_at_a_time if call.startswith("dynamodb.") and operation not in _READS else nullcontext()
        )
        with ExitStack() as held:
            held.enter_context(alone)
            connection = asked(service, request)
            self.under_way[connection] = fault, held.pop_all()
            self.turns.append("asked")
        return connection

    def read(self, asked: Any, service: Service, connection: Any, request: Request) -> Any:
        """In the place of Service.read, which is `asked`."""
        fault, held = self.under_way.pop(connection)
        with held:
            self.turns.append("answered")
            answer = asked(service, connection, request)
        if fault is not None:
            self._ends(fault)
            raise fault.error_of_our_own(service.url.netloc)
        return answer

    def _fault(self, call: str) -> Fault | None:
        life = LIFE.get(None) or Life()
        with self.lock:
            if life.is_over:
                raise Killed
            fault = self.choose(len(self.calls), call)
            self.calls.append(call)
            life.is_over = fault is not None and fault.kills and not fault.after
        return fault

    @staticmethod
    def _ends(fault: Fault) -> None:
        if fault.kills:
            (LIFE.get(None) or Life()).is_over = True

    def _send(self, call: str, request: Any) -> Any:
        """moto looks at a condition and writes in two steps; DynamoDB does it in one, and so must this."""
        with self.one_at_a_time if call.startswith("dynamodb.") else nullcontext():
            return botocore_stubber(f"before-send.{call}", request) or self.network.send(request)


@dataclass
class World:
    """One stack, its mailboxes and its clock."""

    cloud: Cloud
    template: Template
    forwarder: Forwarder
    interference: Interference
    clock: FakeClock
    log: FakeMailLog
    delivered: list[tuple[str, bytes]]
    bouncing: Bouncing
    is_warm: bool = False  # else each invocation is of a process that knows no way yet, which makes the most calls

    def store(self, *recipients: str) -> str:
        """A new message in the bucket; returns its id."""
        message_id = uuid.uuid4().hex
        raw = stored(RAW.replace(b"hi", message_id.encode()), message_id=message_id)
        self.bouncing.receive(Received(message_id, AUTHOR, recipients, raw, self.clock.time))
        self.cloud.s3.put_object(Bucket=self.template.name("MailBucket"), Key=f"inbound/{message_id}", Body=raw)
        return message_id

    def run(self, message_id: str, *recipients: str) -> BaseException | None:
        """One invocation, for all three recipients unless told; returns what left the handler."""
        at = datetime.fromtimestamp(self.bouncing.received[message_id].at, UTC).isoformat()
        made = event(*(recipients or ALIASES), message_id=message_id, timestamp=at)
        mine = LIFE.set(Life())
        forwarder = self.forwarder if self.is_warm else replace(self.forwarder, ways=Ways())
        try:
            forwarder.handle(made, self.clock.now() + 30)
        except (Exception, Killed) as raised:  # noqa: BLE001 (Lambda's boundary)
            return raised
        finally:
            LIFE.reset(mine)
        return None

    def retry(self, message_id: str, *recipients: str, attempts: int = 10) -> None:
        """Invoke again, as Lambda and the queue do, until nothing is raised."""
        for _ in range(attempts):
            if self.run(message_id, *recipients) is None:
                return
            self.clock.time += LEASE_SECONDS + 60
        raise AssertionError(f"not settled after {attempts} attempts")

    def copies(self, message_id: str) -> Counter[str]:
        """How often each destination got this message."""
        return Counter(who for who, raw in self.delivered if message_id.encode() in raw)

    def entries(self, message_id: str) -> dict[str, dict[str, Any]]:
        """The ledger's entries of a message."""
        return {row["entry"]: row for row in self.cloud.partition("LedgerTable", message_id=message_id)}


@contextmanager
def build(
    cloud: CloudHere, template: Template, monkeypatch: pytest.MonkeyPatch, interference: Interference, client: str
) -> Iterator[World]:
    """Everything as in production, except the clock, the log and what is below the clients."""
    delivered: list[tuple[str, bytes]] = []
    sets = {one["Name"] for one in template.resources("AWS::SES::ConfigurationSet").values()}
    account = Account(identities={"example.com"}, configuration_sets=sets, off=("bounce-rate",))
    sending = Sending(account, lambda *one: delivered.append(one))
    sending.start()
    for name in ("AWS_ENDPOINT_URL_SESV2", "AWS_ENDPOINT_URL_SES"):
        monkeypatch.setenv(name, sending.endpoint)
    if client == OWN:
        for name in ("DYNAMODB", "S3"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", cloud.listening())
        monkeypatch.setattr("postern_mail.aws.http.connection._jitter", lambda: 0.0)
        for name, method in (("write", interference.write), ("read", interference.read)):
            monkeypatch.setattr(Service, name, partialmethod(_in_place, method, getattr(Service, name)))
    for module in ("botocore.endpoint", "postern_mail.aws.forward.answerer", "postern_mail.aws.forward.mailer"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(sleep=lambda seconds: None))
    clock, log = FakeClock(), FakeMailLog()
    sending.bouncing.now = clock.now
    monkeypatch.setattr(assembly, "SystemClock", lambda: clock)
    for name in _CLIENTS:
        monkeypatch.setattr(clients, name, _interfered(getattr(clients, name), interference))
    variables = template.resource("InboundFunction")["Environment"]["Variables"]
    environment = InboundEnvironment.from_environment({**variables, "POSTERN_AWS_CLIENT": client})
    made = assembly.forwarder(environment, cast("CloudWatchMailLog", log))
    forwarder = replace(made, deliverer=replace(made.deliverer, at_once=side_by_side))
    cloud.put("AliasTable", [{"address": key, "destinations": value} for key, value in ALIASES.items()])
    # Mail arrived there before, so that no brake holds what nothing tells of (mail/brake.py).
    cloud.put("DestinationTable", [{"address": one, "delivered_at": 1_700_000_000} for one in sorted(DESTINATIONS)])
    cloud.put(
        "AliasTable",
        [{"address": "#settings", "rate_cap": 0, "answers_per_domain": 100_000, "answers_per_hour": 100_000}],
    )
    yield World(cloud, template, forwarder, interference, clock, log, delivered, sending.bouncing)
    sending.stop()


def _in_place(service: Service, method: Callable[..., Any], asked: Any, *given: Any) -> Any:
    return method(asked, service, *given)


def _interfered(make: Callable[..., Any], interference: Interference) -> Callable[..., Any]:
    def made(*session: Any) -> Any:
        client = make(*session)
        client.meta.events.unregister("before-send", botocore_stubber)  # all hooks run, so moto's would in any case
        client.meta.events.register("before-send", interference)
        return client

    return made
