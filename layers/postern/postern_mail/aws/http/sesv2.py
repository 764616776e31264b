"""SESv2 SendEmail of a raw message."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from .connection import Service
from .errors import NoAnswer


class SesV2:
    """The part of boto3's client that the mailer uses. Its service must make one attempt only."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def send_email(self, *, Content: Mapping[str, Any], **request: Any) -> Mapping[str, Any]:  # noqa: N803 (boto3's)
        """`MessageId`, if SES says one. Raises as `Service.ask`."""
        data = base64.b64encode(Content["Raw"]["Data"]).decode("ascii")
        body = json.dumps({**request, "Content": {"Raw": {"Data": data}}}).encode("ascii")
        header = {"content-type": "application/json"}
        content = self._service.ask(("POST", "/v2/email/outbound-emails"), header, body).content
        try:
            return dict(json.loads(content or b"{}"))
        except (TypeError, ValueError) as error:
            raise NoAnswer("what answered does not speak as SES does") from error
