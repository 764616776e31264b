"""SES's sending: one SESv2 SendEmail for one destination."""

import time
from typing import TYPE_CHECKING, Any

from ...errors import TooFast
from ...mail.address import Address
from ...mail.address_writer import written
from ...mail.message import Halves
from ...mail.tags import DESTINATION_TAG, MESSAGE_TAG, destination_tag
from ..failures import translated_sending

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

# Seconds between attempts while SES says that we send too fast: together more than the one second that its quota counts
# (docs.aws.amazon.com/ses, "Service quotas": messages per second). Nothing was sent, so retrying is safe.
PAUSES = (0.2, 0.4, 0.8)
_TOO_FAST = "sending rate exceeded"  # not the day's quota, which no pause cures


class SesMailer:
    """Sends raw messages through the stack's configuration set.

    The client must not retry: SES has no idempotency token, so whether to send again is the ledger's decision
    (`clients.ses`).
    """

    def __init__(self, client: "SESV2Client", configuration_set: str, tag_key: bytes) -> None:
        self._client = client
        self._configuration_set = configuration_set
        self._tag_key = tag_key
        self._in_pieces = bool(getattr(client, "takes_halves", False))  # boto3's accepts only bytes

    def send(self, raw: bytes | Halves, alias: Address, destination: Address, message_id: str) -> str:
        """Send once; returns SES's id, which bounces and complaints will quote.

        Raises Refused, Unanswered or another Temporary (see `failures`).
        """
        for pause in PAUSES:
            try:
                return self._send(raw, alias, destination, message_id)
            except TooFast as slow:
                if _TOO_FAST not in str(slow):
                    raise
                time.sleep(pause)
        return self._send(raw, alias, destination, message_id)

    def _send(self, raw: bytes | Halves, alias: Address, destination: Address, message_id: str) -> str:
        data: Any = raw if self._in_pieces else bytes(raw)
        with translated_sending("SES SendEmail"):
            response = self._client.send_email(
                FromEmailAddress=written(alias),
                Destination={"ToAddresses": [written(destination)]},
                Content={"Raw": {"Data": data}},
                ConfigurationSetName=self._configuration_set,
                EmailTags=[
                    {"Name": MESSAGE_TAG, "Value": message_id},
                    {"Name": DESTINATION_TAG, "Value": destination_tag(self._tag_key, message_id, destination)},
                ],
            )
            return response["MessageId"]
