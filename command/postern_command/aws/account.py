"""The account and region of a stack, or of a future one: what SES, Route 53 and other services say about them."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from postern_mail.aws import clients
from postern_mail.aws.domains.identities import SesIdentities
from postern_mail.aws.room import lacking
from postern_mail.domains.plan import Identity
from postern_mail.errors import Throttled

from .reach import reaching

_PACE, _TRIES = 1.1, 4  # seconds between calls that SES allows once a second
_RATE_DAYS = 2  # SES computes its rates over a volume, not a time; CloudWatch has the last value within these days


@dataclass(frozen=True, slots=True)
class Caller:
    """The account and the ARN of the credentials in use."""

    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class Sending:
    """The account's status and quota in SES in this region. `a_day` and `sent` are messages in 24 hours, `a_second`
    the sending rate."""

    production: bool
    enabled: bool
    standing: str  # HEALTHY, PROBATION, SHUTDOWN
    a_day: float
    a_second: float
    sent: float
    plan: str  # the pricing plan: NONE, ESSENTIALS, PRO, ENTERPRISE; "" if SES does not say
    review: str  # the request for production access: PENDING, FAILED, GRANTED, DENIED, ""


@dataclass(frozen=True, slots=True)
class ReceiptRule:
    """One rule of the active rule set. `stops`: SES evaluates no rule after it."""

    name: str
    enabled: bool
    recipients: tuple[str, ...]
    stops: bool


@dataclass(frozen=True, slots=True)
class HostedZone:
    """A public hosted zone of Route 53, and its name servers, which count only if the registrar delegates to them."""

    id: str
    domain: str
    servers: frozenset[str]


def region() -> str:
    """The region of all calls. Raises Temporary if none is set."""
    with reaching("SES"):
        return str(clients.identities().meta.region_name)


def caller() -> Caller:
    """STS GetCallerIdentity, which needs no permission. Raises Temporary."""
    with reaching("STS GetCallerIdentity"):
        found = clients.sts().get_caller_identity()
    return Caller(found["Account"], found["Arn"])


def sending() -> Sending:
    """SESv2 GetAccount. Raises Temporary."""
    with reaching("SES GetAccount"):
        found: Any = clients.identities().get_account()
    quota = found.get("SendQuota", {})
    return Sending(
        production=bool(found.get("ProductionAccessEnabled")),
        enabled=bool(found.get("SendingEnabled", True)),
        standing=str(found.get("EnforcementStatus", "HEALTHY")),
        a_day=float(quota.get("Max24HourSend", 0)),
        a_second=float(quota.get("MaxSendRate", 0)),
        sent=float(quota.get("SentLast24Hours", 0)),
        plan=str(found.get("PricingAttributes", {}).get("CurrentPlan", "")),
        review=str(found.get("Details", {}).get("ReviewDetails", {}).get("Status", "")),
    )


def identity(domain: str) -> Identity | None:
    """The SES identity of a domain, None if there is none. Raises Temporary."""
    with reaching("SES"):
        client = clients.identities()
    return SesIdentities(client).look(domain)


def verified() -> frozenset[str]:
    """The verified addresses and domains, in lower case: SES sends for them, and in the sandbox only to them. Raises
    Temporary."""
    with reaching("SES ListEmailIdentities"):
        client: Any = clients.identities()
        found: set[str] = set()
        token = ""
        while True:
            page = client.list_email_identities(PageSize=1000, **({"NextToken": token} if token else {}))
            found |= {one["IdentityName"].lower() for one in page["EmailIdentities"] if _is_verified(one)}
            if not (token := page.get("NextToken", "")):
                return frozenset(found)


def _is_verified(one: Any) -> bool:
    return bool(one.get("VerificationStatus") == "SUCCESS" or one.get("SendingEnabled"))


def busiest_day() -> int:
    """The most messages that SES tried to send on one of the last 14 days (UTC). Raises Temporary."""
    with reaching("SES GetSendStatistics"):
        points = clients.receipt_rules().get_send_statistics().get("SendDataPoints", ())
    days: Counter[Any] = Counter()
    for point in points:
        days[point["Timestamp"].astimezone(UTC).date()] += int(point.get("DeliveryAttempts", 0))
    return max(days.values(), default=0)


def rate(metric: str) -> float | None:
    """The latest BounceRate or ComplaintRate, None if nothing was sent lately. Raises Temporary."""
    now = datetime.now(UTC)
    with reaching("CloudWatch GetMetricStatistics"):
        found = clients.cloudwatch().get_metric_statistics(
            Namespace="AWS/SES",
            MetricName=f"Reputation.{metric}",
            StartTime=now - timedelta(days=_RATE_DAYS),
            EndTime=now,
            Period=3600,
            Statistics=["Maximum"],
        )["Datapoints"]
    latest = max(found, key=lambda point: point["Timestamp"], default=None)
    return None if latest is None else float(latest["Maximum"])


def active_rules() -> tuple[str, tuple[ReceiptRule, ...]]:
    """The name of the active rule set, "" if there is none, and its rules in order. Raises Temporary."""
    active = _active()
    rules = tuple(
        ReceiptRule(
            rule["Name"],
            bool(rule.get("Enabled")),
            tuple(rule.get("Recipients", ())),
            any(action.get("StopAction", {}).get("Scope") == "RuleSet" for action in rule.get("Actions", ())),
        )
        for rule in active.get("Rules", ())
    )
    return str(active.get("Metadata", {}).get("Name", "")), rules


def _active() -> Any:
    """DescribeActiveReceiptRuleSet, retried, since SES allows it once a second and other examinations call it too."""
    for left in reversed(range(_TRIES)):
        try:
            with reaching("SES DescribeActiveReceiptRuleSet"):
                return clients.receipt_rules(brief=True).describe_active_receipt_rule_set()
        except Throttled:
            if not left:
                raise
            time.sleep(_PACE)
    raise AssertionError("the last try ends above")


def hosted_zone(domain: str) -> HostedZone | None:
    """The public hosted zone of a domain, or of the nearest parent domain that has one. Raises Temporary."""
    labels = domain.split(".")
    with reaching("Route 53 ListHostedZonesByName"):
        client = clients.route53()
        for start in range(len(labels) - 1):
            name = ".".join(labels[start:])
            found = client.list_hosted_zones_by_name(DNSName=name, MaxItems="10")["HostedZones"]
            for zone in found:
                if zone["Name"].rstrip(".") == name and not zone.get("Config", {}).get("PrivateZone"):
                    return _zone(client, zone["Id"].rpartition("/")[2], name)
    return None


def _zone(client: Any, zone: str, domain: str) -> HostedZone:
    found = client.get_hosted_zone(Id=zone)
    servers = found.get("DelegationSet", {}).get("NameServers", ())
    return HostedZone(zone, domain, frozenset(one.lower().rstrip(".") for one in servers))


def stack_status(name: str) -> str:
    """The status of a stack, such as CREATE_COMPLETE; "" if there is no such stack. Raises Temporary."""
    with reaching("CloudFormation DescribeStacks"):
        try:
            return str(clients.cloudformation().describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        except ClientError as error:
            if "does not exist" in str(error):
                return ""
            raise


def lacks_room(doors: Collection[str]) -> str:
    """Why Lambda's concurrency has no room for these functions with a public URL, "" if it has. Raises Temporary."""
    with reaching("Lambda"):
        return lacking(clients.functions(), doors)


