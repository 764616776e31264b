"""The stack's keys in the ledger: made once, read by purpose, shown by nothing."""

import json
from functools import partial
from runpy import run_path
from types import SimpleNamespace
from typing import Any

import pytest
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


def test_the_ledger_as_people_read_it_shows_none(aws: Cloud, ledger: str) -> None:
    history = History(aws.dynamodb, ledger)
    make_keys(aws.dynamodb, ledger, [STAMP], 4.0)
    assert history.entries("#key:stamp") == {}
    assert history.seen(["#key:stamp"]) == {}
