"""S3 GetObject."""

import base64
import hashlib
import zlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from ...side_by_side import Then, Waiting
from .connection import Answer, Service
from .errors import NoAnswer, Refusal

_META = "x-amz-meta-"
_NOTHING = hashlib.sha256(b"").hexdigest()


class NoSuchKey(Refusal):
    """There is no such object."""


class S3:
    """The part of boto3's client that the mail store uses; `path_style` if buckets have no hosts."""

    exceptions = SimpleNamespace(NoSuchKey=NoSuchKey)

    def __init__(self, service: Service, *, path_style: bool) -> None:
        self._service = service
        self._path_style = path_style

    def get_object(self, *, Bucket: str, Key: str, Range: str = "") -> Mapping[str, Any]:  # noqa: N803 (boto3's)
        """`Body` (a file), `Metadata` and `LastModified` of an object. Raises NoSuchKey and as `Service.ask`."""
        return self.begin("GetObject", {"Bucket": Bucket, "Key": Key, "Range": Range}).result()

    def begin(self, operation: str, request: Mapping[str, str]) -> Waiting[Mapping[str, Any]]:
        """Start the same request; GetObject is the only operation."""
        assert operation == "GetObject"
        bucket, key, part = request["Bucket"], request["Key"], request.get("Range")
        path_style = self._path_style or "." in bucket  # no certificate covers two labels
        host = "" if path_style else f"{bucket}.{self._service.url.netloc}"
        path = f"/{bucket}/{quote(key, safe='/~')}" if path_style else f"/{quote(key, safe='/~')}"
        header = {"x-amz-content-sha256": _NOTHING, "x-amz-checksum-mode": "ENABLED"}
        if part:
            header["range"] = part
        asked = self._service.begin(("GET", path), header, host=host)
        return Then(asked, partial(self._read, asked, key, is_whole=not part))

    @staticmethod
    def _read(asked: Waiting[Answer], key: str, *, is_whole: bool) -> Mapping[str, Any]:
        try:
            answer = asked.result()
        except Refusal as refused:
            if refused.response["Error"]["Code"] == "NoSuchKey":
                raise NoSuchKey(refused.response) from None
            raise
        found = answer.header
        if is_whole and _is_damaged(answer):
            raise NoAnswer(f"object {key} was damaged on its way")
        return {
            "Body": BytesIO(answer.content),
            "Metadata": {name.removeprefix(_META): value for name, value in found.items() if name.startswith(_META)},
            "LastModified": parsedate_to_datetime(found["last-modified"]),
        }


def _is_damaged(answer: Answer) -> bool:
    """Whether the content fails S3's checksum, of the kinds in the standard library, as in botocore. A checksum with a
    hyphen is of a multipart object, and not of its content."""
    said = answer.header
    if (crc := said.get("x-amz-checksum-crc32")) and "-" not in crc:
        return base64.b64decode(crc) != zlib.crc32(answer.content).to_bytes(4, "big")
    if (sha := said.get("x-amz-checksum-sha256")) and "-" not in sha:
        return base64.b64decode(sha) != hashlib.sha256(answer.content).digest()
    return False
