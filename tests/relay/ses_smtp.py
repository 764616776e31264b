"""SES's SMTP service: STARTTLS, AUTH, and the answers of the Developer Guide ("Troubleshoot Amazon SES SMTP issues")."""

import asyncio
import ssl
import threading
import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "email-smtp.eu-west-1.amazonaws.com"  # the tests' /etc/hosts has it on 127.0.0.1
BUSY = "421 Too many concurrent SMTP connections"
THROTTLED = "454 Throttling failure: Maximum sending rate exceeded."
UNVERIFIED = "554 Message rejected: Email address is not verified. The following identities failed the check"
NULL_SENDER = "501 Invalid MAIL FROM address provided"
REFUSED = AuthResult(success=False, handled=False, message="535 Authentication Credentials Invalid")


@dataclass(frozen=True)
class Sent:
    """What the service took."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    username: str

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.SMTP)


@dataclass
class State:
    """How the service behaves, and what it saw. A test changes what it likes."""

    passwords: dict[str, str] = field(default_factory=lambda: {"AKIAFIRST": "first-password"})
    verified: Collection[str] = ("example.com",)
    greeting: str = ""  # instead of 220
    starttls: bool = True
    data_answers: list[str] = field(default_factory=list)  # the next ones to a message's end
    refused_recipients: dict[str, str] = field(default_factory=dict)
    rate: float = 0  # messages a second, recipients counted; 0: any number
    latency: float = 0  # seconds until the answer to a message's end
    taken: deque[float] = field(default_factory=deque)  # when, within the last second
    sent: list[Sent] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)  # the answers that are no 250
    clear: bytearray = field(default_factory=bytearray)  # all that came outside of TLS

    def takes(self, recipients: int, now: float) -> bool:
        """Whether the account's rate has room for so many; they are counted if it has."""
        while self.taken and self.taken[0] <= now - 1:
            self.taken.popleft()
        if self.rate and len(self.taken) + recipients > self.rate:
            return False
        self.taken.extend([now] * recipients)
        return True


class SesSmtp:
    """Listens on a port of 127.0.0.1, in a thread of its own."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.good_context = self.context = context
        self.state = State()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def reset(self) -> None:
        """As it was in the beginning."""
        self.context, self.state = self.good_context, State()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._connection, "127.0.0.1", 0)

    def _connection(self) -> SMTP:
        return _Connection(self)


class _Connection(SMTP):
    def __init__(self, service: SesSmtp) -> None:
        self._state = service.state
        rules = _Rules(self._state)
        super().__init__(
            rules,
            hostname=HOST,
            tls_context=service.context if self._state.starttls else None,
            auth_required=True,
            auth_require_tls=True,
            authenticator=rules.log_in,
            data_size_limit=None,
            command_call_limit=None,
            loop=asyncio.get_running_loop(),
        )

    def data_received(self, data: bytes) -> None:
        if self.session is None or self.session.ssl is None:
            self._state.clear += data
        super().data_received(data)

    async def push(self, status: Any) -> None:
        greeting = str(status).startswith(f"220 {HOST}") and self._state.greeting
        await super().push(greeting or status)


class _Rules:
    """What the service says to each command."""

    def __init__(self, state: State) -> None:
        self._state = state

    def log_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        username, password = login.login.decode(), login.password.decode()
        if self._state.passwords.get(username) != password:
            self._state.answered.append("535")
            return REFUSED
        return AuthResult(success=True, auth_data=username)

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        if not sender:
            return self._answer(NULL_SENDER)
        envelope.mail_from = sender
        return "250 Ok"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, recipient: str, options: list[str]
    ) -> str:
        if recipient in self._state.refused_recipients:
            return self._answer(self._state.refused_recipients[recipient])
        envelope.rcpt_tos.append(recipient)
        return "250 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self._state.latency)
        if not self._state.takes(len(envelope.rcpt_tos), time.monotonic()):
            return self._answer(THROTTLED)
        if self._state.data_answers:
            return self._answer(self._state.data_answers.pop(0))
        content = envelope.original_content or b""
        sent = Sent(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, str(session.auth_data))
        header = message_from_bytes(content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", policy=policy.SMTP)
        authors = [address.addr_spec for address in header["From"].addresses]
        if any(one.rpartition("@")[2] not in self._state.verified for one in (sent.sender, *authors)):
            return self._answer(UNVERIFIED)
        self._state.sent.append(sent)
        return "250 Ok 0102018f"

    def _answer(self, status: str) -> str:
        self._state.answered.append(status)
        return status
