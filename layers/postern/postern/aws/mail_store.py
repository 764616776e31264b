"""The mail bucket: one object for each message, written by SES's S3 action."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import MessageMissing
from ..mail.notice import Link
from ..ports import Clock
from .failures import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3MailStore:
    """Messages under `prefix` + message id: the Lambda event does not say the key, the rule does."""

    def __init__(
        self, client: "S3Client", bucket: str, prefix: str, *, link_seconds: int = 0, clock: Clock | None = None
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._link_seconds = link_seconds
        self._clock = clock

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

    def link(self, message_id: str) -> Link | None:
        """A presigned GET of the message, and when it ends; None if links are switched off.

        A link ends with the credentials that signed it at the latest: `link_seconds` must not be
        more than they have left (`clients.lifetime`).
        """
        if not self._link_seconds or self._clock is None:
            return None
        until = datetime.fromtimestamp(self._clock.now() + self._link_seconds, UTC)
        said = {
            "ResponseContentType": "message/rfc822",
            "ResponseContentDisposition": f'attachment; filename="{message_id}.eml"',
        }
        what = {"Bucket": self._bucket, "Key": f"{self._prefix}{message_id}", **said}
        with translated("S3 presigned link"):
            url = self._client.generate_presigned_url("get_object", Params=what, ExpiresIn=self._link_seconds)
        return Link(url, until.strftime("%Y-%m-%d %H:%M UTC"))
