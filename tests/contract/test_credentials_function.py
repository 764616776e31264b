"""functions/credentials as Lambda starts it: its two kinds of events, and nothing secret in its log."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from runpy import run_path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from postern_mail.aws.relay.user_keys import UserKeys
from postern_mail.errors import Misconfigured, Unavailable
from postern_mail.relay.rotation import STEPS
from postern_mail.relay.smtp_login import SmtpLogin

from tests.builders import ROOT
from tests.relay_cloud import SECRET, USER, begin_rotation
from tests.relay_fakes import REGION

pytestmark = pytest.mark.function("CredentialsFunction")
CONTEXT = SimpleNamespace(
    function_name="credentials",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:x",
    aws_request_id="r",
    get_remaining_time_in_millis=lambda: 300_000,
)


@pytest.fixture
def handler(account: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    arn = boto3.client("secretsmanager").describe_secret(SecretId=SECRET)["ARN"]
    for name, value in {"USER": USER, "SECRET": arn, "HOST": "smtp.example"}.items():
        monkeypatch.setenv(f"POSTERN_SMTP_{name}", value)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("POSTERN_OVERLAP_HOURS", "24")
    monkeypatch.setattr(SmtpLogin, "log_in", lambda self, credentials: None)
    return run_path(str(ROOT / "functions" / "credentials" / "handler.py"))["handler"]


@pytest.fixture
def cloudformation() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The URL that a custom resource answers to, and the answers."""
    answers: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/answer", answers
    server.shutdown()
    server.server_close()


def _current() -> dict[str, str]:
    client = boto3.client("secretsmanager")  # moto does not find the current version by itself
    value = client.get_secret_value(SecretId=SECRET, VersionStage="AWSCURRENT")["SecretString"]
    found: dict[str, str] = json.loads(value)
    return found


def test_a_rotation_ends_with_a_current_password_that_no_log_line_shows(
    handler: Any,
) -> None:
    said = StringIO()
    for one in logging.getLogger("postern").handlers:
        one.setStream(said)  # type: ignore[attr-defined]
    arn = boto3.client("secretsmanager").describe_secret(SecretId=SECRET)["ARN"]
    begin_rotation("v" * 32)
    for step in STEPS:
        handler({"Step": step, "SecretId": arn, "ClientRequestToken": "v" * 32}, CONTEXT)
    current = _current()
    (key,) = boto3.client("iam").list_access_keys(UserName=USER)["AccessKeyMetadata"]
    assert current["username"] == key["AccessKeyId"]
    assert current["password"].startswith("B")
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert current["username"][-4:] in [line.get("key") for line in lines]
    assert current["password"] not in said.getvalue()
    assert current["username"] not in said.getvalue()


def test_the_secret_of_another_stack_is_left_alone(handler: Any) -> None:
    with pytest.raises(Misconfigured, match="not for this function"):
        handler({"Step": "createSecret", "SecretId": "arn:other", "ClientRequestToken": "v" * 32}, CONTEXT)


@pytest.mark.parametrize(("kind", "left"), [("Create", 1), ("Update", 1), ("Delete", 0)])
def test_the_keys_go_with_the_stack(
    kind: str, left: int, handler: Any, cloudformation: tuple[str, list[dict[str, Any]]]
) -> None:
    """IAM deletes no user that has keys, and CloudFormation knows nothing of these."""
    url, answers = cloudformation
    boto3.client("iam").create_access_key(UserName=USER)
    event = {"RequestType": kind, "ResponseURL": url, "StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}
    handler(event, CONTEXT)
    assert len(boto3.client("iam").list_access_keys(UserName=USER)["AccessKeyMetadata"]) == left
    assert [(answer["Status"], answer["PhysicalResourceId"]) for answer in answers] == [("SUCCESS", f"keys-of-{USER}")]


def test_cloudformation_hears_what_went_wrong(
    handler: Any, cloudformation: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, answers = cloudformation

    def fail(self: UserKeys) -> frozenset[str]:
        raise Unavailable("IAM ListAccessKeys: NoSuchEntity")

    monkeypatch.setattr(UserKeys, "ids", fail)
    event = {"RequestType": "Delete", "ResponseURL": url, "StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}
    handler(event, CONTEXT)
    assert [answer["Status"] for answer in answers] == ["SUCCESS"], "a Delete is never refused"
    assert "NoSuchEntity" in answers[0]["Reason"]
