"""What `postern doctor` asks of AWS about people."""

from postern_mail.aws import clients
from postern_mail.aws.failures import translated


def is_heard(topic: str) -> bool:
    """Whether anybody has confirmed a subscription to a topic; until then its ARN is the word PendingConfirmation.
    Raises Temporary."""
    with translated("SNS ListSubscriptionsByTopic"):
        pages = clients.sns().get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        return any(one["SubscriptionArn"].startswith("arn:") for page in pages for one in page["Subscriptions"])
