"""The measured process, which handles messages as on Lambda: `python one_process.py KIND RESULTS PLAN`.

KIND is `postern`, the inbound function itself, or `boto3`: the same message by five calls of bare boto3, nothing else.
PLAN is JSON, [[name, size, recipients, times], ...]. RESULTS gets JSON: when the first message was done, and for each
line of the plan the CPU time and wall time of each message in seconds, and the peak memory so far in MB.

This module imports nothing that the measured code does not import itself.
"""
# ruff: noqa: PLC0415

import json
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KIND, RESULTS, PLAN = sys.argv[1:]
FIRST = [["first", 3_000, ["info@example.com"], 1]]


class Context:
    """Lambda's."""

    function_name, memory_limit_in_mb, invoked_function_arn, aws_request_id = "f", 512, "arn", "r"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Enough."""
        return 120_000


def event(message_id: str, recipients: "list[str]") -> "dict[str, Any]":
    """What SES sends."""
    mail = {"messageId": message_id, "source": "betsy@sender.example", "timestamp": "2026-11-22T12:00:00.000Z"}
    ses = {"mail": mail, "receipt": {"recipients": recipients}}
    return {"Records": [{"eventSource": "aws:ses", "ses": ses}]}


def memory() -> float:
    """The peak resident memory since the start, in MB; getrusage would include the parent's."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def by_postern() -> "Callable[[str, list[str]], object]":
    """The function."""
    import handler  # type: ignore[import-not-found]

    return lambda message_id, recipients: handler.handler(event(message_id, recipients), Context)


def by_boto3() -> "Callable[[str, list[str]], object]":
    """The five calls that any forwarder needs: note, look up, fetch, send, note."""
    import boto3

    dynamodb, s3, ses = boto3.client("dynamodb"), boto3.client("s3"), boto3.client("sesv2")

    def handle(message_id: str, recipients: "list[str]") -> None:
        change: Any = {
            "TableName": "ledger",
            "Key": {"message_id": {"S": message_id}, "entry": {"S": "message"}},
            "UpdateExpression": "SET a = :a",
            "ExpressionAttributeValues": {":a": {"S": message_id}},
        }
        dynamodb.update_item(**change)
        keys: Any = [{"address": {"S": one}} for one in recipients]
        dynamodb.batch_get_item(RequestItems={"aliases": {"Keys": keys, "ConsistentRead": True}})
        raw = s3.get_object(Bucket="b", Key=f"inbound/{message_id}")["Body"].read()
        ses.send_email(
            FromEmailAddress="info@example.com",
            Destination={"ToAddresses": ["info@dest.example"]},
            Content={"Raw": {"Data": raw}},
            ConfigurationSetName="c",
        )
        dynamodb.update_item(**change)

    return handle


def main() -> None:
    """Handle the first message, then those of the plan."""
    handle = by_postern() if KIND == "postern" else by_boto3()
    found: dict[str, Any] = {}
    for line, (name, size, recipients, times) in enumerate(FIRST + json.loads(PLAN)):
        cpu, wall = [], []
        for number in range(times):
            begun, used = time.monotonic(), time.process_time()
            handle(f"{size}-{line}-{number}", recipients)
            cpu.append(time.process_time() - used)
            wall.append(time.monotonic() - begun)
        if not found:
            found["done"] = {"at": time.monotonic(), "cpu": time.process_time(), "modules": len(sys.modules)}
        found[name] = {"cpu": cpu, "wall": wall, "memory": memory()}
    with open(RESULTS, "w", encoding="ascii") as results:
        json.dump(found, results)


main()
