"""SES's SendBounce: one call for all recipients of a message that are due, at most one a second."""

import time
from collections.abc import Sequence
from typing import Any

from ...mail.dsn import Answer
from ...ports.clock import Clock
from ..failures import REFUSED_BOUNCES, translated_sending

PAUSE = 1.0  # seconds between two calls: docs.aws.amazon.com/ses, "Service quotas" (all but the sending calls)


class SesAnswerer:
    """Bounces messages that SES received for us within the last 24 hours.

    SES writes the message itself: from the null sender to the sender of the original, with a part for people and one
    for machines (RFC 3464). The client must not retry (`clients.bounces`).
    """

    def __init__(self, client: Any, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._ended: float | None = None  # when the last call ended

    def send(self, message_id: str, answers: Sequence[Answer]) -> str:
        """Bounce a message for these recipients; returns SES's id of the bounce.

        Raises Refused, Unanswered or another Temporary (see `failures`).
        """
        if self._ended is not None:
            time.sleep(min(PAUSE, max(0.0, self._ended + PAUSE - self._clock.now())))
        try:
            with translated_sending("SES SendBounce", REFUSED_BOUNCES):
                return str(self._client.send_bounce(**_request(message_id, answers))["MessageId"])
        finally:
            self._ended = self._clock.now()


def _request(message_id: str, answers: Sequence[Answer]) -> dict[str, Any]:
    said = "\n".join(f"    {one.recipient}: {one.reply}" for one in answers)
    return {
        "OriginalMessageId": message_id,
        "BounceSender": str(answers[0].sender),
        "Explanation": f"Your message was not delivered to these recipients:\n\n{said}\n",
        "BouncedRecipientInfoList": [
            {
                "Recipient": str(one.recipient),
                "RecipientDsnFields": {
                    "Action": "failed",
                    "Status": one.reply.status,
                    "DiagnosticCode": f"smtp; {one.reply}",
                },
            }
            for one in answers
        ],
    }
