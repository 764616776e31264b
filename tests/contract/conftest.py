from collections.abc import Iterator

import boto3
import pytest

from emulator.cloud import Cloud
from tests.relay_cloud import SECRET, USER, user_keys


@pytest.fixture
def account(aws: Cloud) -> Iterator[None]:
    """A user, and a secret as the relay's stack makes it."""
    iam, secrets = boto3.client("iam"), boto3.client("secretsmanager")
    iam.create_user(UserName=USER)
    secrets.create_secret(Name=SECRET, SecretString="{}")
    yield
    user_keys().clear()
    iam.delete_user(UserName=USER)
    secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
