"""S3 GetObject."""

import base64
import hashlib
import zlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from .connection import Answer, Service
from .errors import NoAnswer, Refusal

_META = "x-amz-meta-"
_NOTHING = hashlib.sha256(b"").hexdigest()


class NoSuchKey(Refusal):
    """There is no such object."""


class S3:
    """The part of boto3's client that the mail store uses; `path_style` where buckets have no hosts."""

    exceptions = SimpleNamespace(NoSuchKey=NoSuchKey)

    def __init__(self, service: Service, *, path_style: bool) -> None:
        self._service = service
        self._path_style = path_style

    def get_object(self, *, Bucket: str, Key: str, Range: str = "") -> Mapping[str, Any]:  # noqa: N803 (boto3's)
        """`Body` (a file), `Metadata` and `LastModified` of an object. Raises NoSuchKey and as `Service.ask`."""
        path_style = self._path_style or "." in Bucket  # no certificate is for two labels
        host = "" if path_style else f"{Bucket}.{self._service.url.netloc}"
        path = f"/{Bucket}/{quote(Key, safe='/~')}" if path_style else f"/{quote(Key, safe='/~')}"
        header = {"x-amz-content-sha256": _NOTHING, "x-amz-checksum-mode": "ENABLED"}
        if Range:
            header["range"] = Range
        try:
            answer = self._service.ask(("GET", path), header, host=host)
        except Refusal as refused:
            if refused.response["Error"]["Code"] == "NoSuchKey":
                raise NoSuchKey(refused.response) from None
            raise
        found = answer.header
        if not Range and _is_damaged(answer):
            raise NoAnswer(f"object {Key} was damaged on its way")
        return {
            "Body": BytesIO(answer.content),
            "Metadata": {name.removeprefix(_META): value for name, value in found.items() if name.startswith(_META)},
            "LastModified": parsedate_to_datetime(found["last-modified"]),
        }


def _is_damaged(answer: Answer) -> bool:
    """Whether the content has not the check sum that S3 says; of the kinds that the standard library has, as botocore.
    One with a hyphen is of an object in parts, and not of its content."""
    said = answer.header
    if (crc := said.get("x-amz-checksum-crc32")) and "-" not in crc:
        return base64.b64decode(crc) != zlib.crc32(answer.content).to_bytes(4, "big")
    if (sha := said.get("x-amz-checksum-sha256")) and "-" not in sha:
        return base64.b64decode(sha) != hashlib.sha256(answer.content).digest()
    return False
