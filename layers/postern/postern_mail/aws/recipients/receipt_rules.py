"""Our receipt rules in SES, by its first API, the only one that has them.

Each of the calls is limited to one a second (docs.aws.amazon.com/ses, API reference); CloudFormation and other stacks
use the same quota, so botocore retries as well.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from ...errors import Refused
from ...ports.clock import Clock
from ...recipients.plan import CREATE, DELETE, Rule, Step
from ...recipients.ports import RulesInSet
from ..failures import translated

PACE = 1.1  # seconds from one call to the next
_REFUSED = frozenset({"InvalidParameterValue", "ValidationError"})  # "Common Errors" of the API reference


class SesReceiptRules:
    """The rules of one set whose names begin with `prefix`; `shared_properties` is what they have in common."""

    def __init__(
        self,
        client: Any,
        rule_set: str,
        prefix: str,
        shared_properties: Mapping[str, Any],
        *,
        clock: Clock,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client
        self._rule_set = rule_set
        self._prefix = prefix
        self._shared_properties = shared_properties
        self._clock = clock
        self._pause = pause
        self._called_at = 0.0

    def read(self) -> RulesInSet:
        """DescribeReceiptRuleSet, which is not paginated. A set that does not exist has no rules."""
        with self._paced("DescribeReceiptRuleSet"):
            try:
                answer = self._client.describe_receipt_rule_set(RuleSetName=self._rule_set)
            except self._client.exceptions.RuleSetDoesNotExistException:
                return RulesInSet(())
        rules = answer.get("Rules", ())
        ours = tuple(self._understood(rule) for rule in rules if rule["Name"].startswith(self._prefix))
        return RulesInSet(ours, len(rules) - len(ours))

    def carry_out(self, step: Step) -> None:
        """Make one call. Raises Refused if SES does not accept the recipients."""
        if step.kind == DELETE:
            with self._paced("DeleteReceiptRule"):
                self._client.delete_receipt_rule(RuleSetName=self._rule_set, RuleName=step.name)
            return
        call = self._client.create_receipt_rule if step.kind == CREATE else self._client.update_receipt_rule
        with self._paced(f"{step.kind} receipt rule {step.name}"):
            try:
                call(RuleSetName=self._rule_set, Rule=self._rule(step))
            except ClientError as error:
                said = error.response.get("Error", {})
                if said.get("Code") in _REFUSED:
                    raise Refused(f"SES {step.kind} receipt rule {step.name}: {said.get('Message', '')}") from error
                raise

    def _rule(self, step: Step) -> dict[str, Any]:
        return {"Name": step.name, "Recipients": list(step.recipients), **self._shared_properties}

    def _understood(self, rule: Mapping[str, Any]) -> Rule:
        recipients = tuple(rule.get("Recipients", ()))
        lower = tuple(recipient.lower() for recipient in recipients)
        sound = recipients == lower and _told({"TlsPolicy": "Optional", **rule}, self._shared_properties)
        return Rule(rule["Name"], lower, sound=sound, enabled=bool(rule.get("Enabled")))

    @contextmanager
    def _paced(self, call: str) -> Iterator[None]:
        wait = self._called_at + PACE - self._clock.now()
        if wait > 0:
            self._pause(wait)
        try:
            with translated(f"SES {call}"):
                yield
        finally:
            self._called_at = self._clock.now()


def _told(rule: Mapping[str, Any], shared_properties: Mapping[str, Any]) -> bool:
    return all(rule.get(name) == value for name, value in shared_properties.items())
