"""One contract for the fake, the tables file and the tables in DynamoDB; then what only DynamoDB does."""

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from postern_command.tables.file import TablesFile
from postern_mail.aws import clients
from postern_mail.aws.batch import MAX_KEYS
from postern_mail.aws.forward.tables import DynamoTables
from postern_mail.aws.http import clients as own
from postern_mail.aws.recipients.alias_table import DynamoAliasTable
from postern_mail.aws.watch.history import History
from postern_mail.errors import Misconfigured, Throttled, Unavailable
from postern_mail.mail.rows import Row
from postern_mail.ports.forward import Tables

from emulator.cloud import Cloud
from emulator.template import Template
from tests.cloud_here import CloudHere
from tests.fakes import FakeTables

pytestmark = pytest.mark.function("InboundFunction")

ALIASES: dict[str, Row] = {
    f"a{number}@example.com": {"address": f"a{number}@example.com", "destinations": [f"d{number}@dest.example"]}
    for number in range(MAX_KEYS + 50)
}
SENDERS: dict[tuple[str, str], Row] = {
    ("spam.example", "*"): {"sender": "spam.example", "scope": "*", "action": "REJECT"},
}
DESTINATIONS: dict[str, Row] = {"gone@dest.example": {"address": "gone@dest.example", "suspended_at": Decimal(1)}}


@pytest.fixture(params=["fake", "file", "dynamodb", "own client"])
def tables(request: pytest.FixtureRequest, template: Template, monkeypatch: pytest.MonkeyPatch) -> Tables:
    if request.param == "fake":
        return FakeTables(ALIASES, SENDERS, destinations=DESTINATIONS)
    if request.param == "file":
        return TablesFile(frozenset(), ALIASES, SENDERS)
    cloud: CloudHere = request.getfixturevalue("aws")
    cloud.put("AliasTable", ALIASES.values())
    cloud.put("SenderTable", SENDERS.values())
    cloud.put("DestinationTable", DESTINATIONS.values())
    if request.param == "own client":
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", cloud.listening())
        monkeypatch.setattr(clients, "dynamodb", own.dynamodb)
    return dynamo(template)


def dynamo(template: Template, **options: Any) -> DynamoTables:
    aliases, senders, health = (template.name(table) for table in ("AliasTable", "SenderTable", "DestinationTable"))
    return DynamoTables(clients.dynamodb(), aliases, senders, health, **options)


def test_health_is_read_beside_the_rows(tables: Tables) -> None:
    rows = tables.read(["a1@example.com"], [], ["gone@dest.example", "well@dest.example"])
    known = {} if isinstance(tables, TablesFile) else DESTINATIONS
    assert rows.aliases == {"a1@example.com": ALIASES["a1@example.com"]}
    assert rows.destinations == {"gone@dest.example": None, "well@dest.example": None} | known


def test_health_costs_no_call_of_its_own(aws: Cloud, template: Template) -> None:
    tables = dynamo(template)
    made: list[int] = []
    tables._client.meta.events.register("before-call.dynamodb.BatchGetItem", lambda **_: made.append(1))
    tables.read(["a1@example.com"], [("spam.example", "*")], ["gone@dest.example"])
    assert len(made) == 1


def test_health_that_no_one_can_ask_for_is_not_good_health(aws: Cloud, template: Template) -> None:
    tables = DynamoTables(clients.dynamodb(), template.name("AliasTable"), template.name("SenderTable"))
    with pytest.raises(Misconfigured, match="POSTERN_DESTINATION_TABLE"):
        tables.read(["a1@example.com"], [], ["gone@dest.example"])


def test_rows_that_are_there_and_rows_that_are_not(tables: Tables) -> None:
    rows = tables.read(
        ["a1@example.com", "gone@example.com"], [("spam.example", "*"), ("spam.example", "a@example.com")]
    )
    assert rows.aliases == {"a1@example.com": ALIASES["a1@example.com"], "gone@example.com": None}
    assert rows.senders == {
        ("spam.example", "*"): SENDERS["spam.example", "*"],
        ("spam.example", "a@example.com"): None,
    }


def test_nothing_asked_for(tables: Tables) -> None:
    rows = tables.read([], [])
    assert (rows.aliases, rows.senders) == ({}, {})


def test_nothing_asked_for_is_no_call(aws: Cloud, template: Template) -> None:
    """DynamoDB wants at least one table in BatchGetItem; moto takes none."""
    client, made = clients.dynamodb(), []
    client.meta.events.register("before-call.dynamodb", lambda **_: made.append(1))
    DynamoTables(client, template.name("AliasTable"), template.name("SenderTable")).read([], [])
    assert made == []


def test_more_keys_than_one_call_takes(tables: Tables) -> None:
    assert tables.read(list(ALIASES), []).aliases == ALIASES


@pytest.mark.parametrize(("keys", "calls"), [(1, 1), (MAX_KEYS, 1), (MAX_KEYS + 1, 2), (3 * MAX_KEYS, 3)])
def test_the_number_of_calls(aws: Cloud, template: Template, keys: int, calls: int) -> None:
    client, made = clients.dynamodb(), []
    client.meta.events.register("before-call.dynamodb.BatchGetItem", lambda **_: made.append(1))
    read = DynamoTables(client, template.name("AliasTable"), template.name("SenderTable")).read
    read([f"n{number}@example.com" for number in range(keys)], [])
    assert len(made) == calls


