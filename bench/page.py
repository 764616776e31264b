"""How long a page of `postern page` takes: `python -m bench.page`, with 1,000 aliases and 10,000 ledger messages.

DynamoDB and SQS are a stub inside botocore that takes 20 ms for each call, about as long as a nearby region; the rest
is real. The goal is 300 ms for the first page, warm.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from postern_command.pages import calls
from postern_command.pages.app import application
from postern_command.pages.desk import Desk
from postern_command.pages.gate import Gate
from postern_command.stack import Stack
from postern_mail.mail.days import A_DAY
from postern_mail.mail.summaries import day_of
from starlette.testclient import TestClient

ALIASES, MESSAGES, DAYS = 1_000, 10_000, 30
ROUND_TRIP = 0.02  # seconds for a call, assumed
GOAL = 300  # milliseconds
PORT, TIMES = 54321, 15
PAGES = ("/", "/aliases", "/mail", "/aliases?used=1")
NAMES = ("aliases", "senders", "destinations", "ledger", "bucket", "retry_queue", "dead_letters", "failures")


class Stub:
    """The answers of a stack with that much data."""

    def __init__(self) -> None:
        now = int(time.time())
        self._rows: dict[str, list[Any]] = {
            "aliases": [_alias(number) for number in range(ALIASES)],
            "days": [_day(now, back) for back in range(1, DAYS)],
            "messages": [_message(now, number) for number in range(MESSAGES // DAYS)],
        }

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        """One HTTP response, after a round trip."""
        time.sleep(ROUND_TRIP)
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        found = self._found(operation, json.loads(request.body))
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(json.dumps(found).encode()))

    def _found(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "GetQueueAttributes":
            return {"Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}}
        if operation == "Scan":
            return {"Items": self._rows.get(asked["TableName"], [])}
        values = json.dumps(asked.get("ExpressionAttributeValues", {}))
        if asked.get("IndexName") == "day":
            return {"Items": self._rows["messages"] if day_of(time.time()) in values else []}
        if "#summaries" in values:
            return {"Items": self._rows["days"] if "day " in values else []}
        if asked.get("IndexName"):
            return {"Items": []}
        entry = {
            "entry": _text("to:a1@example.com"),
            "state": _text("forwarded"),
            "reason": _text("alias a1@example.com"),
        }
        return {"Items": [entry]}


def _alias(number: int) -> dict[str, Any]:
    leads_to = {"L": [_text("jane@dest.example")]}
    return {"address": _text(f"a{number}@example.com"), "destinations": leads_to, "note": _text("x")}


def _day(now: int, back: int) -> dict[str, Any]:
    counts = {"M": {"forwarded": _number(MESSAGES // DAYS)}}
    return {"entry": _text(f"day {day_of(now - back * A_DAY)}"), "counts": counts, "folded_at": _number(now)}


def _message(now: int, number: int) -> dict[str, Any]:
    named = {"message_id": _text(f"{number:040}"), "opened_at": _number(now - number)}
    return {**named, "source": _text("b@sender.example"), "recipients": {"SS": ["a1@example.com"]}}


def _text(value: str) -> dict[str, str]:
    return {"S": value}


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> list[bytes]:
        return [self._body]


def main() -> int:
    """Print a line for each page; status 1 if the first takes longer than its goal."""
    anybody = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "eu-west-1"}
    os.environ.update(anybody)
    os.environ.pop("AWS_PROFILE", None)
    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION
    stub = Stub()
    events: Any = boto3.DEFAULT_SESSION.events
    for service in ("dynamodb", "sqs"):
        events.register(f"before-send.{service}", stub.answer)
    calls.listen()
    gate = Gate(PORT, time.monotonic)
    known = {name: f"https://sqs.invalid/1/{name}" if name in NAMES[5:] else name for name in NAMES}
    client = TestClient(
        application(Desk(Stack({**known, "domains": "example.com"})), gate), base_url=f"http://127.0.0.1:{PORT}"
    )
    client.get(f"/start?token={gate.token}")
    warm = {path: _measured(client, path) for path in PAGES}
    return 1 if warm["/"] > GOAL else 0


def _measured(client: TestClient, path: str) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = client.get(path)
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    warm = statistics.median(taken[3:])
    said = answer.text.partition("This page asked AWS for ")[2].partition(".")[0]
    print(f"{path:16} {warm:6.0f} ms warm, {taken[0]:6.0f} ms the first time; {len(answer.text) / 1024:.0f} KB; {said}")
    return warm


if __name__ == "__main__":
    sys.exit(main())
