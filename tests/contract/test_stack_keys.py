"""The stack's keys in the ledger: made once, read by purpose, shown by nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from runpy import run_path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import Stubber
from postern_mail.aws import clients
from postern_mail.aws.stack_keys import STAMP, TAGS, make_keys, stack_keys
from postern_mail.aws.watch.history import History
from postern_mail.custom_resource import answered
from postern_mail.errors import Misconfigured

from emulator.cloud import Cloud
from emulator.template import Template
from tests.builders import ROOT

CONTEXT = SimpleNamespace(
    function_name="keys",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:x",
    aws_request_id="r",
    get_remaining_time_in_millis=lambda: 120_000,
)


@pytest.fixture
def ledger(aws: Cloud, template: Template) -> str:
    return template.name("LedgerTable")


@pytest.fixture
def no_keys(aws: Cloud, ledger: str) -> None:
    aws.delete("LedgerTable", [{"message_id": f"#key:{one}", "entry": "key"} for one in (STAMP, TAGS, "reply")])


@pytest.mark.function("InboundFunction")
def test_each_purpose_has_a_key_of_its_own_that_stays(ledger: str) -> None:
    keys = stack_keys(clients.dynamodb(), ledger, STAMP, TAGS)
    assert [len(key) for key in keys] == [32, 32]
    assert keys[0] != keys[1]
    assert stack_keys(clients.dynamodb(), ledger, TAGS, STAMP) == keys[::-1]


@pytest.mark.function("KeysFunction")
@pytest.mark.usefixtures("no_keys")
def test_only_what_is_missing_is_made(aws: Cloud, ledger: str) -> None:
    assert make_keys(clients.dynamodb(), ledger, [STAMP, TAGS], 1.0) == [STAMP, TAGS]
    before = stack_keys(aws.dynamodb, ledger, STAMP, TAGS)
    assert make_keys(clients.dynamodb(), ledger, [STAMP, TAGS, "reply"], 2.0) == ["reply"]
    assert stack_keys(aws.dynamodb, ledger, STAMP, TAGS) == before
    for row in (row for row in aws.rows("LedgerTable") if row["message_id"].startswith("#key")):
        assert set(row) == {"message_id", "entry", "key", "made_at"}, "in no index, and never expired"


@pytest.mark.function("FeedbackFunction")
@pytest.mark.usefixtures("no_keys")
def test_a_key_that_is_missing_is_named(aws: Cloud, ledger: str) -> None:
    with pytest.raises(Misconfigured, match=f"{ledger} lacks #key:tags, which the stack's resource Keys makes"):
        stack_keys(clients.dynamodb(), ledger, TAGS)
    make_keys(aws.dynamodb, ledger, [STAMP, TAGS], 3.0)


@pytest.mark.function("KeysFunction")
@pytest.mark.usefixtures("no_keys")
def test_cloudformation_has_them_made_and_a_deletion_leaves_them(
    aws: Cloud, ledger: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[dict[str, Any]] = []
    kept = partial(answered, put=lambda url, body: answers.append(json.loads(body)))
    monkeypatch.setattr("postern_mail.custom_resource.answered", kept)
    monkeypatch.setattr("postern_mail.custom_resource.PAUSE", 0)
    handler = run_path(str(ROOT / "functions" / "keys" / "handler.py"))["handler"]
    asked = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "Keys", "ResponseURL": "https://answers.example"}
    wanted = {"Table": ledger, "Purposes": [STAMP, TAGS]}
    for kind in ("Create", "Update", "Delete"):
        handler({**asked, "RequestType": kind, "ResourceProperties": wanted}, CONTEXT)
    assert [(one["Status"], one["Reason"], one["PhysicalResourceId"]) for one in answers] == [
        ("SUCCESS", "made stamp, tags of stamp, tags", f"keys of {ledger}"),
        ("SUCCESS", "made none of stamp, tags", f"keys of {ledger}"),
        ("SUCCESS", "the keys stay in the ledger", f"keys of {ledger}"),
    ]
    keys = stack_keys(aws.dynamodb, ledger, STAMP, TAGS)
    assert not [key for key in keys if key.hex() in caplog.text or repr(key) in caplog.text]


ROOMY, NEW = 1000, 10  # what Lambda runs at once in an account, and in a new one


@pytest.mark.function("KeysFunction")
@pytest.mark.parametrize(
    ("free", "before", "wanted", "kind", "refused"),
    [
        (NEW, [], ["links"], "Create", True),
        (101, [], ["links"], "Update", True),
        (103, [], ["links", "api"], "Create", True),
        (102, [], ["links"], "Create", False),
        (104, [], ["links", "api"], "Create", False),
        (102, ["links"], ["links", "api"], "Update", False),
        (ROOMY, [], ["links", "api"], "Create", False),
    ],
)
def test_a_door_that_lambda_has_no_room_for_is_refused_in_a_sentence(  # noqa: PLR0917 (a row of the table)
    ledger: str,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    before: list[str],
    wanted: list[str],
    kind: str,
    refused: bool,
) -> None:
    """A door that is open has its two reserved already. The sentence comes before Lambda's own, which names no door."""
    with lambda_with(free, monkeypatch) as asked:
        ((status, reason),) = keys_for(ledger, monkeypatch, kind, wanted, before)
    assert (status == "FAILED") == refused
    assert ("Service Quotas" in reason and f"({free} not reserved)" in reason) == refused
    assert asked() == 1


