"""SMTP passwords that send as one address each: IAM users of a stack, under a path and with tags of their own.

A user's name is built from stack, region and address (`postern_mail.mail.send_as.user_name`), its password from the
secret of its access key (`postern_mail.relay.smtp_password`). The users are not resources of the stack and outlive it.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from postern_mail.aws import clients
from postern_mail.aws.failures import translated
from postern_mail.aws.relay.user_keys import UserKeys
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.send_as import user_name
from postern_mail.relay.smtp_password import smtp_password

from .reach import reaching

POLICY = "send-as-one-address"
STACK_TAG, ADDRESS_TAG = "postern:stack", "postern:address"
SERVER = "POSTERN_SUBMISSION"  # HOST:PORT instead of SES's SMTP server, for an emulator of AWS
STARTTLS = 587  # docs.aws.amazon.com/ses, "Connecting to an Amazon SES SMTP endpoint"
_MOST_KEYS = 2  # of a user: docs.aws.amazon.com/IAM, "IAM and AWS STS quotas"
_NO_TAG = re.compile(r"[^A-Za-z0-9_.+@-]")  # characters that are escaped in the value of a tag
_SPELLED = re.compile(r"=([0-9A-F]{2})")


@dataclass(frozen=True, slots=True)
class Key:
    """An access key, whose id is the user name in SMTP; `made_at` is in epoch seconds."""

    id: str
    made_at: float
    active: bool


@dataclass(frozen=True, slots=True)
class User:
    """A user of the stack, its keys oldest first. `address` is None if its tags name none; `faults` say how it is
    more, or less, than a password for one address."""

    name: str
    arn: str
    address: Address | None
    keys: tuple[Key, ...]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Password:
    """What a mail program logs in with, using STARTTLS. AWS shows it only once."""

    server: str
    user: str
    password: str = field(repr=False)
    port: int = STARTTLS


class Foreign(Exception):
    """IAM has a user of this name that Postern did not make; the message says which."""


class SendAsUsers:
    """The users of one stack in one region. Every method raises Temporary."""

    def __init__(self, stack: str) -> None:
        with reaching("IAM"):
            self._iam: Any = clients.iam()
            self._region = str(clients.identities().meta.region_name)
        self._stack = stack
        self._path = f"/postern/{self._region}/{stack}/send-as/"

    def all(self) -> Iterator[User]:
        """Each user of the stack, with its faults."""
        with translated("IAM ListUsers"):
            pages = self._iam.get_paginator("list_users").paginate(PathPrefix=self._path)
            found = [one for page in pages for one in page["Users"]]
        for one in found:
            yield self._read(one)

    def find(self, address: Address) -> User | None:
        """The user of an address, None if there is none. Raises Foreign."""
        made = self._described(address)
        return self._read(made) if made else None

    def make(self, address: Address) -> Password:
        """Create the user, or what is missing of it, and a key. Safe to repeat: it goes on where an earlier attempt
        stopped. Raises Foreign."""
        found = self._described(address) or self._created(address)
        return self._new_password(str(found["UserName"]), str(found["Arn"]), address)

    def rotate(self, user: User) -> Password:
        """Create a new password, and restore the policy. The previous password works until `end`."""
        assert user.address is not None
        for key in user.keys[: max(0, len(user.keys) + 1 - _MOST_KEYS)]:
            UserKeys(self._iam, user.name).remove(key.id)
        return self._new_password(user.name, user.arn, user.address)

    def end(self, user: User) -> None:
        """Revoke the passwords that a user had. Safe to repeat."""
        for key in user.keys:
            UserKeys(self._iam, user.name).remove(key.id)

    def remove(self, name: str) -> None:
        """Delete a user of the stack, with its keys and policies. Safe to repeat."""
        UserKeys(self._iam, name).remove_all()
        for policy in self._inline(name):
            with translated(f"IAM DeleteUserPolicy {name}"):
                self._iam.delete_user_policy(UserName=name, PolicyName=policy)
        with translated(f"IAM DeleteUser {name}"):
            self._iam.delete_user(UserName=name)

    def _created(self, address: Address) -> dict[str, Any]:
        name = user_name(self._stack, self._region, address)
        tags = {STACK_TAG: self._stack, ADDRESS_TAG: _spelled(address)}
        with translated(f"IAM CreateUser {name}"):
            made: dict[str, Any] = self._iam.create_user(
                Path=self._path, UserName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
            )["User"]
            self._iam.get_waiter("user_exists").wait(UserName=name)  # IAM is eventually consistent
        return made

    def _new_password(self, name: str, arn: str, address: Address) -> Password:
        document = json.dumps(policy(arn, self._region, self._stack, address))
        with translated(f"IAM PutUserPolicy {name}"):
            self._iam.put_user_policy(UserName=name, PolicyName=POLICY, PolicyDocument=document)
        key = UserKeys(self._iam, name).make()
        server, _, port = (os.environ.get(SERVER) or f"email-smtp.{self._region}.amazonaws.com").partition(":")
        return Password(server, key.key_id, smtp_password(key.secret, self._region), int(port or STARTTLS))

    def _described(self, address: Address) -> dict[str, Any] | None:
        name = user_name(self._stack, self._region, address)
        with translated(f"IAM GetUser {name}"):
            try:
                found: dict[str, Any] = self._iam.get_user(UserName=name)["User"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchEntity":
                    return None
                raise
        if found["Path"] != self._path:
            raise Foreign(
                f"IAM has a user {name} under the path {found['Path']} that Postern did not create: delete or rename it"
            )
        return found

    def _read(self, user: Mapping[str, Any]) -> User:
        name = str(user["UserName"])
        with translated(f"IAM, about the user {name}"):
            tags = {one["Key"]: one["Value"] for one in self._iam.list_user_tags(UserName=name)["Tags"]}
            listed = self._iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        made = [Key(one["AccessKeyId"], one["CreateDate"].timestamp(), one["Status"] == "Active") for one in listed]
        arn, keys = str(user["Arn"]), tuple(sorted(made, key=lambda key: key.made_at))
        address = _address(tags.get(ADDRESS_TAG, ""))
        if address is None or user_name(self._stack, self._region, address) != name:
            return User(name, arn, None, keys, ("its tags do not name its address",))
        return User(name, arn, address, keys, tuple(self._faults(name, arn, address)))

    def _faults(self, name: str, arn: str, address: Address) -> Iterator[str]:
        """What is wrong with the user's permissions."""
        wanted, inline = policy(arn, self._region, self._stack, address), self._inline(name)
        with translated(f"IAM, about the policies of {name}"):
            found = None
            if POLICY in inline:
                found = self._iam.get_user_policy(UserName=name, PolicyName=POLICY)["PolicyDocument"]
            attached = self._iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
            groups = self._iam.list_groups_for_user(UserName=name)["Groups"]
        more = [*(one["PolicyName"] for one in attached), *(one["GroupName"] for one in groups)]
        if found is None:
            yield "its policy is gone, so it cannot send"
        elif not _binds(found, wanted):
            yield f"its policy no longer restricts it to {address}: it may send as another address"
        elif found != wanted:
            yield "its policy differs from the one that Postern wrote"
        if more := [*(one for one in inline if one != POLICY), *more]:
            yield f"it has more permissions than that policy, from {', '.join(sorted(more))}"

    def _inline(self, name: str) -> list[str]:
        with translated(f"IAM ListUserPolicies {name}"):
            return list(self._iam.list_user_policies(UserName=name)["PolicyNames"])


