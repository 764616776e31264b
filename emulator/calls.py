"""Records the AWS calls that a function makes, by botocore's events: each new one becomes a line of JSON.

Tests compare the lines with the roles in the template (tests/rights.py). A line names an action and a resource as a
policy does (Service Authorization Reference, "Actions, resources, and condition keys").
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session

from .account import ACCOUNT, REGION

VARIABLE = "POSTERN_CALLS"  # the environment variable for the folder of the lines; without it nothing is recorded
# S3 operations that an action of another name allows.
_S3_ACTIONS = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket"}
_OF_A_BUCKET = ("ListBucket",)
# The parameter that names the resource of a call, as in a policy.
_NAMED_BY = {"secretsmanager": "SecretId", "sns": "TopicArn", "sts": "RoleArn", "cloudformation": "StackName"}
_STATEMENT = re.compile(r'(INSERT) INTO "([^"]+)"')  # the only kind there is
_SECRET_ARN = re.compile(r"arn:.*:secret:(.*)-\w{6}")  # Secrets Manager adds six characters to a name


def recorded(function: str, stack: str) -> botocore.session.Session:
    """A botocore session for boto3 whose calls are recorded as those of the function with this logical id."""
    session = botocore.session.get_session()
    recorder: Any = Recorder(Path(os.environ[VARIABLE]), function, stack)
    session.register("before-parameter-build", recorder)
    return session


def record_our_own(function: str, stack: str) -> None:
    """Record the calls of the clients without boto3 too, in this process from now on."""
    # Here, because the process of ministack (tests/deploy) has no postern_mail, and only writes.
    from postern_mail.aws.http.dynamodb import DynamoDB  # noqa: PLC0415
    from postern_mail.aws.http.s3 import S3  # noqa: PLC0415
    from postern_mail.aws.http.sesv2 import SesV2  # noqa: PLC0415

    recorder = Recorder(Path(os.environ[VARIABLE]), function, stack)
    # Client, method, the service's signing name, operation; "" if the method gets the operation as an argument.
    for kind, method, service, operation in (
        (DynamoDB, "begin", "dynamodb", ""),
        (S3, "begin", "s3", ""),
        (SesV2, "send_email", "ses", "SendEmail"),
    ):
        setattr(kind, method, _noting(recorder, getattr(kind, method), service, operation))


def _noting(recorder: "Recorder", method: Callable[..., Any], service: str, operation: str) -> Callable[..., Any]:
    def noting(client: Any, *given: Any, **request: Any) -> Any:
        name, asked = given if given else (operation, request)
        recorder.note(service, name, asked)
        return method(client, *given, **request)

    return noting


class Recorder:
    """Handles botocore's event `before-parameter-build`."""

    def __init__(self, folder: Path, function: str, stack: str) -> None:
        self._file = folder / f"{os.getpid()}.jsonl"
        self._function = function
        self._stack = stack
        self._known: set[tuple[str, str, str]] = set()

    def __call__(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        """Record what a botocore call needs, once."""
        self.note(model.service_model.signing_name, model.name, params)

    def note(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Record what this call needs, once."""
        role = f"{self._function}Role"
        for action, resource in needed(service, operation, params):
            if (role, action, resource) not in self._known:
                self._known.add((role, action, resource))
                write(self._file, role, self._stack, action, resource)


def write(file: Path, role: str, stack: str, action: str, resource: str) -> None:
    """Append a line to this process's own file."""
    line = {"role": role, "stack": stack, "action": action, "resource": _SECRET_ARN.sub(r"\1", resource)}
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")


def needed(  # noqa: PLR0912 (a table of services)
    service: str, operation: str, params: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """(action, resource ARN) for each permission that IAM checks; "*" if the action has no resource."""
    action = f"{service}:{operation}"
    match service:  # KeyError: an operation that is not known here
        case "dynamodb" if "TransactItems" in params:
            for one in params["TransactItems"]:
                ((kind, change),) = one.items()
                yield f"dynamodb:{kind.removesuffix('Item')}Item", _arn("dynamodb", f"table/{change['TableName']}")
        case "dynamodb" if "Statement" in params:
            kind, table = _STATEMENT.match(params["Statement"]).groups()  # type: ignore[union-attr]
            yield f"dynamodb:PartiQL{kind.capitalize()}", _arn("dynamodb", f"table/{table}")
        case "dynamodb":
            index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            for table in params.get("RequestItems", ()) or [params["TableName"]]:
                yield action, _arn("dynamodb", f"table/{table}{index}")
        case "s3":
            known = _S3_ACTIONS.get(operation, operation)
            key = "" if known in _OF_A_BUCKET else f"/{params['Key']}"
            yield f"s3:{known}", f"arn:aws:s3:::{params['Bucket']}{key}"
        case "sqs":
            yield action, _arn("sqs", params["QueueUrl"].rpartition("/")[2])
        case "ses":
            yield from _sending(action, params)
        case "monitoring":
            yield f"cloudwatch:{operation}", "*"
        case _ if service in _NAMED_BY:
            yield action, params[_NAMED_BY[service]]
        case "route53":
            yield action, f"arn:aws:route53:::hostedzone/{params.get('HostedZoneId') or params['Id']}"
        case "lambda" if operation == "GetAccountSettings":
            yield action, "*"
        case "lambda":
            yield "lambda:InvokeFunction", _arn("lambda", f"function:{params['FunctionName']}")
        case "iam":
            yield action, f"arn:aws:iam::{ACCOUNT}:user/{params['UserName']}"
        case _:
            raise NotImplementedError(f"what {action} needs is not known to emulator/calls.py")


def _sending(action: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The permissions of SES calls: sending needs an identity and a configuration set, changes of an identity need that
    identity; other calls have no resource."""
    if "EmailIdentity" in params:
        yield action, _arn("ses", f"identity/{params['EmailIdentity']}")
        return
    sender = params.get("FromEmailAddress") or params.get("BounceSender")
    if sender is None:
        yield action, "*"
        return
    domain = sender.rpartition("@")[2].rstrip(">")
    # SESv2 SendEmail with raw content is authorised as SendRawEmail.
    names = [action, *(["ses:SendRawEmail"] if "Raw" in params.get("Content", {}) else [])]
    for name in names:
        yield name, _arn("ses", f"identity/{domain}")
        if "ConfigurationSetName" in params:
            yield name, _arn("ses", f"configuration-set/{params['ConfigurationSetName']}")


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
