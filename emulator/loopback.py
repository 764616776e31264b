"""Mail that SES sends to our domains comes back through their MX: it is delivered to the port where SES receives."""

import smtplib
from collections.abc import Callable
from dataclasses import dataclass

from .account import REGION
from .cloud import HOST
from .sending.events import Undelivered
from .sending.refusals import header_end

_BOUNCES = f"0102emulator@{REGION}.amazonses.com"  # the envelope sender without a MAIL FROM domain
_TIMEOUT = 10  # seconds


@dataclass
class Loopback:
    """Delivers mail for our domains to `port` of SES receiving (0 before it starts), other mail to `elsewhere`."""

    domain: str
    elsewhere: Callable[[str, bytes], None]
    port: int = 0

    def deliver(self, destination: str, raw: bytes) -> None:
        """Deliver one message. Raises Undelivered if SES receiving rejects it."""
        if not self.port or destination.rpartition("@")[2].lower() != self.domain:
            self.elsewhere(destination, raw)
            return
        sender = "" if b"Return-Path: <>" in raw[: header_end(raw)].splitlines() else _BOUNCES
        with smtplib.SMTP(HOST, self.port, f"a.smtp-out.{REGION}.amazonses.com", timeout=_TIMEOUT) as smtp:
            try:
                smtp.sendmail(sender, [destination], raw)
            except smtplib.SMTPRecipientsRefused as refusal:
                ((code, said),) = refusal.recipients.values()
                raise Undelivered(f"smtp; {code} {said.decode('ascii')}") from refusal