def tables(names: Iterable[str]) -> Iterator[str]:
    """Those of these tables that exist. Raises Temporary."""
    with reaching("DynamoDB DescribeTable"):
        client = clients.dynamodb()
        for name in names:
            try:
                client.describe_table(TableName=name)
            except client.exceptions.ResourceNotFoundException:
                continue
            yield name


def has_bucket(name: str) -> bool:
    """Whether there is a bucket of this name that these credentials may read. Raises Temporary."""
    with reaching("S3 HeadBucket"):
        try:
            clients.s3().head_bucket(Bucket=name)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
                return False
            raise
    return True


def key_ages(users: Iterable[str]) -> Iterator[tuple[str, float]]:
    """The IAM users whose name contains one of `users`, each with the age of its oldest active access key, in days.

    SES's SMTP service accepts such keys. Raises Temporary.
    """
    wanted, now = tuple(users), datetime.now(UTC)
    with reaching("IAM ListUsers"):
        client: Any = clients.iam()
        for page in client.get_paginator("list_users").paginate():
            for user in page["Users"]:
                if not any(part in user["UserName"] for part in wanted):
                    continue
                keys = client.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
                ages = [(now - key["CreateDate"]).total_seconds() / 86_400 for key in keys if key["Status"] == "Active"]
                if ages:
                    yield user["UserName"], max(ages)
