"""CloudFormation's custom resources: every request gets an answer, or the stack waits for an hour.

docs.aws.amazon.com/AWSCloudFormation, "Custom resource request objects" and "response objects".
"""

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

_TIMEOUT = 20  # seconds


def answered(event: Mapping[str, Any], physical_id: str, on_delete: Callable[[], None]) -> None:
    """Do what a Delete asks for, and answer; Create and Update only get an answer.

    A failure goes to CloudFormation, which shows it in the stack's events, and leaves as it is.
    """
    try:
        if event["RequestType"] == "Delete":
            on_delete()
    except Exception as error:
        _answer(event, physical_id, "FAILED", f"{type(error).__name__}: {error}")
        raise
    _answer(event, physical_id, "SUCCESS", "")


def _answer(event: Mapping[str, Any], physical_id: str, status: str, reason: str) -> None:
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": physical_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # The URL is CloudFormation's own and signed with an empty content type.
    request = urllib.request.Request(  # noqa: S310
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
        response.read()
