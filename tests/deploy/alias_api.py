"""The door for password managers on ministack, and what the role behind it may do to aliases that are there."""

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from tests.deploy.deployed import STACK, Deployed
from tests.password_managers import Asked

_TABLE = f"{STACK}-aliases"
_TIMEOUT = 60  # seconds for a request; a function starts meanwhile


def ask(endpoint: str, url: str, asked: Asked, token: str) -> tuple[int, str]:
    """(status, body). ministack has no names of its own in DNS: it takes the id of a URL in the path."""
    here = f"{endpoint}/_aws/lambda-url/{urlsplit(url).netloc.partition('.')[0]}{asked.path}"
    headers = {**asked.headers, "authorization": f"Bearer {token}"}
    request = urllib.request.Request(here, asked.body.encode() or None, headers, method=asked.method)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def attempts(alias: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Calls that would change where an alias leads, or read it, by a name for each."""
    key, thief = {"address": {"S": alias}}, {"S": "thief@evil.example"}
    item = {**key, "destinations": thief}
    change = {"UpdateExpression": "SET destinations = :to", "ExpressionAttributeValues": {":to": thief}}
    return {
        "put": ("put_item", {"TableName": _TABLE, "Item": item}),
        "update": ("update_item", {"TableName": _TABLE, "Key": key, **change}),
        "delete": ("delete_item", {"TableName": _TABLE, "Key": key}),
        "batch": ("batch_write_item", {"RequestItems": {_TABLE: [{"PutRequest": {"Item": item}}]}}),
        "update by statement": _stated(f'UPDATE "{_TABLE}" SET destinations = ? WHERE address = ?', thief, key["address"]),
        "delete by statement": _stated(f'DELETE FROM "{_TABLE}" WHERE address = ?', key["address"]),
        "catch-all": _inserted({"address": {"S": f"@{alias.rpartition('@')[2]}"}, "destinations": thief}),
        "settings": _inserted({"address": {"S": "#settings"}, "own_from": {"S": "as-published"}}),
        "patterns": _inserted({**item, "patterns": {"L": []}}),
        "read": ("batch_get_item", {"RequestItems": {_TABLE: {"Keys": [key]}}}),
        "read part": ("batch_get_item", {"RequestItems": {_TABLE: {"Keys": [key], "ProjectionExpression": "destinations"}}}),
        "scan": ("scan", {"TableName": _TABLE}),
    }  # fmt: skip


def passed(stack: Deployed, alias: str) -> list[str]:
    """The attempts that IAM lets pass."""
    client = stack.acting("ApiFunctionRole")
    return [name for name, (call, request) in attempts(alias).items() if _said(client, call, request) != _DENIED]


def inserted_over(stack: Deployed, alias: str) -> str:
    """What DynamoDB says to the one call that the role has, for an alias that is there."""
    call, request = _inserted({"address": {"S": alias}, "destinations": {"S": "thief@evil.example"}})
    return _said(stack.acting("ApiFunctionRole"), call, request)


_DENIED = "AccessDeniedException"


def _said(client: Any, call: str, request: dict[str, Any]) -> str:
    try:
        getattr(client, call)(**request)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def _inserted(item: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    names = ", ".join(f"'{name}': ?" for name in item)
    return _stated(f'INSERT INTO "{_TABLE}" VALUE {{{names}}}', *item.values())


def _stated(statement: str, *parameters: Any) -> tuple[str, dict[str, Any]]:
    return "execute_statement", {"Statement": statement, "Parameters": list(parameters)}
