"""The calls that docs/costs.py reckons with, counted: a message with one destination, its delivery, an idle hour and day."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from runpy import run_path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest
from postern_mail.aws import clients
from postern_mail.aws.daily_test import PARTITION
from postern_mail.aws.feedback import assembly as feedback
from postern_mail.aws.forward import assembly as forward
from postern_mail.aws.mail_log import mail_log
from postern_mail.aws.stack_keys import STAMP, TAGS, make_keys
from postern_mail.aws.watch import assembly as scheduled
from postern_mail.aws.watch.summaries import DynamoSummaries
from postern_mail.daily_summaries import DailySummaries
from postern_mail.environment import DigestEnvironment, FeedbackEnvironment, InboundEnvironment
from postern_mail.mail.days import A_DAY
from postern_mail.mail.summaries import AGAIN

from docs.costs import DAILY_TEST, DIGEST, MESSAGE, SUMMARY, SUMMED_UP, WATCH, Usage, added, times
from emulator.account import REGION
from emulator.receiving.name_server import NameServer
from emulator.receiving.zone import Zone
from emulator.sending.refusals import Account
from emulator.sending.server import Sending
from tests.builders import ROOT, event, stored
from tests.operating.conftest import Office

INDEXES = 2  # of the ledger, in which a message's own entry stands
READS, WRITES = "dynamodb-reads", "dynamodb-writes"
CONTEXT = SimpleNamespace(
    function_name="watch", memory_limit_in_mb=256, invoked_function_arn="arn", aws_request_id="id"
)
OTHERS = {
    ("sesv2", "SendEmail"): "ses-out",
    ("s3", "GetObject"): "s3-reads",
    ("s3", "ListObjectsV2"): "s3-writes",
    ("cloudwatch", "GetMetricStatistics"): "metric-requests",
    ("cloudwatch", "ListMetrics"): "metric-requests",
    ("sns", "ListSubscriptionsByTopic"): "sns",
    ("sns", "Publish"): "mails",
}
# Nothing is charged for these.
FREE = {("sesv2", "GetAccount"), ("sesv2", "ListEmailIdentities"), ("ses", "DescribeActiveReceiptRuleSet")}
FREE |= {("dynamodb", "DescribeTable")}


class Meter:
    """Takes botocore's event `before-parameter-build`, and knows what each call is billed as."""

    def __init__(self) -> None:
        self.usage: dict[str, float] = {}

    def __call__(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service, operation = model.service_model.service_name, model.name
        self.usage = added(self.usage, _billed(service, operation, params))


def _billed(service: str, operation: str, params: Mapping[str, Any]) -> Usage:
    if service == "sqs":
        return {"sqs": 1}
    if (service, operation) in FREE:
        return {}
    if service == "dynamodb":
        match operation:
            case "BatchGetItem":
                return {READS: sum(len(one["Keys"]) for one in params["RequestItems"].values())}
            case "Query" | "GetItem" | "Scan":
                return {READS: 1}
            case "TransactWriteItems":
                return {WRITES: sum(2 * _written(one) for each in params["TransactItems"] for one in each.values())}
            case "UpdateItem" | "PutItem" | "DeleteItem":
                return {WRITES: _written(params)}
            case _:
                pass
    return {OTHERS[service, operation]: 1}  # KeyError: what it costs is not known


def _written(item: Mapping[str, Any]) -> int:
    key: Mapping[str, Any] = item.get("Key") or item["Item"]
    return 1 + INDEXES * bool(key.get("entry") == {"S": "message"})


@pytest.fixture
def meter(office: Office, monkeypatch: pytest.MonkeyPatch) -> Meter:
    made, session = Meter(), botocore.session.get_session()
    handler: Any = made
    make_keys(office.cloud.dynamodb, office.template.name("LedgerTable"), (STAMP, TAGS), time.time())
    session.register("before-parameter-build", handler)
    monkeypatch.setattr(clients, "boto3", boto3.Session(botocore_session=session))
    return made


@pytest.fixture
def sending(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sending]:
    sets = {one["Name"] for one in office.template.resources("AWS::SES::ConfigurationSet").values()}
    made = Sending(Account(identities={"example.com"}, configuration_sets=sets), lambda *_: None)
    made.start()
    for name in ("AWS_ENDPOINT_URL_SESV2", "AWS_ENDPOINT_URL_SES"):
        monkeypatch.setenv(name, made.endpoint)
    yield made
    made.stop()


def told(office: Office, function: str) -> dict[str, str]:
    """The function's variables, and boto3, whose calls can be counted."""
    variables = office.template.resource(function)["Environment"]["Variables"]
    return {**variables, "POSTERN_AWS_CLIENT": "boto3", "POSTERN_OWNER": "owner@home.example"}


def at_most(usage: Usage, reckoned: Usage) -> None:
    """What is counted is within what is reckoned."""
    for name, amount in usage.items():
        assert amount <= reckoned.get(name, 0), name


def test_a_message_and_its_delivery(office: Office, meter: Meter, sending: Sending) -> None:
    published: list[dict[str, Any]] = []
    sending.publish = lambda _, detail: published.append(dict(detail))
    office.cloud.put("AliasTable", [{"address": "billed@example.com", "destinations": ["jane@dest.example"]}])
    inbound = InboundEnvironment.from_environment(told(office, "InboundFunction"))
    listening = FeedbackEnvironment.from_environment(told(office, "FeedbackFunction"))
    intake = forward.intake(inbound, mail_log(inbound.stack))
    listener = feedback.listener(listening, mail_log(listening.stack))
    office.store(
        "billed", stored(b"From: Betsy <betsy@sender.example>\r\nSubject: hi\r\n\r\nbody\r\n", message_id="billed")
    )
    meter.usage = {}
    now = datetime.now(UTC).isoformat()
    intake.handle(event("billed@example.com", message_id="billed", timestamp=now), time.time() + 60)
    (delivered,) = [one for one in published if one["eventType"] == "Delivery"]
    listener.handle({"source": "aws.ses", "detail-type": "Email Delivered", "detail": delivered})
    assert office.entries("billed")["via:jane@dest.example"]["delivered"]
    at_most(meter.usage, MESSAGE)
    kept = sum(len(str(entry)) for entry in office.entries("billed").values())
    assert kept / 1024**3 * 37 / 30 <= MESSAGE["dynamodb-gb"]
    for name in (READS, WRITES):
        assert meter.usage[name] > MESSAGE[name] / 2, f"{name}: docs/costs.py says too much"
    assert meter.usage["ses-out"] == MESSAGE["ses-out"]
    assert meter.usage["s3-reads"] == MESSAGE["s3-reads"]


@pytest.mark.slow
def test_three_idle_hours_of_the_watch(
    office: Office, meter: Meter, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler whole, as the schedule starts it."""
    sns = office.cloud.client("sns")
    topic = sns.create_topic(Name="billed")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="owner@home.example")
    for name, value in {**told(office, "WatchFunction"), "POSTERN_ALARM_TOPIC": topic}.items():
        monkeypatch.setenv(name, value)
    functions = ",".join(f"postern-office-{one}Function" for one in ("Inbound", "Feedback", "Digest", "Recipients"))
    handler = run_path(str(ROOT / "functions/watch/handler.py"))["handler"]
    for first in (True, False):  # then they tell people what they find in this new stack, and add up its last weeks
        meter.usage = {}
        for _ in range(3):
            handler({"functions": functions}, CONTEXT)
        assert meter.usage.pop("s3-writes", 0) == first, "one list in three hours"
    at_most(meter.usage, {name: 3 * amount for name, amount in WATCH.items()})
    assert meter.usage["metric-requests"] > len(functions.split(",")), "errors and throttles of each are looked at"


def test_a_day_that_is_added_up_four_times(office: Office, meter: Meter) -> None:
    office.clock.time = 1_920_067_200 + 3600
    for number in range(6):
        office.happened((f"a{number % 2}@example.com", "forwarded", ""))
    book = DynamoSummaries(clients.dynamodb(), office.template.name("LedgerTable"))
    watch = DailySummaries(book=book, clock=office.clock)
    while watch.run():
        pass
    meter.usage = {}
    for _ in range(AGAIN + 2):
        office.clock.time += A_DAY
        watch.run()
    days = times(SUMMARY, AGAIN + 2)  # those that follow are without mail
    at_most(meter.usage, added(days, times(SUMMED_UP, 6)))
    assert meter.usage[READS] > sum(SUMMED_UP.values())


def test_an_idle_day_of_the_digest(office: Office, meter: Meter, sending: Sending) -> None:
    environment = DigestEnvironment.from_environment(told(office, "DigestFunction"))
    digest = scheduled.owner_mail(environment, mail_log(environment.stack))
    meter.usage = {}
    digest.run()
    at_most(meter.usage, DIGEST)


@pytest.mark.parametrize("at_home", [True, False], ids=["MX is ours", "MX is elsewhere"])
def test_a_daily_test(office: Office, meter: Meter, sending: Sending, at_home: bool) -> None:
    """As it goes out, comes in and is delivered; nothing where public DNS names someone else."""
    out: list[bytes] = []
    sending.deliver = lambda _, raw: out.append(raw)
    published: list[dict[str, Any]] = []
    sending.publish = lambda _, detail: published.append(dict(detail))
    inbound = InboundEnvironment.from_environment(told(office, "InboundFunction"))
    listening = FeedbackEnvironment.from_environment(told(office, "FeedbackFunction"))
    intake = forward.intake(inbound, mail_log(inbound.stack))
    listener = feedback.listener(listening, mail_log(listening.stack))
    with NameServer(Zone()) as names:
        names.records["example.com", "MX"] = [f"10 inbound-smtp.{REGION if at_home else 'xx-west-1'}.amazonaws.com."]
        variables = {**told(office, "DigestFunction"), "POSTERN_NAMESERVER": names.address}
        environment = DigestEnvironment.from_environment(variables)
        test = scheduled.daily_test(environment, mail_log(environment.stack))
        meter.usage = {}
        test.run()
        test.run()
    assert len(out) == at_home
    if at_home:
        office.store("tested", stored(out[0], message_id="tested"))
        intake.handle(event("postern-test@example.com", message_id="tested"), time.time() + 60)
        for one in published:
            listener.handle({"source": "aws.ses", "detail": one})
        assert office.entries("tested")["to:postern-test@example.com"]["state"] == "tested"
        assert meter.usage["dynamodb-writes"] > DAILY_TEST["dynamodb-writes"] / 2
    entry = office.entries(PARTITION)["example.com"]
    assert (entry["stage"], "arrived_at" in entry) == (("underway", True) if at_home else ("held", False))
    at_most(meter.usage, DAILY_TEST)


def test_metrics_are_read_by_the_call_that_is_free() -> None:
    """GetMetricData is billed by the metric, from the first on."""
    for path in (*(ROOT / "layers").rglob("*.py"), *(ROOT / "command").rglob("*.py")):
        assert "get_metric_data" not in path.read_text(encoding="utf-8"), path
