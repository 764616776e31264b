"""SES's SMTP service for mail programs: AUTH with an IAM user's password, and that user's policies.

[D] "Using the Amazon SES SMTP interface", "Troubleshooting Amazon SES SMTP issues"; [P] the text of 554 Access denied,
as mail programs show it; [U] whether each condition key applies to From or to the envelope.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from moto.iam.models import iam_backends
from postern_mail.relay.smtp_password import smtp_password

from ..account import ACCOUNT, REGION
from ..smtp_port import SmtpPort
from .addresses import addresses
from .certificate import context
from .policies import allowed
from .refusals import Refusal, Request
from .server import Sending

MAX_SIZE = 40 * 1024 * 1024
_NAME = f"email-smtp.{REGION}.amazonaws.com"
_REFUSED = AuthResult(success=False, handled=False, message="535 Authentication Credentials Invalid")
_SES = f"arn:aws:ses:{REGION}:{ACCOUNT}"


@dataclass(frozen=True)
class _User:
    """The user that logged in."""

    name: str
    arn: str
    policies: tuple[Mapping[str, Any], ...]


class Submission(SmtpPort):
    """The service on a port of this machine. It sends what it accepts through `sending`.

    `default_set` is the identities' default configuration set. With `from_is_the_envelope`, ses:FromAddress applies to
    the envelope sender instead of From.
    """

    def __init__(self, sending: Sending, default_set: str, port: int = 0) -> None:
        super().__init__(port)
        self.from_is_the_envelope = False
        self._sending, self._default_set = sending, default_set

    async def handle_MAIL(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """[D] There must be a sender."""
        del server, session
        if address in ("", "<>"):
            return "501 Invalid MAIL FROM address provided"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Send, if the user's policies allow it."""
        del server
        try:
            user: Any = session.auth_data
            sender = str(envelope.mail_from)
            message_id = await asyncio.to_thread(
                self._take, user, sender, tuple(envelope.rcpt_tos), envelope.original_content or b""
            )
        except Refusal as refusal:
            return refusal.message if refusal.code == "SMTP" else f"554 Message rejected: {refusal.message}"
        return f"250 Ok {message_id}"

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            hostname=_NAME,
            ident="SES emulator",
            data_size_limit=MAX_SIZE,
            tls_context=context(_NAME),
            require_starttls=True,
            auth_required=True,
            authenticator=_authenticated,
            loop=self._loop,
        )

    def _take(self, user: _User, sender: str, recipients: tuple[str, ...], raw: bytes) -> str:
        """Raises Refusal."""
        asked = Request(sender, recipients, raw, self._default_set)
        named = next(asked.values("X-SES-CONFIGURATION-SET"), self._default_set).strip()
        request = Request(sender, recipients, raw, named)
        authors = list(addresses(request.values("From"))) or [""]
        for author in authors:
            self._judge(user, sender if self.from_is_the_envelope else author, sender, named)
        return self._sending.accept(request, {**_tags(request), "ses:caller-identity": [user.name]})

    def _judge(self, user: _User, author: str, sender: str, configuration_set: str) -> None:
        resources = [f"{_SES}:identity/{author.rpartition('@')[2]}", f"{_SES}:configuration-set/{configuration_set}"]
        context = {"ses:FromAddress": author, "ses:FeedbackAddress": sender}
        for resource in resources:
            if not allowed(user.policies, "ses:SendRawEmail", [resource], context):
                said = f"554 Access denied: User `{user.arn}' is not authorized to perform `ses:SendRawEmail'"
                raise Refusal("SMTP", 554, f"{said} on resource `{resource}'")


def _authenticated(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
    """[D] The user name is an access key's id; the password is derived from its secret."""
    del server, session, envelope, mechanism
    if not isinstance(login, LoginPassword):
        return _REFUSED
    key_id, password = login.login.decode(), login.password.decode()
    for user, key in _keys():
        right = key.access_key_id == key_id and key.status == "Active"
        if right and smtp_password(key.secret_access_key, REGION) == password:
            policies = tuple(json.loads(one) if isinstance(one, str) else one for one in user.policies.values())
            return AuthResult(success=True, auth_data=_User(user.name, user.arn, policies))
    return _REFUSED


def _keys() -> Iterator[tuple[Any, Any]]:
    """Every key of every moto user, read from moto itself, since no API call returns a secret."""
    for user in list(iam_backends[ACCOUNT]["aws"].users.values()):
        for key in list(user.access_keys):
            yield user, key


def _tags(request: Request) -> dict[str, list[str]]:
    """[D] The tags in X-SES-MESSAGE-TAGS, which the sender chooses."""
    named = (one.partition("=") for value in request.values("X-SES-MESSAGE-TAGS") for one in value.split(","))
    return {name.strip(): [value.strip()] for name, _, value in named if name.strip()}
