"""The bucket as the check lists it."""

from typing import TYPE_CHECKING

from ..failures import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Bucket:
    """What SES wrote under a prefix."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str, *, page_size: int = 1000) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._page_size = page_size

    def page(self, after: str) -> tuple[dict[str, float], str]:
        """(message ids with the times they were stored at, the id to go on after or ""). Raises Temporary."""
        with translated(f"S3 ListObjectsV2 {self._bucket}/{self._prefix}"):
            found = self._client.list_objects_v2(
                Bucket=self._bucket,
                Prefix=self._prefix,
                StartAfter=f"{self._prefix}{after}",  # leaves out the mark that the console makes of a folder
                MaxKeys=self._page_size,
            )
        stored = {
            one["Key"].removeprefix(self._prefix): one["LastModified"].timestamp() for one in found.get("Contents", ())
        }
        return stored, max(stored) if found["IsTruncated"] else ""
