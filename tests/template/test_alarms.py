"""Alarms, the topic and the dashboard: somebody hears what went wrong, and what is watched exists."""

import ast
import json
import re
from typing import Any

import pytest
from postern_mail import errors
from postern_mail.aws import mail_log
from postern_mail.mail import plan, rows
from postern_mail.mail.address import Address
from postern_mail.mail.feedback import KINDS, ON_ACCOUNT_LIST
from postern_mail.mail.outcomes import State
from postern_mail.ports.forward import Outcome

from tests.builders import ROOT, envelope
from tests.template.deployments import loaded, refusals, symbolic

LOGS = [ROOT / "layers/postern/postern_mail/aws" / name for name in ("mail_log.py", "recipients/log.py")]
# What Outcome.state can be, as aws/mail_log.py counts it.
STATES = {"Forwarded", "Merged", "Quarantined", "Rejected", "Discarded", "Failed", "Deferred", "Ambiguous"}
# Asked for by CloudFormation only, which shows what it answers.
AT_DEPLOYMENT = {"RulesetFunction"}
# Looks at everything in each run, so that an event that is lost is nothing but lag.
LOOKS_AT_ALL = {"RecipientsFunction"}
REFUSES = {"RefuseUnknownRecipients": "true"}


def counted() -> set[str]:
    """The names of all metrics the code emits."""
    trees = [ast.parse(log.read_text(encoding="utf-8")) for log in LOGS]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    literal = {
        text.value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("_count", "_add", "add_metric")
        for argument in (*call.args, *(one.value for one in call.keywords))
        for text in ast.walk(argument)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    }
    answers = {f"Answer{state}" for state in ("Sent", "Failed", "Ambiguous")}
    feedback = {*(kind.capitalize() for kind in KINDS.values()), *mail_log._FEEDBACK.values()}
    classes = {name for module in (errors, plan, rows) for name in vars(module)}
    return literal | STATES | answers | feedback | {ON_ACCOUNT_LIST} | classes


def alarms(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}


