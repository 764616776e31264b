"""A request to a function URL, and the response, in Lambda's form.

docs.aws.amazon.com/lambda, "Invoking Lambda function URLs": payload format 2.0.
"""

import base64
from collections.abc import Mapping
from typing import Any

from ..mail.records import dataclass

MOST_BODY = 64 * 1024  # characters of a body that are read; Lambda accepts 6 MB


@dataclass(frozen=True, slots=True)
class Request:
    """A request: the path without the query, the names of header fields in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Request":
        """Read an event; a body that is not text counts as empty."""
        http = event.get("requestContext", {}).get("http", {})
        body = str(event.get("body") or "")[:MOST_BODY]
        if event.get("isBase64Encoded"):
            try:
                body = base64.b64decode(body).decode("utf-8", "replace")
            except ValueError:  # includes binascii.Error
                body = ""
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        return cls(str(http.get("method", "")), str(event.get("rawPath", "")), headers, body)


def response(status: int, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The response to a request."""
    return {"statusCode": status, "headers": dict(headers), "body": body}
