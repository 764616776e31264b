"""The exit statuses: 0 done, 1 the answer is no, 2 usage error, 3 AWS or the network failed.

An error is one sentence on standard error, never a traceback.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from postern_mail.errors import Overtaken, Temporary
from postern_mail.mail.visible import visible

from .tables.file import BadTablesFile

NO, USAGE_ERROR, AWS_FAILED = 1, 2, 3


_ELSEWHERE = "is it in another region or account? postern --region REGION --profile NAME"
_ADVICE = (  # for errors from boto3 and AWS
    ("specify a region", "use postern --region REGION, or set AWS_REGION"),
    ("locate credentials", "use postern --profile NAME, or sign in (aws sso login, aws configure)"),
    ("oken has expired", "sign in again (aws sso login)"),
    ("ExpiredToken", "sign in again (aws sso login)"),
    ("config profile", "`aws configure list-profiles` lists your profiles"),
    ("AccessDenied", "these credentials lack the permission: postern --profile NAME uses others"),
    ("not authorized", "these credentials lack the permission: postern --profile NAME uses others"),
    ("UnrecognizedClient", "AWS does not know these credentials: check with `aws sts get-caller-identity`"),
    ("InvalidClientTokenId", "AWS does not know these credentials: check with `aws sts get-caller-identity`"),
    ("does not exist", _ELSEWHERE),
    ("ResourceNotFoundException", _ELSEWHERE),
    ("NoSuchBucket", _ELSEWHERE),
    ("NonExistentQueue", _ELSEWHERE),
    ("Could not connect", "check the network, the region's name, and AWS_ENDPOINT_URL if it is set"),
)


class Refused(Exception):
    """The answer is no; the message says why."""


class UsageError(ValueError):
    """The command line or the environment is wrong; the message says why."""


def refuse_any(faults: Iterable[str]) -> None:
    """Print each fault and exit with status 1; return if there are none."""
    listed = list(faults)
    for fault in listed:
        _tell(fault)
    if listed:
        raise typer.Exit(NO)


def refuse(fault: object) -> NoReturn:
    """Print the reason and exit with status 1."""
    _tell(fault)
    raise typer.Exit(NO)


def warn(warnings: Iterable[str]) -> None:
    """Print warnings, and go on."""
    for warning in warnings:
        _tell(f"warning: {warning}")


def usage_error(fault: object) -> NoReturn:
    """Print the error and exit with status 2."""
    _tell(fault)
    raise typer.Exit(USAGE_ERROR)


def advised(failure: Temporary) -> str:
    """A failure of AWS or the network as text, with the region and profile, and what to do."""
    return f"{failure}{_where(str(failure))}{f'; {todo}' if (todo := what_to_do(str(failure))) else ''}"


def what_to_do(failure: str) -> str:
    """What usually helps against a failure of AWS or the network, "" if nothing is known."""
    return next((advice for said, advice in _ADVICE if said in failure), "")


def _where(failure: str) -> str:
    """The region and profile in use, unless the failure names them or AWS was never called."""
    if "region" in failure or "profile" in failure or "boto3" not in sys.modules:
        return ""
    from .aws import reach  # noqa: PLC0415 (it needs boto3, which is loaded by now)

    return f" ({reach.whereabouts()})"


def _tell(fault: object) -> None:
    typer.echo(f"postern: {visible(str(fault))}", err=True)


@contextmanager
def exits() -> Iterator[None]:
    """Exit with status 3 if AWS or the network fails, with 2 for a usage error or a tables file that cannot be read,
    with 1 if the answer is no or someone else changed a row first."""
    try:
        yield
    except Temporary as failure:
        _tell(advised(failure))
        raise typer.Exit(AWS_FAILED) from failure
    except (Overtaken, Refused) as fault:
        refuse(fault)
    except (BadTablesFile, UsageError) as fault:
        usage_error(fault)
