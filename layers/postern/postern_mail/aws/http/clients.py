"""The clients of this package, with the time limits of `aws.clients`."""

import os

from .connection import Patience, Service
from .dynamodb import DynamoDB
from .endpoints import SIGNED_AS, endpoint
from .s3 import S3
from .sesv2 import SesV2
from .signer import Credentials, Scope

_PATIENT = Patience(attempts=4, connecting=3, reading=20, idle=60)
# A connection that was closed while Lambda kept the container frozen would leave a sending uncertain.
_ONE_ATTEMPT = Patience(attempts=1, connecting=3, reading=60, idle=15)


def dynamodb() -> DynamoDB:
    """A client that retries reads and conditional writes. Raises NoEndpoint."""
    return DynamoDB(_service("dynamodb", _PATIENT))


def s3() -> S3:
    """A client that retries. Raises NoEndpoint."""
    local = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return S3(_service("s3", _PATIENT), path_style=bool(local))


def ses() -> SesV2:
    """A client that makes exactly one attempt. Raises NoEndpoint."""
    return SesV2(_service("sesv2", _ONE_ATTEMPT))


def _service(name: str, patience: Patience) -> Service:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    return Service(endpoint(name, os.environ), Scope(region, SIGNED_AS[name]), _credentials, patience)


def _credentials() -> Credentials:
    """Lambda's credentials, read for each call: a thawed container has new ones."""
    found = os.environ
    return Credentials(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], found.get("AWS_SESSION_TOKEN", ""))
