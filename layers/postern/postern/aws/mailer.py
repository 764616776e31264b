"""SES, sending: one SESv2 SendEmail for one destination."""

from typing import TYPE_CHECKING

from ..mail.address import Address
from ..mail.feedback import DESTINATION_TAG, MESSAGE_TAG, destination_tag
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
                    {"Name": MESSAGE_TAG, "Value": message_id},
                    {"Name": DESTINATION_TAG, "Value": destination_tag(destination)},
                ],
            )
        return response["MessageId"]
