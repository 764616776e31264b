"""The retry queue and the dead letters, for people's work on them."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...mail.records import dataclass
from ..failures import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_HELD = 600  # seconds for which letters are hidden while they are examined
_A_CALL = 10  # messages that SQS returns at once


@dataclass(frozen=True, slots=True)
class Letter:
    """One message of a queue: its body unchanged, and its receipt handle for SQS."""

    receipt: str
    body: str
    sent_at: float  # epoch seconds


class Backlog:
    """One queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put_event(self, event: Mapping[str, Any], by: str) -> None:
        """Put an event in the form of Lambda's failure record, so that it is handled like one. Raises Temporary."""
        record = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(),
            "requestContext": {"condition": "Replayed", "by": by},
            "requestPayload": event,
        }
        self.put(json.dumps(record))

    def put(self, body: str) -> None:
        """Put a body there unchanged. Raises Temporary."""
        with translated("SQS SendMessage"):
            self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def take(self) -> Iterator[Letter]:
        """Every visible letter, each once; all stay hidden for ten minutes. Raises Temporary."""
        while True:
            with translated("SQS ReceiveMessage"):
                batch = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=_A_CALL,
                    VisibilityTimeout=_HELD,
                    WaitTimeSeconds=1,  # asks all of SQS's servers, so that an empty answer means empty
                    MessageSystemAttributeNames=["SentTimestamp"],
                ).get("Messages")
            if not batch:
                return
            for one in batch:
                yield Letter(one["ReceiptHandle"], one["Body"], int(one["Attributes"]["SentTimestamp"]) / 1000)

    def remove(self, letter: Letter) -> None:
        """Delete a letter from the queue. Raises Temporary."""
        with translated("SQS DeleteMessage"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)

    def show(self, letter: Letter) -> None:
        """Make a letter visible again at once. Raises Temporary."""
        with translated("SQS ChangeMessageVisibility"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )

    def count(self) -> int:
        """The number of messages, hidden ones included, which SQS calls approximate. Raises Temporary."""
        with translated("SQS GetQueueAttributes"):
            found = self._client.get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )["Attributes"]
        return sum(map(int, found.values()))
