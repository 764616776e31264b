"""SES, sending: one SESv2 SendEmail for one destination."""

import hashlib
from typing import TYPE_CHECKING

from ..mail.address import Address
from .failures import translated_sending

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


class SesMailer:
    """Sends raw messages through the stack's configuration set.

    The client must not retry by itself: SES knows no idempotency token, so whether to send
    again is the ledger's decision (`clients.ses`).
    """

    def __init__(self, client: "SESV2Client", configuration_set: str) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, raw: bytes, alias: Address, destination: Address, message_id: str) -> str:
        """Send once; returns SES's id, by which bounces and complaints will name it.

        Raises Refused, Unanswered or another Temporary (see `failures`).
        """
        with translated_sending("SES SendEmail"):
            response = self._client.send_email(
                FromEmailAddress=str(alias),
                Destination={"ToAddresses": [str(destination)]},
                Content={"Raw": {"Data": raw}},
                ConfigurationSetName=self._configuration_set,
                EmailTags=[
                    {"Name": "message", "Value": message_id},
                    {"Name": "destination", "Value": destination_tag(destination)},
                ],
            )
        return response["MessageId"]


def destination_tag(destination: Address) -> str:
    """The ledger's `via:` entry in a form SES takes as a tag: 32 hex digits of SHA-256.

    A tag is [A-Za-z0-9_-], at most 256 characters, so an address cannot be one
    (docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html).
    """
    return hashlib.sha256(f"via:{destination.key}".encode()).hexdigest()[:32]
