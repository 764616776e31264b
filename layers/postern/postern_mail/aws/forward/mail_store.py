"""The mail bucket: one object for each message, written by SES's S3 action."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ...errors import MessageMissing, Misconfigured
from ...mail.message import Message
from ...side_by_side import Then, Waiting
from ..begun import begun
from ..failures import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


# Metadata that the S3 encryption client writes (docs.aws.amazon.com/ses, "Deliver to S3 bucket").
_ENVELOPE = frozenset({"x-amz-key", "x-amz-key-v2", "x-amz-iv", "x-amz-cek-alg", "x-amz-wrap-alg"})
_TOP = 64 * 1024  # octets


class S3MailStore:
    """Messages under `prefix` + message id: the rule determines the key, the Lambda event does not name it."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def fetch(self, message_id: str) -> bytes:
        """The message as SES stored it.

        Raises MessageMissing if there is no such object (S3 says so only to a role that may list the prefix; to others
        it says AccessDenied), Misconfigured if the receipt rule encrypted it with a key of its own, Temporary if it
        cannot be read now.
        """
        key = f"{self._prefix}{message_id}"
        return self._whole(partial(self._client.get_object, Bucket=self._bucket, Key=key), key)

    def begin(self, message_id: str) -> Waiting[bytes]:
        """Start the same read."""
        key = f"{self._prefix}{message_id}"
        asked = begun(self._client, "GetObject", Bucket=self._bucket, Key=key)
        return Then(asked, partial(self._whole, asked.result, key))

    def _whole(self, ask: Callable[[], Any], key: str) -> bytes:
        with translated(f"S3 GetObject {self._bucket}/{key}"):
            try:
                found = ask()
            except self._client.exceptions.NoSuchKey:
                raise MessageMissing(f"no object {key} in bucket {self._bucket}") from None
            marks = _ENVELOPE.intersection(found.get("Metadata", {}))
            if marks:
                raise Misconfigured(
                    f"object {key} is encrypted by a receipt rule ({', '.join(sorted(marks))}), and only its client can"
                    " read it: take the key out of the rule's S3 action, and encrypt the bucket instead"
                )
            content: bytes = found["Body"].read()
            return content

    def header(self, message_id: str) -> bytes:
        """The first 64 KB of a message, all of it if its header is longer. Raises as `fetch` does."""
        top, _ = self.top(message_id)
        return top if len(top) < _TOP or Message.split(top).is_separated else self.fetch(message_id)

    def address(self, message_id: str, file_name: str, seconds: int) -> str:
        """A URL at which anyone can save the message for this long, as a file that no browser displays. No call to S3
        is made."""
        shown = {
            "ResponseContentType": "application/octet-stream",
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
        }
        params = {"Bucket": self._bucket, "Key": f"{self._prefix}{message_id}", **shown}
        return self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds)

    def top(self, message_id: str) -> tuple[bytes, datetime]:
        """The first 64 KB of a message, and when SES stored it. Raises as `fetch` does."""
        key = f"{self._prefix}{message_id}"
        with translated(f"S3 GetObject {self._bucket}/{key}"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key, Range=f"bytes=0-{_TOP - 1}")
                return found["Body"].read(), found["LastModified"]
            except self._client.exceptions.NoSuchKey:
                raise MessageMissing(f"no object {key} in bucket {self._bucket}") from None
