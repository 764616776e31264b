"""The credentials of the relay on real AWS: the keys of an IAM user, and a secret with its versions."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from ..errors import Misconfigured
from ..relay.ports import PENDING, AccessKey, Credentials, Stored
from ..relay.rotation import Rotation
from ..relay.settings import RelaySettings
from ..relay.smtp_login import SmtpLogin
from . import clients
from .clock import SystemClock
from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class UserKeys:
    """The access keys of one IAM user (docs.aws.amazon.com/IAM, "Managing access keys")."""

    def __init__(self, client: Any, user: str) -> None:
        self._client, self._user = client, user

    def ids(self) -> frozenset[str]:
        """One page holds them all: IAM allows two."""
        with translated("IAM ListAccessKeys"):
            found = self._client.list_access_keys(UserName=self._user)["AccessKeyMetadata"]
        return frozenset(key["AccessKeyId"] for key in found)

    def make(self) -> AccessKey:
        """Raises Unavailable (IAM says LimitExceeded) where there are two already."""
        with translated("IAM CreateAccessKey"):
            made = self._client.create_access_key(UserName=self._user)["AccessKey"]
        return AccessKey(made["AccessKeyId"], made["SecretAccessKey"])

    def remove(self, key_id: str) -> None:
        """IAM says NoSuchEntity of a key that is gone; that is what was wanted."""
        with translated("IAM DeleteAccessKey"):
            try:
                self._client.delete_access_key(UserName=self._user, AccessKeyId=key_id)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchEntity":
                    raise

    def remove_all(self) -> str:
        """Remove every key, because the stack goes and the user with it; says how many. Raises Temporary."""
        ids = self.ids()
        for key_id in ids:
            self.remove(key_id)
        return f"{len(ids)} keys removed"


class SecretVault:
    """One secret (docs.aws.amazon.com/secretsmanager, "What's in a Secrets Manager secret?")."""

    def __init__(self, client: "SecretsManagerClient", secret: str) -> None:
        self._client, self._secret = client, secret

    def labels(self) -> Mapping[str, frozenset[str]]:
        """The labels of each version that has any."""
        with translated("Secrets Manager DescribeSecret"):
            described = self._client.describe_secret(SecretId=self._secret)
        return {version: frozenset(those) for version, those in described.get("VersionIdsToStages", {}).items()}

    def read(self, version: str) -> Stored | None:
        """RotateSecret makes a version without a value; reading that is a ResourceNotFoundException."""
        with translated("Secrets Manager GetSecretValue"):
            try:
                found = self._client.get_secret_value(SecretId=self._secret, VersionId=version)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    return None
                raise
        try:
            return Stored(Credentials.from_text(found["SecretString"]), found["CreatedDate"].timestamp())
        except ValueError as fault:
            raise Misconfigured(f"version {version}: {fault}") from None

    def write(self, version: str, credentials: Credentials) -> None:
        """A repetition with the same value is no fault; with another one it is, and the first stays."""
        with translated("Secrets Manager PutSecretValue"):
            self._client.put_secret_value(
                SecretId=self._secret,
                ClientRequestToken=version,
                SecretString=credentials.to_text(),
                VersionStages=[PENDING],
            )

    def promote(self, version: str, instead_of: str) -> None:
        """One call moves both labels, so there is a current version at every moment."""
        with translated("Secrets Manager UpdateSecretVersionStage"):
            self._client.update_secret_version_stage(
                SecretId=self._secret,
                VersionStage="AWSCURRENT",
                MoveToVersionId=version,
                RemoveFromVersionId=instead_of,
            )


class PowertoolsStepLog:
    """JSON lines. Of a key its last four characters are shown, enough to tell two of them apart."""

    def __init__(self) -> None:
        self.logger = Logger(service="postern")

    def done(self, what: str, **about: str) -> None:
        """One line."""
        self.logger.info(what, extra={name: value[-4:] if name == "key" else value for name, value in about.items()})


def user_keys(settings: RelaySettings) -> UserKeys:
    """The keys of the stack's user."""
    return UserKeys(clients.iam(), settings.user)


def rotation(settings: RelaySettings, log: PowertoolsStepLog) -> Rotation:
    """The rotation on real AWS."""
    return Rotation(
        secret=settings.secret,
        region=settings.region,
        overlap=settings.overlap_hours * 3600,
        keys=user_keys(settings),
        vault=SecretVault(clients.secrets(), settings.secret),
        login=SmtpLogin(settings.host),
        clock=SystemClock(),
        pause=time.sleep,
        log=log,
    )
