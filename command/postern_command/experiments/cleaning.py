"""Remove what runs created: everything with their prefix, including what an interrupted run left behind."""

import time
from collections.abc import Iterator
from typing import Any

from postern_mail.aws import clients
from postern_mail.aws.failures import translated
from postern_mail.errors import Misconfigured

USERS = "/postern-verify/"  # the path of the IAM users that runs create
PACE = 1.1  # seconds between two calls about rules: SES allows one a second


def pace() -> None:
    """Wait before a call about receipt rules."""
    time.sleep(PACE)


def prefix(stack: str) -> str:
    """The prefix of all names that a run uses."""
    return f"{stack[:30]}-verify-"


def rule_set() -> tuple[str, list[dict[str, Any]]]:
    """The active rule set and its rules. Raises Temporary, Misconfigured without one."""
    with translated("SES DescribeActiveReceiptRuleSet"):
        answer = clients.receipt_rules().describe_active_receipt_rule_set()
    if "Metadata" not in answer:
        raise Misconfigured("no rule set is active in this region, so SES receives nothing here")
    return str(answer["Metadata"]["Name"]), answer["Rules"]


def clean(stack: str) -> list[str]:
    """Remove what runs of this stack left behind. Returns the names of what was removed. Raises Temporary."""
    return [name for kind in (_clean_rules, _clean_topics, _clean_queues, clean_users) for name in kind(prefix(stack))]


def _clean_rules(start: str) -> Iterator[str]:
    rules = clients.receipt_rules()
    pace()
    active, found = rule_set()
    for name in (one["Name"] for one in found):
        if name.startswith(start):
            with translated("SES DeleteReceiptRule"):
                pace()
                rules.delete_receipt_rule(RuleSetName=active, RuleName=name)
            yield f"rule {name}"


def _clean_topics(start: str) -> Iterator[str]:
    sns = clients.sns()
    with translated("SNS DeleteTopic"):
        pages = sns.get_paginator("list_topics").paginate()
        found = [one["TopicArn"] for page in pages for one in page["Topics"]]
        for arn in found:
            name = arn.rpartition(":")[2]
            if name.startswith(start):
                sns.delete_topic(TopicArn=arn)
                yield f"topic {name}"


def _clean_queues(start: str) -> Iterator[str]:
    sqs = clients.sqs()
    with translated("SQS DeleteQueue"):
        for url in sqs.list_queues(QueueNamePrefix=start).get("QueueUrls", []):
            sqs.delete_queue(QueueUrl=url)
            yield f"queue {url.rpartition('/')[2]}"


def clean_users(start: str) -> Iterator[str]:
    """Delete the IAM users of runs whose names start with this, with their keys and policies. Raises Temporary."""
    iam: Any = clients.iam()
    with translated("IAM DeleteUser"):
        pages = iam.get_paginator("list_users").paginate(PathPrefix=USERS)
        for name in [one["UserName"] for page in pages for one in page["Users"] if one["UserName"].startswith(start)]:
            for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
                iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
                iam.delete_user_policy(UserName=name, PolicyName=policy)
            iam.delete_user(UserName=name)
            yield f"user {name}"
