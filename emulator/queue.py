"""Lambda's event source for a queue: each message is one event, deleted when the function returns.

docs.aws.amazon.com/lambda, "Using Lambda with Amazon SQS": a message whose function fails comes
back when its visibility timeout has passed.
"""

import threading
from typing import Any

from .cloud import Cloud
from .function import Function
from .template import Template


class EventSource:
    """The event source between a queue and a function, by their logical ids in the template."""

    def __init__(self, template: Template, queue: str, function: Function, cloud: Cloud) -> None:
        self._arn = template.arn(queue)
        self._name = template.name(queue)
        self._function = function
        self._cloud = cloud
        self._receipts: dict[str, str] = {}  # receipt handles of messages that failed, by id
        self._stopping = threading.Event()

    def run(self, pause: float) -> None:
        """Consume messages until stopped, polling at this interval in seconds."""
        threading.Thread(target=self._run, args=(pause,), daemon=True).start()

    def stop(self) -> None:
        """Stop consuming messages."""
        self._stopping.set()

    def consume(self) -> list[dict[str, Any] | None]:
        """Run every visible message; returns None or the error for each."""
        found = []
        while (message := self._next()) is not None and not self._stopping.is_set():
            error = self._function.run({"Records": [self._record(message)]})
            self._receipts[message["MessageId"]] = message["ReceiptHandle"]
            if error is None:
                self._cloud.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                del self._receipts[message["MessageId"]]
            found.append(error)
        return found

    def wake(self) -> None:
        """Make every message that failed visible at once, as if its visibility timeout had passed."""
        for receipt in self._receipts.values():
            self._cloud.sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0)
        self._receipts.clear()

    @property
    def _url(self) -> str:
        return self._cloud.sqs.get_queue_url(QueueName=self._name)["QueueUrl"]

    def _next(self) -> Any:
        batch = self._cloud.sqs.receive_message(QueueUrl=self._url, MessageSystemAttributeNames=["All"])
        return next(iter(batch.get("Messages", ())), None)

    def _record(self, message: Any) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": self._arn.split(":")[3],
        }

    def _run(self, pause: float) -> None:
        while not self._stopping.wait(pause):
            self.consume()