def policy(user_arn: str, region: str, stack: str, address: Address) -> dict[str, Any]:
    """The policy that lets a user of SES's SMTP service send as one address, in From and in the envelope.

    SMTP is authorised as SendRawEmail (docs.aws.amazon.com/ses, "Obtaining Amazon SES SMTP credentials"). The resource
    is every identity, because SES also checks an identity of ours that is the recipient; the conditions limit it.
    """
    partition, account = user_arn.split(":")[1], user_arn.split(":")[4]
    ses = f"arn:{partition}:ses:{region}:{account}"
    literal = str(address).replace("$", "${$}")  # else `${` starts a variable (IAM, "Policy variables")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SendAsOneAddress",
                "Effect": "Allow",
                "Action": "ses:SendRawEmail",
                "Resource": [f"{ses}:identity/*", f"{ses}:configuration-set/{stack}-forward"],
                "Condition": {"StringEqualsIgnoreCase": {"ses:FromAddress": literal, "ses:FeedbackAddress": literal}},
            }
        ],
    }


def _binds(found: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether every statement that allows anything has our conditions."""
    statements = found.get("Statement", ()) if isinstance(found, Mapping) else ()
    listed = [statements] if isinstance(statements, Mapping) else statements
    asked = wanted["Statement"][0]["Condition"]
    return all(one.get("Condition") == asked for one in listed if one.get("Effect") == "Allow")


def _spelled(address: Address) -> str:
    """An address as the value of a tag, which allows few special characters: the others are quoted-printable."""
    return _NO_TAG.sub(lambda found: "".join(f"={octet:02X}" for octet in found[0].encode()), address.key)


def _address(spelled: str) -> Address | None:
    try:
        return Address.parse(_SPELLED.sub(lambda found: chr(int(found[1], 16)), spelled))
    except InvalidAddress:
        return None
