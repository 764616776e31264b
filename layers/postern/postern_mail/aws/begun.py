"""A call of a client, under way: by our own client without a thread, by boto3's in one."""

from functools import partial
from typing import Any

from ..side_by_side import Begun, Waiting


def begun(client: Any, operation: str, **request: Any) -> Waiting[Any]:
    """An operation, by AWS's name, that a client is asked for; the result is what its method returns or raises."""
    begin = getattr(client, "begin", None)
    if begin is None:
        from botocore import xform_name  # noqa: PLC0415 (where boto3 is)

        return Begun(partial(getattr(client, xform_name(operation)), **request))
    found: Waiting[Any] = begin(operation, request)
    return found
