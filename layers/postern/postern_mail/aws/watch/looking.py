"""What the examinations of a stack ask AWS, apart from ledger, tables and queues."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ...mail.daily_test import Account
from ...mail.records import dataclass
from .. import clients
from ..failures import translated
from . import receiving

_LOOK_BACK = timedelta(minutes=20)  # SQS reports to CloudWatch every minute, with some minutes' delay
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """A function's metrics of the last hour."""

    invocations: int
    errors: int
    throttles: int


@dataclass(frozen=True, slots=True)
class Identity:
    """The state of an SES identity."""

    verified: bool
    sends: bool


def active_rule_set() -> str:
    """The name of the active receipt rule set in this region, "" if there is none. Raises Temporary."""
    with translated("SES DescribeActiveReceiptRuleSet"):
        active = clients.receipt_rules(brief=True).describe_active_receipt_rule_set()
    return str(active.get("Metadata", {}).get("Name", ""))


def oldest(queue_url: str) -> float:
    """Age of the oldest message of a queue in seconds, 0 for an empty one: CloudWatch's metric
    ApproximateAgeOfOldestMessage, which SQS itself does not return. Raises Temporary."""
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


def counted(function: str) -> Counted:
    """The metrics of a function in the last hour, by its name. Raises Temporary."""
    client, now = clients.cloudwatch(), datetime.now(UTC)

    def total(metric: str) -> int:
        with translated("CloudWatch GetMetricStatistics"):
            points = client.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=[{"Name": "FunctionName", "Value": function}],
                StartTime=now - AN_HOUR,
                EndTime=now,
                Period=3600,
                Statistics=["Sum"],
            )["Datapoints"]
        return int(sum(point["Sum"] for point in points))

    return Counted(total("Invocations"), total("Errors"), total("Throttles"))


def identities() -> dict[str, Identity]:
    """SES's identities in this region, by name. Raises Temporary."""
    client, token, found = clients.identities(), "", {}
    while True:
        with translated("SES ListEmailIdentities"):
            page = client.list_email_identities(PageSize=1000, **({"NextToken": token} if token else {}))
        for one in page["EmailIdentities"]:
            verified = one.get("VerificationStatus", "SUCCESS") == "SUCCESS"
            found[one["IdentityName"]] = Identity(verified, bool(one.get("SendingEnabled", True)))
        token = page.get("NextToken") or ""
        if not token:
            return found


def may_send() -> bool:
    """Whether sending is enabled for this account in this region. Raises Temporary."""
    return bool(_account().get("SendingEnabled", True))


def account() -> Account:
    """The state of the account and its identities, for the daily test. Raises Temporary."""
    found = _account()
    verified = frozenset(name for name, one in identities().items() if one.verified and one.sends)
    return Account(bool(found.get("SendingEnabled")), bool(found.get("ProductionAccessEnabled")), verified)


def _account() -> Mapping[str, Any]:
    with translated("SES GetAccount"):
        return dict(clients.identities().get_account())


def not_handed_over() -> dict[str, int]:
    """Deliveries that SES failed to make since yesterday, by the metric's name. Raises Temporary."""
    return receiving.not_handed_over(clients.cloudwatch(), datetime.now(UTC).timestamp())


def has_subscriber(topic: str) -> bool:
    """Whether anyone has confirmed a subscription to a topic; until then its ARN is the word PendingConfirmation.
    Raises Temporary."""
    with translated("SNS ListSubscriptionsByTopic"):
        pages = clients.sns().get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        return any(one["SubscriptionArn"].startswith("arn:") for page in pages for one in page["Subscriptions"])


def made_at(table: str) -> float:
    """When a table was created, in epoch seconds. Raises Temporary."""
    with translated("DynamoDB DescribeTable"):
        return clients.dynamodb().describe_table(TableName=table)["Table"]["CreationDateTime"].timestamp()
