"""An HTTP server for botocore with the SESv2 API, POST /v2/email/outbound-emails, and the v1 API, POST /."""

import base64
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..cloud import HOST
from .account_api import Standing
from .bounces import Bouncing
from .delivery import delivered
from .events import Fate, Undelivered, bounced, events, fate, mail_of
from .query import Operation, answered
from .refusals import Account, Refusal, Request
from .rules import check

_POLL = 0.02  # seconds between checks for a stop
_PATH = "/v2/email/outbound-emails"


def _nobody_listens(configuration_set: str, event: Mapping[str, Any]) -> None:
    del configuration_set, event


@dataclass
class Sending:
    """SES sending on a port of this machine. Accepted messages go to `deliver`, as they leave SES.

    `accepted` counts the messages; `script` has refusals for the next requests to a destination, for tests:
    {"jane@dest.example": [Refusal(...), ...]}; `fates` has the fates of the next accepted messages. `publish` takes the
    events of a configuration set. `operations` are those of the v1 API: SendBounce, and others that are added.
    `standing` is what the API says about the account.
    """

    account: Account
    deliver: Callable[[str, bytes], None]
    port: int = 0
    accepted: int = 0
    script: dict[str, list[Refusal]] = field(default_factory=dict)
    fates: dict[str, list[Fate]] = field(default_factory=dict)
    publish: Callable[[str, Mapping[str, Any]], None] = _nobody_listens
    operations: dict[str, Operation] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)

    def __post_init__(self) -> None:
        self.bouncing = Bouncing(self.account, self.deliver)
        self.operations["GetSendStatistics"] = lambda _: {"SendDataPoints": [self._statistics()]}
        self.operations["SendBounce"] = lambda form: {"MessageId": self.bouncing.send(form)}

    def start(self) -> None:
        """Listen; returns when it accepts requests."""
        sending = self

        class Handler(_Handler):
            ses = sending

        self._http = ThreadingHTTPServer((HOST, self.port), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(_POLL,), daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._http.shutdown()
        self._http.server_close()

    @property
    def endpoint(self) -> str:
        """The URL for AWS_ENDPOINT_URL_SESV2 and AWS_ENDPOINT_URL_SES."""
        return f"http://{HOST}:{self.port}"

    def told(self, method: str, url: str, body: bytes = b"") -> dict[str, Any]:
        """The response to a call about the account or an identity. Raises Refusal."""
        return self.standing.answer(method, url, json.loads(body or b"{}"), self.account)

    def _statistics(self) -> dict[str, Any]:
        """What was sent so far, as one 15-minute data point of GetSendStatistics."""
        none = dict.fromkeys(("Bounces", "Complaints", "Rejects"), 0)
        return {"Timestamp": datetime.now(UTC).isoformat(), "DeliveryAttempts": self.accepted, **none}

    def send(self, body: dict[str, Any]) -> str:
        """Carry out one SendEmail; returns SES's message id. Raises Refusal."""
        return self.accept(_request(body), {one["Name"]: [one["Value"]] for one in body.get("EmailTags", ())})

    def accept(self, request: Request, tags: Mapping[str, list[str]]) -> str:
        """Accept and send a message from the API or SMTP; returns SES's message id. Raises Refusal."""
        for destination in request.destinations:
            if self.script.get(destination):
                raise self.script[destination].pop(0)
        check(request, self.account)
        message_id = f"0102{uuid.uuid4().hex[:12]}-{uuid.uuid4()}-000000"
        sent = delivered(request.raw, message_id, request.sender.rpartition("@")[2])
        mail = mail_of(request, message_id, {**tags, "ses:configuration-set": [request.configuration_set]})
        for destination in request.destinations:
            found = self.fates[destination].pop(0) if self.fates.get(destination) else fate(destination)
            if found.delivered:
                try:
                    self.deliver(destination, sent)
                except Undelivered as refusal:
                    found = bounced(refusal)
            for event in events(destination, found, mail):
                self.publish(request.configuration_set, event)
        self.accepted += 1
        return message_id


class _Handler(BaseHTTPRequestHandler):
    """Uses HTTP/1.0, one connection per request: on a persistent one, botocore's body waits 40 ms for an ACK."""

    ses: Sending

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/":
            self._respond(*answered(body, self.ses.operations))
        elif self.path == _PATH:
            self._answer(lambda: {"MessageId": self.ses.send(json.loads(body))})
        else:
            self._answer(lambda: self.ses.told("POST", self.path, body))

    def do_GET(self) -> None:
        """The calls that read: GetAccount, GetEmailIdentity."""
        self._answer(lambda: self.ses.told("GET", self.path))

    def do_PUT(self) -> None:
        """The calls that change an identity."""
        body = self._body()
        self._answer(lambda: self.ses.told("PUT", self.path, body))

    def do_DELETE(self) -> None:
        """DeleteEmailIdentity."""
        self._answer(lambda: self.ses.told("DELETE", self.path))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, *_: object) -> None:
        """Log nothing: the function's log has what was sent."""

    def _answer(self, carry_out: Callable[[], dict[str, Any]]) -> None:
        try:
            self._respond(200, "application/json", json.dumps(carry_out()).encode())
        except Refusal as refusal:
            said = json.dumps({"message": refusal.message}).encode()
            self._respond(refusal.status, "application/json", said, refusal.code)

    def _respond(self, status: int, kind: str, content: bytes, code: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.end_headers()
        self.wfile.write(content)


def _request(body: dict[str, Any]) -> Request:
    destination = body.get("Destination", {})
    addresses = [
        address for kind in ("ToAddresses", "CcAddresses", "BccAddresses") for address in destination.get(kind, ())
    ]
    raw = body.get("Content", {}).get("Raw", {}).get("Data")
    if raw is None:
        raise Refusal("BadRequestException", 400, "only raw content is known to the emulator")
    return Request(
        sender=body.get("FromEmailAddress", ""),
        destinations=tuple(addresses),
        raw=base64.b64decode(raw),
        configuration_set=body.get("ConfigurationSetName", ""),
    )
