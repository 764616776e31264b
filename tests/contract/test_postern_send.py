"""relay/postern-send as pipe(8) runs it, against the doubles of SES and of the instance metadata service.

Postfix goes by the exit status (sysexits.h) and, before that, by an enhanced status code at the start of the output.
"""

import ast
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPMessage
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from emulator.sending.refusals import Account, Refusal
from emulator.sending.server import Sending
from tests.builders import ROOT
from tests.instance_metadata import ROLE, InstanceMetadata

PROGRAM = ROOT / "relay" / "postern-send"
RAW = b"From: Web <web@example.com>\nTo: jane@dest.example\nSubject: =?utf-8?q?x?=\n\nna\xc3\xafve \xe9 body\n"
JANE = "jane@dest.example"


def _oldest() -> str:
    """A Python 3.9 that runs; what pyenv puts on PATH does so only for a version that was chosen."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for path in (shutil.which("python3.9"), *versions.glob("3.9.*/bin/python3.9")):
        if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return str(path)
    return ""


OLDEST = _oldest()


@dataclass
class Instance:
    """An instance of the relay's group: its options, its role, and SES."""

    sending: Sending
    metadata: InstanceMetadata
    delivered: dict[str, bytes]
    environment: dict[str, str]

    def send(
        self, raw: bytes = RAW, sender: str = "web@example.com", recipients: tuple[str, ...] = (JANE,), **options: Any
    ) -> tuple[int, str]:
        """Run the program; its exit status and its output."""
        python = options.pop("python", sys.executable)
        line = [python, "-I", str(PROGRAM), "-f", sender, "--", *recipients]
        done = subprocess.run(
            line,
            input=raw,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **options,
        )
        return done.returncode, done.stdout.decode()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    delivered: dict[str, bytes] = {}
    sending = Sending(Account({"example.com"}, {"relay"}), delivered.__setitem__)
    sending.start()
    metadata = InstanceMetadata()
    options = tmp_path / "relay"
    options.write_text("domain=example.com\nowner=ops@example.org\nregion=eu-west-1\nconfiguration_set=relay\n")
    environment = {
        "AWS_ENDPOINT_URL_SESV2": sending.endpoint,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.endpoint,
        "POSTERN_RELAY_OPTIONS": str(options),
    }
    yield Instance(sending, metadata, delivered, environment)
    sending.stop()
    metadata.stop()


def test_the_bytes_arrive_as_they_are(instance: Instance) -> None:
    status, said = instance.send(recipients=(JANE, "joe@dest.example"))
    assert (status, said[:18]) == (0, "SES has it as 0102")
    assert instance.delivered.keys() == {JANE, "joe@dest.example"}
    assert instance.delivered[JANE].endswith(RAW)
    assert instance.sending.accepted == 1


def test_its_grammar_is_that_of_the_oldest_python() -> None:
    ast.parse(PROGRAM.read_text(), feature_version=(3, 9))


@pytest.mark.skipif(not OLDEST, reason="no python3.9 here, the oldest that an instance may have")
def test_it_runs_on_the_oldest_python_of_the_distributions(instance: Instance) -> None:
    assert instance.send(python=OLDEST)[0] == 0


