"""SESv2 SendEmail of a raw message."""

import json
from collections.abc import Mapping
from typing import Any

from .connection import Service
from .encoded import Encoded
from .errors import NoAnswer


class SesV2:
    """The part of boto3's client that the mailer uses. Its service must make one attempt only."""

    takes_halves = True  # besides bytes

    def __init__(self, service: Service) -> None:
        self._service = service

    def send_email(self, *, Content: Mapping[str, Any], **request: Any) -> Mapping[str, Any]:  # noqa: N803 (boto3's)
        """`MessageId`, if SES returns one. Raises as `Service.ask`."""
        text = json.dumps({"Content": {"Raw": {"Data": ""}}, **request}).encode("ascii")
        before, place, after = text.partition(b'"Data": "')  # the first is ours
        body = Encoded(before + place, Content["Raw"]["Data"], after)
        header = {"content-type": "application/json"}
        content = self._service.ask(("POST", "/v2/email/outbound-emails"), header, body).content
        try:
            return dict(json.loads(content or b"{}"))
        except (TypeError, ValueError) as error:
            raise NoAnswer("the response is not one that SES gives") from error
