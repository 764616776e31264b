"""What the client of our own asks is what boto3 asks: each operation by both, recorded by one server."""

import base64
import json
import re
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.http import clients as own
from postern_mail.aws.http.dynamodb import DynamoDB
from postern_mail.aws.http.encoded import PIECE, Encoded
from postern_mail.mail.message import Halves

from emulator.cloud import CREDENTIALS
from tests.own_client import Script

KEY: Any = {"message_id": {"S": "m1"}, "entry": {"S": "\xe9"}}
CHANGE: Any = {
    "TableName": "t", "Key": KEY, "UpdateExpression": "SET #a = :a, b = :b", "ConditionExpression": "c = :a",
    "ExpressionAttributeNames": {"#a": "a"}, "ExpressionAttributeValues": {":a": {"N": "1"}, ":b": {"B": b"\x00\xff"}},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}  # fmt: skip
MAIL: Any = {
    "FromEmailAddress": "info@example.com", "Destination": {"ToAddresses": ["\xe9@dest.example"]},
    "Content": {"Raw": {"Data": b"From: x\r\n\r\n\x00\xe9" * 99}}, "ConfigurationSetName": "c",
    "EmailTags": [{"Name": "n", "Value": "v"}],
}  # fmt: skip
# What boto3 says of itself, its attempts and the connection, and what has the time in it.
OF_ITS_OWN = re.compile("user-agent|amz-sdk-|accept|connection|expect|authorization|x-amz-date")
OBJECT = (200, {"Last-Modified": "Fri, 15 Jan 2027 08:00:00 GMT"}, b"x")
CALLS: dict[str, tuple[str, Callable[[Any], object], list[Any]]] = {
    "UpdateItem": ("dynamodb", lambda client: client.update_item(**CHANGE, ReturnValues="ALL_NEW"), []),
    "BatchGetItem": (
        "dynamodb", lambda client: client.batch_get_item(RequestItems={"t": {"Keys": [KEY], "ConsistentRead": True}}), [],
    ),
    "DeleteItem": ("dynamodb", lambda client: client.delete_item(TableName="t", Key=KEY), []),
    "TransactWriteItems": ("dynamodb", lambda client: client.transact_write_items(TransactItems=[{"Update": CHANGE}]), []),
    "Query": (
        "dynamodb",
        lambda client: list(client.get_paginator("query").paginate(TableName="t", KeyConditionExpression="x = :x")),
        [(200, {}, json.dumps({"Items": [], "LastEvaluatedKey": KEY}).encode()), (200, {}, b'{"Items": []}')],
    ),
    "SendEmail": ("ses", lambda client: client.send_email(**MAIL), []),
    "SendEmail, large": (
        "ses", lambda client: client.send_email(**MAIL | {"Content": {"Raw": {"Data": b'"Data": "\xff' * PIECE}}}), [],
    ),
    "GetObject": ("s3", lambda client: client.get_object(Bucket="b", Key="in/m 1+\xe9~", Range="bytes=0-9"), [OBJECT]),
}  # fmt: skip


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    made = Script()
    for name, value in {**CREDENTIALS, "AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL": made.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # one of another test keeps the credentials it found
    yield made
    made.stop()


def asked(script: Script, client: Any, call: Callable[[Any], object], answers: list[Any]) -> list[Any]:
    """(path, header, body) of each request, with what differs from call to call taken out."""
    script.answers, script.requests = list(answers), []
    call(client)
    found = []
    for _, path, header, body in script.requests:
        said = json.loads(body or b"{}")
        if "ClientRequestToken" in said:
            assert re.fullmatch(r"[0-9a-f-]{32,36}", said.pop("ClientRequestToken"))
        left = {name: value for name, value in header.items() if not OF_ITS_OWN.match(name)}
        if said:
            left["content-length"] = ""  # white space in JSON
        scope = re.search(r"Credential=[^/]*/\d*/([^,]*)", header["authorization"])
        found.append((path, left, said, scope and scope[1]))
    return found


@pytest.mark.parametrize("operation", CALLS)
def test_both_ask_the_same(script: Script, operation: str) -> None:
    service, call, answers = CALLS[operation]
    theirs = asked(script, getattr(clients, service)(), call, answers)
    ours = asked(script, getattr(own, service)(), call, answers)
    assert theirs == ours
    assert len(ours) == max(1, len(answers))


def test_bytes_come_back_as_bytes(script: Script) -> None:
    item = {"a": {"B": "AP8="}, "B": {"S": "AP8="}, "m": {"M": {"B": {"BS": ["AA==", "/w=="]}, "BS": {"L": []}}}}
    answer: Any = (200, {}, json.dumps({"Attributes": item}).encode())
    for client in (clients.dynamodb(), own.dynamodb()):
        script.answers = [answer]
        found = client.update_item(**CHANGE)["Attributes"]
        assert found == {
            "a": {"B": b"\x00\xff"}, "B": {"S": "AP8="}, "m": {"M": {"B": {"BS": [b"\x00", b"\xff"]}, "BS": {"L": []}}},
        }  # fmt: skip


def test_a_repeated_transaction_has_one_token(script: Script) -> None:
    script.answers = ["hang up", "hang up"]
    service = script.service()
    DynamoDB(service).transact_write_items(TransactItems=[])
    tokens = {json.loads(body)["ClientRequestToken"] for *_, body in script.requests}
    assert (len(script.requests), len(tokens)) == (3, 1)


def test_what_does_not_hold_says_what_stood_in_the_way(script: Script) -> None:
    said = {"__type": "x#ConditionalCheckFailedException", "message": "no", "Item": {"a": {"B": "AP8="}}}
    for client in (clients.dynamodb(), own.dynamodb()):
        script.answers = [(400, {}, json.dumps(said).encode())]
        with pytest.raises(client.exceptions.ConditionalCheckFailedException) as refused:
            client.update_item(**CHANGE)
        assert refused.value.response["Item"] == {"a": {"B": b"\x00\xff"}}
        assert refused.value.response["Error"] == {"Code": "ConditionalCheckFailedException", "Message": "no"}
    assert len(script.requests) == 2


def test_a_cancelled_transaction_says_why(script: Script) -> None:
    said = {"__type": "x#TransactionCanceledException", "CancellationReasons": [{"Code": "ConditionalCheckFailed"}]}
    for client in (clients.dynamodb(), own.dynamodb()):
        script.answers = [(400, {}, json.dumps(said).encode())]
        with pytest.raises(client.exceptions.TransactionCanceledException) as refused:
            client.transact_write_items(TransactItems=[{"Update": CHANGE}])
        assert refused.value.response["CancellationReasons"] == [{"Code": "ConditionalCheckFailed"}]


@pytest.mark.parametrize("size", [0, 1, 2, 3, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 2])
def test_base64_in_pieces_is_base64(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    for cut in (0, 1, 2, 3, 4, size):
        halves = Halves(data[: min(cut, size)], memoryview(data)[min(cut, size) : size])
        for body in (Encoded(b"<", data[:size], b">"), Encoded(b"<", halves, b">")):
            for _ in range(2):
                assert b"".join(body) == b"<" + base64.b64encode(data[:size]) + b">"
            assert len(body) == len(b"".join(body))


def test_a_large_message_is_not_in_memory_twice() -> None:
    body = Encoded(b"", bytes(40 * PIECE), b"")
    tracemalloc.start()
    for _ in body:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * PIECE
