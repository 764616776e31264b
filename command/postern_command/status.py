"""How a command ends: 0 done, 1 the answer is no, 2 wrong use, 3 AWS or the network failed.

A fault is one sentence on standard error, never a traceback.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from postern_mail.errors import Overtaken, Temporary
from postern_mail.mail.visible import visible

from .tables.file import BadTablesFile

NO, WRONG_USE, AWS_FAILED = 1, 2, 3


_ELSEWHERE = "is it another region or profile? postern --region REGION --profile NAME"
_ADVICE = (  # for what boto3 and AWS say of how they were reached
    ("specify a region", "say postern --region REGION, or set AWS_REGION"),
    ("locate credentials", "say postern --profile NAME, or sign in (aws sso login, aws configure)"),
    ("oken has expired", "sign in again (aws sso login)"),
    ("ExpiredToken", "sign in again (aws sso login)"),
    ("config profile", "`aws configure list-profiles` names those there are"),
    ("AccessDenied", "these credentials lack the right: postern --profile NAME names others"),
    ("not authorized", "these credentials lack the right: postern --profile NAME names others"),
    ("UnrecognizedClient", "AWS does not know these credentials: `aws sts get-caller-identity` says more"),
    ("InvalidClientTokenId", "AWS does not know these credentials: `aws sts get-caller-identity` says more"),
    ("does not exist", _ELSEWHERE),
    ("ResourceNotFoundException", _ELSEWHERE),
    ("NoSuchBucket", _ELSEWHERE),
    ("NonExistentQueue", _ELSEWHERE),
    ("Could not connect", "is there a network, is the region one, and does AWS_ENDPOINT_URL lead there?"),
)


class Refused(Exception):
    """The answer is no; the message says why."""


class WrongUse(ValueError):
    """What was typed, or set in the environment, cannot be meant; the message says why."""


def say_no(faults: Iterable[str]) -> None:
    """End with status 1 if there is any fault, after printing each; else go on."""
    listed = list(faults)
    for fault in listed:
        _tell(fault)
    if listed:
        raise typer.Exit(NO)


def refuse(fault: object) -> NoReturn:
    """End with status 1."""
    _tell(fault)
    raise typer.Exit(NO)


def warn(warnings: Iterable[str]) -> None:
    """Say what may not be meant, and go on."""
    for warning in warnings:
        _tell(f"warning: {warning}")


def wrong_use(fault: object) -> NoReturn:
    """End with status 2."""
    _tell(fault)
    raise typer.Exit(WRONG_USE)


def advised(failure: Temporary) -> str:
    """A failure of AWS or the network, with where it was asked and what to do."""
    return f"{failure}{_where(str(failure))}{_what_to_do(str(failure))}"


def _what_to_do(failure: str) -> str:
    return next((f"; {advice}" for said, advice in _ADVICE if said in failure), "")


def _where(failure: str) -> str:
    """Region and profile, unless they are named, or nobody has come to AWS."""
    if "region" in failure or "profile" in failure or "boto3" not in sys.modules:
        return ""
    from .aws import reach  # noqa: PLC0415 (it needs boto3, which is there)

    return f" ({reach.whereabouts()})"


def _tell(fault: object) -> None:
    typer.echo(f"postern: {visible(str(fault))}", err=True)


@contextmanager
def exits() -> Iterator[None]:
    """End with status 3 where AWS or the network failed, with 2 for wrong use and a tables file that cannot
    be read, with 1 where the answer is no or somebody else was faster."""
    try:
        yield
    except Temporary as failure:
        _tell(advised(failure))
        raise typer.Exit(AWS_FAILED) from failure
    except (Overtaken, Refused) as fault:
        refuse(fault)
    except (BadTablesFile, WrongUse) as fault:
        wrong_use(fault)
