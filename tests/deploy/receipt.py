"""What SES receiving finds on the deployed stack: the active rules, and the function they invoke."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from emulator.receiving.rules import Rule


class Account(Protocol):
    """An account of AWS."""

    def client(self, service: Any) -> Any:
        """A boto3 client."""


class ActiveRules(Iterable[Rule]):
    """The rules of the rule set that is active at this moment, as SES has them."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __iter__(self) -> Iterator[Rule]:
        for rule in self._account.client("ses").describe_active_receipt_rule_set().get("Rules", ()):
            if rule["Enabled"]:
                actions = tuple(next(iter(action.items())) for action in rule["Actions"])
                yield Rule(rule["Name"], tuple(rule.get("Recipients", ())), rule["ScanEnabled"], actions)


class InboundFunction:
    """The deployed function, invoked as SES does."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def arn(self) -> str:
        """What the active rule's Lambda action names."""
        actions = [action for rule in ActiveRules(self._account) for action in rule.actions]
        return str(dict(actions)["LambdaAction"]["FunctionArn"])

    def invoke(self, event: object) -> None:
        """InvocationType Event."""
        payload = json.dumps(event).encode()
        answer = self._account.client("lambda").invoke(FunctionName=self.arn, InvocationType="Event", Payload=payload)
        assert answer["StatusCode"] == 202, answer
