"""What applying a tables file costs: `python -m bench.tables`.

DynamoDB is a stub inside botocore, so the figures show only our side: parsing, checking, comparing, serializing and
signing. The claims: time grows with the number of rows, memory depends on the file but not on the live rows, and there
are as few calls as DynamoDB allows.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from postern_command.aws.table_rows import TableRows
from postern_command.tables.checks import Findings
from postern_command.tables.differences import make_equal, surveys
from postern_command.tables.file import TablesFile
from postern_mail.mail.plan import Policy

DOMAINS = frozenset({"example.com"})
PAGE = 5_000  # rows per MB, approximately
ROUND_TRIP = 0.05  # seconds for one call to DynamoDB, assumed; about right for a transaction of 100 rows
STAMP = {"updated_at": 1_800_000_000, "updated_by": "arn:aws:iam::123456789012:user/bench"}


@dataclass
class Stub:
    """Answers for DynamoDB at botocore's `before-send`, with live rows made up on request."""

    live: int
    destination: str
    calls: Counter[str] = field(default_factory=Counter)

    def rows(self) -> TableRows:
        """The tables as the command uses them."""
        anybody: Any = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench", "region_name": "eu-west-1"}
        client: Any = boto3.client("dynamodb", **anybody)
        client.meta.events.register("before-send.dynamodb.*", self.answer)
        return TableRows(client, {"aliases": "aliases", "senders": "senders"})

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        """One HTTP response."""
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        self.calls[operation] += 1
        body = json.dumps(self._page(json.loads(request.body)) if operation == "Scan" else {}).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(body))

    def _page(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["TableName"] == "senders":
            return {"Items": []}
        start = int(asked.get("ExclusiveStartKey", {}).get("address", {}).get("S", "0"))
        end = min(self.live, start + PAGE)
        page: dict[str, Any] = {"Items": [self._item(number) for number in range(start, end)]}
        return {**page, "LastEvaluatedKey": {"address": {"S": str(end)}}} if end < self.live else page

    def _item(self, number: int) -> dict[str, Any]:
        stamp = {"updated_at": {"N": "1800000000"}, "updated_by": {"S": STAMP["updated_by"]}}
        return {"address": {"S": key(number)}, "destinations": {"L": [{"S": self.destination}]}, **stamp}


class _Raw:
    """A body as urllib3 gives it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        """The whole body at once."""
        yield self._body


def key(number: int) -> str:
    """A made-up alias."""
    return f"somebody.{number:07}@example.com"


def write(path: Path, count: int) -> None:
    """Write a tables file with this many aliases."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f'[aliases."{key(n)}"]\ndestinations = ["new@dest.example"]\n\n' for n in range(count))


def apply(path: Path, live: int, destination: str) -> dict[str, Any]:
    """Apply a file to this many live rows. Returns seconds by step, rows written, calls, and memory in MB."""
    start = time.perf_counter()
    tables = TablesFile.load(path)
    loaded = time.perf_counter()
    Findings.of(tables, Policy(DOMAINS))
    checked = time.perf_counter()
    held = memory()
    stub = Stub(live, destination)
    rows = stub.rows()
    found = surveys(tables, rows)
    make_equal(tables, rows, found, STAMP, lambda _: None)
    done = time.perf_counter()
    return {
        "load": loaded - start,
        "check": checked - loaded,
        "write": done - checked,
        "rows": sum(one.total for one in found.values()),
        "calls": dict(stub.calls),
        "file": held,
        "beyond": memory() - held,
    }


def memory() -> float:
    """The peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(count: int, live: int, destination: str) -> dict[str, Any]:
    """The same in a separate process, to measure its memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tables.toml"
        write(path, count)
        command = [sys.executable, "-m", "bench.tables", str(path), str(live), destination]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (ourselves)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print the figures."""
    print("aliases     live   written  rows/s  load  check  write  calls  at 50 ms each   file  beyond it")
    for count, live, destination in (
        (10_000, 0, ""),
        (100_000, 0, ""),  # all new
        (100_000, 100_000, "new@dest.example"),  # nothing to do
        (100_000, 100_000, "old@dest.example"),  # all change
        (1_000, 100_000, "new@dest.example"),  # nearly all go
    ):
        one = measured(count, live, destination)
        calls = sum(one["calls"].values())
        rate = f"{one['rows'] / one['write']:7,.0f}" if one["rows"] else "      -"
        print(
            f"{count:7,} {live:8,} {one['rows']:9,} {rate} {one['load']:5.1f} {one['check']:6.1f} {one['write']:6.1f}"
            f" {calls:6,} {calls * ROUND_TRIP:12.0f} s {one['file']:6.0f} MB {one['beyond']:6.0f} MB"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(apply(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
    else:
        main()
