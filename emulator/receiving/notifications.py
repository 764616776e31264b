"""SES's SNS action: a notification that contains the message, and whether a topic accepts one.

docs.aws.amazon.com/ses, "Publish to Amazon SNS topic action" and "Contents of notifications for Amazon SES email
receiving". A message of more than 150 KB is not published but bounced.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Protocol

from ..account import ACCOUNT

MAX_SIZE = 150 * 1024  # octets, header and body


class Cloud(Protocol):
    """The AWS client for the topics."""

    def client(self, service: str) -> Any:
        """A boto3 client."""


def publish(cloud: Cloud, action: Mapping[str, Any], stored: bytes, event: Mapping[str, Any]) -> None:
    """Publish a stored message to the action's topic."""
    if len(stored) > MAX_SIZE:
        return  # the sender gets a bounce, which is not played here
    ses = event["Records"][0]["ses"]
    coded = action.get("Encoding", "UTF-8") == "Base64"
    content = base64.b64encode(stored).decode() if coded else stored.decode("utf-8", "replace")
    kind = {"type": "SNS", "topicArn": action["TopicArn"], "encoding": "BASE64" if coded else "UTF8"}
    notification = {
        "notificationType": "Received",
        "mail": ses["mail"],
        "receipt": {**ses["receipt"], "action": kind},
        "content": content,
    }
    cloud.client("sns").publish(TopicArn=action["TopicArn"], Message=json.dumps(notification))


def may_publish(cloud: Cloud, topic: str) -> bool:
    """Whether the topic exists and its policy lets SES publish for this account."""
    sns = cloud.client("sns")
    try:
        policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    except sns.exceptions.NotFoundException:
        return False
    return any(
        one["Effect"] == "Allow"
        and one["Principal"] == {"Service": "ses.amazonaws.com"}
        and "sns:publish" in str(one["Action"]).lower()
        and one.get("Condition", {}).get("StringEquals", {}).get("AWS:SourceAccount", ACCOUNT) == ACCOUNT
        for one in policy["Statement"]
    )
