"""IAM, as far as the template's policies use it: whether a role may make a call, its conditions with it.

docs.aws.amazon.com/IAM, "Policy evaluation logic", "Multivalued context keys". For DynamoDB: `dynamodb:LeadingKeys` are
the values of hash keys, `dynamodb:Attributes` every top-level attribute that a request names.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from emulator.calls import needed
from emulator.template import Template
from tests.template.deployments import denied, granted

Context = Mapping[str, Collection[str]]
_NAME = re.compile(r"(?<![:\w])#?\w+")
_INSERTED = re.compile(r"'(\w+)':")
_WORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"}
_FUNCTIONS = {
    "attribute_exists",
    "attribute_not_exists",
    "if_not_exists",
    "list_append",
    "begins_with",
    "contains",
    "size",
}


def may(template: Template, role: str, action: str, resource: str, context: Context) -> bool:
    """Whether the role's own policies and those attached to it let it."""
    if any(_applies(one, action, resource, context) for one in denied(template, role)):
        return False
    return any(_applies(one, action, resource, context) for one in granted(template, role))


def may_call(template: Template, role: str, service: str, operation: str, params: Mapping[str, Any]) -> bool:
    """Whether the role may make a call with these parameters, each part of a transaction with it."""
    parts = [one for each in params.get("TransactItems", ()) for one in each.values()] or [params]
    return all(
        may(template, role, action, resource, context_of(part))
        for part, (action, resource) in zip(parts, needed(service, operation, params), strict=True)
    )


def context_of(request: Mapping[str, Any]) -> Context:
    """What IAM knows of a request to DynamoDB; the hash key is the first one."""
    keys = [request[name] for name in ("Key", "Item") if isinstance(request.get(name), Mapping)]
    shown = [request.get("ProjectionExpression", "")]
    for wanted in request.get("RequestItems", {}).values():
        keys += wanted["Keys"]
        shown.append(wanted.get("ProjectionExpression", ""))
    if "Statement" in request:  # an INSERT, whose first attribute is the key
        keys.append(dict(zip(_INSERTED.findall(request["Statement"]), request["Parameters"], strict=True)))
    values = [next(iter(key.values())) for key in keys]
    leading = [str(next(iter(value.values()))) if isinstance(value, Mapping) else str(value) for value in values]
    read = {name.strip() for each in shown for name in each.split(",") if name.strip()}
    attributes = {name for key in keys for name in key} | set(_named(request)) | read
    select = "SPECIFIC_ATTRIBUTES" if read else "ALL_ATTRIBUTES"
    return {"dynamodb:LeadingKeys": leading, "dynamodb:Attributes": attributes, "dynamodb:Select": [select]}


def _named(request: Mapping[str, Any]) -> Iterator[str]:
    names = request.get("ExpressionAttributeNames", {})
    for expression in ("UpdateExpression", "ConditionExpression"):
        for name in _NAME.findall(request.get(expression, "")):
            if name not in _WORDS | _FUNCTIONS and not name.isdigit():
                yield names.get(name, name)


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    wanted, negated = (statement["Action"], False) if "Action" in statement else (statement["NotAction"], True)
    if any(fnmatchcase(action, one) for one in _several(wanted)) == negated:
        return False
    if not any(fnmatchcase(resource, one) for one in _several(statement["Resource"])):
        return False
    conditions = statement.get("Condition", {})
    return all(
        _holds(how, context.get(key, ()), values) for how, keys in conditions.items() for key, values in keys.items()
    )


def _holds(how: str, found: Collection[str], values: Any) -> bool:
    if how.endswith("IfExists"):
        return not found or _holds(f"ForAnyValue:{how.removesuffix('IfExists')}", found, values)
    quantifier, _, operator = how.partition(":")
    match operator:
        case "StringEquals" | "StringLike":
            hits = [any(fnmatchcase(one, value) for value in _several(values)) for one in found]
        case "StringNotEquals" | "StringNotLike":
            hits = [not any(fnmatchcase(one, value) for value in _several(values)) for one in found]
        case _:
            raise NotImplementedError(how)
    return {"ForAllValues": all, "ForAnyValue": any}[quantifier](hits)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
