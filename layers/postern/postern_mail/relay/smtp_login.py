"""A real AUTH at SES's SMTP service, as Postfix does it: STARTTLS first, and the certificate must match the host."""

import smtplib
import ssl

from ..errors import LoginRefused, Unavailable
from .ports import Credentials

_TIMEOUT = 20  # seconds for each answer


class SmtpLogin:
    """Logs in at `host`. `trust` is the system's set of authorities unless a test gives another."""

    def __init__(self, host: str, port: int = 587, trust: ssl.SSLContext | None = None) -> None:
        self._host, self._port = host, port
        self._trust = trust or ssl.create_default_context()

    def log_in(self, credentials: Credentials) -> None:
        """Log in and disconnect; nothing is ever sent in clear. Raises LoginRefused if SES refuses, Unavailable for
        anything else."""
        try:
            with smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT) as smtp:
                smtp.starttls(context=self._trust)
                smtp.login(credentials.username, credentials.password)
        except smtplib.SMTPAuthenticationError as error:
            raise self._failure(LoginRefused, error) from None
        except (OSError, smtplib.SMTPException) as error:
            raise self._failure(Unavailable, error) from None

    def _failure(self, kind: type[Unavailable | LoginRefused], error: Exception) -> Exception:
        return kind(f"SMTP log-in on {self._host}:{self._port}: {error}")
