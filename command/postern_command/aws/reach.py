"""How the command reaches AWS: region, profile, and the outputs of a stack."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from postern_mail.aws import clients
from postern_mail.aws.failures import translated
from postern_mail.errors import Misconfigured


def described(stack: str) -> tuple[dict[str, str], dict[str, str]]:
    """The outputs and the parameters of a stack (docs.aws.amazon.com/AWSCloudFormation, "DescribeStacks").

    Raises Temporary if AWS or the network fails.
    """
    with reaching("CloudFormation"):
        client = clients.cloudformation()
    with reaching(f"CloudFormation DescribeStacks {stack} ({whereabouts()})"):
        found = client.describe_stacks(StackName=stack)["Stacks"][0]
    return _pairs(found, "Output"), _pairs(found, "Parameter")


def whereabouts() -> str:
    """The region and profile of new clients, as text."""
    session = boto3.DEFAULT_SESSION or boto3.Session()
    return f"region {session.region_name}, profile {session.profile_name}"


def select(region: str | None, profile: str | None) -> None:
    """Use this region and profile for all clients from now on; None leaves it to boto3.

    Raises Unavailable if there is no such profile.
    """
    if region or profile:
        with reaching(f"profile {profile}"):
            boto3.setup_default_session(region_name=region, profile_name=profile)


def tell_each_call(noted: Callable[..., None]) -> None:
    """Call `noted` before each call of every client created from now on, with botocore's `model` of the operation."""
    session = boto3.DEFAULT_SESSION
    if session is None:
        boto3.setup_default_session()
        session = boto3.DEFAULT_SESSION
    assert session is not None
    session.events.register("before-call", noted, unique_id=f"postern {id(noted)}")


@contextmanager
def reaching(what: str) -> Iterator[None]:
    """Translate failures of a call to `what`, including boto3's ValueError for a bad endpoint. Raises Temporary."""
    try:
        with translated(what):
            yield
    except ValueError as fault:
        if "endpoint" not in str(fault):
            raise
        raise Misconfigured(f"{what}: {fault}") from fault


def _pairs(stack: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {one[f"{kind}Key"]: one[f"{kind}Value"] for one in stack.get(f"{kind}s", ())}
