"""Each key of the stack as each role, by each call that could show or change it."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from postern_mail.aws.stack_keys import DQS, LINKS, STAMP, TAGS

from tests.deploy.deployed import STACK, Deployed

_TABLE = f"{STACK}-ledger"


def trials(stack: Deployed) -> Iterator[tuple[str, str, str, bool]]:
    """(role, purpose, call, whether IAM let it pass). What passes and writes is refused by DynamoDB itself,
    except of the key for Spamhaus's lists, which is not there."""
    for role in stack.roles():
        client = stack.acting(role)
        for purpose in (STAMP, TAGS, LINKS, DQS):
            for call, request in _requests(purpose).items():
                yield role, purpose, call, _passes(client, call, request)


def _requests(purpose: str) -> dict[str, dict[str, Any]]:
    key = {"message_id": {"S": f"#key:{purpose}"}, "entry": {"S": "key"}}
    where = {"KeyConditionExpression": "message_id = :id", "ExpressionAttributeValues": {":id": key["message_id"]}}
    never = {"ConditionExpression": "attribute_not_exists(message_id)"}  # the key is there
    change = {"UpdateExpression": "REMOVE made_at", **never}
    alone: dict[str, dict[str, Any]] = {
        "scan": {},
        "query": where,
        "get_item": {"Key": key},
        "put_item": {"Item": key, **never},
        "update_item": {"Key": key, **change},
        "delete_item": {"Key": key, **never},
    }
    several: dict[str, dict[str, Any]] = {
        "batch_get_item": {"RequestItems": {_TABLE: {"Keys": [key]}}},
        "batch_write_item": {"RequestItems": {_TABLE: [{"DeleteRequest": {"Key": key}}]}},
    }
    return several | {name: {"TableName": _TABLE, **request} for name, request in alone.items()}


def _passes(client: Any, call: str, request: dict[str, Any]) -> bool:
    try:
        getattr(client, call)(**request)
    except client.exceptions.ConditionalCheckFailedException:
        return True
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True
