"""The scheduled functions: what they may do, when they run, and who hears of their failures."""

from typing import Any

import pytest
from postern_mail.environment import DigestEnvironment, WatchEnvironment
from postern_mail.mail import daily_test

from emulator.template import Template

WATCHERS = ("WatchFunction", "DigestFunction")


def statements(resources: dict[str, Any], function: str) -> dict[str, Any]:
    (policy,) = resources[f"{function}Role"]["Properties"]["Policies"]
    return {one["Sid"]: one for one in policy["PolicyDocument"]["Statement"] if one.get("Effect") == "Allow"}


def test_the_check_reads_and_remembers_and_does_no_more(resources: dict[str, Any]) -> None:
    found = statements(resources, "WatchFunction")
    reading = {"ListMessages", "ReadTheLedger", "FindOpenMessagesAndADays", "ReadTheSettings", "ReadAllRows"}
    looking = {"CountWhatWaits", "LookAround"}
    writing = {"RememberWhatWasFoundAndAnswer", "WakeWhatIsHeld", "TellPeople", "EndWhatNobodyUses"}
    assert set(found) == {*reading, *looking, *writing}
    assert found["ListMessages"]["Condition"] == {"StringLike": {"s3:prefix": "inbound/*"}}
    assert found["ReadTheSettings"]["Condition"] == {
        "ForAllValues:StringEquals": {
            "dynamodb:LeadingKeys": ["#settings", "#postgrey_whitelist_clients", "#postgrey_whitelist_recipients"]
        }
    }


def test_the_digest_sends_as_postmaster_and_writes_its_own_claims(resources: dict[str, Any]) -> None:
    found = statements(resources, "DigestFunction")
    first = {"Fn::Select": [0, {"Ref": "Domains"}]}
    assert found["SendInTheNameOfOurDomain"]["Condition"] == {
        "StringLike": {"ses:FromAddress": {"Fn::Sub": ["postmaster@${First}", {"First": first}]}}
    }
    assert found["ClaimTheDay"]["Action"] == "dynamodb:UpdateItem"
    assert found["ClaimTheDay"]["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["digest-*", "#daily-test"]}
    }
    assert [name for name, one in found.items() if one["Resource"] == "*"] == ["SeeWhetherSesSends"]


def test_the_daily_test_goes_from_its_address_to_it_and_nowhere_else(resources: dict[str, Any]) -> None:
    found = statements(resources, "DigestFunction")
    me = str(daily_test.address("*"))
    assert found["SendTheDailyTest"]["Condition"] == {
        "StringLike": {"ses:FromAddress": me},
        "ForAllValues:StringLike": {"ses:Recipients": [me]},
    }
    sending = {name for name, one in found.items() if "ses:SendEmail" in one["Action"]}
    assert sending == {"SendTheDailyTest", "SendInTheNameOfOurDomain", "UseTheConfigurationSet"}


@pytest.mark.parametrize("function", WATCHERS)
def test_a_check_that_fails_is_told_and_is_no_dead_letter(resources: dict[str, Any], function: str) -> None:
    config = resources[f"{function}EventInvokeConfig"]["Properties"]
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["FailureQueue", "Arn"]}


@pytest.mark.parametrize("function", WATCHERS)
def test_their_settings_are_all_set(template: Template, function: str) -> None:
    variables = template.resource(function)["Environment"]["Variables"]
    made = (WatchEnvironment if function == "WatchFunction" else DigestEnvironment).from_environment(variables)
    assert made.stack.name == template.stack
    assert int(variables["POSTERN_LEASE_SECONDS"]) > template.resource(function)["Timeout"]


def test_the_alarm_that_the_watch_is_silent_outlasts_a_late_run(resources: dict[str, Any]) -> None:
    """EventBridge starts it each hour, give or take a minute, so that an hour of the clock may have no run."""
    alarm = resources["WatchSilentAlarm"]["Properties"]
    assert resources["WatchFunctionHourly"]["Properties"]["ScheduleExpression"] == "rate(1 hour)"
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "WatchFunction"}}]
    assert (alarm["MetricName"], alarm["Threshold"], alarm["TreatMissingData"]) == ("Invocations", 1, "breaching")
    assert alarm["Period"] * alarm["EvaluationPeriods"] >= 3 * 3600
