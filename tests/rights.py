"""The rights that the templates grant, and the calls that were recorded while tests ran (emulator/calls.py)."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from postern_mail.aws import clients

from emulator.account import ACCOUNT, REGION
from emulator.calls import recorded
from emulator.template import Template, UnknownConstruct
from tests.builders import ROOT

# Everything switched on that grants something.
WIDEST = {
    "Domains": "example.com",
    "HostedZones": "Z0123456789ABC",
    "CustomerKey": "true",
    "SesWritesBy": "role",
    "RefuseUnknownRecipients": "true",
    "Links": "true",
    "AliasApi": "true",
}
STACK = "postern-contract"  # of the tests in this process
RELAY = "relay"  # the stack of relay/template.yaml
_RELAYING = {"Domain": "example.com", "Owner": "o@dest.example", "VpcId": "vpc-1", "SubnetIds": "subnet-1"}


@contextmanager
def acting(function: str, stack: str = "") -> Iterator[None]:
    """The production clients that are made meanwhile are those of the function with this logical id."""
    stack = stack or (RELAY if function == "CredentialsFunction" else STACK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "boto3", _session(function, stack))
        yield


@cache
def _session(function: str, stack: str) -> boto3.Session:
    return boto3.Session(botocore_session=recorded(function, stack))


@dataclass(frozen=True, order=True)
class Call:
    """An action on a resource, by a role of a stack."""

    role: str
    stack: str
    action: str
    resource: str


@dataclass(frozen=True, order=True)
class Right:
    """One action on one resource, as a statement of a role grants it."""

    role: str
    statement: str
    action: str
    resource: str

    def covers(self, call: Call) -> bool:
        """Whether IAM would let the call pass by this right; conditions are IAM's own business (make test-deploy)."""
        return (self.role, self.action) == (call.role, call.action) and fnmatchcase(call.resource, self.resource)


class Named(Template):
    """A template whose attributes that only AWS knows match anything."""

    def _attribute(self, logical_id: str, attribute: str) -> str:
        try:
            return super()._attribute(logical_id, attribute)
        except UnknownConstruct:
            return "*"

    def _ref(self, name: str) -> Any:
        if name == "AWS::StackId":
            return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.stack}/*"
        resource = self.document["Resources"].get(name, {})
        if resource.get("Type") == "AWS::SecretsManager::Secret":
            return "*"
        try:
            return super()._ref(name)
        except UnknownConstruct:
            return "*"


@cache
def rights(stack: str) -> frozenset[Right]:
    """What all roles of the stack may do."""
    relay = stack == RELAY
    path = ROOT / "relay" / "template.yaml" if relay else ROOT / "template.yaml"
    plain = Template.load(path, stack, _RELAYING if relay else WIDEST)
    template = Named(plain.document, plain.folder, plain.stack, plain.parameters)
    found: set[Right] = set()
    for name, body in plain.document["Resources"].items():
        policies = body.get("Properties", {}).get("Policies", ())
        if body["Type"] == "AWS::IAM::Role":
            shared = [
                plain.document["Resources"][one["Ref"]] for one in body["Properties"].get("ManagedPolicyArns", ())
            ]
            policies = [*policies, *(one["Properties"] for one in shared)]
            found |= set(_rights(template, name, [one["PolicyDocument"] for one in policies]))
        elif body["Type"] == "AWS::Serverless::Function":
            found |= set(_rights(template, f"{name}Role", [one for one in policies if "Statement" in one]))
    return frozenset(found)


def _rights(template: Template, role: str, documents: list[dict[str, Any]]) -> Iterator[Right]:
    for statement in template.resolve([each for one in documents for each in one["Statement"]]):
        if statement["Effect"] == "Deny":
            continue  # tests/template/test_keys.py, make test-deploy
        for action in _several(statement["Action"]):
            for resource in _several(statement["Resource"]):
                yield Right(role, statement["Sid"], action, resource)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def without_right(calls: set[Call]) -> list[Call]:
    """Those that no right covers."""
    return sorted(call for call in calls if not any(right.covers(call) for right in rights(call.stack)))


def unused(calls: set[Call], stack: str) -> list[Right]:
    """The rights of a stack that none of the calls needed, in whatever stack it was made."""
    used: set[tuple[str, str, str, str]] = set()
    for call in calls:
        used |= {_kind(right, call.stack) for right in rights(call.stack) if right.covers(call)}
    return sorted(right for right in rights(stack) if _kind(right, stack) not in used)


def _kind(right: Right, stack: str) -> tuple[str, str, str, str]:
    return right.role, right.statement, right.action, right.resource.replace(stack, "postern")


def folder() -> Path:
    """Where the calls of this process and its functions go: recordings of other code are not looked at again."""
    return _recordings() / str(os.getpid())


def read(folder: Path, files: str = "*.jsonl") -> set[Call]:
    """The calls in the files of a folder."""
    lines = [line for file in folder.glob(files) for line in file.read_text(encoding="utf-8").splitlines()]
    return {Call(**json.loads(line)) for line in lines}


def everything() -> set[Call]:
    """All calls that this very code was seen to make, by any run of any tests."""
    return read(_recordings(), "**/*.jsonl")


@cache
def _recordings() -> Path:
    digest = hashlib.sha256()
    for part in ("functions", "layers/postern"):
        for file in sorted((ROOT / part).rglob("*.py")):
            digest.update(file.read_bytes())
    return ROOT / ".local" / "calls" / digest.hexdigest()[:16]
