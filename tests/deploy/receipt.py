"""What SES receiving finds on the deployed stack: the active rules, and the function they invoke."""

import json
from typing import Any, Protocol

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
        """What the active rule's Lambda action names."""
        actions = [action for rule in ActiveRules(self._account).rules for action in rule.actions]
        return str(dict(actions)["LambdaAction"]["FunctionArn"])

    def invoke(self, event: object) -> None:
        """InvocationType Event."""
        payload = json.dumps(event).encode()
        answer = self._account.client("lambda").invoke(FunctionName=self.arn, InvocationType="Event", Payload=payload)
        assert answer["StatusCode"] == 202, answer
