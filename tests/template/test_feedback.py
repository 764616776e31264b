"""What hangs together in the template's part about feedback."""

from typing import Any

import pytest
from postern_mail.mail.feedback import KINDS

from emulator.bus import _EVENT_TYPES, wants
from emulator.template import Template
from tests.builders import bounce
from tests.template.deployments import loaded


def test_the_accounts_suppression_list_does_not_stop_forwards(template: Template) -> None:
    assert template.resource("ConfigurationSet")["SuppressionOptions"] == {"SuppressedReasons": []}


@pytest.mark.parametrize("tls", ["OPTIONAL", "REQUIRE"])
def test_the_configuration_set_sends_as_the_parameter_says_and_counts_nothing_that_is_billed(tls: str) -> None:
    made = loaded(OutboundTls=tls).resource("ConfigurationSet")
    assert made["ReputationOptions"] == {"ReputationMetricsEnabled": False}
    assert made["DeliveryOptions"] == {"TlsPolicy": tls}
    assert made["SendingOptions"] == {"SendingEnabled": True}


def test_every_event_that_is_understood_is_subscribed_to_and_no_other(template: Template) -> None:
    declared = template.resource("SendingEvents")
    assert declared["ConfigurationSetName"] == template.resource("ConfigurationSet")["Name"]
    subscribed = {_EVENT_TYPES[one] for one in declared["EventDestination"]["MatchingEventTypes"]}
    pattern = template.resource("FeedbackRule")["EventPattern"]
    both = {one.replace("RenderingFailure", "Rendering Failure") for one in pattern["detail"]["eventType"]}
    assert "RenderingFailure" in pattern["detail"]["eventType"], "as EventBridge has it"
    assert subscribed == both == set(KINDS)
    assert declared["EventDestination"]["EventBridgeDestination"]["EventBusArn"].endswith(":event-bus/default")


@pytest.mark.parametrize(
    ("configuration_set", "source", "wanted"),
    [
        (["postern-contract-forward"], "aws.ses", True),
        (["another"], "aws.ses", False),
        ([], "aws.ses", False),
        (["postern-contract-forward"], "aws.s3", False),
    ],
)
def test_the_rule_takes_our_own_mail_only(
    template: Template, configuration_set: list[str], source: str, wanted: bool
) -> None:
    event = bounce()
    event["source"] = source
    event["detail"]["mail"]["tags"]["ses:configuration-set"] = configuration_set
    assert wants(template.resource("FeedbackRule")["EventPattern"], event) == wanted


def test_the_rule_takes_the_hosts_mail_by_its_tag(template: Template) -> None:
    event = bounce()
    event["detail"]["mail"]["tags"] = {"kind": ["relay"], "ses:configuration-set": ["postern-relay-hosts"]}
    assert wants(template.resource("FeedbackRule")["EventPattern"], event)
    event["detail"]["mail"]["tags"]["kind"] = ["other"]
    assert not wants(template.resource("FeedbackRule")["EventPattern"], event)


def test_events_that_fail_are_kept_whether_the_function_or_the_bus_gives_up(
    template: Template, resources: dict[str, Any]
) -> None:
    queue = template.arn("FailureQueue")
    assert template.resource("FeedbackFunction")["EventInvokeConfig"]["DestinationConfig"]["OnFailure"] == {
        "Type": "SQS",
        "Destination": queue,
    }
    (target,) = template.resource("FeedbackRule")["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": queue}
    assert target["Arn"] == template.arn("FeedbackFunction")
    statements = resources["QueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = next(one for one in statements if one["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["FeedbackRule", "Arn"]}}}
