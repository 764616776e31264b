"""CloudFormation gets one answer to each request, whatever happens."""

import http.server
import importlib.util
import json
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from postern_mail import custom_resource
from postern_mail.custom_resource import CALL, MAX_REASON, RESERVE, Deadline, Request, answered, put
from postern_mail.errors import Unavailable

from tests.builders import ROOT

URL = "https://answers.example/presigned"


def event(kind: str = "Create", url: str = URL, **properties: Any) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/postern/1",
        "RequestId": "r1",
        "LogicalResourceId": "Activation",
        "ResourceType": "Custom::RuleSet",
        "ResourceProperties": properties,
    }


class Mailbox:
    """Takes answers; the first `failures` attempts fail."""

    def __init__(self, failures: int = 0) -> None:
        self.answers: list[dict[str, Any]] = []
        self.failures = failures

    def put(self, url: str, body: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("unreachable")
        self.answers.append(json.loads(body))


def seconds(remaining: float) -> Deadline:
    return Deadline(lambda: remaining)


def failing() -> str:
    raise Unavailable("down" * MAX_REASON)


def test_what_was_done_is_answered() -> None:
    mailbox = Mailbox()
    said = answered(Request.from_event(event()), lambda: "done", name="n", deadline=seconds(99), put=mailbox.put)
    assert said == "SUCCESS: done"
    assert mailbox.answers == [
        {
            "Status": "SUCCESS", "Reason": "done", "PhysicalResourceId": "n", "RequestId": "r1",
            "LogicalResourceId": "Activation", "StackId": event()["StackId"],
        }
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "status"), [("Create", "FAILED"), ("Update", "FAILED"), ("Delete", "SUCCESS")])
def test_a_failure_is_answered_and_never_holds_a_deletion(kind: str, status: str) -> None:
    mailbox = Mailbox()
    answered(Request.from_event(event(kind)), failing, name="n", deadline=seconds(99), put=mailbox.put)
    (answer,) = mailbox.answers
    assert (answer["Status"], answer["Reason"][:17]) == (status, "Unavailable: down")
    assert len(json.dumps(answer)) < 4096


@pytest.mark.parametrize(("kind", "status"), [("Create", "FAILED"), ("Delete", "SUCCESS")])
def test_work_without_end_is_answered_in_time_and_once(kind: str, status: str) -> None:
    mailbox, seen = Mailbox(), []

    def slow() -> str:
        for _ in range(500):
            if not mailbox.answers:
                time.sleep(0.01)
        seen.append(len(mailbox.answers))
        return "done after all"

    answered(Request.from_event(event(kind)), slow, name="n", deadline=seconds(RESERVE), put=mailbox.put)
    assert seen == [1], "the answer came while the work was still going on"
    assert [answer["Status"] for answer in mailbox.answers] == [status]


def test_an_answer_that_does_not_arrive_brings_the_event_again() -> None:
    mailbox = Mailbox(failures=1)
    with pytest.raises(OSError, match="unreachable"):
        answered(Request.from_event(event()), lambda: "", name="n", deadline=seconds(99), put=mailbox.put)


def test_no_call_is_begun_that_could_outlast_the_time_for_an_answer() -> None:
    slept: list[float] = []
    Deadline(lambda: CALL + RESERVE + 1, slept.append).pause(1)
    assert slept == [1]
    with pytest.raises(Unavailable):
        Deadline(lambda: CALL + RESERVE + 1, slept.append).pause(1.1)


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """CloudFormation's end: it refuses the first PUT, and remembers content type and body of each."""
    got: list[tuple[str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["Content-Type"], body))
            self.send_response(503 if len(got) == 1 else 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}/x?signature", got
    listening.shutdown()
    listening.server_close()


def test_the_put_is_tried_again_and_has_no_content_type(server: tuple[str, list[tuple[str, bytes]]]) -> None:
    """The URL was signed without one; urllib would add its own."""
    put(server[0], b"{}")
    assert server[1] == [("", b"{}"), ("", b"{}")]


def test_the_last_failure_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_resource, "ANSWER_TIMEOUT", 0.5)
    with pytest.raises(OSError, match="refused"):
        put("http://127.0.0.1:9/", b"{}")


def test_the_handler_answers_a_request_that_makes_no_sense(
    server: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rollback deletes what was refused, with the same properties."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    specification = importlib.util.spec_from_file_location("ruleset", ROOT / "functions/ruleset/handler.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # none beside the source
    specification.loader.exec_module(module)

    class Context:
        function_name = invoked_function_arn = aws_request_id = "x"
        memory_limit_in_mb = 128

        def get_remaining_time_in_millis(self) -> int:
            return 90_000

    for kind in ("Create", "Delete"):
        module.handler(event(kind, server[0], Mode="on", RuleSet="postern"), Context())
    answers = [json.loads(body) for _, body in server[1][1:]]
    assert [(one["Status"], one["PhysicalResourceId"]) for one in answers] == [
        ("FAILED", "postern"),
        ("SUCCESS", "postern"),
    ]
    assert answers[0]["Reason"].startswith("Misconfigured: Mode: expected one of activate,")
