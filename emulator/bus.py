"""EventBridge: the default bus, with the rules that the template declares for it.

A pattern names values that an event must have; if the event has a list, one match is enough
(docs.aws.amazon.com/eventbridge, "Creating Amazon EventBridge event patterns"). An event that matches no rule is
dropped.
"""

import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .account import ACCOUNT, REGION
from .function import Function
from .template import Template, UnknownConstruct

# The event types of a configuration set's destination, by their names in events.
_EVENT_TYPES = {
    "bounce": "Bounce",
    "complaint": "Complaint",
    "delivery": "Delivery",
    "deliveryDelay": "DeliveryDelay",
    "reject": "Reject",
    "renderingFailure": "Rendering Failure",
}
DETAIL_TYPES = {
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
    "Delivery": "Email Delivered",
    "DeliveryDelay": "Email Delivery Delayed",
    "Reject": "Email Rejected",
    "Rendering Failure": "Email Rendering Failed",
}


class Bus:
    """The bus of one stack. `functions` are the targets, by ARN; `published` has all events that matched a rule."""

    def __init__(self, template: Template, functions: Mapping[str, Function]) -> None:
        rules = template.resources("AWS::Events::Rule").values()
        self._rules = [rule for rule in rules if "EventPattern" in rule]  # the others are schedules
        self._subscribed = {
            (one["ConfigurationSetName"], _EVENT_TYPES[kind])
            for one in (body for body in template.resources("AWS::SES::ConfigurationSetEventDestination").values())
            for kind in one["EventDestination"]["MatchingEventTypes"]
        }
        self._functions = functions
        self._lock = threading.Lock()
        self.published: list[dict[str, Any]] = []

    def publish(self, configuration_set: str, detail: Mapping[str, Any]) -> None:
        """Take an event about a message that was sent with this configuration set."""
        if (configuration_set, detail["eventType"]) not in self._subscribed:
            return
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": DETAIL_TYPES[detail["eventType"]],
            "source": "aws.ses",
            "account": ACCOUNT,
            "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "region": REGION,
            "resources": [],
            "detail": {**detail, "eventType": detail["eventType"].replace(" ", "")},  # unlike on SNS
        }
        for rule in self._rules:
            if wants(rule["EventPattern"], event):
                with self._lock:
                    self.published.append(event)
                for target in rule["Targets"]:
                    self._functions[target["Arn"]].invoke(event)


def wants(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event matches a pattern: at each place it has one of the listed values; one pattern under `$or` is
    enough."""
    return all(
        any(wants(one, event) for one in wanted) if name == "$or" else _has(event.get(name), wanted)
        for name, wanted in pattern.items()
    )


def _has(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and wants(wanted, found)
    if not all(isinstance(one, str) for one in wanted):
        raise UnknownConstruct(f"this pattern is not known to the emulator: {wanted!r}")
    return bool(set(found if isinstance(found, list) else [found]) & set(wanted))
