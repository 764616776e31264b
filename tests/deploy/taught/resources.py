"""Resources that ministack does not know, or of which it lacks a part."""

import hashlib
from collections.abc import Callable
from typing import Any

from ministack.services import s3
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Made = tuple[str, Properties]  # what Ref returns, and the attributes


def teach() -> None:
    """Take the place of ministack's own."""
    known = provisioners._RESOURCE_HANDLERS
    identity = known["AWS::SES::EmailIdentity"]
    made = {name: _with_dkim_tokens(identity[name]) for name in ("create", "update")}
    known["AWS::SES::EmailIdentity"] = {**identity, **made}
    known["AWS::Route53::RecordSetGroup"] = {"create": _create_group, "update": _update_group, "delete": _delete_group}
    bucket = known["AWS::S3::Bucket"]
    made = {name: _with_encryption(bucket[name]) for name in ("create", "update")}
    known["AWS::S3::Bucket"] = {**bucket, **made}


def _create_group(logical_id: str, group: Properties, stack: str) -> Made:
    """A RecordSetGroup is its records, each of which ministack knows."""
    for record in _records(group):
        provisioners._r53_record_set_create(logical_id, record, stack)
    return logical_id, {}


def _update_group(logical_id: str, old: Properties, new: Properties, stack: str) -> Made:
    _delete_group(logical_id, old)
    return _create_group(logical_id, new, stack)


def _delete_group(_logical_id: str, group: Properties) -> None:
    for record in _records(group):
        provisioners._r53_record_set_delete("", record)


def _records(group: Properties) -> list[Properties]:
    return [{**record, "HostedZoneId": group["HostedZoneId"]} for record in group["RecordSets"]]


def _with_dkim_tokens(work: Callable[..., Made]) -> Callable[..., Made]:
    """Fn::GetAtt of an EmailIdentity's DKIM records."""

    def done(*arguments: Any, **named: Any) -> Made:
        identity, attributes = work(*arguments, **named)
        for number in (1, 2, 3):
            token = hashlib.sha256(f"{identity}{number}".encode()).hexdigest()[:32]
            attributes[f"DkimDNSTokenName{number}"] = f"{token}._domainkey.{identity}"
            attributes[f"DkimDNSTokenValue{number}"] = f"{token}.dkim.amazonses.com"
        return identity, attributes

    return done


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
