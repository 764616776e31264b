"""SES's mail server: SMTP in, then the actions of every rule that matches."""

import asyncio
import secrets
import string
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as SmtpEnvelope
from aiosmtpd.smtp import Session as SmtpSession

from ..account import REGION
from ..cloud import HOST
from ..sending.bounces import Received
from ..sending.refusals import header_end
from ..smtp_port import SmtpPort
from ..template import UnknownConstruct
from .authentication import Session, authenticate
from .notifications import publish
from .rules import USUAL, Filter, Readings, Rule
from .stamps import Receipt
from .zone import Zone

MAX_SIZE = 40 * 1024 * 1024  # octets with header: docs.aws.amazon.com/ses, "Service quotas"
_NO_SUCH_USER = "550 5.1.1 Requested action not taken: mailbox unavailable"
_BLOCKED = "550 5.7.1 IP address blacklisted by recipient"
_ALPHABET = string.ascii_lowercase + string.digits


class _Server(SMTP):
    # SES accepts lines of any length, aiosmtpd by default 1,001 octets; the buffer must be bounded.
    line_length_limit = 1024 * 1024


class RuleSet(Protocol):
    """The receipt rules, read again for every recipient and message."""

    @property
    def rules(self) -> Iterable[Rule]:
        """The enabled rules, in order."""


class Cloud(Protocol):
    """The AWS clients for the S3 and SNS actions."""

    @property
    def s3(self) -> Any:
        """A boto3 client."""

    def client(self, service: str) -> Any:
        """A boto3 client for any service."""


class Function(Protocol):
    """The function that the Lambda action invokes."""

    @property
    def arn(self) -> str:
        """The function's ARN."""

    def invoke(self, event: object) -> None:
        """Take an event, as InvocationType Event does."""


class Outside(Protocol):
    """Other mail servers: mail for domains that are not ours."""

    def takes(self, sender: str, recipient: str) -> bool:
        """Whether this sender may write to this recipient through our port."""

    def deliver(self, sender: str, recipient: str, raw: bytes) -> None:
        """Take a message."""


class Receiving(SmtpPort):
    """SES receiving for one rule set, on a port of this machine."""

    def __init__(
        self,
        rule_set: RuleSet,
        cloud: Cloud,
        function: Function,
        zone: Zone,
        port: int = 0,
        readings: Readings = USUAL,
        *,
        received: Callable[[Received], None],
    ) -> None:
        super().__init__(port)
        self.readings = readings
        self.filters: Sequence[Filter] = ()
        self.outside: Outside | None = None
        self._rule_set = rule_set
        self._received = received
        self._cloud = cloud
        self._function = function
        self._zone = zone

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: SmtpSession, envelope: SmtpEnvelope, address: str, options: list[str]
    ) -> str:
        """Accept a recipient that a rule matches, or postpone the check until after the data."""
        del server, options
        if _is_blocked(_client(session), self.filters):
            return _BLOCKED
        if not self.readings.any_admits_all and not self._matched(address) and not self._goes_out(envelope, address):
            return _NO_SUCH_USER
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: SmtpEnvelope) -> str:  # noqa: N802
        """Store the message and run the actions of the rules."""
        del server
        out = [address for address in envelope.rcpt_tos if self._goes_out(envelope, address)]
        ours = [address for address in envelope.rcpt_tos if address not in out]
        if not out and not any(map(self._matched, ours)):
            return _NO_SUCH_USER
        message_id = "".join(secrets.choice(_ALPHABET) for _ in range(40))
        await asyncio.to_thread(self._take, message_id, session, envelope, ours, out)
        return f"250 OK {message_id}"

    def _protocol(self) -> SMTP:
        host = f"inbound-smtp.{REGION}.amazonaws.com"
        return _Server(self, data_size_limit=MAX_SIZE, hostname=host, ident="SES emulator", loop=self._loop)

    def _matched(self, address: str) -> bool:
        return any(rule.matches(address, self.readings) for rule in self._rule_set.rules)

    def _goes_out(self, envelope: SmtpEnvelope, address: str) -> bool:
        sender = _sender(envelope)
        return self.outside is not None and not self._matched(address) and self.outside.takes(sender, address)

    def _take(
        self, message_id: str, session: SmtpSession, envelope: SmtpEnvelope, ours: list[str], out: list[str]
    ) -> None:
        raw, sender, client = envelope.original_content or b"", _sender(envelope), _client(session)
        for address in out:
            assert self.outside is not None
            self.outside.deliver(sender, address, raw)
        if ours:
            name = self._zone.reverse_name(client)
            self._receive(message_id, raw, Session(client, session.host_name or "unknown", sender, name), ours)

    def _receive(self, message_id: str, raw: bytes, session: Session, recipients: list[str]) -> None:
        receipt = Receipt(message_id, session, authenticate(raw, session, self._zone), datetime.now(UTC))
        header = raw[: header_end(raw)]
        self._received(Received(message_id, session.mail_from, tuple(recipients), header, receipt.at.timestamp()))
        for rule in self._rule_set.rules:
            matched = [recipient for recipient in recipients if rule.matches(recipient, self.readings)]
            if matched:
                stored = receipt.stamped(raw, matched[0], rule.scan)
                event = receipt.event(stored, rule, matched, self._function.arn, self.readings.null_sender)
                for kind, properties in rule.actions:
                    self._act(kind, properties, stored, event)
                if any(kind == "StopAction" for kind, _ in rule.actions):
                    return

    def _act(self, kind: str, properties: dict[str, Any], stored: bytes, event: dict[str, Any]) -> None:
        if kind == "S3Action":
            key = properties.get("ObjectKeyPrefix", "") + event["Records"][0]["ses"]["mail"]["messageId"]
            self._cloud.s3.put_object(Bucket=properties["BucketName"], Key=key, Body=stored)
        elif kind == "LambdaAction":
            self._function.invoke(event)
        elif kind == "SNSAction":
            publish(self._cloud, properties, stored, event)
        elif kind != "StopAction":
            raise UnknownConstruct(f"{kind}: not known to the emulator")


def _client(session: SmtpSession) -> str:
    return str(session.peer[0]) if isinstance(session.peer, tuple) else HOST


def _sender(envelope: SmtpEnvelope) -> str:
    """The sender without angle brackets; aiosmtpd keeps those of `<>`."""
    return "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)


def _is_blocked(client: str, filters: Sequence[Filter]) -> bool:
    """Whether a filter blocks the address and none allows it."""
    policies = {one.policy for one in filters if ip_address(client) in ip_network(one.cidr)}
    return policies == {"Block"}
