"""Identities of SES as our own double has them, and the condition keys of Route 53's changes."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from xml.etree import ElementTree

from ministack.core import iam_actions
from ministack.services import route53, ses_v2

from emulator.sending.identities import LIST, PATH, Identities

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Awaitable[Answer]]
_KEY = "route53:ChangeResourceRecordSets"


def _names() -> set[str]:
    """What the world would find: the names in all hosted zones."""
    return {record["Name"].rstrip(".") for records in route53._records.values() for record in records}


identities = Identities(lambda: list(ses_v2._config_sets), _names)


def teach() -> None:
    """Take the place of ministack's own."""
    ses_v2.handle_request = _with_identities(ses_v2.handle_request)
    iam_actions.request_tag_context = _with_changes(iam_actions.request_tag_context)


def _with_identities(original: Handler) -> Handler:
    """ministack makes an identity twice, and knows no call that sets anything of it."""

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Answer:
        if path.startswith((PATH, LIST)):
            status, content = identities.answer(method, path, body)
            return status, {"Content-Type": "application/json"}, content
        return await original(method, path, headers, body, query)

    return handle


def _with_changes(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Service authorization reference, "Amazon Route 53": names without their last dot, types, actions."""

    def context(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        found = original(service, action, body, parameters)
        if action != _KEY:
            return found
        return {
            **found,
            f"{_KEY}Actions": list(_texts(body, "Action")),
            f"{_KEY}RecordTypes": list(_texts(body, "Type")),
            f"{_KEY}NormalizedRecordNames": [name.rstrip(".").lower() for name in _texts(body, "Name")],
        }

    return context


def _texts(body: bytes, name: str) -> Iterator[str]:
    for element in ElementTree.fromstring(body).iter():
        if element.tag.rpartition("}")[2] == name:
            yield element.text or ""
