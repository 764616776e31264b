"""Unknown recipients refused in SMTP: the alias table changes and the rules follow, through the real function."""

import base64
import smtplib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from postern_command.tables.file import TablesFile

from emulator.cloud import HOST
from emulator.following import Following
from emulator.receiving.rules import Readings
from emulator.system import Emulator
from tests.e2e.test_password_manager import ask, token
from tests.e2e.test_system import AUTHOR, JANE, JOE, Post, message
from tests.password_managers import as_the_extension_reads, extension

TO_JANE = {"destinations": [JANE]}


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    parameters = {"RefuseUnknownRecipients": "true", "AliasApi": "true"}
    with Emulator(
        "example.com", retry_delays=(0.05, 0.05), stack="postern-refusing", parameters=parameters
    ) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    """The running system with two aliases, the rules level with them."""
    running.receiving.readings = Readings()
    running.load(TablesFile(frozenset(["example.com"]), _rows({"info@example.com": TO_JANE, "team@example.com": {"destinations": [JANE, JOE]}}), {}))  # fmt: skip
    running.settle()
    return running


@pytest.fixture
def post(emulator: Emulator) -> Post:
    return Post(emulator)


def _rows(rows: dict[str, Any]) -> dict[str, Any]:
    return {key: {"address": key, **row} for key, row in rows.items()}


def following(emulator: Emulator) -> Following:
    assert emulator.following is not None
    return emulator.following


def answers(emulator: Emulator, *recipients: str) -> list[int]:
    """What SMTP says to each recipient, and to the data if any was taken."""
    with smtplib.SMTP(HOST, emulator.receiving.port) as client:
        client.ehlo()
        client.mail(AUTHOR)
        codes = [client.rcpt(recipient)[0] for recipient in recipients]
        return [*codes, client.data(message())[0]] if 250 in codes else codes


def put(emulator: Emulator, key: str, row: dict[str, Any]) -> None:
    emulator.cloud.put("AliasTable", _rows({key: row}).values())
    emulator.settle()


def named(emulator: Emulator) -> set[str]:
    return {recipient for rule in emulator.rule_set.describe() for recipient in rule["Recipients"]}


ROLES = {"abuse@example.com", "postmaster@example.com", "postern-test@example.com"}


def test_what_is_in_the_table_is_taken_and_everything_else_refused(emulator: Emulator) -> None:
    assert answers(emulator, "info@example.com", "info+x@example.com", "INFO@example.com") == [250, 250, 250, 250]
    assert answers(emulator, "nobody@example.com") == [550]
    assert answers(emulator, "postmaster@example.com", "nobody@example.com") == [250, 550, 250]
    assert named(emulator) == {"info@example.com", "team@example.com", *ROLES}


def test_an_alias_that_is_added_arrives_and_one_that_is_taken_away_is_refused(post: Post) -> None:
    assert answers(post.emulator, "new@example.com") == [550]
    put(post.emulator, "new@example.com", TO_JANE)
    post.send("new@example.com")
    assert post.arrived() == {JANE: 1}
    post.emulator.cloud.delete("AliasTable", [{"address": "new@example.com"}])
    post.emulator.settle()
    assert answers(post.emulator, "new@example.com") == [550]


def test_a_catch_all_opens_the_domain_and_its_end_closes_it(post: Post) -> None:
    put(post.emulator, "@example.com", {"destinations": [JOE]})
    assert named(post.emulator) == {"example.com"}
    post.send("anybody@example.com")
    assert post.arrived() == {JOE: 1}
    put(post.emulator, "@example.com", {"destinations": [JOE], "enabled": False})
    assert answers(post.emulator, "anybody@example.com") == [550]
    assert answers(post.emulator, "info@example.com")[0] == 250


def test_an_expiry_that_passes_makes_no_event_and_the_schedule_sees_it(emulator: Emulator) -> None:
    put(emulator, "soon@example.com", {**TO_JANE, "expires_at": int(time.time()) + 3600})
    assert answers(emulator, "soon@example.com")[0] == 250
    emulator.cloud.put("AliasTable", _rows({"soon@example.com": {**TO_JANE, "expires_at": 1}}).values())
    assert following(emulator).new(), "the stream's record is taken away: as if it had expired by itself"
    following(emulator).tick()
    assert answers(emulator, "soon@example.com") == [550]


