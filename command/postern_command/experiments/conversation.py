"""SMTP with SES's receiving endpoint. It needs no credentials: `postern verify --smtp` runs it on any host.

Port 25 is closed on EC2, Lambda and most access lines, and SES refuses clients on a blocklist: both are checked first,
and are not findings.
"""

import smtplib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .stage import Names

PORT = 25
PATIENCE = 5  # seconds until the port counts as closed
_TIMEOUT = 60  # seconds for a reply
_TAKEN = 250


@dataclass(frozen=True, slots=True)
class Replies:
    """The reply codes to RCPT by recipient, and the one to DATA; 0 if it did not get that far."""

    recipients: Mapping[str, int]
    data: int
    said: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """SES's receiving endpoint in a region."""

    host: str
    port: int = PORT

    @classmethod
    def of(cls, region: str) -> "Endpoint":
        """The endpoint of a region (docs.aws.amazon.com/general, "Amazon SES endpoints and quotas")."""
        return cls(f"inbound-smtp.{region}.amazonaws.com")

    @property
    def region(self) -> str:
        """The region in its name."""
        return self.host.removeprefix("inbound-smtp.").partition(".")[0]

    def closed(self) -> str:
        """Why mail cannot be sent from here; "" if it can."""
        try:
            with smtplib.SMTP(self.host, self.port, timeout=PATIENCE) as smtp:
                code, said = smtp.ehlo()
        except (OSError, smtplib.SMTPException) as failure:
            return f"port {self.port} of {self.host} cannot be reached from here ({failure})"
        return "" if code == _TAKEN else f"{self.host} says {code} {said.decode('ascii', 'replace')}"


def null_sender(endpoint: Endpoint, names: "Names") -> Replies:
    """Send a message with the null sender. Raises OSError and SMTPException."""
    return _said(endpoint, "", [names.null], names.letter("null-sender", names.null))


def half_match(endpoint: Endpoint, names: "Names") -> Replies:
    """Send a message to one recipient that a rule matches and one that none matches. Raises OSError and
    SMTPException."""
    return _said(endpoint, names.sender, [names.half, names.other], names.letter("half-match", names.half))


TALKS = {"null-sender": null_sender, "half-match": half_match}


def _said(endpoint: Endpoint, sender: str, recipients: list[str], raw: bytes) -> Replies:
    """Raises OSError and SMTPException."""
    with smtplib.SMTP(endpoint.host, endpoint.port, timeout=_TIMEOUT) as smtp:
        smtp.ehlo_or_helo_if_needed()
        if smtp.has_extn("starttls"):
            smtp.starttls()
            smtp.ehlo()
        code, said = smtp.mail(sender)
        codes = dict.fromkeys(recipients, 0)
        if code == _TAKEN:
            for recipient in recipients:
                codes[recipient], said = smtp.rcpt(recipient)
        data = 0
        if _TAKEN in codes.values():
            data, said = smtp.data(raw)
        return Replies(codes, data, said.decode("ascii", "replace"))
