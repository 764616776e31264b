"""SES v1's operations for receipt rules, for botocore and the AWS CLI.

Parameters look like `Rule.Recipients.member.1`; `sending` has the address and the protocol. Each operation may be
called once a second, as the API reference says.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..sending.query import Operation
from ..sending.refusals import Refusal
from .rule_set import RuleSet

INTERVAL = 1.0  # seconds between two calls of one operation
_BOOLEANS = {"true": True, "false": False}


@dataclass
class RuleApi:
    """The operations for `Sending`; `calls` lists each call with the rule's name."""

    rule_set: RuleSet
    interval: float = INTERVAL
    calls: list[tuple[str, str]] = field(default_factory=list)
    _last: dict[str, float] = field(default_factory=dict)

    @property
    def operations(self) -> dict[str, Operation]:
        """The operations, by Action."""
        return dict.fromkeys(_OPERATIONS, self.answer)

    def answer(self, flat: Mapping[str, str]) -> dict[str, Any]:
        """Execute one call. Raises Refusal."""
        form = _nested(flat.items())
        action = str(form["Action"])
        self._pace(action)
        name = form.get("RuleSetName", self.rule_set.name)  # DescribeActiveReceiptRuleSet gives no name
        if name != self.rule_set.name:
            raise Refusal("RuleSetDoesNotExist", 400, f"Rule set does not exist: {name}")
        self.calls.append((action, str(form.get("RuleName") or form.get("Rule", {}).get("Name", ""))))
        if action == "DescribeActiveReceiptRuleSet" and not self.rule_set.active:
            return {}
        rules = _OPERATIONS[action](self.rule_set, form)
        return {"Metadata": {"Name": self.rule_set.name}, "Rules": rules} if rules is not None else {}

    def _pace(self, action: str) -> None:
        now = time.monotonic()
        if now - self._last.get(action, -math.inf) < self.interval:
            raise Refusal("Throttling", 400, "Rate exceeded")
        self._last[action] = now


def _rule(form: Mapping[str, Any]) -> dict[str, Any]:
    """The rule in a request; botocore sends an empty list as an empty string."""
    rule = dict(form["Rule"])
    return {**rule, "Recipients": rule.get("Recipients") or [], "Actions": rule.get("Actions") or []}


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a.b=x` as {"a": {"b": "x"}} and `a.member.1=x` as {"a": ["x"]}."""
    tree: dict[str, Any] = {}
    for path, value in pairs:
        *folders, last = path.split(".")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = _BOOLEANS.get(value, value)
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"member"}:
        return [_lists(value["member"][number]) for number in sorted(value["member"], key=int)]
    return {name: _lists(inner) for name, inner in value.items()}


_OPERATIONS: dict[str, Callable[[RuleSet, Mapping[str, Any]], list[dict[str, Any]] | None]] = {
    "DescribeReceiptRuleSet": lambda rules, _: rules.describe(),
    "DescribeActiveReceiptRuleSet": lambda rules, _: rules.describe(),
    "CreateReceiptRule": lambda rules, asked: rules.create(_rule(asked)),
    "UpdateReceiptRule": lambda rules, asked: rules.update(_rule(asked)),
    "DeleteReceiptRule": lambda rules, asked: rules.delete(asked["RuleName"]),
}
