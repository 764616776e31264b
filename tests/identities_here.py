"""SES's identities in the tests' own process: moto lacks what sets an identity's attributes."""

from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber

from emulator.sending.identities import Identities


class Body:
    """What botocore reads an answer from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> list[bytes]:
        return [self._content]


def answered(request: Any, status: int, content: bytes, error: str = "") -> AWSResponse:
    headers = HTTPHeaders()
    headers["content-type"] = "application/json"
    if error:
        headers["x-amzn-errortype"] = error
    return AWSResponse(request.url, status, headers, Body(content))


def answer_with(client: Any, answer: Any) -> None:
    """In the place of moto."""
    client.meta.events.unregister("before-send", botocore_stubber)
    client.meta.events.register("before-send", answer)


def answered_by(client: Any, there: Identities) -> Any:
    """The client, which never leaves this process."""

    def answer(request: Any, **_: object) -> AWSResponse:
        path = "/" + request.url.split("/", 3)[3]
        status, content = there.answer(request.method, path, request.body or b"")
        return answered(request, status, content)

    answer_with(client, answer)
    return client
