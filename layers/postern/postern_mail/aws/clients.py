"""The boto3 clients, created once for each container. Endpoints come from AWS_ENDPOINT_URL and similar variables."""

import os
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

_PATIENT = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=3,  # seconds
    read_timeout=20,
)
# SES has no idempotency token: a retry by botocore can send a second copy.
_ONE_ATTEMPT = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=3,
    read_timeout=60,  # a 40 MB message takes a while
)
# For a function that must answer CloudFormation in time and retries by itself.
_BRIEF = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=3,
    read_timeout=10,
)
# For calls limited to one a second for the whole account.
_PACED = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=3,
    read_timeout=10,
)
# A key whose answer was lost is useless: the step that asked for it is repeated as a whole.
_ONE_KEY = _PATIENT.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
_TEMPORARY_SECONDS = 3600  # the session AWS gives a role by default


def dynamodb(*, brief: bool = False) -> "DynamoDBClient":
    """A client that retries reads and conditional writes; a `brief` one makes one attempt of at most 13 seconds."""
    return boto3.client("dynamodb", config=_BRIEF if brief else _PATIENT)


def s3() -> "S3Client":
    """A client that retries; an emulator on this machine has no host for each bucket."""
    local = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: Any = {"addressing_style": "path" if local else "virtual", "us_east_1_regional_endpoint": "regional"}
    # In older regions botocore signs URLs by version 2, which S3 refuses for objects encrypted by KMS.
    return boto3.client("s3", config=_PATIENT.merge(Config(s3=options, signature_version="s3v4")))


def secrets() -> "SecretsManagerClient":
    """A client that retries."""
    return boto3.client("secretsmanager", config=_PATIENT)


def sqs() -> "SQSClient":
    """A client that retries."""
    return boto3.client("sqs", config=_PATIENT)


def ses() -> "SESV2Client":
    """A client that makes exactly one attempt."""
    return boto3.client("sesv2", config=_ONE_ATTEMPT)


def receipt_rules(*, brief: bool = False) -> Any:
    """A client of SES's first API, the only one with receipt rules; it retries for at most 45 seconds.

    A `brief` one makes one attempt of at most 13 seconds.
    """
    return boto3.client("ses", config=_BRIEF if brief else _PACED)


def identities(*, brief: bool = False) -> Any:
    """A client of SES for everything but sending; it retries, a `brief` one makes one attempt of at most 13 seconds."""
    return boto3.client("sesv2", config=_BRIEF if brief else _PATIENT)


def route53(*, brief: bool = False) -> Any:
    """A client that retries; a `brief` one makes one attempt of at most 13 seconds."""
    return boto3.client("route53", config=_BRIEF if brief else _PATIENT)


def functions(*, brief: bool = False) -> Any:
    """A client of Lambda that retries; a `brief` one makes one attempt of at most 13 seconds."""
    return boto3.client("lambda", config=_BRIEF if brief else _PATIENT)


def iam() -> Any:
    """A client that makes exactly one attempt."""
    return boto3.client("iam", config=_ONE_KEY)


def cloudformation(*, brief: bool = False) -> Any:
    """A client that retries; a `brief` one makes one attempt of at most 13 seconds."""
    return boto3.client("cloudformation", config=_BRIEF if brief else _PATIENT)


def bounces() -> Any:
    """A client of SES's first API, which has SendBounce; it makes exactly one attempt of at most 4 seconds."""
    return boto3.client("ses", config=_ONE_ATTEMPT.merge(Config(connect_timeout=1, read_timeout=3)))


def sns() -> Any:
    """A client that retries."""
    return boto3.client("sns", config=_PATIENT)


def sts() -> "STSClient":
    """A client that retries."""
    return boto3.client("sts", config=_PATIENT)


def cloudwatch() -> Any:
    """A client that retries."""
    return boto3.client("cloudwatch", config=_PATIENT)
