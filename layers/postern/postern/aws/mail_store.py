"""The mail bucket: one object for each message, written by SES's S3 action."""

from typing import TYPE_CHECKING

from ..errors import MessageMissing
from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3MailStore:
    """Messages under `prefix` + message id: the Lambda event does not say the key, the rule does."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def fetch(self, message_id: str) -> bytes:
        """The message as SES stored it.

        Raises MessageMissing if there is no such object (which S3 only says to a role that may
        list the prefix; else it says AccessDenied), Temporary if it cannot be read now.
        """
        key = f"{self._prefix}{message_id}"
        with translated(f"S3 GetObject {self._bucket}/{key}"):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._client.exceptions.NoSuchKey:
                raise MessageMissing(f"no object {key} in bucket {self._bucket}") from None
