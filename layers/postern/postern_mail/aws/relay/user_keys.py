"""The keys of an IAM user."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ...relay.ports import AccessKey
from ..failures import translated

if TYPE_CHECKING:
    pass


class UserKeys:
    """The access keys of one IAM user (docs.aws.amazon.com/IAM, "Managing access keys")."""

    def __init__(self, client: Any, user: str) -> None:
        self._client, self._user = client, user

    def ids(self) -> frozenset[str]:
        """The ids of all keys; one page holds them, as IAM allows two."""
        with translated("IAM ListAccessKeys"):
            found = self._client.list_access_keys(UserName=self._user)["AccessKeyMetadata"]
        return frozenset(key["AccessKeyId"] for key in found)

    def make(self) -> AccessKey:
        """Create a key. Raises Unavailable (IAM: LimitExceeded) if there are two already."""
        with translated("IAM CreateAccessKey"):
            made = self._client.create_access_key(UserName=self._user)["AccessKey"]
        return AccessKey(made["AccessKeyId"], made["SecretAccessKey"])

    def remove(self, key_id: str) -> None:
        """Delete a key. IAM's NoSuchEntity, for a key already deleted, is not an error."""
        with translated("IAM DeleteAccessKey"):
            try:
                self._client.delete_access_key(UserName=self._user, AccessKeyId=key_id)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchEntity":
                    raise

    def remove_all(self) -> str:
        """Delete every key, because the stack and the user are being deleted; returns how many, as text. Raises
        Temporary."""
        ids = self.ids()
        for key_id in ids:
            self.remove(key_id)
        return f"{len(ids)} keys removed"
