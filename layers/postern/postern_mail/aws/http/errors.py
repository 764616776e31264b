"""How a call fails. Whether to retry it, and what it means for a message, is decided elsewhere."""

import json
import re
from collections.abc import Mapping
from typing import Any

_XML = {"Code": re.compile(r"<Code>([^<]*)</Code>"), "Message": re.compile(r"<Message>([^<]*)</Message>")}
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


class CallFailed(Exception):
    """There is no usable response."""


class NotConnected(CallFailed):
    """Nothing was sent yet: no name, no connection, or no trust."""


class NoAnswer(CallFailed):
    """The request was sent, and no valid response from AWS came back."""


class Refusal(CallFailed):
    """AWS refused. `response` has the form of botocore's ClientError: `Error` with `Code` and `Message`, and
    `ResponseMetadata` with `HTTPStatusCode` and `HTTPHeaders`, besides the rest of the response."""

    def __init__(self, response: dict[str, Any]) -> None:
        super().__init__(f"{response['Error']['Code']}: {response['Error']['Message']}")
        self.response = response


def refusal(status: int, header: Mapping[str, str], content: bytes) -> Refusal:
    """The refusal in a response with an HTTP status of 300 or more, in JSON or in S3's XML.

    Without an AWS code the code is the status, as in botocore.
    """
    said: dict[str, Any] = {}
    text = content.decode("utf-8", "replace")
    if text.lstrip().startswith("{"):
        try:
            said = dict(json.loads(text))
        except ValueError:
            said = {}
        code = header.get("x-amzn-errortype") or said.get("__type") or said.get("code") or ""
        message = said.get("message") or said.get("Message") or ""
    else:
        found = {name: pattern.search(text) for name, pattern in _XML.items()}
        code, message = (one[1] if one else "" for one in found.values())
        for entity, character in _ENTITIES:
            message = message.replace(entity, character)
        code = code or header.get("x-amzn-errortype", "")
    name = str(code).partition(":")[0].rpartition("#")[2]  # com.amazonaws.dynamodb.v20120810#Name; Name:http://...
    error = {"Code": name or str(status), "Message": str(message)}
    return Refusal(
        {**said, "Error": error, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": dict(header)}}
    )
