"""Alarms, the count they hang on, the topic and the dashboard: someone hears what went wrong, and nothing is billed."""

import json
from typing import Any

import pytest
from postern_mail.aws.mail_log import NAMESPACE, NEEDS_SOMEBODY

from tests.template.deployments import loaded, refusals, symbolic

REFUSES = {"RefuseUnknownRecipients": "true"}
# What a person must act on (issue: a stack that costs nothing idle), and no more.
ALARMS = {
    "DeadLettersAlarm",
    "RetryAgeAlarm",
    "FailuresAlarm",
    "PublishFailureAlarm",
    "PublishExpiredAlarm",
    "BounceRateAlarm",
    "ComplaintRateAlarm",
    "NeedsSomebodyAlarm",
    "WatchSilentAlarm",
}


def alarms(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}


@pytest.fixture(params=[{}, REFUSES], ids=["taking anyone", "refusing unknown recipients"])
def parameters(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the stack with the dashboard is deployed with."""
    found: dict[str, str] = {"MakeDashboard": "true", **request.param}
    return found


@pytest.fixture
def dashboard(parameters: dict[str, str]) -> list[dict[str, Any]]:
    """The widgets; an attribute stands as LogicalId.Attribute."""
    (made,) = symbolic(**parameters).resources("AWS::CloudWatch::Dashboard").values()
    widgets: list[dict[str, Any]] = json.loads(made["DashboardBody"])["widgets"]
    return widgets


def test_every_alarm_speaks_and_says_what_it_means(resources: dict[str, Any]) -> None:
    found = alarms(resources)
    assert found.keys() == ALARMS
    for name, alarm in found.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}], name
        assert len(alarm["AlarmDescription"]) > 30, name
        assert alarm.get("ActionsEnabled", True), name
        silence = ("breaching",) if name == "WatchSilentAlarm" else ("notBreaching", "ignore")
        assert alarm["TreatMissingData"] in silence, name
    names = [json.dumps(alarm["AlarmName"]) for alarm in found.values()]
    assert len(set(names)) == len(names)


def test_the_topic_has_a_listener() -> None:
    parameters = {"OwnerAddress": "me@home.example"}
    (topic,) = loaded(**parameters).resources("AWS::SNS::Topic").values()
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": "me@home.example"}]
    assert refusals(parameters, "SomebodyHears") == []


def test_a_stack_no_one_listens_to_is_refused() -> None:
    (said,) = refusals({}, "SomebodyHears")
    assert said.startswith("OwnerAddress is required")


def test_only_this_accounts_alarms_speak_on_the_topic(resources: dict[str, Any]) -> None:
    statements = resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = [one for one in statements if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_every_queue_is_watched(resources: dict[str, Any]) -> None:
    queues = {name for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue"}
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in alarms(resources).values()
        for dimension in alarm.get("Dimensions", ())
        if dimension["Name"] == "QueueName"
    }
    assert watched == queues


@pytest.mark.parametrize(("metric", "review"), [("Reputation.BounceRate", 0.05), ("Reputation.ComplaintRate", 0.001)])
def test_the_warning_comes_at_half_of_what_ses_reviews(resources: dict[str, Any], metric: str, review: float) -> None:
    (alarm,) = [one for one in alarms(resources).values() if one.get("MetricName") == metric]
    assert alarm["Threshold"] == review / 2
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert "Dimensions" not in alarm, "the account's rate"


def test_no_two_widgets_lie_on_each_other(dashboard: list[dict[str, Any]]) -> None:
    taken = [
        (x, y)
        for one in dashboard
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_every_failure_of_a_function_is_on_one_queue_and_watched(resources: dict[str, Any]) -> None:
    """Mail goes to the retry queue first; for all else, the queue of failures has it after Lambda's own retries."""
    configurations = {
        one["Properties"]["FunctionName"]["Ref"]: one["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]
        for one in resources.values()
        if one["Type"] == "AWS::Lambda::EventInvokeConfig"
    }
    functions = {name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"}
    assert configurations.keys() == functions
    assert configurations.pop("InboundFunction") == {"Fn::GetAtt": ["RetryQueue", "Arn"]}
    assert {json.dumps(one) for one in configurations.values()} == {json.dumps({"Fn::GetAtt": ["FailureQueue", "Arn"]})}


def test_what_ses_cannot_hand_over_is_watched_at_the_rule_there_is() -> None:
    """A query over all rules would not be among the alarms that are free."""
    template = symbolic()
    made = template.resources("AWS::CloudWatch::Alarm")
    (rule,) = template.resources("AWS::SES::ReceiptRule").values()
    for name in ("PublishFailureAlarm", "PublishExpiredAlarm"):
        assert made[name]["Dimensions"] == [{"Name": "RuleName", "Value": rule["Rule"]["Name"]}]
    assert symbolic(**REFUSES).resources("AWS::CloudWatch::Alarm").keys() == ALARMS - {
        "PublishFailureAlarm",
        "PublishExpiredAlarm",
    }


def test_one_count_of_ours_has_an_alarm_and_it_ends_by_a_count_of_nothing(resources: dict[str, Any]) -> None:
    (alarm,) = [one for one in alarms(resources).values() if one["Namespace"] == NAMESPACE]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == (NEEDS_SOMEBODY, "Sum", 0)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
    assert alarm["TreatMissingData"] == "ignore", "between two looks of the watch nothing is known"


def test_our_own_count_is_this_stacks(resources: dict[str, Any]) -> None:
    for name, one in resources.items():
        if one["Type"] == "AWS::Lambda::Function":
            assert one["Properties"]["Environment"]["Variables"]["POSTERN_STACK"] == {"Ref": "AWS::StackName"}, name


def test_there_is_a_dashboard_where_it_is_asked_for() -> None:
    assert symbolic().resources("AWS::CloudWatch::Dashboard") == {}


def test_the_dashboard_has_the_list_of_the_alarms(parameters: dict[str, str], dashboard: list[dict[str, Any]]) -> None:
    (shown,) = [widget["properties"]["alarms"] for widget in dashboard if widget["type"] == "alarm"]
    made = symbolic(**parameters).resources("AWS::CloudWatch::Alarm")
    assert sorted(shown) == sorted(f"{name}.Arn" for name in made)


def test_the_dashboard_shows_every_queue_and_the_log(dashboard: list[dict[str, Any]]) -> None:
    text = json.dumps(dashboard)
    for queue in symbolic().resources("AWS::SQS::Queue"):
        assert f"{queue}.QueueName" in text
    (log,) = symbolic().resources("AWS::Logs::LogGroup").values()
    assert f"SOURCE '{log['LogGroupName']}'" in text
