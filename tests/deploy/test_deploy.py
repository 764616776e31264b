"""The stack from its build to its end, by the commands that a user types: one step after the other.

`make test-deploy`, and not part of `make test`. The first step that fails ends it.
"""

import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.deploy.deployment import DOMAIN, STACK, Deployment

INFO, JANE, JOE = f"info@{DOMAIN}", "jane@dest.example", "joe@dest.example"
TABLES = f"""\
domains = ["{DOMAIN}"]

[aliases."{INFO}"]
destinations = ["{JANE}"]
"""

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(tmp_path_factory.mktemp("deploy")) as deployment:
        yield deployment


@pytest.fixture(autouse=True)
def nothing_was_denied(gate: Deployment) -> Iterator[None]:
    yield
    assert gate.denied() == []


def test_it_builds_and_deploys(gate: Deployment) -> None:
    gate.build()
    assert "Successfully created/updated stack" in gate.deploy()
    assert gate.outputs()["RuleSetName"] == STACK
    active = gate.client("ses").describe_active_receipt_rule_set()
    assert (active["Metadata"]["Name"], [rule["Name"] for rule in active["Rules"]]) == (STACK, [f"{STACK}-inbound"])


def test_a_tables_file_is_applied(gate: Deployment, tmp_path: Path) -> None:
    (tmp_path / "tables.toml").write_text(TABLES, encoding="utf-8")
    gate.postern("apply", str(tmp_path / "tables.toml"))
    gate.postern("plan", "--check", str(tmp_path / "tables.toml"))
    assert JANE in gate.postern("resolve", INFO)


def test_mail_is_forwarded_ledgered_and_measured(gate: Deployment) -> None:
    message_id = gate.write(INFO)
    arrived = gate.arrived(JANE)
    assert arrived.endswith(b"\r\n\r\nThe body.\r\n")
    assert f"<{INFO}>".encode() in arrived
    entries = gate.settled(message_id)
    assert entries[f"to:{INFO}"]["state"] == "forwarded"
    assert entries[f"via:{JANE}"]["state"] == "sent"
    stored = gate.s3.get_object(Bucket=gate.outputs()["MailBucketName"], Key=f"inbound/{message_id}")["Body"].read()
    assert stored.endswith(b"\r\n\r\nThe body.\r\n")
    gate.wait_for("the metric", lambda: gate.measured("Forwarded") == 1)
    assert gate.measured("Received") == 1


def test_mail_for_other_domains_is_refused(gate: Deployment) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        gate.write("info@elsewhere.example")


def test_an_edited_row_holds_for_the_next_message(gate: Deployment) -> None:
    gate.postern("alias", "add", f"new@{DOMAIN}", JOE)
    # The place for functions/recipients: here the rules of the active set follow the row.
    message_id = gate.write(f"new@{DOMAIN}", INFO)
    gate.arrived(JOE)
    gate.arrived(JANE, 2)
    assert {key for key in gate.settled(message_id) if key.startswith("via:")} == {f"via:{JANE}", f"via:{JOE}"}


def test_what_ses_does_not_take_waits_on_the_retry_queue_and_then_goes(gate: Deployment) -> None:
    gate.read_retries(False)
    gate.account.throttled = True
    message_id = gate.write(INFO)
    (record,) = gate.waiting(1)
    assert record["requestPayload"]["Records"][0]["ses"]["mail"]["messageId"] == message_id
    assert gate.ledger(message_id)["message"]["open"]
    gate.account.throttled = False
    gate.read_retries(True)
    gate.arrived(JANE, 3)
    assert gate.settled(message_id)[f"to:{INFO}"]["state"] == "forwarded"
    assert gate.waiting(0) == []


def test_an_update_holds_for_the_next_message_and_keeps_the_tables(gate: Deployment) -> None:
    before = gate.postern("export")
    assert "Successfully created/updated stack" in gate.deploy(SubjectTag="[gate]")
    assert gate.postern("export") == before
    gate.write(INFO)
    assert message_from_bytes(gate.arrived(JANE, 4))["Subject"].split() == ["[gate]", "Hello"]


def test_it_goes_and_leaves_what_is_retained(gate: Deployment) -> None:
    bucket = gate.outputs()["MailBucketName"]
    assert len(gate.left()) > 3
    gate.delete()
    assert gate.left() == [
        *(f"table {STACK}-{table}" for table in ("aliases", "destinations", "ledger", "senders")),
        f"bucket {bucket}",
    ]
    assert "Metadata" not in gate.client("ses").describe_active_receipt_rule_set()
    assert gate.s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 4
