"""SES's receipt rule sets (by the first API, the only one that has them) and the state of a stack."""

from typing import Any

from ...ruleset import Active
from ..failures import translated

_ROLLING_BACK = "ROLLBACK"  # ROLLBACK_IN_PROGRESS, UPDATE_ROLLBACK_IN_PROGRESS and similar states


class SesRuleSets:
    """Rule sets in SES. Policies cannot restrict either call by resource or condition."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def active(self) -> Active | None:
        """DescribeActiveReceiptRuleSet: without an active set the answer has no Metadata."""
        with translated("SES DescribeActiveReceiptRuleSet"):
            found = self._client.describe_active_receipt_rule_set()
        if not found.get("Metadata", {}).get("Name"):
            return None
        return Active(found["Metadata"]["Name"], tuple(rule["Name"] for rule in found.get("Rules", ())))

    def activate(self, name: str | None) -> bool:
        """SetActiveReceiptRuleSet: without a name it deactivates."""
        with translated("SES SetActiveReceiptRuleSet"):
            try:
                self._client.set_active_receipt_rule_set(**({"RuleSetName": name} if name else {}))
            except self._client.exceptions.RuleSetDoesNotExistException:
                return False
        return True


class CloudFormationStacks:
    """Stacks in CloudFormation."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def rolling_back(self, stack: str) -> bool:
        """DescribeStacks, by the stack's ARN."""
        with translated(f"CloudFormation DescribeStacks {stack}"):
            found = self._client.describe_stacks(StackName=stack)["Stacks"][0]
        return _ROLLING_BACK in str(found["StackStatus"])
