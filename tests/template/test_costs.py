"""What is billed of a stack, counted in the template, against the price list (docs/costs.py)."""

from typing import Any

import pytest

from docs.costs import MOST_OF_A_QUERY, POLLS, STACK, Usage, idle, made, month, prices, standing, total

METRIC = {"Namespace": "AWS/Lambda", "MetricName": "Errors"}


def test_an_idle_stack_costs_nothing() -> None:
    """Behind the tiers that are always free, in an account that has nothing else."""
    usage = idle()
    assert f"{total(usage):.2f}" == "0.00"
    stands = standing(made(STACK))
    assert {name: amount for name, amount in stands.items() if name != "sqs"} == {"alarms": 9}


def test_one_queue_is_polled() -> None:
    """A second one would use up what is free."""
    assert standing(made(STACK))["sqs"] == POLLS
    assert POLLS == 648_000
    assert POLLS < prices()["sqs"].free < 2 * POLLS


@pytest.mark.parametrize("refuses", ["false", "true"])
def test_alarms_and_metrics_are_within_what_is_free(refuses: str) -> None:
    usage = month(500)
    assert usage["metrics"] <= prices()["metrics"].free == 10
    assert standing(made(STACK, RefuseUnknownRecipients=refuses))["alarms"] <= prices()["alarms"].free == 10


@pytest.mark.parametrize(
    ("properties", "billed"),
    [
        (METRIC, {"alarms": 1}),
        (
            {"Metrics": [{"Id": "m", "MetricStat": {}}, {"Id": "n", "MetricStat": {}}, {"Expression": "m + n"}]},
            {"alarms": 2},
        ),
        ({"Metrics": [{"Expression": 'SELECT SUM(Errors) FROM "AWS/Lambda"'}]}, {"queries": MOST_OF_A_QUERY}),
        ({"Metrics": [{"Expression": "\n select MAX(x) from y"}]}, {"queries": MOST_OF_A_QUERY}),
    ],
)
def test_an_alarm_is_billed_by_its_metrics(properties: dict[str, Any], billed: Usage) -> None:
    assert standing({"One": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}) == billed


def test_a_stream_is_not_polled_at_our_cost_and_a_queue_is() -> None:
    queue = {"Type": "AWS::SQS::Queue"}
    table = {"Type": "AWS::DynamoDB::Table"}
    mapping = {"Type": "AWS::Lambda::EventSourceMapping"}

    def billed(source: Any) -> Usage:
        return standing({"Q": queue, "T": table, "M": {**mapping, "Properties": {"EventSourceArn": source}}})

    assert billed({"Fn::GetAtt": ["T", "StreamArn"]}) == {}
    assert billed({"Fn::GetAtt": ["Q", "Arn"]}) == billed({"Fn::GetAtt": "Q.Arn"}) == {"sqs": POLLS}


def test_what_costs_extra_is_counted() -> None:
    assert standing(made(STACK, MakeDashboard="true", CustomerKey="true")).keys() >= {"dashboards", "keys"}
    assert total(idle(CustomerKey="true")) == pytest.approx(1 + total(idle()))


def test_a_bill_is_amounts_times_prices_behind_the_free_tier() -> None:
    assert total({"sqs": 1_500_000}) == pytest.approx(0.20)
    assert total({"sqs": 1_000_000, "alarms": 10, "metrics": 10}) == 0
    assert total({"alarms": 12}) == pytest.approx(0.20)
    with pytest.raises(KeyError):
        total({"unheard-of": 1})


def test_a_thousand_messages_cost_what_ses_asks_and_little_more() -> None:
    """0.10 in and 0.16 out on the plan Essentials; 0.10 and 0.12 a GB by feature."""
    mail = month(1000 / 30)
    by_feature = month(1000 / 30, essentials=False)
    assert total(mail) - total(idle()) == pytest.approx(0.28, abs=0.02)
    assert total(mail) - total(by_feature) == pytest.approx(0.16 - 0.10 - 0.12 * 100 / 1024 / 1024 * 1000, abs=0.0001)


def test_a_door_costs_nothing_while_no_one_knocks() -> None:
    assert idle(Links="true", AliasApi="true") == idle()
