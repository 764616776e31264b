"""The boto3 clients, made once for each container. Endpoints come from AWS_ENDPOINT_URL and the like."""

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
# SES has no idempotency token: a retry that botocore makes on its own can be a second copy.
_ONE_ATTEMPT = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=3,
    read_timeout=60,  # a 40 MB message takes its time
)
# For a function that has to answer CloudFormation in time and tries again by itself.
_BRIEF = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=3,
    read_timeout=10,
)
# For calls that may be made once a second, by everybody in the account together.
_PACED = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=3,
    read_timeout=10,
)
# A key whose answer got lost is of no use to anybody: the step that asked is repeated as a whole.
_ONE_KEY = _PATIENT.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
_TEMPORARY_SECONDS = 3600  # the session AWS gives a role by default


def dynamodb(*, brief: bool = False) -> "DynamoDBClient":
    """A client that retries reads and conditional writes by itself; a `brief` one makes one attempt of at most 13
    seconds."""
    return boto3.client("dynamodb", config=_BRIEF if brief else _PATIENT)


def s3() -> "S3Client":
    """A client that retries by itself; what runs on this machine has no host for each bucket."""
    local = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: Any = {"addressing_style": "path" if local else "virtual", "us_east_1_regional_endpoint": "regional"}
    # In older regions botocore signs addresses by version 2, which S3 refuses for what KMS encrypts.
    return boto3.client("s3", config=_PATIENT.merge(Config(s3=options, signature_version="s3v4")))


def secrets() -> "SecretsManagerClient":
    """A client that retries by itself."""
    return boto3.client("secretsmanager", config=_PATIENT)


def sqs() -> "SQSClient":
    """A client that retries by itself."""
    return boto3.client("sqs", config=_PATIENT)


def ses() -> "SESV2Client":
    """A client that makes exactly one attempt."""
    return boto3.client("sesv2", config=_ONE_ATTEMPT)


def receipt_rules(*, brief: bool = False) -> Any:
    """A client of SES's first API, which alone knows receipt rules; it retries by itself for at most 45 seconds.

    A `brief` one makes one attempt of at most 13 seconds.
    """
    return boto3.client("ses", config=_BRIEF if brief else _PACED)


def identities(*, brief: bool = False) -> Any:
    """A client of SES for what is no sending; it retries by itself, a `brief` one makes one attempt of at most 13
    seconds."""
    return boto3.client("sesv2", config=_BRIEF if brief else _PATIENT)


def route53(*, brief: bool = False) -> Any:
    """A client that retries by itself; a `brief` one makes one attempt of at most 13 seconds."""
    return boto3.client("route53", config=_BRIEF if brief else _PATIENT)


def functions(*, brief: bool = False) -> Any:
    """A client of Lambda that retries by itself; a `brief` one makes one attempt of at most 13 seconds."""
    return boto3.client("lambda", config=_BRIEF if brief else _PATIENT)


def iam() -> Any:
    """A client that makes exactly one attempt."""
    return boto3.client("iam", config=_ONE_KEY)


def cloudformation(*, brief: bool = False) -> Any:
    """A client that retries by itself; a `brief` one makes one attempt of at most 13 seconds."""
    return boto3.client("cloudformation", config=_BRIEF if brief else _PATIENT)


def bounces() -> Any:
    """A client of SES's first API, where SendBounce is, that makes exactly one attempt of at most 4 seconds."""
    return boto3.client("ses", config=_ONE_ATTEMPT.merge(Config(connect_timeout=1, read_timeout=3)))


def sns() -> Any:
    """A client that retries by itself."""
    return boto3.client("sns", config=_PATIENT)


def sts() -> "STSClient":
    """A client that retries by itself."""
    return boto3.client("sts", config=_PATIENT)


def cloudwatch() -> Any:
    """A client that retries by itself."""
    return boto3.client("cloudwatch", config=_PATIENT)
