"""The emulator's transactions: whole or not at all, once for each token, at a cost that does not grow with the table."""

import copy
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table
from postern_mail.aws import clients

from emulator.account import ACCOUNT, REGION
from emulator.cloud import Cloud
from emulator.template import Template

ABSENT = "attribute_not_exists(address)"


@pytest.fixture
def table(aws: Cloud, template: Template) -> str:
    aws.delete("AliasTable", ({"address": row["address"]} for row in aws.rows("AliasTable")))
    return template.name("AliasTable")


def held(aws: Cloud) -> dict[str, Any]:
    return {row["address"]: row.get("n") for row in aws.rows("AliasTable")}


def transact(*actions: Any, **more: Any) -> None:
    clients.dynamodb().transact_write_items(TransactItems=actions, **more)


def put(table: str, address: str, condition: str = ABSENT, number: str = "1") -> dict[str, Any]:
    item = {"address": {"S": address}, "n": {"N": number}}
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": condition}}


def update(table: str, address: str, expression: str, **values: Any) -> dict[str, Any]:
    action = {"TableName": table, "Key": {"address": {"S": address}}, "UpdateExpression": expression}
    return {"Update": {**action, "ExpressionAttributeValues": values}}


def delete(table: str, address: str) -> dict[str, Any]:
    return {"Delete": {"TableName": table, "Key": {"address": {"S": address}}}}


def test_a_refused_action_takes_back_every_other_and_says_why(aws: Cloud, table: str) -> None:
    aws.put("AliasTable", [{"address": "kept", "n": 1}, {"address": "counted", "n": 1}, {"address": "there", "n": 1}])
    shard = dynamodb_backends[ACCOUNT][REGION].tables[table].stream_shard
    before, told = held(aws), len(shard.items) if shard else 0
    actions = [put(table, "new"), delete(table, "kept"), put(table, "there")]
    actions.insert(2, update(table, "counted", "SET n = n + :one", **{":one": {"N": "1"}}))
    with pytest.raises(ClientError) as refused:
        transact(*actions)
    reasons: Any = refused.value.response
    assert [one["Code"] for one in reasons["CancellationReasons"]] == ["None"] * 3 + ["ConditionalCheckFailed"]
    assert held(aws) == before
    assert (len(shard.items) if shard else 0) == told


def test_a_transaction_checks_what_it_does_not_write(aws: Cloud, table: str) -> None:
    aws.put("AliasTable", [{"address": "there", "n": 1}])
    row = {"TableName": table, "Key": {"address": {"S": "there"}}}
    check = {"ConditionCheck": {**row, "ConditionExpression": ABSENT}}
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        transact(put(table, "new"), check)
    assert held(aws) == {"there": 1}


def test_one_row_has_one_action(aws: Cloud, table: str) -> None:
    with pytest.raises(ClientError, match="multiple operations on one item"):
        transact(put(table, "new"), delete(table, "new"))
    assert held(aws) == {}


def test_what_was_done_under_a_token_is_not_done_again(aws: Cloud, table: str) -> None:
    for _ in range(2):  # the second finds the row, and is told what the first was
        transact(put(table, "new"), ClientRequestToken="one")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        transact(put(table, "new"), ClientRequestToken="two")
    assert held(aws) == {"new": 1}


def test_no_table_is_copied(aws: Cloud, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []
    plain = copy.deepcopy
    monkeypatch.setattr(copy, "deepcopy", lambda what, memo=None: copied.append(type(what)) or plain(what, memo))  # type: ignore[func-returns-value]
    actions = [put(table, f"row{number}") for number in range(100)]
    transact(*actions)
    assert len(held(aws)) == 100
    assert Table not in copied
