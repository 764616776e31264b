"""The active rule set, and what SES checks before it accepts a rule.

Limits and errors: docs.aws.amazon.com/ses, "Service quotas" and the API reference of CreateReceiptRule. SES tests the
bucket and the function when a rule is created; here the template's policy and permissions are read.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from glob import escape
from typing import Any

from ..account import ACCOUNT, REGION
from ..sending.refusals import Refusal
from ..template import Template
from .rules import USUAL, Readings, Rule, declared

MAX_RULES = 200
MAX_RECIPIENTS = 100
MAX_ACTIONS = 10
_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?\Z")


@dataclass
class RuleSet:
    """One rule set.

    `writes` are patterns of rule ARNs by bucket, or by the role that SES assumes, and `invokes` by function;
    `publishes` tells whether a topic's policy lets SES publish there. If not `active`, no rule set is.
    """

    name: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    writes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    invokes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    publishes: Callable[[str], bool] = lambda _: False
    readings: Readings = USUAL
    active: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, template: Template) -> "RuleSet":
        """The template's rule set with the rules that the template declares."""
        own = template.resources("AWS::SES::ReceiptRuleSet").values()
        name = next(
            (one["RuleSetName"] for one in own), template.parameters["ActiveRuleSet"]
        )  # or the one that ours joins
        made = cls(name, writes=_writes(template), invokes=_invokes(template))
        for body in reversed(declared(template)):
            made.create(body)
        return made

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The enabled rules, in order."""
        with self._lock:
            return tuple(Rule.of(body) for body in self.bodies if body.get("Enabled"))

    def describe(self) -> list[dict[str, Any]]:
        """All rules."""
        with self._lock:
            return list(self.bodies)

    def create(self, body: dict[str, Any]) -> None:
        """Add a rule at the start, where SES puts a rule without After. Raises Refusal."""
        self._check(body)
        with self._lock:
            if self._index(body["Name"]) is not None:
                raise Refusal("AlreadyExists", 400, f"Rule already exists: {body['Name']}")
            if len(self.bodies) >= MAX_RULES:
                raise Refusal("LimitExceeded", 400, f"Cannot have more than {MAX_RULES} rules in a rule set")
            self.bodies.insert(0, body)

    def update(self, body: dict[str, Any]) -> None:
        """Replace a whole rule."""
        self._check(body)
        with self._lock:
            index = self._index(body["Name"])
            if index is None:
                raise Refusal("RuleDoesNotExist", 400, f"Rule does not exist: {body['Name']}")
            self.bodies[index] = body

    def delete(self, name: str) -> None:
        """Delete a rule; a missing one is not an error."""
        with self._lock:
            self.bodies = [body for body in self.bodies if body["Name"] != name]

    def _index(self, name: str) -> int | None:
        return next((index for index, body in enumerate(self.bodies) if body["Name"] == name), None)

    def _check(self, body: Mapping[str, Any]) -> None:
        arn = f"arn:aws:ses:{REGION}:{ACCOUNT}:receipt-rule-set/{self.name}:receipt-rule/{body['Name']}"
        if len(body.get("Recipients", ())) > MAX_RECIPIENTS:
            raise Refusal("LimitExceeded", 400, f"Cannot have more than {MAX_RECIPIENTS} recipients in a rule")
        if not _NAME.match(body["Name"]):
            raise Refusal("InvalidParameterValue", 400, f"Invalid rule name: {body['Name']}")
        if len(body["Actions"]) > MAX_ACTIONS:
            raise Refusal("LimitExceeded", 400, f"Cannot have more than {MAX_ACTIONS} actions in a rule")
        for recipient in body.get("Recipients", ()):
            if any(letter.isspace() or not letter.isascii() for letter in recipient):
                raise Refusal("InvalidParameterValue", 400, f"Invalid recipient: {recipient}")
        for action in body["Actions"]:
            (kind, properties), *_ = action.items()
            writer = properties.get("IamRoleArn", properties.get("BucketName"))
            patterns = self.writes.get(writer, ())
            if kind == "S3Action" and not ((self.readings.any_rule_may_write and patterns) or _allowed(patterns, arn)):
                raise Refusal("InvalidS3Configuration", 400, f"Could not write to bucket: {properties['BucketName']}")
            if kind == "LambdaAction" and not _allowed(self.invokes.get(properties["FunctionArn"], ()), arn):
                raise Refusal(
                    "InvalidLambdaFunction", 400, f"Could not invoke Lambda function: {properties['FunctionArn']}"
                )
            if kind == "SNSAction" and not self.publishes(properties["TopicArn"]):
                raise Refusal("InvalidSnsTopic", 400, f"Could not publish to SNS topic: {properties['TopicArn']}")


def _allowed(patterns: Sequence[str], arn: str) -> bool:
    return any(fnmatchcase(arn, pattern) for pattern in patterns)


def _writes(template: Template) -> dict[str, list[str]]:
    """The patterns of rule ARNs that may write, by bucket or role."""
    found: dict[str, list[str]] = {}
    for name, resource in template.document["Resources"].items():
        if resource["Type"] == "AWS::S3::BucketPolicy":
            policy = template.resolve(resource["Properties"])
            found.setdefault(policy["Bucket"], []).extend(_rules_of_ses(policy["PolicyDocument"]))
        if resource["Type"] == "AWS::IAM::Role":
            trust = template.resolve(resource["Properties"]["AssumeRolePolicyDocument"])
            found.setdefault(template.arn(name), []).extend(_rules_of_ses(trust))
    return found


def _rules_of_ses(document: Mapping[str, Any]) -> list[str]:
    allowed = [one for one in document["Statement"] if one["Effect"] == "Allow"]
    ours = [one for one in allowed if one["Principal"] == {"Service": "ses.amazonaws.com"}]
    return [arn for one in ours for arn in _arns(one["Condition"])]


def _arns(condition: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The ARN patterns of a condition; IAM expands `*` under ArnLike, not under StringEquals."""
    found = []
    for operator, keys in condition.items():
        arns = keys.get("aws:SourceArn", ())
        for arn in [arns] if isinstance(arns, str) else arns:
            found.append(arn if operator == "ArnLike" else escape(arn))
    return found


def _invokes(template: Template) -> dict[str, list[str]]:
    """The patterns of rule ARNs that may invoke, by function."""
    found: dict[str, list[str]] = {}
    for permission in template.resources("AWS::Lambda::Permission").values():
        if permission["Principal"] == "ses.amazonaws.com":
            found.setdefault(permission["FunctionName"], []).append(permission["SourceArn"])
    return found