@pytest.mark.parametrize(
    ("code", "status", "message", "expected"),
    [
        ("TooManyRequestsException", 429, "Maximum sending rate exceeded.", (75, "4.3.0")),
        ("LimitExceededException", 400, "", (75, "4.3.0")),
        ("ThrottlingException", 400, "Daily message quota exceeded", (75, "4.3.0")),
        ("AccountSuspendedException", 400, "", (75, "4.3.0")),
        ("SendingPausedException", 400, "", (75, "4.3.0")),
        ("MailFromDomainNotVerifiedException", 400, "", (75, "4.3.0")),
        ("NotFoundException", 404, "Configuration set <x> does not exist.", (75, "4.3.0")),
        ("InternalServiceErrorException", 500, "", (75, "4.3.0")),
        ("ExpiredTokenException", 403, "The security token included in the request is expired", (75, "4.3.0")),
        ("InvalidSignatureException", 403, "Signature expired", (75, "4.3.0")),
        ("UnrecognizedClientException", 403, "", (75, "4.3.0")),
        ("AccessDeniedException", 403, "not authorized to perform `ses:SendRawEmail'", (75, "4.3.0")),
        ("MessageRejected", 400, "Sending paused for this account.", (75, "4.3.0")),
        ("MessageRejected", 400, "Sending suspended for this account.", (75, "4.3.0")),
        ("SomethingNew", 400, "", (75, "4.3.0")),
        ("", 502, "", (75, "4.3.0")),
        ("MessageRejected", 400, "Email address is not verified. The following identities", (77, "5.7.1")),
        ("MessageRejected", 400, "Missing final '@domain'", (69, "5.6.0")),
        ("BadRequestException", 400, "Duplicate header 'X'.", (65, "5.6.0")),
    ],
)
def test_what_each_error_of_ses_becomes(
    instance: Instance, code: str, status: int, message: str, expected: tuple[int, str]
) -> None:
    """The table of docs/relay.md; only what can never work is refused, and one attempt is made."""
    instance.sending.script[JANE] = [Refusal(code, status, message)]
    exited, said = instance.send()
    assert (exited, said.partition(" ")[0]) == expected
    assert message in said
    assert said.count("\n") == 1
    assert instance.sending.script[JANE] == []
    assert instance.sending.accepted == 0


DENIED = Refusal("AccessDeniedException", 403, "not authorized to perform `ses:SendRawEmail'")


@pytest.mark.parametrize(
    ("author", "sender", "status"),
    [
        (b"web@EXAMPLE.com", "web@example.com", 75),
        (b"Web <web@elsewhere.example>", "web@example.com", 77),
        (b"web@example.com", "web@elsewhere.example", 77),
        (b"web@example.com, joe@elsewhere.example", "web@example.com", 77),
        (b"web@sub.example.com", "web@example.com", 75),
        (b"web@notexample.com", "web@example.com", 77),
    ],
)
def test_no_permission_for_our_own_domain_is_a_fault_of_the_setup(
    instance: Instance, author: bytes, sender: str, status: int
) -> None:
    """A role that lost its policy must not bounce everybody's mail; a foreign sender never works."""
    instance.sending.script[JANE] = [DENIED]
    assert instance.send(RAW.replace(b"Web <web@example.com>", author), sender)[0] == status


@pytest.mark.parametrize("sender", ["", "<>", "MAILER-DAEMON"])
def test_a_null_sender_is_refused_before_ses_is_asked(instance: Instance, sender: str) -> None:
    """Postfix's own reports go to the owner by another transport (relay/postfix/main.cf)."""
    status, said = instance.send(sender=sender)
    assert (status, said[:6]) == (65, "5.1.7 ")
    assert instance.metadata.asked == []


def test_40_mb_pass_in_little_memory_and_more_is_refused(instance: Instance) -> None:
    """The message is in memory once; its base64 and the request never are."""
    line = b"x" * 75 + b"\n"
    head = RAW.partition(b"\n\n")[0] + b"\n\n"
    most = head + line * ((40 * 1024 * 1024 - len(head)) // len(line))
    limit = 120 * 1024 * 1024  # address space: Python, its libraries, TLS and one message
    bounded: dict[str, Any] = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))}
    assert instance.send(most, **bounded)[0] == 0
    assert instance.delivered[JANE].endswith(most)
    status, said = instance.send(most + line * 2)
    assert (status, said[:6]) == (65, "5.3.4 ")


def test_more_recipients_than_one_call_takes_are_kept(instance: Instance) -> None:
    """A mistake in main.cf, so nothing bounces."""
    instance.sending.account.off = ["header-recipients"]
    recipients = tuple(f"jane{number}@dest.example" for number in range(51))
    assert instance.send(recipients=recipients[:50])[0] == 0
    status, said = instance.send(recipients=recipients)
    assert (status, said[:6]) == (75, "4.3.5 ")