def test_a_rule_that_someone_changed_is_repaired_by_the_schedule(emulator: Emulator) -> None:
    (rule,) = emulator.rule_set.describe()
    emulator.rule_set.update({**rule, "Enabled": False})
    assert answers(emulator, "info@example.com") == [550]
    following(emulator).tick()
    assert answers(emulator, "info@example.com")[0] == 250


def test_an_unreadable_row_is_still_taken(emulator: Emulator) -> None:
    """Its message is deferred until the row is corrected: refusing it would lose what correcting it delivers."""
    put(emulator, "typo@example.com", {"destinations": "jane at dest"})
    assert answers(emulator, "typo@example.com")[0] == 250
    emulator.settle()
    emulator.cloud.messages("RetryQueue")


def test_the_other_reading_of_case_refuses_what_is_spelled_otherwise(emulator: Emulator) -> None:
    """Nothing can be done about it but not to use the parameter: docs/unknown-recipients.md has the test for it."""
    emulator.receiving.readings = Readings(case_matters=True)
    assert answers(emulator, "Info@example.com") == [550]
    assert answers(emulator, "info@EXAMPLE.com")[0] == 250


def test_the_other_reading_of_several_recipients_takes_all_and_delivers_to_those_that_match(post: Post) -> None:
    post.emulator.receiving.readings = Readings(any_admits_all=True)
    message_id = post.send("info@example.com", "nobody@example.com")
    assert post.arrived() == {JANE: 1}
    assert {entry for entry in post.ledger(message_id) if entry.startswith("to:")} == {"to:info@example.com"}
    assert answers(post.emulator, "nobody@example.com", "none@example.com") == [250, 250, 550]


def test_rules_in_time_need_no_attention_and_the_lease_is_given_back(emulator: Emulator) -> None:
    before = len(emulator.function_log.read_bytes())
    put(emulator, "measured@example.com", TO_JANE)
    logged = emulator.function_log.read_bytes()[before:].decode()
    assert '"calls":1' in logged
    assert "NeedsSomebody" not in logged
    (lease,) = [row for row in emulator.cloud.rows("LedgerTable") if row["message_id"] == "recipients"]
    assert set(lease) == {"message_id", "entry", "asked"}
    assert emulator.cloud.messages("FailureQueue") == []


def test_switched_on_the_whole_domain_is_taken_first_and_switched_off_the_rules_go(emulator: Emulator) -> None:
    answer = following(emulator).ask("Delete")
    assert (answer["Status"], answer["Reason"]) == ("SUCCESS", "our rules are gone")
    assert emulator.rule_set.describe() == []
    answer = following(emulator).ask("Create")
    assert (answer["Status"], answer["PhysicalResourceId"]) == (
        "SUCCESS",
        "postern-refusing/postern-refusing-recipients-",
    )
    assert named(emulator) == {"example.com"}
    assert answers(emulator, "nobody@example.com")[0] == 250
    emulator.settle()
    following(emulator).tick()
    assert answers(emulator, "nobody@example.com") == [550]
    assert answers(emulator, "info@example.com")[0] == 250


def test_what_ses_sends_to_a_name_that_it_refuses_itself_comes_back(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []
    monkeypatch.setattr(emulator.sending, "publish", lambda _, event: said.append(event))
    raw = message().replace(AUTHOR.encode(), b"info@example.com")
    body = {"FromEmailAddress": "info@example.com", "Content": {"Raw": {"Data": base64.b64encode(raw).decode()}}}
    for name in ("nosuch", "info"):
        emulator.sending.send({**body, "Destination": {"ToAddresses": [f"{name}@example.com"]}})
    assert [one["eventType"] for one in said] == ["Bounce", "Delivery"]
    (person,) = said[0]["bounce"]["bouncedRecipients"]
    assert (person["emailAddress"], person["status"]) == ("nosuch@example.com", "5.1.1")
    assert person["diagnosticCode"].startswith("smtp; 550 5.1.1 ")


def test_an_alias_that_a_password_manager_makes_is_taken_like_any_other(emulator: Emulator) -> None:
    said = token(emulator)
    status, _, body = ask(said["url"], extension("example.com", "custom", "shop"), said["token"])
    assert (status, as_the_extension_reads(status, body)) == (201, "shop@example.com")
    assert answers(emulator, "shop@example.com") == [550]
    emulator.settle()
    assert answers(emulator, "shop@example.com")[0] == 250
    emulator.cloud.delete("AliasTable", [{"address": "shop@example.com"}])
