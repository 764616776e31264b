"""What invokes RecipientsFunction: CloudFormation's custom resource, the alias table's stream, the schedule.

The stream is read when the system is asked to settle; everything new is one batch.
"""

import json
import uuid
from typing import Any

from .account import ACCOUNT, REGION
from .cloud import Cloud
from .function import Function
from .stream import Stream
from .template import Template

SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
_PATIENCE = 120  # seconds for one invocation


class Following:
    """The function with everything that invokes it."""

    def __init__(self, template: Template, cloud: Cloud, function: Function) -> None:
        self.function = function
        self._template = template
        self._cloud = cloud
        self._stream = Stream(cloud, template.name("AliasTable"))

    def ask(self, kind: str) -> dict[str, Any]:
        """CloudFormation's request for the custom resource, Create, Update or Delete; returns the answer.

        The ResponseURL is a presigned one of S3, as on AWS. Raises TimeoutError, RuntimeError without an answer.
        """
        bucket, key = self._template.name("MailBucket"), f"answers/{uuid.uuid4()}"
        url = self._cloud.s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key})
        (properties,) = self._template.resources("Custom::RecipientRules").values()
        self.function.invoke({
            "RequestType": kind,
            "ResponseURL": url,
            "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self._template.stack}/1",
            "RequestId": key,
            "LogicalResourceId": "RecipientRules",
            "ResourceType": "Custom::RecipientRules",
            "ResourceProperties": properties,
        })  # fmt: skip
        self.function.wait_until_idle(_PATIENCE)
        try:
            stored = self._cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self._cloud.s3.exceptions.NoSuchKey as missing:
            raise RuntimeError(f"RecipientsFunction did not answer CloudFormation's {kind}; see its log") from missing
        answer: dict[str, Any] = json.loads(stored)
        return answer

    def tick(self) -> None:
        """Invoke the function as its schedule does."""
        self.function.invoke(SCHEDULED)
        self.function.wait_until_idle(_PATIENCE)

    def follow(self) -> None:
        """Pass on what is new in the stream until nothing is new."""
        while records := self.new():
            self.function.invoke({"Records": records})
            self.function.wait_until_idle(_PATIENCE)

    def new(self) -> list[dict[str, Any]]:
        """Take what is new from the stream, in Lambda's form."""
        return [_event(record) for record in self._stream.new()]


def _event(record: dict[str, Any]) -> dict[str, Any]:
    """A stream record in Lambda's form: times are numbers."""
    written = record["dynamodb"]["ApproximateCreationDateTime"]
    return {**record, "dynamodb": {**record["dynamodb"], "ApproximateCreationDateTime": written.timestamp()}}
