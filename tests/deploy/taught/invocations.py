"""What starts functions: EventBridge, schedules, streams and queues, each with the rights that AWS asks for.

SIGUSR1 makes every schedule due at once, as if its time had passed.
"""

import json
import signal
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge, lambda_svc
from ministack.services.cloudformation import provisioners

from tests.deploy.taught.rights import deny, role_may, service_may

Properties = dict[str, Any]
Create = Callable[..., tuple[str, Properties]]

# What Lambda does in the name of a function's role, by the kind of source.
_READING = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "dynamodb": ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
}
_TICK = 0.5  # seconds between two looks at the schedules


def teach() -> None:
    """Take the place of ministack's own."""
    eventbridge._invoke_target = _if_permitted(eventbridge._invoke_target)
    eventbridge._dispatch_to_lambda = _asynchronously
    eventbridge._SCHEDULER_TICK_INTERVAL = _TICK
    signal.signal(signal.SIGUSR1, lambda *_: _make_all_due())
    known = provisioners._RESOURCE_HANDLERS
    for kind, check in (("EventSourceMapping", _check_source), ("EventInvokeConfig", _check_destination)):
        handlers = known[f"AWS::Lambda::{kind}"]
        known[f"AWS::Lambda::{kind}"] = {**handlers, "create": _checked(handlers["create"], check)}


def _if_permitted(original: Callable[..., None]) -> Callable[..., None]:
    """EventBridge needs the function's permission, for this rule."""

    def invoke(target: Properties, event: Any, rule: Properties, view: Any = None) -> None:
        arn = target["Arn"]
        policy = lambda_svc._functions[arn.rpartition(":")[2]]["policy"]
        if service_may("events.amazonaws.com", "lambda:InvokeFunction", arn, policy, rule["Arn"]):
            original(target, event, rule, view)
        else:
            deny(arn, f"EventBridge may not invoke it for {rule['Arn']}")

    return invoke


def _asynchronously(arn: str, payload: str) -> None:
    """EventBridge hands over to Lambda's own queue, which retries; ministack runs the function once."""
    function, _, _ = lambda_svc._get_func_record_for_ref(arn)
    lambda_svc.invoke_async_with_retry(function, json.loads(payload))


def _make_all_due() -> None:
    for key, rule in eventbridge._rules._data.items():
        if rule.get("ScheduleExpression"):
            eventbridge._rule_last_fired[key] = 0.0


def _checked(create: Create, check: Callable[[str, Properties], None]) -> Create:
    def checked(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        function = lambda_svc._functions[properties["FunctionName"].rpartition(":")[2]]
        check(function["config"]["Role"], properties)
        return create(logical_id, properties, stack)

    return checked


def _check_source(role: str, properties: Properties) -> None:
    """CreateEventSourceMapping fails if the role may not read the source."""
    source = properties["EventSourceArn"]
    for action in _READING[source.split(":")[2]]:
        _require(role, action, source)
    _check_destination(role, properties)


def _check_destination(role: str, properties: Properties) -> None:
    """So does a destination of failed events to which the role may not send."""
    destination = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        _require(role, "sqs:SendMessage", destination)


def _require(role: str, action: str, resource: str) -> None:
    if not role_may(role, action, resource):
        raise ValueError(
            f"The function's execution role {role} does not have permissions to call {action} on {resource}"
        )
