"""The header block that SES adds to a stored message, and the event that it sends to Lambda.

Order and form: docs.aws.amazon.com/ses, "Event published to Lambda" and the example there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.utils import format_datetime
from typing import Any

from ..account import REGION
from .authentication import Results, Session
from .rules import Rule

MAX_HEADERS = 10 * 1024  # bytes of header the event repeats; beyond, headersTruncated is true


@dataclass(frozen=True)
class Receipt:
    """A message as SES received it: id, SMTP session, verdicts and time."""

    message_id: str
    session: Session
    results: Results
    at: datetime

    def stamped(self, raw: bytes, recipient: str, scanned: bool) -> bytes:
        """The message as the S3 action stores it; the trace header names one recipient."""
        session, results = self.session, self.results
        spf = f"{results.spf} (spfCheck: {self._spf_comment()}) client-ip={session.client}"
        spf += f"; envelope-from={session.mail_from or f'postmaster@{session.helo}'}; helo={session.helo};"
        dkim = "none" if results.dkim == "GRAY" else results.dkim.lower()
        dmarc = "none" if results.dmarc == "GRAY" else results.dmarc.lower()
        scans = (("X-SES-Spam-Verdict", results.spam), ("X-SES-Virus-Verdict", results.virus)) if scanned else ()
        fields = (
            ("Return-Path", f"<{session.mail_from}>"),
            ("Received", self._trace(recipient)),
            *scans,
            ("Received-SPF", spf),
            (
                "Authentication-Results",
                f"amazonses.com;\r\n spf={spf}\r\n dkim={dkim} header.i=@{results.dkim_domain};"
                f"\r\n dmarc={dmarc} header.from={results.from_domain};",
            ),
            ("X-SES-RECEIPT", "AEFBQUFBQUFBQUFFbXVsYXRvcg=="),
            ("X-SES-DKIM-SIGNATURE", "a=rsa-sha256; q=dns/txt; b=ZW11bGF0b3I=; s=emulator; d=amazonses.com; v=1"),
        )
        return b"".join(f"{name}: {value}\r\n".encode() for name, value in fields) + raw

    def event(
        self, stored: bytes, rule: Rule, recipients: Sequence[str], function_arn: str, null_sender: str | None = ""
    ) -> dict[str, Any]:
        """The event for the rule's Lambda action; `null_sender` is `mail.source` for a null sender, None to omit it."""
        results = self.results
        headers, truncated = _headers(message_from_bytes(stored))
        receipt: dict[str, Any] = {
            "timestamp": _timestamp(self.at),
            "processingTimeMillis": 200,
            "recipients": list(recipients),
            "spamVerdict": {"status": results.spam if rule.scan else "DISABLED"},
            "virusVerdict": {"status": results.virus if rule.scan else "DISABLED"},
            "spfVerdict": {"status": results.spf_verdict},
            "dkimVerdict": {"status": results.dkim},
            "dmarcVerdict": {"status": results.dmarc},
            "action": {"type": "Lambda", "functionArn": function_arn, "invocationType": "Event"},
        }
        if results.dmarc == "FAIL":
            receipt["dmarcPolicy"] = results.dmarc_policy
        mail = {
            "timestamp": _timestamp(self.at),
            "source": self.session.mail_from,
            "messageId": self.message_id,
            "destination": _common(headers).get("to", []) + _common(headers).get("cc", []),
            "headersTruncated": truncated,
            "headers": headers,
            "commonHeaders": _common(headers),
        }
        if not self.session.mail_from:
            mail["source"] = null_sender
            if null_sender is None:
                del mail["source"]
        record = {"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": mail, "receipt": receipt}}
        return {"Records": [record]}

    def _trace(self, recipient: str) -> str:
        helo, name, client = self.session.helo, self.session.reverse_name, self.session.client
        return (
            f"from {helo} ({name} [{client}])\r\n by inbound-smtp.{REGION}.amazonaws.com with SMTP id"
            f" {self.message_id}\r\n for {recipient};\r\n {format_datetime(self.at)} (UTC)"
        )

    def _spf_comment(self) -> str:
        domain = self.session.mail_from.rpartition("@")[2] or self.session.helo
        verb = "designates" if self.results.spf == "pass" else "does not designate"
        return f"domain of {domain} {verb} {self.session.client} as permitted sender"


def _headers(message: Message) -> tuple[list[dict[str, str]], bool]:
    """(the headers that fit the event, whether any did not)."""
    listed: list[dict[str, str]] = []
    size = 0
    for name, value in message.items():
        unfolded = "".join(str(value).splitlines())
        size += len(name) + len(unfolded)
        if size > MAX_HEADERS:
            return listed, True
        listed.append({"name": name, "value": unfolded.encode("ascii", "replace").decode("ascii")})
    return listed, False


def _common(headers: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The event's commonHeaders; each field is there only if the message has it."""
    single = {
        "return-path": "returnPath",
        "date": "date",
        "message-id": "messageId",
        "subject": "subject",
        "sender": "sender",
    }
    lists = {"from": "from", "to": "to", "cc": "cc", "reply-to": "replyTo"}
    common: dict[str, Any] = {}
    for header in headers:
        name = header["name"].lower()
        if name in single:
            common.setdefault(single[name], header["value"].strip("<>") if name == "return-path" else header["value"])
        elif name in lists:
            common.setdefault(lists[name], [part.strip() for part in header["value"].split(",")])
    return common


def _timestamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