@pytest.mark.function("KeysFunction")
@pytest.mark.parametrize(
    ("kind", "wanted", "before"),
    [("Update", ["links"], ["links"]), ("Update", [], ["links"]), ("Delete", ["links"], [])],
)
def test_no_door_that_is_open_or_goes_is_looked_at(
    aws: Cloud, ledger: str, monkeypatch: pytest.MonkeyPatch, kind: str, wanted: list[str], before: list[str]
) -> None:
    """A rollback must not be refused for what was there before."""
    with lambda_with(NEW, monkeypatch) as asked:
        ((status, _),) = keys_for(ledger, monkeypatch, kind, wanted, before)
    assert (status, asked()) == ("SUCCESS", 0)


@contextmanager
def lambda_with(free: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Lambda, which moto does not let be asked; how often it was is counted."""
    client = clients.functions()
    with Stubber(client) as stub, monkeypatch.context() as patch:
        limit = {"UnreservedConcurrentExecutions": free, "ConcurrentExecutions": free}
        stub.add_response("get_account_settings", {"AccountLimit": limit})
        patch.setattr(clients, "functions", lambda *, brief: client)
        yield lambda: 1 - len(stub._queue)  # type: ignore[attr-defined]


def keys_for(
    ledger: str, monkeypatch: pytest.MonkeyPatch, kind: str, wanted: list[str], before: list[str]
) -> list[tuple[str, str]]:
    answers: list[tuple[str, str]] = []

    def kept(url: str, body: bytes) -> None:
        answers.append((json.loads(body)["Status"], json.loads(body)["Reason"]))

    monkeypatch.setattr("postern_mail.custom_resource.answered", partial(answered, put=kept))
    monkeypatch.setattr("postern_mail.custom_resource.PAUSE", 0)
    handler = run_path(str(ROOT / "functions" / "keys" / "handler.py"))["handler"]
    asked = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "Keys", "ResponseURL": "https://answers.example"}
    properties: dict[str, Any] = {"Table": ledger, "Purposes": [STAMP, TAGS]}
    event: dict[str, Any] = {**asked, "RequestType": kind, "ResourceProperties": {**properties, "Doors": wanted}}
    handler(event | ({"OldResourceProperties": {**properties, "Doors": before}} if kind == "Update" else {}), CONTEXT)
    return answers


def test_the_ledger_as_people_read_it_shows_none(aws: Cloud, ledger: str) -> None:
    history = History(aws.dynamodb, ledger)
    make_keys(aws.dynamodb, ledger, [STAMP], 4.0)
    assert history.entries("#key:stamp") == {}
    assert history.message_entries(["#key:stamp"]) == {}