@pytest.fixture(params=[{}, REFUSES], ids=["taking anyone", "refusing unknown recipients"])
def parameters(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the stack with the dashboard is deployed with."""
    found: dict[str, str] = request.param
    return found


@pytest.fixture
def dashboard(parameters: dict[str, str]) -> list[dict[str, Any]]:
    """The widgets; an attribute stands as LogicalId.Attribute."""
    (made,) = symbolic(**parameters).resources("AWS::CloudWatch::Dashboard").values()
    widgets: list[dict[str, Any]] = json.loads(made["DashboardBody"])["widgets"]
    return widgets


def test_every_alarm_speaks_and_says_what_it_means(resources: dict[str, Any]) -> None:
    found = alarms(resources)
    assert len(found) >= 13
    for name, alarm in found.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}], name
        assert len(alarm["AlarmDescription"]) > 30, name
        assert alarm.get("ActionsEnabled", True), name
        assert alarm["TreatMissingData"] in ("notBreaching", "ignore"), name
    names = [json.dumps(alarm["AlarmName"]) for alarm in found.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("parameters", "hears"),
    [
        ({"OwnerAddress": "me@home.example"}, "me@home.example"),
        ({"OwnerAddress": "me@home.example", "AlarmAddress": "ops@x.example"}, "ops@x.example"),
    ],
)
def test_the_topic_has_a_listener(parameters: dict[str, str], hears: str) -> None:
    (topic,) = loaded(**parameters).resources("AWS::SNS::Topic").values()
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": hears}]
    assert refusals(parameters, "SomebodyHears") == []


def test_a_stack_nobody_listens_to_is_refused() -> None:
    (said,) = refusals({}, "SomebodyHears")
    assert said.startswith("OwnerAddress or AlarmAddress must be given")


def test_only_this_accounts_alarms_speak_on_the_topic(resources: dict[str, Any]) -> None:
    statements = resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = [one for one in statements if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize("metric", ["Errors", "Throttles", "AsyncEventsDropped", "DestinationDeliveryFailures"])
def test_every_function_that_handles_mail_is_watched(resources: dict[str, Any], metric: str) -> None:
    functions = {name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"} - AT_DEPLOYMENT
    watched = {
        dimension["Value"]["Ref"]
        for alarm in alarms(resources).values()
        if alarm.get("MetricName") == metric
        for dimension in alarm["Dimensions"]
    }
    lossless = LOOKS_AT_ALL if metric in ("AsyncEventsDropped", "DestinationDeliveryFailures") else set()
    assert watched == functions - lossless


def test_what_looks_at_all_is_watched_by_its_lag() -> None:
    (lag,) = [
        one
        for one in symbolic(**REFUSES).resources("AWS::CloudWatch::Alarm").values()
        if one.get("MetricName") == "RecipientsLag"
    ]
    assert (lag["Namespace"], lag["Statistic"]) == ("Postern", "Maximum")
    assert lag["Dimensions"] == [{"Name": "service", "Value": "postern"}]
    timeout = loaded(**REFUSES).resource("RecipientsFunction")["Timeout"]
    assert lag["Threshold"] >= timeout, "one run with much to do is no alarm"


@pytest.mark.parametrize("there", [False, True])
def test_alarms_are_of_what_there_is(there: bool) -> None:
    """An alarm of a function that is not there would be a reference to nothing."""
    template = symbolic(**(REFUSES if there else {}))
    made = template.resources("AWS::CloudWatch::Alarm")
    assert any(name.startswith("Recipients") for name in made) == there
    assert bool(template.resources("Custom::RecipientRules")) == there


def test_every_queue_is_watched(resources: dict[str, Any]) -> None:
    queues = {name for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue"}
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in alarms(resources).values()
        for dimension in alarm.get("Dimensions", ())
        if dimension["Name"] == "QueueName"
    }
    assert watched == queues


def test_what_ses_cannot_hand_over_is_watched_for_all_rules(resources: dict[str, Any]) -> None:
    queries = [one["Expression"] for alarm in alarms(resources).values() for one in alarm.get("Metrics", ())]
    assert sorted(queries) == [f'SELECT SUM({name}) FROM "AWS/SES"' for name in ("PublishExpired", "PublishFailure")]


@pytest.mark.parametrize(("metric", "review"), [("Reputation.BounceRate", 0.05), ("Reputation.ComplaintRate", 0.001)])
def test_the_warning_comes_at_half_of_what_ses_reviews(resources: dict[str, Any], metric: str, review: float) -> None:
    (alarm,) = [one for one in alarms(resources).values() if one.get("MetricName") == metric]
    assert alarm["Threshold"] == review / 2
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert "Dimensions" not in alarm, "the account's rate"


def test_our_own_metrics_are_emitted_under_the_names_that_are_watched(
    resources: dict[str, Any], dashboard: list[dict[str, Any]]
) -> None:
    watched = {one["MetricName"] for one in alarms(resources).values() if one.get("Namespace") == "Postern"}
    shown = {
        metric[1]
        for widget in dashboard
        for metric in widget["properties"].get("metrics", ())
        if metric[0] == "Postern"
    }
    assert {"Deferred", "Misconfigured", "Failed", "SesRejected"} <= watched
    assert {"Received", "Forwarded", "Delivered", "Latency", "Quarantined", "Deferred", "Failed"} <= shown
    assert watched | shown <= counted()


def test_our_own_metrics_are_those_of_this_stack(resources: dict[str, Any], dashboard: list[dict[str, Any]]) -> None:
    for name, alarm in alarms(resources).items():
        if alarm.get("Namespace") == "Postern":
            assert alarm["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}], name
    variables = resources["InboundFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["POSTERN_STACK"] == {"Ref": "AWS::StackName"}
    for widget in dashboard:
        for metric in widget["properties"].get("metrics", ()):
            assert metric[0] != "Postern" or metric[2:4] == ["service", "postern"]


def test_the_dashboard_asks_three_questions_and_shows_every_alarm(
    parameters: dict[str, str], dashboard: list[dict[str, Any]]
) -> None:
    asked = [widget["properties"]["markdown"] for widget in dashboard if widget["type"] == "text"]
    assert asked == ["## Is mail flowing?", "## What waits?", "## What failed?"]
    (shown,) = [widget["properties"]["alarms"] for widget in dashboard if widget["type"] == "alarm"]
    assert sorted(shown) == sorted(f"{name}.Arn" for name in symbolic(**parameters).resources("AWS::CloudWatch::Alarm"))


def test_the_log_on_the_dashboard_is_that_of_every_function_that_runs_by_itself(
    resources: dict[str, Any], dashboard: list[dict[str, Any]]
) -> None:
    (query,) = [widget["properties"]["query"] for widget in dashboard if widget["type"] == "log"]
    shown = set(re.findall(r"SOURCE '/postern/postern/(\w+)'", query))
    functions = {name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"}
    # those of RecipientsFunction are not there in every stack, and its failures have widgets of their own
    assert shown == {name.removesuffix("Function").lower() for name in functions - AT_DEPLOYMENT - LOOKS_AT_ALL}


def test_every_queue_is_on_the_dashboard(dashboard: list[dict[str, Any]]) -> None:
    shown = {
        metric[3] for widget in dashboard for metric in widget["properties"].get("metrics", ()) if "QueueName" in metric
    }
    queues = {one["QueueName"] for one in symbolic().resources("AWS::SQS::Queue").values()}
    assert shown == {
        f"{name}.QueueName" for name in ("RetryQueue", "DeadLetterQueue", "FeedbackFailureQueue", "WatchFailures")
    }
    assert len(queues) == len(shown)


def test_every_number_of_ours_that_has_an_alarm_is_on_the_dashboard(
    parameters: dict[str, str], dashboard: list[dict[str, Any]]
) -> None:
    """Who looks because of an alarm must see what it was about."""
    watched = {
        one["MetricName"]
        for one in symbolic(**parameters).resources("AWS::CloudWatch::Alarm").values()
        if one.get("Namespace") == "Postern"
    }
    shown = {
        metric[1] for widget in dashboard for metric in widget["properties"].get("metrics", ()) if "Postern" in metric
    }
    assert watched <= shown


def test_nothing_but_the_two_rates_is_the_accounts(dashboard: list[dict[str, Any]]) -> None:
    """The account's counts are not what this stack sent."""
    without_dimensions = {
        metric[1]
        for widget in dashboard
        for metric in widget["properties"].get("metrics", ())
        if metric[0] == "AWS/SES"
    }
    assert without_dimensions == {"Reputation.BounceRate", "Reputation.ComplaintRate"}


def test_no_two_widgets_lie_on_each_other(dashboard: list[dict[str, Any]]) -> None:
    taken = [
        (x, y)
        for one in dashboard
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_the_metrics_carry_the_stack(capsys: pytest.CaptureFixture[str]) -> None:
    """As EMF, which CloudWatch makes metrics of."""
    from postern_mail.aws.mail_log import PowertoolsMailLog  # noqa: PLC0415

    log = PowertoolsMailLog(own_domains=["example.com"], log_addresses=False, stack="postern-dev")
    log.failure(errors.Misconfigured("x"))
    log.metrics.flush_metrics()
    lines = [line for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert any(json.loads(line)["service"] == "postern-dev" for line in lines)
    assert re.search(r'"Misconfigured"', "".join(lines))


def test_deferred_counts_recipients_and_a_destination_counts_as_its_failure(capsys: pytest.CaptureFixture[str]) -> None:
    from postern_mail.aws.mail_log import PowertoolsMailLog  # noqa: PLC0415

    log = PowertoolsMailLog(own_domains=["example.com"], log_addresses=False, stack="postern-dev")
    made = envelope("info@example.com")
    (info,) = made.recipients
    log.deferred(made, Address.parse("jane@dest.example"), errors.OverCap("x"))
    log.outcome(made, Outcome(info, State.DEFERRED, "x"), 1, 0)
    log.metrics.flush_metrics()
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (line["Deferred"], line["OverCap"]) == ([1.0], [1.0])
