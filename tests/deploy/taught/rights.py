"""IAM where ministack does not look, a list of everything that was denied, and what roles were seen to do."""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import dynamodb
from ministack.services import iam as iam_service
from ministack.services import s3 as s3_service

from emulator.calls import VARIABLE, write

ACCOUNT, REGION = os.environ["MINISTACK_ACCOUNT_ID"], os.environ["MINISTACK_REGION"]
DENIALS = Path(os.environ["POSTERN_DENIALS"])  # gets a line of JSON for each call that was denied
CALLS = Path(os.environ[VARIABLE]) / "judged" / "ministack.jsonl"  # apart: these calls have been held against the roles
_ROLE = re.compile(r".*:assumed-role/(\w+)-(\w+?Role)\b.*")  # stack, logical id
_DENIED = (b"AccessDenied", b"not authorized to perform")
_MAX_SHOWN = 500  # bytes of a denial that are kept
_WORD = re.compile(r"(?<![:\w])#?[A-Za-z_]\w*")
_KEYWORDS = {"SET", "REMOVE", "ADD", "DELETE", "if_not_exists", "list_append"}
_STATEMENT = re.compile(r'(INSERT|UPDATE|DELETE)(?: INTO| FROM)? "([^"]+)"')
_INSERTED = re.compile(r"'(\w+)': \?")
_HASH_IS = re.compile(r"(#?\w+)\s*=\s*(:\w+)")  # in a key condition

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def teach() -> None:
    """Take the place of ministack's own."""
    app.pin_request_origin = _over_tls(iam_evaluator.pin_request_origin)
    app.app = _listing_denials(app.app)
    iam_evaluator.evaluate = _recording(iam_evaluator.evaluate)
    iam_evaluator._resource_policy = _with_trust(iam_evaluator._resource_policy)
    iam_actions.dynamodb_service_context = _with_leading_keys(iam_actions.dynamodb_service_context)
    iam_actions.dynamodb_transaction_checks = _with_statements(iam_actions.dynamodb_transaction_checks)
    iam_actions.s3_additional_checks = _with_decryption(iam_actions.s3_additional_checks)
    iam_actions.s3_access_point_resources = _by_way_of_s3(iam_actions.s3_access_point_resources)


def service_may(service: str, action: str, resource: str, policy: str | Mapping[str, Any], source: str) -> bool:
    """Whether a policy of the resource lets a service do this in the name of `source`, an ARN of ours."""
    context = _context(action, resource, {"aws:sourceaccount": ACCOUNT, "aws:sourcearn": source})
    return bool(iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")


def role_may(role: str, action: str, resource: str) -> bool:
    """Whether a role's own policies allow this; `role` is its ARN."""
    policies = iam_evaluator._gather_role_policies(role.rpartition("/")[2], ACCOUNT)
    return bool(iam_evaluator.evaluate(_context(action, resource, {}), policies).decision == "Allow")


def trust_of(role: str) -> dict[str, Any]:
    """The trust policy of a role by its ARN; it names no resource, for it is the role's own."""
    document = iam_service._roles[role.rpartition("/")[2]]["AssumeRolePolicyDocument"]
    found: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
    return {**found, "Statement": [{"Resource": "*", **one} for one in found["Statement"]]}


def deny(what: str, why: str) -> None:
    """Add a line to the list."""
    with DENIALS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"what": what, "why": why}) + "\n")


def _context(action: str, resource: str, keys: Mapping[str, str]) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=REGION,
        secure_transport=True,
        service_context=dict(keys),
    )