class Script:
    """Scripted answers to BatchGetItem."""

    def __init__(self, template: Template) -> None:
        self.client = clients.dynamodb()
        self.stubber = Stubber(self.client)
        self.pauses: list[float] = []
        self.tables = DynamoTables(
            self.client, template.name("AliasTable"), template.name("SenderTable"), pause=self.pauses.append
        )
        self.unprocessed = {template.name("AliasTable"): {"Keys": [{"address": {"S": "a@example.com"}}]}}


@pytest.fixture
def script(aws: Cloud, template: Template) -> Script:
    return Script(template)


def test_unprocessed_keys_are_asked_for_again(script: Script, template: Template) -> None:
    item = {"address": {"S": "a@example.com"}}
    script.stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": script.unprocessed})
    script.stubber.add_response("batch_get_item", {"Responses": {template.name("AliasTable"): [item]}})
    with script.stubber:
        rows = script.tables.read(["a@example.com"], [])
    assert rows.aliases == {"a@example.com": {"address": "a@example.com"}}
    assert len(script.pauses) == 1


def test_keys_that_stay_unprocessed_are_a_temporary_failure_and_never_missing_rows(script: Script) -> None:
    for _ in range(6):
        script.stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": script.unprocessed})
    with script.stubber, pytest.raises(Throttled, match="left 1 keys unprocessed after 6 calls"):
        script.tables.read(["a@example.com"], [])
    script.stubber.assert_no_pending_responses()


@pytest.mark.function("WatchFunction")
def test_the_ledger_is_read_with_the_same_patience_and_the_same_end(script: Script, template: Template) -> None:
    """Asked again at once and for ever, a ledger that is throttled would stay so: doctor, the watch, the digest."""
    table, item = template.name("LedgerTable"), {"message_id": {"S": "a"}, "entry": {"S": "message"}}
    unprocessed = {table: {"Keys": [{**item}]}}
    history = History(script.client, table, script.pauses.append)
    script.stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": unprocessed})
    script.stubber.add_response("batch_get_item", {"Responses": {table: [item]}})
    with script.stubber:
        assert history.message_entries(["a"]).keys() == {"a"}
        assert len(script.pauses) == 1
        for _ in range(6):
            script.stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": unprocessed})
        with pytest.raises(Throttled, match="left 1 keys unprocessed after 6 calls"):
            history.message_entries(["a"])
    script.stubber.assert_no_pending_responses()
    assert script.pauses[1:] == sorted(script.pauses[1:]), "longer and longer"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ProvisionedThroughputExceededException", Throttled),
        ("ThrottlingException", Throttled),
        ("InternalServerError", Unavailable),
        ("ResourceNotFoundException", Misconfigured),
        ("AccessDeniedException", Misconfigured),
        ("SomethingNew", Unavailable),
    ],
)
def test_every_error_is_temporary(aws: Cloud, template: Template, code: str, kind: type[Exception]) -> None:
    client = clients.dynamodb()
    answer = (SimpleNamespace(status_code=400), {"Error": {"Code": code, "Message": "said so"}})
    hook: Any = lambda **_: answer  # noqa: E731 (botocore's types forbid an answer, botocore takes it)
    client.meta.events.register("before-call.dynamodb.BatchGetItem", hook)
    with pytest.raises(kind, match=f"DynamoDB BatchGetItem: {code}: said so"):
        DynamoTables(client, template.name("AliasTable"), template.name("SenderTable")).read(["a@example.com"], [])


def test_a_network_that_fails_is_temporary(aws: Cloud, template: Template) -> None:
    client = clients.dynamodb()

    def fail(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url="x")

    hook: Callable[..., None] = fail
    client.meta.events.register("before-call.dynamodb.BatchGetItem", hook)
    with pytest.raises(Unavailable, match="BatchGetItem"):
        DynamoTables(client, template.name("AliasTable"), template.name("SenderTable")).read(["a@example.com"], [])


@pytest.mark.function("RecipientsFunction")
def test_the_alias_table_as_a_whole_is_read_consistently_and_over_many_pages(aws: Cloud, template: Template) -> None:
    aws.put("AliasTable", ALIASES.values())
    client, asked = clients.dynamodb(), list[bool]()

    def short_pages(params: dict[str, Any], **_: object) -> None:
        params["Limit"] = 100
        asked.append(params["ConsistentRead"])

    client.meta.events.register("provide-client-params.dynamodb.Scan", short_pages)
    rows = DynamoAliasTable(client, template.name("AliasTable")).rows()
    assert {key: rows[key] for key in ALIASES} == ALIASES
    assert len(asked) > 1
    assert all(asked)


@pytest.mark.function("RecipientsFunction")
def test_the_receipt_rules_know_the_settings_and_nothing_else_that_is_postern_s_own(
    aws: Cloud, template: Template
) -> None:
    own: list[dict[str, object]] = [
        {"address": "#settings"},
        {"address": "#x@example.com", "destinations": ["x@dest.example"]},
    ]
    aws.put("AliasTable", own)
    found = DynamoAliasTable(clients.dynamodb(), template.name("AliasTable")).rows()
    aws.delete("AliasTable", ({"address": str(row["address"])} for row in own))
    assert [key for key in found if key.startswith("#")] == ["#settings"], "they say what reply addresses are called"


@pytest.mark.function("")  # there is no such resource
def test_a_table_that_cannot_be_read_is_never_an_empty_one(aws: Cloud) -> None:
    with pytest.raises(Misconfigured, match="Scan"):
        DynamoAliasTable(clients.dynamodb(), "no-such-table").rows()
