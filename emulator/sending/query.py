"""SES v1 uses AWS's query protocol: a form in, XML out, and one address for all operations."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from .refusals import Refusal

Operation = Callable[[Mapping[str, str]], Mapping[str, Any]]  # from the form to the result; raises Refusal
_NAMESPACE = "http://ses.amazonaws.com/doc/2010-12-01/"


def answered(body: bytes, operations: Mapping[str, Operation]) -> tuple[int, str, bytes]:
    """(HTTP status, content type, content) for one request; `operations` by Action."""
    form = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    action = form.get("Action", "")
    try:
        if action not in operations:
            raise Refusal("InvalidAction", 400, f"{action} is not known to the emulator")
        result = operations[action](form)
    except Refusal as refusal:
        said = {"Type": "Sender", "Code": refusal.code, "Message": refusal.message}
        return refusal.status, "text/xml", _xml("ErrorResponse", {"Error": said, "RequestId": "emulator"})
    content = {f"{action}Result": result, "ResponseMetadata": {"RequestId": "emulator"}}
    return 200, "text/xml", _xml(f"{action}Response", content)


def _xml(name: str, content: Mapping[str, Any]) -> bytes:
    return f'<{name} xmlns="{_NAMESPACE}">{_inner(content)}</{name}>'.encode()


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_inner(inner)}</{name}>" for name, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_inner(inner)}</member>" for inner in value)
    return str(value).lower() if isinstance(value, bool) else escape(str(value))
