"""What SES finds on the deployed stack: the active rules, the function they invoke, and where its events go."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from emulator.bus import DETAIL_TYPES
from emulator.receiving.rules import Rule


class Account(Protocol):
    """An account of AWS."""

    def client(self, service: Any) -> Any:
        """A boto3 client."""


class ActiveRules:
    """The rules of the rule set that is active at this moment, as SES has them."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that are on, in order."""
        bodies = self._account.client("ses").describe_active_receipt_rule_set().get("Rules", ())
        return tuple(Rule.of(body) for body in bodies if body["Enabled"])


class InboundFunction:
    """The deployed function, invoked as SES does."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def arn(self) -> str:
        """What the active rules' Lambda action names."""
        actions = [action for rule in ActiveRules(self._account).rules for action in rule.actions]
        return str(dict(actions)["LambdaAction"]["FunctionArn"])

    def invoke(self, event: object) -> None:
        """InvocationType Event."""
        payload = json.dumps(event).encode()
        answer = self._account.client("lambda").invoke(FunctionName=self.arn, InvocationType="Event", Payload=payload)
        assert answer["StatusCode"] == 202, answer


class EventDestinations:
    """Where a configuration set's events go."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def publish(self, configuration_set: str, detail: Mapping[str, Any]) -> None:
        """Put an event on the bus of each destination that wants its kind."""
        found = self._account.client("sesv2").get_configuration_set_event_destinations(
            ConfigurationSetName=configuration_set
        )
        kind = detail["eventType"]
        for destination in found["EventDestinations"]:
            if destination["Enabled"] and _enumerated(kind) in destination["MatchingEventTypes"]:
                entry = {"Source": "aws.ses", "DetailType": DETAIL_TYPES[kind], "Detail": json.dumps(detail)}
                bus = destination["EventBridgeDestination"]["EventBusArn"]
                answer = self._account.client("events").put_events(Entries=[{**entry, "EventBusName": bus}])
                assert answer["FailedEntryCount"] == 0, answer


def _enumerated(kind: str) -> str:
    """Of an event's type, as SESv2 has it: DELIVERY_DELAY."""
    return {"DeliveryDelay": "DELIVERY_DELAY", "Rendering Failure": "RENDERING_FAILURE"}.get(kind, kind.upper())
