"""The secret that holds the relay's credentials."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ...errors import Misconfigured
from ...relay.ports import PENDING, Credentials, Stored
from ..failures import translated

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


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
        """A version's value; RotateSecret creates a version without one, which reads as ResourceNotFoundException."""
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
        """Set the value. Repeating it with the same value is allowed; another value is refused, and the first stays."""
        with translated("Secrets Manager PutSecretValue"):
            self._client.put_secret_value(
                SecretId=self._secret,
                ClientRequestToken=version,
                SecretString=credentials.to_text(),
                VersionStages=[PENDING],
            )

    def promote(self, version: str, instead_of: str) -> None:
        """Move both labels in one call, so that there is a current version at every moment."""
        with translated("Secrets Manager UpdateSecretVersionStage"):
            self._client.update_secret_version_stage(
                SecretId=self._secret,
                VersionStage="AWSCURRENT",
                MoveToVersionId=version,
                RemoveFromVersionId=instead_of,
            )