def _with_trust(original: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    """Within an account a trust policy that names the caller is enough (STS API reference, "AssumeRole")."""

    def policy(service: str, arn: str) -> Any:
        if service == "sts" and ":role/" in arn:
            return trust_of(arn), ACCOUNT
        return original("kms" if arn.startswith("arn:aws:kms:") else service, arn)

    return policy


def _over_tls(pin: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    """The policies deny what comes without TLS; here a proxy is assumed where it ends."""
    return lambda address, _secure: pin(address, True)


def _listing_denials(original: Asgi) -> Asgi:
    """Every answer that says "denied", to whomever, is on the list."""

    async def answered(scope: Any, receive: Any, send: Any) -> None:
        async def seen(message: Any) -> None:
            body = message.get("body", b"")
            if message["type"] == "http.response.body" and any(word in body[:_MAX_SHOWN] for word in _DENIED):
                await asyncio.to_thread(deny, scope["path"], body[:_MAX_SHOWN].decode("utf-8", "replace"))
            await send(message)

        await original(scope, receive, seen)

    return answered


def _recording(original: Callable[..., Any]) -> Callable[..., Any]:
    """Everything that a role of the stack is judged for (emulator/calls.py)."""
    known: set[tuple[str, ...]] = set()

    def evaluate(context: Any, *policies: Any) -> Any:
        found = _ROLE.fullmatch(context.principal_arn)
        if found and (call := (found[2], found[1], context.action, context.resource_arn)) not in known:
            known.add(call)
            write(CALLS, *call)
        return original(context, *policies)

    return evaluate


# --- dynamodb:LeadingKeys (service authorization reference, "Amazon DynamoDB") -------------------------------


def _with_leading_keys(original: Callable[[bytes], dict[str, Any]]) -> Callable[[bytes], dict[str, Any]]:
    def context(body: bytes) -> dict[str, Any]:
        request = json.loads(body or b"{}")
        keys, attributes = list(_leading_keys(request)), sorted(_attributes(request))
        found = {"dynamodb:LeadingKeys": keys, "dynamodb:Attributes": attributes}
        shown = {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"} if any(_shown(request)) else {}
        return {**original(body), **{name: values for name, values in found.items() if values}, **shown}

    return context


def _attributes(request: Mapping[str, Any]) -> set[str]:
    """Every top-level attribute that a write names: of its key, its item and its expressions; ministack knows those
    that a read asks for. A transaction is judged as a whole."""
    parts = [one for each in request.get("TransactItems", ()) for one in each.values()] or [request]
    return {name for part in parts for name in _named(part)}


def _shown(request: Mapping[str, Any]) -> Iterator[str]:
    """What a BatchGetItem asks for of the items, if not for all of it."""
    for wanted in request.get("RequestItems", {}).values():
        projection = wanted.get("ProjectionExpression", "") if isinstance(wanted, dict) else ""
        yield from (name.strip() for name in projection.split(",") if name.strip())


def _inserted(request: Mapping[str, Any]) -> dict[str, Any]:
    """The item of PartiQL's INSERT, with a parameter for each attribute."""
    names = _INSERTED.findall(request.get("Statement", ""))
    return dict(zip(names, request["Parameters"], strict=True)) if names else {}


def _with_statements(original: Callable[..., list[tuple[str, str]]]) -> Callable[..., list[tuple[str, str]]]:
    """ExecuteStatement is no action of IAM's: PartiQLInsert, PartiQLUpdate and PartiQLDelete are ("IAM security policies
    with PartiQL for DynamoDB")."""

    def checks(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        found = _STATEMENT.match(json.loads(body or b"{}").get("Statement", ""))
        if action == "dynamodb:ExecuteStatement" and found:
            what = f"dynamodb:PartiQL{found[1].capitalize()}"
            return [(what, f"arn:aws:dynamodb:{region}:{account}:table/{found[2]}")]
        return original(action, body, region, account)

    return checks


def _named(request: Mapping[str, Any]) -> Iterator[str]:
    yield from _shown(request)
    yield from _inserted(request)
    if "UpdateExpression" in request or "Item" in request:
        yield from (*request.get("Key", ()), *request.get("Item", ()))
    names = request.get("ExpressionAttributeNames", {})
    for name in _WORD.findall(request.get("UpdateExpression", "")):
        if name not in _KEYWORDS:
            yield names.get(name, name)


def _leading_keys(request: Mapping[str, Any]) -> Iterator[str]:
    if item := _inserted(request):
        yield from next(iter(item.values())).values()  # we write the key first
    for table, wanted in request.get("RequestItems", {}).items():
        writes = [one for each in wanted for one in each.values()] if isinstance(wanted, list) else ()
        for one in writes or [{"Key": key} for key in wanted["Keys"]]:
            yield from _hash_of(table, one)
    for change in (one for each in request.get("TransactItems", ()) for one in each.values()):
        yield from _hash_of(change["TableName"], change)
    table = request.get("TableName", "")
    yield from _hash_of(table, request)
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    for name, value in _HASH_IS.findall(request.get("KeyConditionExpression", "")):
        if names.get(name, name) == _hash(table):
            yield from values[value].values()


def _hash_of(table: str, request: Mapping[str, Any]) -> Iterator[str]:
    for key in (request.get("Key"), request.get("Item")):
        if key:
            yield from key[_hash(table)].values()


def _hash(table: str) -> str:
    name: str = dynamodb._tables[table.rpartition("/")[2]]["pk_name"]
    return name


# --- kms:Decrypt, which S3 asks for in the name of who reads an encrypted object -----------------------------

Checks = Callable[..., list[tuple[str, str]]]
Resources = Callable[[str], list[tuple[str, dict[str, Any]]]]


def _with_decryption(original: Checks) -> Checks:
    def checks(method: str, path: str, headers: Any, body: bytes, query: Any) -> list[tuple[str, str]]:
        bucket, _, key = path.strip("/").partition("/")
        found = original(method, path, headers, body, query)
        encrypted = s3_service._bucket_default_sse_headers(bucket) if method == "GET" and key else {}
        master = encrypted.get("x-amz-server-side-encryption-aws-kms-key-id")
        return [*found, ("kms:Decrypt", master)] if master else found

    return checks


def _by_way_of_s3(original: Resources) -> Resources:
    def resources(arn: str) -> list[tuple[str, dict[str, Any]]]:
        if arn.startswith("arn:aws:kms:"):
            return [(arn, {"kms:ViaService": f"s3.{REGION}.amazonaws.com"})]
        return original(arn)

    return resources
