"""The bucket, as listed by the watch."""

from typing import TYPE_CHECKING

from ..failures import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Bucket:
    """The objects under a prefix, written by SES."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str, *, page_size: int = 1000) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._page_size = page_size

    def page(self, after: str) -> tuple[dict[str, float], str]:
        """(message ids and when each was stored, the id to continue after or ""). Raises Temporary."""
        with translated(f"S3 ListObjectsV2 {self._bucket}/{self._prefix}"):
            found = self._client.list_objects_v2(
                Bucket=self._bucket,
                Prefix=self._prefix,
                StartAfter=f"{self._prefix}{after}",  # skips the marker that the console creates for a folder
                MaxKeys=self._page_size,
            )
        stored = {
            one["Key"].removeprefix(self._prefix): one["LastModified"].timestamp() for one in found.get("Contents", ())
        }
        return stored, max(stored) if found["IsTruncated"] else ""