@pytest.mark.parametrize("line", [[], ["-f", "web@example.com"], ["-x", "-f", "a@b.example", "--", JANE]])
def test_a_mistake_in_master_cf_bounces_nothing(instance: Instance, line: list[str]) -> None:
    done = subprocess.run([sys.executable, "-I", PROGRAM, *line], input=RAW, env=instance.environment, check=False)
    assert done.returncode == 75


@pytest.mark.parametrize("text", ["", "region=eu-west-1\n", "domain=example.com\n"])
def test_without_its_options_it_keeps_the_mail(instance: Instance, text: str) -> None:
    Path(instance.environment["POSTERN_RELAY_OPTIONS"]).write_text(text)
    assert instance.send()[0] == 75
    Path(instance.environment["POSTERN_RELAY_OPTIONS"]).unlink()
    assert instance.send()[0] == 75


def test_an_instance_without_a_role_keeps_the_mail(instance: Instance) -> None:
    instance.metadata.role = ""
    status, said = instance.send()
    assert (status, said[:6]) == (75, "4.3.5 ")


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_SESV2", "AWS_EC2_METADATA_SERVICE_ENDPOINT"])
def test_no_connection_keeps_the_mail(instance: Instance, variable: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        instance.environment[variable] = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert instance.send()[0] == 75


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"HTTP/1.1 200 OK\r\n\r\nhello"]
)
def test_a_lost_answer_is_said_and_not_repeated(instance: Instance, answer: bytes) -> None:
    """SES may have the message: the log says so, and Postfix decides."""
    connections = []

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connections.append(1)
            with connection:
                connection.recv(1 << 20)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        instance.environment["AWS_ENDPOINT_URL_SESV2"] = f"http://127.0.0.1:{listening.getsockname()[1]}"
        status, said = instance.send()
    assert (status, said[:6]) == (75, "4.4.2 ")
    assert "may have the message" in said
    assert len(connections) == 1


def _program() -> ModuleType:
    loader = SourceFileLoader("postern_send", str(PROGRAM))
    spec = spec_from_loader("postern_send", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_signature_is_that_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    program, host, digest = _program(), "email.eu-west-1.amazonaws.com", "e3b0" * 16
    header, now = {"content-type": "application/json"}, time.gmtime(1_795_000_000)
    where = ("sesv2", "eu-west-1", host)
    ours = program.aws.signed(where, f"POST {program.PATH}", header, digest=digest, whose=ROLE, now=now)
    assert ours["x-amz-security-token"] == ROLE["Token"]
    request = AWSRequest("POST", f"https://{host}{program.PATH}", {"content-type": "application/json"})
    request.headers["X-Amz-Content-SHA256"] = digest
    request.context["timestamp"] = ours["x-amz-date"]
    request.context["payload_signing_enabled"] = True
    request.headers["X-Amz-Date"] = ours["x-amz-date"]
    request.headers["X-Amz-Security-Token"] = ROLE["Token"]
    signer = SigV4Auth(Credentials(ROLE["AccessKeyId"], ROLE["SecretAccessKey"], ROLE["Token"]), "ses", "eu-west-1")
    monkeypatch.setattr(signer, "headers_to_sign", lambda request: _only(ours))
    text = signer.string_to_sign(request, signer.canonical_request(request))
    assert signer.signature(text, request) == ours["authorization"].rpartition("Signature=")[2]


def _only(ours: dict[str, str]) -> HTTPMessage:
    """The header fields that we sign; botocore would sign its own choice."""
    chosen = HTTPMessage()
    for name in ("content-type", "host", "x-amz-date", "x-amz-security-token"):
        chosen[name] = ours[name]
    return chosen


def test_it_finds_the_python_of_the_distribution_and_nothing_of_its_user() -> None:
    """-I: no PYTHONPATH, and no json.py in the working directory of the sender."""
    assert PROGRAM.read_text().startswith("#!/usr/bin/python3 -I\n")
    assert os.access(PROGRAM, os.X_OK)
