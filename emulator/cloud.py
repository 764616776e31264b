"""S3, DynamoDB and SQS: moto's server, with the template's resources."""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from moto.server import ThreadedMotoServer
from postern_mail.aws.stack_keys import make_keys

from . import inserts, transactions
from .account import REGION
from .template import Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

HOST = "127.0.0.1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator", "AWS_DEFAULT_REGION": REGION}

# The table properties that CreateTable takes; the others need separate calls on AWS.
_TABLE_PROPERTIES = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
_QUEUE_PROPERTIES = ("MessageRetentionPeriod", "VisibilityTimeout", "RedrivePolicy", "SqsManagedSseEnabled")
_REQUESTS_A_CALL = 25  # docs.aws.amazon.com/amazondynamodb, "BatchWriteItem"

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class Cloud:
    """A moto server. `endpoint` is the value for AWS_ENDPOINT_URL."""

    def __init__(self, template: Template, port: int = 0) -> None:
        transactions.install()
        inserts.install()
        self._template = template
        self._server = ThreadedMotoServer(HOST, port, verbose=False)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else a line for each request

    def start(self) -> None:
        """Start the server and create what the template declares."""
        self.listen()
        self.declare()

    def listen(self) -> None:
        """Start the server, empty."""
        self._server.start()

    def declare(self) -> None:
        """Create what the template declares."""
        for bucket in self._template.resources("AWS::S3::Bucket").values():
            where: Any = {"LocationConstraint": REGION}
            self.s3.create_bucket(Bucket=bucket["BucketName"], CreateBucketConfiguration=where)
        for table in self._template.resources("AWS::DynamoDB::Table").values():
            properties: Any = {name: table[name] for name in _TABLE_PROPERTIES if name in table}
            if "StreamSpecification" in table:
                properties["StreamSpecification"] = {"StreamEnabled": True, **table["StreamSpecification"]}
            self.dynamodb.create_table(**properties)
        queues = self._template.resources("AWS::SQS::Queue").values()
        for queue in sorted(queues, key=lambda queue: "RedrivePolicy" in queue):  # dead-letter queues first
            attributes: Any = {name: _attribute(queue[name]) for name in _QUEUE_PROPERTIES if name in queue}
            self.sqs.create_queue(QueueName=queue["QueueName"], Attributes=attributes)
        for topic in self._template.resources("AWS::SNS::Topic").values():
            heard = self.sqs.create_queue(QueueName=_heard(topic["TopicName"]))[
                "QueueUrl"
            ]  # instead of the owner's mailbox
            where = self.sqs.get_queue_attributes(QueueUrl=heard, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            made = self.client("sns").create_topic(Name=topic["TopicName"])["TopicArn"]
            self.client("sns").subscribe(TopicArn=made, Protocol="sqs", Endpoint=where)
        for keys in self._template.resources("Custom::Keys").values():
            make_keys(self.dynamodb, keys["Table"], keys["Purposes"], time.time())

    def stop(self) -> None:
        """Stop the server; everything in it is gone."""
        self._server.stop()

    @property
    def endpoint(self) -> str:
        """The URL of the server."""
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make a client use this server."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.endpoint}

    @cached_property
    def s3(self) -> "S3Client":
        """A client of this server."""
        return cast("S3Client", self.client("s3"))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """A client of this server."""
        return cast("DynamoDBClient", self.client("dynamodb"))

    @cached_property
    def streams(self) -> Any:
        """A client of this server."""
        return self.client("dynamodbstreams")

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client of this server."""
        return cast("SQSClient", self.client("sqs"))

    def client(self, service: Any) -> Any:
        """A client of this server, for any service that moto has."""
        return boto3.client(
            service,
            endpoint_url=self.environment.get("AWS_ENDPOINT_URL"),
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def put(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows to the table with this logical id."""
        items = [{name: _serialize(_exact(value)) for name, value in row.items()} for row in rows]
        self._write(table, [{"PutRequest": {"Item": item}} for item in items])

    def delete(self, table: str, keys: Iterable[Mapping[str, str]]) -> None:
        """Delete rows of the table with this logical id."""
        items = [{name: _serialize(value) for name, value in key.items()} for key in keys]
        self._write(table, [{"DeleteRequest": {"Key": key}} for key in items])

    def _write(self, table: str, requests: list[Any]) -> None:
        for start in range(0, len(requests), _REQUESTS_A_CALL):
            lot = requests[start : start + _REQUESTS_A_CALL]
            self.dynamodb.batch_write_item(RequestItems={self._template.name(table): lot})

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of the table with this logical id."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self._template.name(table))
        return [{name: _deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def partition(self, table: str, **key: str) -> list[dict[str, Any]]:
        """The rows of the table with this logical id under one hash key, {name: value}."""
        ((name, value),) = key.items()
        found = self.dynamodb.query(
            TableName=self._template.name(table),
            KeyConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": name},
            ExpressionAttributeValues={":key": {"S": value}},
        )
        return [{name: _deserialize(value) for name, value in item.items()} for item in found["Items"]]

    def heard(self) -> list[tuple[str, str]]:
        """(subject, text) of what was published on the alarm topic since the last call, oldest first."""
        found = self._taken(self.sqs.get_queue_url(QueueName=_heard(self._template.name("AlarmTopic")))["QueueUrl"])
        return [(one["Subject"], one["Message"]) for one in found]

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Take all messages from the queue with this logical id, as JSON."""
        return self._taken(self.sqs.get_queue_url(QueueName=self._template.name(queue))["QueueUrl"])

    def _taken(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while batch := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


def _heard(topic: str) -> str:
    return f"{topic}-heard"


def _attribute(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


def _exact(value: Any) -> Any:
    """The value with decimals for floats, as DynamoDB needs."""
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    return Decimal(str(value)) if isinstance(value, float) else value
