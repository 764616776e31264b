"""`postern doctor`: nothing that needs someone stays unsaid, and what is well is said to be."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from postern_mail.aws import clients
from postern_mail.aws.watch import looking as checkup
from postern_mail.aws.watch.backlog import Backlog
from postern_mail.aws.watch.state import DynamoWatchState
from postern_mail.errors import Unavailable
from postern_mail.mail.outcomes import State
from postern_mail.ports.forward import Outcome
from postern_mail.ports.watch import Progress

from emulator.account import ACCOUNT, REGION
from tests.builders import envelope
from tests.operating.conftest import Office
from tests.world import World

RESUME = "once the mailbox takes mail again: `postern destination resume jane@dest.example`"
ACTIVATE = "`aws ses set-active-receipt-rule-set --rule-set-name postern`"


@pytest.fixture
def clinic(office: Office, world: World) -> Office:
    """All is well."""
    cloud = office.cloud
    cloud.delete("AliasTable", ({"address": row["address"]} for row in cloud.rows("AliasTable")))
    book(office).save(Progress(finished_at=time.time()))
    return office


def book(office: Office) -> DynamoWatchState:
    return DynamoWatchState(clients.dynamodb(), office.template.name("LedgerTable"), keep_days=37)


def activate(office: Office, name: str) -> Any:
    """A rule set with our rule, and SES receives by it; returns the client."""
    rules = office.cloud.client("ses")
    if name not in [one["Name"] for one in rules.list_receipt_rule_sets()["RuleSets"]]:
        rules.create_receipt_rule_set(RuleSetName=name)
        rule = {"Name": f"{name}-inbound", "Recipients": ["example.com"], "Enabled": True, "Actions": []}
        rules.create_receipt_rule(RuleSetName=name, Rule=rule)
    rules.set_active_receipt_rule_set(RuleSetName=name)
    return rules


def findings(office: Office, status: int = 1, **environment: str) -> dict[str, list[Any]]:
    """What is not well, by check."""
    done = office.run("doctor", "--json", **environment)
    assert done.status == status, done.out
    return {
        one["check"]: [": ".join(filter(None, (each["seen"], each["todo"]))) for each in one["found"]]
        for one in done.objects
        if one["state"] not in ("ok", "not checked")
    }


def test_all_is_well(clinic: Office) -> None:
    done = clinic.run("doctor")
    assert done.status == 0
    assert "ok           messages open too long, orders without a run" in done.out
    assert "not checked  rule set, what SES hands over, rules\n" in done.out
    assert done.out.endswith("All is well: 24 checks passed.\n")
    assert len(done.out.splitlines()) < 24


def test_a_check_that_never_looked_is_a_fault_only_once_it_had_time_to(
    clinic: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(clinic).save(Progress())
    assert findings(clinic, 0) == {}
    monkeypatch.setattr(checkup, "made_at", lambda _: time.time() - 4 * 3600)
    assert findings(clinic) == {
        "messages never seen": ["the hourly check has never looked through the bucket: the log of watch says why"]
    }


def test_a_message_that_is_open_too_long(clinic: Office) -> None:
    clinic.clock.time -= 48 * 3600
    message_id = clinic.happened(("info@example.com", "deferred", "why"))
    clinic.happened(("info@example.com", "forwarded", "why"))
    ((found,),) = findings(clinic).values()
    assert found.startswith(f"{message_id}: ")


def test_an_order_that_was_cut_off_until_an_invocation_looks(clinic: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    message_id = clinic.happened(("info@example.com", "quarantined", "spam FAIL"))
    clinic.store(message_id)

    def cut_off(*_: object, **__: object) -> None:
        raise Unavailable("the network is gone")

    with monkeypatch.context() as patched:
        patched.setattr(Backlog, "put_event", cut_off)
        assert clinic.run("quarantine", "release", message_id).status == 3
    assert findings(clinic)["orders without a run"][0].startswith(f"{message_id}, ordered to run again ")
    clinic.clock.time = time.time() + 5
    made = envelope("info@example.com", message_id=message_id)
    entry = clinic.ledger.open(made)
    settled = Outcome(made.recipients[0], State.FORWARDED, "alias info@example.com")
    clinic.ledger.close(made, [settled], 1234, entry.orders)
    assert findings(clinic, 0) == {}


def test_a_message_no_one_saw_until_it_is_run(clinic: Office) -> None:
    book(clinic).remember("lost", 1_795_000_000)
    assert findings(clinic) == {
        "messages never seen": ["lost, stored 2026-11-18 11:06:40 UTC: `postern replay lost` proposes its recipient"]
    }
    clinic.happened(("info@example.com", "forwarded", "why"), message_id="lost")
    assert findings(clinic, 0) == {}


def test_a_check_that_does_not_run(clinic: Office) -> None:
    book(clinic).save(Progress(finished_at=time.time() - 4 * 86_400))
    assert list(findings(clinic)) == ["messages never seen"]


def test_dead_letters(clinic: Office) -> None:
    clinic.cloud.sqs.send_message(QueueUrl=clinic.url("DeadLetterQueue"), MessageBody="{}")
    assert findings(clinic) == {"dead letters": ["one message: `postern redrive` once the cause is fixed"]}


@pytest.mark.parametrize(
    ("variable", "queue", "check"),
    [
        ("POSTERN_FAILURES", "FailureQueue", "failures of functions"),
    ],
)
def test_what_other_functions_gave_up(clinic: Office, variable: str, queue: str, check: str) -> None:
    url = clinic.url(queue)
    environment: Any = {variable: url}
    assert findings(clinic, 0, **environment) == {}
    clinic.cloud.sqs.send_message(QueueUrl=url, MessageBody="{}")
    found = findings(clinic, **environment)
    clinic.cloud.sqs.purge_queue(QueueUrl=url)
    assert list(found) == [check]
    assert found[check][0].startswith("one event: ")


def test_mail_that_waits_for_hours(clinic: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "oldest", lambda url: 7200.0)
    assert list(findings(clinic)) == ["retry queue"]


def test_the_age_of_a_queue_is_its_latest(clinic: Office) -> None:
    assert checkup.oldest("https://sqs.example/1/none") == 0
    metric = {"MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": [{"Name": "QueueName", "Value": "q"}]}
    watch = clinic.cloud.client("cloudwatch")
    for ago, value in ((900, 9000.0), (60, 120.0)):
        watch.put_metric_data(
            Namespace="AWS/SQS", MetricData=[{**metric, "Value": value, "Timestamp": time.time() - ago}]
        )
    assert checkup.oldest("https://sqs.example/1/q") == 120


@pytest.mark.parametrize("dimension", ["RuleName", "RuleSetName", "Whatever"])
def test_what_ses_gave_up_is_found_whatever_its_metric_is_counted_by(clinic: Office, dimension: str) -> None:
    activate(clinic, dimension)
    assert findings(clinic, 0, POSTERN_RULE_SET=dimension) == {}
    watch = clinic.cloud.client("cloudwatch")
    for name, status in (("PublishFailure", 0), ("PublishExpired", 1)):
        for counted_by in (dimension, "Other"):
            metric = {"MetricName": name, "Dimensions": [{"Name": counted_by, "Value": "x"}], "Value": 1.0}
            watch.put_metric_data(Namespace="AWS/SES", MetricData=[{**metric, "Timestamp": time.time() - 7200}])
        ((said,),) = findings(clinic, status, POSTERN_RULE_SET=dimension).values()
        assert said.startswith(("SES failed 1 times", "SES gave up 1 messages")[status])
    clinic.cloud.client("ses").set_active_receipt_rule_set()
    cloudwatch_backends[ACCOUNT][REGION].reset()


def test_an_alias_with_the_name_of_reply_addresses(clinic: Office) -> None:
    rows = [{"address": "reply@example.com", "destinations": ["jane@dest.example"]}]
    clinic.cloud.put("AliasTable", rows)
    assert "replies are on" not in clinic.run("doctor").out
    clinic.cloud.put("AliasTable", [{"address": "#settings", "reply": "author"}])
    assert "alias reply@example.com: replies are on" in " ".join(clinic.run("doctor").out.split())


def test_rows_that_cannot_be_understood(clinic: Office) -> None:
    pattern = {"pattern": "(.+)=(.+)", "destinations": [r"\1@\2"]}
    clinic.cloud.put("AliasTable", [{"address": "typo@example.com", "destinations": "jane at dest"}])
    clinic.cloud.put("AliasTable", [{"address": "@example.com", "patterns": [pattern]}])
    clinic.cloud.put("SenderTable", [{"sender": "typo.example", "scope": "*", "action": "REJCT"}])
    (found,) = findings(clinic).values()
    clinic.cloud.delete("SenderTable", [{"sender": "typo.example", "scope": "*"}])
    clinic.cloud.delete("AliasTable", [{"address": "@example.com"}])
    wanted = ("typo@example.com", "lets a stranger choose the domain", "typo.example")
    assert len(found) == len(wanted)
    assert all(any(word in line for line in found) for word in wanted)


def test_suspended_destinations(clinic: Office) -> None:
    table = clinic.template.name("DestinationTable")
    row: dict[str, Any] = {"address": "jane@dest.example", "suspended_at": 1_795_000_000, "reason": "NoEmail"}
    clinic.cloud.put("DestinationTable", [row])
    assert findings(clinic, POSTERN_DESTINATION_TABLE=table) == {
        "suspended destinations": ["jane@dest.example since 2026-11-18 11:06:40 UTC: NoEmail: " + RESUME]
    }
    clinic.cloud.delete("DestinationTable", [{"address": row["address"]}])


@pytest.mark.parametrize(("active", "status"), [("postern", 0), ("other", 1)])
def test_the_rule_set_must_be_active(clinic: Office, active: str, status: int) -> None:
    rules = activate(clinic, active)
    found = findings(clinic, status, POSTERN_RULE_SET="postern")
    assert list(found) == ["rule set"] * status
    rules.set_active_receipt_rule_set()


def test_no_rule_set_is_active(clinic: Office) -> None:
    clinic.cloud.client("ses").set_active_receipt_rule_set()
    assert findings(clinic, POSTERN_RULE_SET="postern") == {
        "rule set": ["postern is not active, but none is: no mail comes in by it: " + ACTIVATE]
    }


def test_a_part_that_aws_does_not_answer_for_leaves_the_others(clinic: Office) -> None:
    clinic.cloud.sqs.send_message(QueueUrl=clinic.url("DeadLetterQueue"), MessageBody="{}")
    found = findings(clinic, 3, POSTERN_DESTINATION_TABLE="nothing")
    assert set(found) == {"dead letters", "suspended destinations"}


@pytest.fixture
def topic(clinic: Office) -> Iterator[str]:
    sns = clinic.cloud.client("sns")
    made = sns.create_topic(Name="alarms")["TopicArn"]
    yield made
    sns.delete_topic(TopicArn=made)


def test_alarms_that_no_one_hears(clinic: Office, topic: str) -> None:
    (said,) = findings(clinic, POSTERN_ALARM_TOPIC=topic)["who is told"]
    assert said.startswith("the alarms reach no one")
    sns = clinic.cloud.client("sns")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="me@home.example")
    assert findings(clinic, 0, POSTERN_ALARM_TOPIC=topic, POSTERN_OWNER="me@home.example") == {}


def test_a_subscription_that_waits_to_be_confirmed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pending:
        def get_paginator(self, _: str) -> "Pending":
            return self

        def paginate(self, **_: str) -> list[dict[str, Any]]:
            return [{"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}, {"SubscriptionArn": "Deleted"}]}]

    monkeypatch.setattr(clients, "sns", Pending)
    assert not checkup.has_subscriber("arn:aws:sns:eu-west-1:123456789012:alarms")


def test_someone_who_would_hear_by_way_of_postern_itself(clinic: Office, topic: str) -> None:
    """CloudFormation's rules cannot look into an address, so nothing refuses it before."""
    sns = clinic.cloud.client("sns")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="info@example.com")
    (said,) = findings(clinic, 1, POSTERN_ALARM_TOPIC=topic, POSTERN_OWNER="info@Example.com")["who is told"]
    assert said.startswith("alarms reach info@Example.com only through Postern itself")
