"""The log-in that tests a new SMTP password, against a real SMTP server with a certificate of the tests' own."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from postern_mail.errors import LoginRefused, Unavailable
from postern_mail.relay.ports import Credentials
from postern_mail.relay.smtp_login import SmtpLogin

RIGHT = Credentials("AKIAEXAMPLE", "BRight")


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for `name` that is its own authority."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, certificate


class Server:
    """SES's SMTP service, as far as a log-in goes. `said` has the passwords that came, and over what."""

    def __init__(self, key: Path, certificate: Path, tls: bool = True) -> None:
        self.said: list[tuple[str, bool]] = []
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        options = {"tls_context": context, "require_starttls": True} if tls else {"auth_require_tls": False}
        self.controller = Controller(
            object(), hostname="127.0.0.1", port=0, auth_required=True, authenticator=self._take, **options
        )
        self.controller.port = _free_port()
        self.controller.start()

    def _take(self, server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        login, password = data.login.decode(), data.password.decode()  # type: ignore[attr-defined]
        self.said.append((password, getattr(session, "ssl", None) is not None))
        return AuthResult(success=(login, password) == (RIGHT.username, RIGHT.password), handled=False)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, ssl.SSLContext]]:
    name, tls = getattr(request, "param", ("localhost", True))
    key, certificate = _certificate(tmp_path, name)
    started = Server(key, certificate, tls)
    yield started, ssl.create_default_context(cafile=str(certificate))
    started.controller.stop()


def test_the_right_password_is_taken_over_tls(server: tuple[Server, ssl.SSLContext]) -> None:
    running, trust = server
    SmtpLogin("localhost", running.controller.port, trust).log_in(RIGHT)
    assert running.said == [("BRight", True)]


def test_a_wrong_password_is_refused_and_not_repeated_in_the_error(server: tuple[Server, ssl.SSLContext]) -> None:
    running, trust = server
    with pytest.raises(LoginRefused, match="535") as raised:
        SmtpLogin("localhost", running.controller.port, trust).log_in(Credentials("AKIAEXAMPLE", "BWrong"))
    assert "BWrong" not in str(raised.value)


def test_a_certificate_that_no_one_vouches_for_gets_no_password(server: tuple[Server, ssl.SSLContext]) -> None:
    running, _ = server
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        SmtpLogin("localhost", running.controller.port).log_in(RIGHT)
    assert running.said == []


@pytest.mark.parametrize("server", [("elsewhere.example", True)], indirect=True)
def test_a_certificate_of_another_host_gets_no_password(server: tuple[Server, ssl.SSLContext]) -> None:
    running, trust = server
    with pytest.raises(Unavailable, match="Hostname mismatch"):
        SmtpLogin("localhost", running.controller.port, trust).log_in(RIGHT)
    assert running.said == []


@pytest.mark.parametrize("server", [("localhost", False)], indirect=True)
def test_no_password_goes_in_clear(server: tuple[Server, ssl.SSLContext]) -> None:
    running, trust = server
    with pytest.raises(Unavailable, match="STARTTLS"):
        SmtpLogin("localhost", running.controller.port, trust).log_in(RIGHT)
    assert running.said == []


def test_a_closed_port_is_no_refusal() -> None:
    with pytest.raises(Unavailable, match="refused"):
        SmtpLogin("localhost", _free_port()).log_in(RIGHT)
