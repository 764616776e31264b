"""What `postern doctor` asks of AWS beside ledger and tables."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from . import clients
from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOOK_BACK = timedelta(minutes=20)  # SQS tells CloudWatch every minute, some minutes late
_deserialize = TypeDeserializer().deserialize


def active_rule_set() -> str:
    """The name of the rule set that SES receives by in this region, "" if none is active. Raises Temporary."""
    with translated("SES DescribeActiveReceiptRuleSet"):
        active = clients.receipt_rules().describe_active_receipt_rule_set()
    return str(active.get("Metadata", {}).get("Name", ""))


def oldest(queue_url: str) -> float:
    """Age of the oldest message of a queue in seconds, 0 for an empty one: CloudWatch's metric
    ApproximateAgeOfOldestMessage, which SQS itself does not tell. Raises Temporary."""
    now = datetime.now(UTC)
    with translated("CloudWatch GetMetricStatistics"):
        found = clients.cloudwatch().get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": queue_url.rpartition("/")[2]}],
            StartTime=now - _LOOK_BACK,
            EndTime=now,
            Period=300,
            Statistics=["Maximum"],
        )["Datapoints"]
    latest = max(found, key=lambda point: point["Timestamp"], default={"Maximum": 0})
    return float(latest["Maximum"])


def suspended(client: "DynamoDBClient", table: str) -> Iterator[dict[str, Any]]:
    """The rows of destinations that are sent nothing for now. Raises Temporary."""
    with translated(f"DynamoDB Scan {table}"):
        pages = client.get_paginator("scan").paginate(
            TableName=table, FilterExpression="attribute_exists(suspended_at)"
        )
        for page in pages:
            for item in page["Items"]:
                yield {name: _deserialize(value) for name, value in item.items()}
