"""Links to stored messages, for notices, each signed in a session whose end is known.

A link ends with the credentials that signed it, and those of a Lambda function do not say when they
end (docs.aws.amazon.com/AmazonS3, "Sharing objects with presigned URLs"). So the function assumes a
role that may read messages and do nothing else, and STS says when that session ends.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...mail.notice import Link
from ...ports.clock import Clock
from .. import clients
from ..failures import translated

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

SESSION_SECONDS = 3600  # the most for a role that assumes a role: IAM User Guide, "Role chaining"
_SESSION_NAME = "postern-link"  # what S3's and STS's logs show


class S3Links:
    """Makes links in the name of `role` that work for `seconds`, or as long as its session does."""

    def __init__(
        self, role: str, *, seconds: int, clock: Clock, connect: Callable[[], "STSClient"] = clients.sts
    ) -> None:
        self._role = role
        self._seconds = seconds
        self._clock = clock
        self._connect = connect  # only a notice with a link needs STS

    def link(self, bucket: str, key: str, file_name: str) -> Link:
        """A presigned GET of this object, and when it ends. Raises Temporary if the role cannot be assumed."""
        session = self._session()
        now = self._clock.now()
        until = min(now + self._seconds, session["Expiration"].timestamp())
        said = {
            "ResponseContentType": "message/rfc822",
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
        }
        what = {"Bucket": bucket, "Key": key, **said}
        with translated("S3 presigned link"):
            url = clients.s3(session).generate_presigned_url("get_object", Params=what, ExpiresIn=int(until - now))
        return Link(url, datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M UTC"))

    def _session(self) -> "CredentialsTypeDef":
        with translated(f"STS AssumeRole {self._role}"):
            answer = self._connect().assume_role(
                RoleArn=self._role, RoleSessionName=_SESSION_NAME, DurationSeconds=SESSION_SECONDS
            )
        return answer["Credentials"]
