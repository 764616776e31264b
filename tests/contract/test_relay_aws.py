"""relay/aws.py and the small programs that ask AWS by it: which endpoint, IPv6, the account's rate, the queue's age."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.builders import ROOT
from tests.instance_metadata import InstanceMetadata, MetadataHandler

RELAY = ROOT / "relay"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(RELAY)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("POSTERN_RELAY_ENDPOINTS", str(tmp_path / "endpoints"))
    for name in list(os.environ):
        if name.startswith("AWS_ENDPOINT_URL") or name == "AWS_EC2_METADATA_SERVICE_ENDPOINT":
            monkeypatch.delenv(name)
    sys.modules.pop("aws", None)
    import aws as loaded  # type: ignore[import-not-found]  # noqa: PLC0415 (a program of the host's)

    found: ModuleType = loaded
    return found


def test_the_usual_names_come_first_and_then_those_that_have_ipv6(aws: ModuleType) -> None:
    """As botocore has them, for each service."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    for ours, theirs in (("sesv2", "sesv2"), ("secretsmanager", "secretsmanager"), ("monitoring", "cloudwatch")):
        expected = [
            boto3.client(theirs, region_name="eu-west-1", config=config).meta.endpoint_url  # type: ignore[call-overload]
            for config in (Config(), Config(use_dualstack_endpoint=True))
        ]
        assert aws.endpoints(ours, "eu-west-1") == expected
    assert aws.endpoints("metadata", "") == ["http://169.254.169.254", "http://[fd00:ec2::254]"]


def test_a_file_names_others(aws: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "endpoints").write_text("# FIPS\nsesv2=https://email-fips.{region}.amazonaws.com/\nmetadata = x\n")
    assert aws.endpoints("sesv2", "us-east-1") == ["https://email-fips.us-east-1.amazonaws.com"]
    assert len(aws.endpoints("secretsmanager", "us-east-1")) == 2
    for wrong in ("sesv2=email-fips\n", "sesv2=ftp://x\n", "sesv2=https://\xe4\n"):
        (tmp_path / "endpoints").write_text(wrong, encoding="latin-1")
        with pytest.raises(aws.NoAnswer):
            aws.endpoints("sesv2", "us-east-1")


def test_a_host_with_ipv6_only_finds_role_and_endpoint(aws: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers at the first name; nothing was said yet, so the second is asked."""
    six = _Six()
    monkeypatch.setattr(aws, "METADATA", [f"http://127.0.0.1:{_closed()}", six.endpoint])
    assert aws.role()["AccessKeyId"] == "ASIAROLE"
    connection, host = aws.connect([f"https://127.0.0.1:{_closed()}", six.endpoint])
    assert (host, connection.sock.family) == (six.endpoint.removeprefix("http://"), socket.AF_INET6)
    connection.close()
    six.stop()
    with pytest.raises(aws.NoConnection, match="127.0.0.1.*; .*::1"):
        aws.connect([f"https://127.0.0.1:{_closed()}", six.endpoint])


class _Six(InstanceMetadata):
    def __init__(self) -> None:
        super().__init__()
        self._http.server_close()
        handler = type("Handler", (MetadataHandler,), {"metadata": self})
        kind = type("Six", (ThreadingHTTPServer,), {"address_family": socket.AF_INET6})
        self._http = kind(("::1", 0), handler)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://[::1]:{self._http.server_port}"


def _closed() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port: int = closed.getsockname()[1]
        return port


@contextmanager
def service(status: int, answer: str) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A service of AWS that says this to everything: its URL, and what it was asked."""
    asked: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            assert "AWS4-HMAC-SHA256 Credential=ASIAROLE/" in self.headers["Authorization"]
            asked.append((self.path, body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        do_POST = do_GET  # noqa: N815 (http.server asks for it by this name)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def run(program: str, *arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", RELAY / program, *arguments],
        check=False, capture_output=True, text=True, env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {"SendQuota": {"MaxSendRate": 14.0}}, (0, "14\n")),
        (200, {"SendQuota": {"MaxSendRate": 0.5}}, (0, "0.5\n")),
        (200, {}, (69, "")),
        (403, {"message": "not authorized"}, (69, "")),
    ],
)
def test_the_accounts_rate(status: int, answer: dict[str, Any], expected: tuple[int, str]) -> None:
    metadata = InstanceMetadata()
    with service(status, json.dumps(answer)) as (url, asked):
        places = {"AWS_ENDPOINT_URL_SESV2": url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.endpoint}
        exited, said = run("send-rate", "--region", "eu-west-1", **places)
    metadata.stop()
    assert asked == [("/v2/email/account", b"")]
    assert (exited, said if exited == 0 else "") == expected


def test_the_queues_age_and_what_is_on_hold_are_told(tmp_path: Path) -> None:
    messages = [{"queue_name": "hold", "arrival_time": 1}, {"queue_name": "deferred", "arrival_time": 1_000}]
    (tmp_path / "postqueue").write_text(f"#!/bin/sh\ncat <<'END'\n{chr(10).join(map(json.dumps, messages))}\nEND\n")
    (tmp_path / "postqueue").chmod(0o755)
    metadata = InstanceMetadata()
    with service(200, "") as (url, asked):
        places = {"AWS_ENDPOINT_URL_CLOUDWATCH": url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.endpoint}
        path = f"{tmp_path}:{os.environ['PATH']}"
        done = run("queue-age", "--domain", "example.com", "--region", "eu-west-1", **places | {"PATH": path})
    metadata.stop()
    assert done[0] == 0, done
    ((_, form),) = asked
    assert b"MetricName=ReportsOnHold&MetricData.member.2.Value=1&" in form
    age = int(form.partition(b"MetricName=QueueAge&MetricData.member.1.Value=")[2].partition(b"&")[0])
    assert age > 1_700_000_000
    assert b"Dimensions.member.1.Name=Domain&MetricData.member.1.Dimensions.member.1.Value=example.com" in form
