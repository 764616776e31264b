"""Resources that ministack does not know, or of which it lacks a part."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import dynamodb, s3
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Made = tuple[str, Properties]  # what Ref returns, and the attributes


def teach() -> None:
    """Take the place of ministack's own."""
    known = provisioners._RESOURCE_HANDLERS
    bucket = known["AWS::S3::Bucket"]
    made = {name: _with_encryption(bucket[name]) for name in ("create", "update")}
    known["AWS::S3::Bucket"] = {**bucket, **made}
    dynamodb._partiql_insert = _with_stream(dynamodb._partiql_insert)


def _with_stream(insert: Callable[..., Any]) -> Callable[..., Any]:
    """A table's stream has "any" modification of an item ("Change data capture for DynamoDB Streams"), also PartiQL's."""

    def inserted(table: Any, parsed: Properties) -> Any:
        answer = insert(table, parsed)
        if answer[0] == HTTPStatus.OK:
            dynamodb._emit_stream_event(parsed["table"], "INSERT", None, parsed["item"])
        return answer

    return inserted


def _with_encryption(work: Callable[..., Made]) -> Callable[..., Made]:
    """BucketEncryption, which ministack takes by S3's API alone."""

    def done(*arguments: Any, **named: Any) -> Made:
        name, attributes = work(*arguments, **named)
        properties = next(one for one in reversed(arguments) if isinstance(one, dict))  # the new ones, of an update
        for rule in properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", ()):
            wanted = rule["ServerSideEncryptionByDefault"]
            inner = "".join(f"<{key}>{value}</{key}>" for key, value in wanted.items())
            default = f"<ApplyServerSideEncryptionByDefault>{inner}</ApplyServerSideEncryptionByDefault>"
            xml = f"<ServerSideEncryptionConfiguration><Rule>{default}</Rule></ServerSideEncryptionConfiguration>"
            s3._put_bucket_encryption(name, xml.encode())
        return name, attributes

    return done
