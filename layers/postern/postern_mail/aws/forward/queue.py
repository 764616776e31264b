"""SQS, as far as a consumer needs it beyond what Lambda does."""

from typing import TYPE_CHECKING

from ..failures import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueue:
    """One queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def hide(self, receipt: str, seconds: int) -> None:
        """Let nobody see the message with this receipt handle for so long, at most 12 hours
        (docs.aws.amazon.com/AWSSimpleQueueService, "ChangeMessageVisibility"). Raises Temporary."""
        with translated("SQS ChangeMessageVisibility"):
            self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
