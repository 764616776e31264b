"""SQS, as far as a consumer needs more than Lambda does."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..failures import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


LONGEST_DELAY = 900  # seconds: docs.aws.amazon.com/AWSSimpleQueueService, "Delay queues"


class SqsQueue:
    """One queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def hide(self, receipt: str, seconds: int) -> None:
        """Hide the message with this receipt handle for this long, at most 12 hours
        (docs.aws.amazon.com/AWSSimpleQueueService, "ChangeMessageVisibility"). Raises Temporary."""
        with translated("SQS ChangeMessageVisibility"):
            self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def wake(self, event: Mapping[str, Any], release_at: float, now: float) -> None:
        """Deliver an event at that time, or as late before it as SQS can: in a message of its own, so that it does not
        count as an attempt. Raises Temporary."""
        body = json.dumps({"version": "1.0", "release_at": int(release_at), "requestPayload": event})
        delay = max(0, min(LONGEST_DELAY, int(release_at - now) + 1))
        with translated("SQS SendMessage"):
            self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay)
