"""Listing and writing whole rows: pages, conditions, and what DynamoDB says when it refuses."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import Binary
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from postern_command.aws.table_rows import TableRows, caller
from postern_command.tables.change import Change
from postern_mail.aws import clients
from postern_mail.errors import Misconfigured, Overtaken, Throttled, Unavailable
from postern_mail.mail.rows import TableName

from emulator.cloud import Cloud
from emulator.template import Template

KEY = ("edited@example.com",)
# Every type of attribute that DynamoDB has.
TYPED: dict[str, Any] = {
    "address": KEY[0], "destinations": {"b@y.example", "a@y.example"}, "enabled": "No", "expires_at": Decimal("17.5"),
    "note": None, "keep_tag": True, "verdicts": {"spam": ["x", Decimal(1), None, {}]}, "picture": Binary(b"\x00"),
    "numbers": {Decimal(1), Decimal(2)}, "empty": "", "none": [],
}  # fmt: skip


def names(template: Template) -> dict[TableName, str]:
    return {
        "settings": template.name("AliasTable"),
        "whitelists": template.name("AliasTable"),
        "aliases": template.name("AliasTable"),
        "senders": template.name("SenderTable"),
    }


@pytest.fixture
def rows(aws: Cloud, template: Template) -> TableRows:
    aws.delete("AliasTable", ({"address": row["address"]} for row in aws.rows("AliasTable")))
    return TableRows(clients.dynamodb(), names(template))


def found(rows: TableRows) -> dict[str, Any]:
    return {row["address"]: row for row in rows.scan("aliases")}


def test_a_row_of_every_type_is_read_changed_and_removed_on_its_condition(rows: TableRows) -> None:
    rows.write([Change("aliases", KEY, None, TYPED)])
    assert found(rows) == {KEY[0]: TYPED}
    edited = {**TYPED, "enabled": False, "expires_at": 18.25}
    rows.write([Change("aliases", KEY, found(rows)[KEY[0]], edited)])
    assert found(rows) == {KEY[0]: {**edited, "expires_at": Decimal("18.25")}}
    rows.write([Change("aliases", KEY, found(rows)[KEY[0]], None)])
    assert found(rows) == {}


@pytest.mark.parametrize("name", [*TYPED, "updated_at"])
def test_each_attribute_is_part_of_the_condition(rows: TableRows, name: str) -> None:
    rows.write([Change("aliases", KEY, None, TYPED)])
    other = {**TYPED, name: "something else"} if name != "address" else None
    if other is None:
        rows.write([Change("aliases", KEY, TYPED, None)])
    else:
        rows.write([Change("aliases", KEY, TYPED, other)])
    for after in ({"address": KEY[0]}, None):
        with pytest.raises(Overtaken, match="alias edited@example.com: changed by someone else meanwhile"):
            rows.write([Change("aliases", KEY, TYPED, after)])
    assert found(rows) == ({KEY[0]: other} if other else {})


def test_a_new_row_overwrites_none_and_one_fault_stops_all(rows: TableRows) -> None:
    rows.write([Change("aliases", KEY, None, TYPED)])
    with pytest.raises(Overtaken):
        rows.write([Change("aliases", ("new@example.com",), None, {}), Change("aliases", KEY, None, {})])
    assert found(rows) == {KEY[0]: TYPED}


def test_all_pages_are_read(aws: Cloud, template: Template, rows: TableRows) -> None:
    text = "x" * 300_000  # four of them are more than the 1 MB of one page
    aws.put("AliasTable", ({"address": f"a{number}@example.com", "note": text} for number in range(8)))
    client, calls = clients.dynamodb(), []
    client.meta.events.register(
        "before-call.dynamodb.Scan", lambda params, **_: calls.append(json.loads(params["body"]))
    )
    assert len(list(TableRows(client, names(template)).scan("aliases"))) == 8
    assert len(calls) > 1
    assert all(call["ConsistentRead"] for call in calls)


class Script:
    """Scripted answers to TransactWriteItems about two rows."""

    def __init__(self, template: Template) -> None:
        client = clients.dynamodb()
        self.stubber = Stubber(client)
        self.pauses: list[float] = []
        self.rows = TableRows(client, names(template), pause=self.pauses.append)

    def cancelled(self, *codes: str) -> None:
        reasons = [{"Code": code, "Message": "said so"} for code in codes]
        self.stubber.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            "cancelled",
            modeled_fields={"CancellationReasons": reasons},
        )

    def write(self) -> None:
        with self.stubber:
            self.rows.write([Change("aliases", ("a@b.example",), None, {}), Change("senders", ("s", "*"), None, {})])
        self.stubber.assert_no_pending_responses()


@pytest.fixture
def script(aws: Cloud, template: Template) -> Script:
    return Script(template)


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "New"])
def test_what_passes_is_tried_again_after_growing_pauses(script: Script, code: str) -> None:
    script.cancelled("None", code)
    script.cancelled(code, "None")
    script.stubber.add_response("transact_write_items", {})
    script.write()
    assert script.pauses == [0.1, 0.2]


def test_what_does_not_pass_is_throttled(script: Script) -> None:
    for _ in range(7):
        script.cancelled("None", "TransactionConflict")
    with pytest.raises(Throttled, match="conflicted with other writes 7 times"):
        script.write()


def test_a_row_that_was_edited_is_not_tried_again(script: Script) -> None:
    script.cancelled("TransactionConflict", "ConditionalCheckFailed")
    with pytest.raises(Overtaken, match="^sender rule s: changed by someone else meanwhile"):
        script.write()
    assert script.pauses == []
    script.cancelled("ConditionalCheckFailed", "ConditionalCheckFailed")
    with pytest.raises(Overtaken, match=r"^alias a@b.example and 1 more: changed"):
        script.write()


def test_a_row_that_dynamodb_does_not_take_is_named(script: Script) -> None:
    script.cancelled("None", "ValidationError")
    with pytest.raises(Misconfigured, match="does not accept sender rule s: said so"):
        script.write()


@pytest.mark.parametrize("operation", ["Scan", "TransactWriteItems"])
def test_a_network_that_fails_is_temporary(aws: Cloud, template: Template, operation: str) -> None:
    client = clients.dynamodb()

    def fail(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url="x")

    hook: Callable[..., None] = fail
    client.meta.events.register(f"before-call.dynamodb.{operation}", hook)
    rows = TableRows(client, names(template))
    with pytest.raises(Unavailable, match=operation):
        rows.write([Change("aliases", KEY, None, {})]) if operation != "Scan" else list(rows.scan("aliases"))


def test_one_write_has_one_token_however_often_botocore_asks(aws: Cloud, template: Template) -> None:
    """What is asked again after a lost answer is not done twice, nor taken for someone else's edit."""
    client, tokens = clients.dynamodb(), []
    client.meta.events.register(
        "before-call.dynamodb.TransactWriteItems",
        lambda params, **_: tokens.append(b"ClientRequestToken" in params["body"]),
    )
    TableRows(client, names(template)).write([Change("aliases", ("token@example.com",), None, {})])
    assert tokens == [True]


def test_who_is_asking(aws: Cloud) -> None:
    assert caller() == "arn:aws:sts::123456789012:user/moto"
