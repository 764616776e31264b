"""SES, bouncing: one SendBounce for one recipient, at most one a second."""

import time
from typing import Any

from ...mail.dsn import Answer
from ...ports.clock import Clock
from ..failures import REFUSED_BOUNCES, translated_sending

PAUSE = 1.0  # seconds between two calls: docs.aws.amazon.com/ses, "Service quotas" (all but the sending calls)


class SesAnswerer:
    """Bounces messages that SES received for us within the last 24 hours.

    SES writes the message itself: from the null sender to the sender of the original, with a part
    for people and one for machines (RFC 3464). The client must not retry by itself (`clients.bounces`).
    """

    def __init__(self, client: Any, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._ended: float | None = None  # when the last call did, whoever was answered

    def send(self, message_id: str, answer: Answer) -> str:
        """Bounce a message for one recipient; returns SES's id of the bounce.

        Raises Refused, Unanswered or another Temporary (see `failures`).
        """
        if self._ended is not None:
            time.sleep(min(PAUSE, max(0.0, self._ended + PAUSE - self._clock.now())))
        try:
            with translated_sending("SES SendBounce", REFUSED_BOUNCES):
                return str(self._client.send_bounce(**_request(message_id, answer))["MessageId"])
        finally:
            self._ended = self._clock.now()


def _request(message_id: str, answer: Answer) -> dict[str, Any]:
    recipient, reply = str(answer.recipient), answer.reply
    return {
        "OriginalMessageId": message_id,
        "BounceSender": str(answer.sender),
        "Explanation": f"Your message to {recipient} was not delivered. The reason:\n\n    {reply}\n",
        "BouncedRecipientInfoList": [
            {
                "Recipient": recipient,
                "RecipientDsnFields": {
                    "Action": "failed",
                    "Status": reply.status,
                    "DiagnosticCode": f"smtp; {reply}",
                },
            }
        ],
    }
