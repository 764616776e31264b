"""What `postern doctor` asks of AWS beside ledger and tables."""

from datetime import UTC, datetime, timedelta

from postern_mail.aws import clients
from postern_mail.aws.failures import translated
from postern_mail.aws.watch import receiving

_LOOK_BACK = timedelta(minutes=20)  # SQS tells CloudWatch every minute, some minutes late


def active_rule_set() -> str:
    """The name of the rule set that SES receives by in this region, "" if none is active. Raises Temporary."""
    with translated("SES DescribeActiveReceiptRuleSet"):
        active = clients.receipt_rules(brief=True).describe_active_receipt_rule_set()
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


def not_handed_over() -> dict[str, int]:
    """What SES could not hand over since yesterday, by the metric's name. Raises Temporary."""
    return receiving.not_handed_over(clients.cloudwatch(), datetime.now(UTC).timestamp())


def made_at(table: str) -> float:
    """When a table was made, in epoch seconds. Raises Temporary."""
    with translated("DynamoDB DescribeTable"):
        return clients.dynamodb().describe_table(TableName=table)["Table"]["CreationDateTime"].timestamp()


def is_heard(topic: str) -> bool:
    """Whether anybody has confirmed a subscription to a topic; until then its ARN is the word PendingConfirmation.
    Raises Temporary."""
    with translated("SNS ListSubscriptionsByTopic"):
        pages = clients.sns().get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        return any(one["SubscriptionArn"].startswith("arn:") for page in pages for one in page["Subscriptions"])
