"""The judge: sends a letter and compares what happened with what should have.

It believes the SMTP replies and the bytes in the Maildirs. The ledger is only asked why.
"""

import smtplib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr

from ..cloud import HOST
from ..system import Emulator
from .letters import Letter

_PATIENCE = 100  # tenths of a second
_GONE = ("Return-Path", "Sender")  # of a forwarded message; X-SES-* and the author's DKIM-Signature too


@dataclass(frozen=True)
class Judgement:
    """The outcome of a letter; `faults` is empty if it is as expected."""

    letter: Letter
    message_id: str
    reply: str
    delivered: Mapping[str, bytes]
    reasons: list[str]
    faults: list[str]


def judge(emulator: Emulator, letter: Letter) -> Judgement:
    """Send a letter over SMTP, wait until the system is idle, and look.

    SES sends one bounce a second; a sooner one waits for the hourly check, which the demo does not.
    """
    if letter.answered:
        time.sleep(emulator.sending.bouncing.pause)
    before = _counts(emulator)
    code, said = _send(emulator.receiving.port, letter)
    should = (*letter.destinations, *([letter.sender] if letter.answered else []))
    new = _arrived(emulator, before, dict.fromkeys(should, 1))
    delivered = {who: emulator.maildirs.messages(who)[-1] for who in new}
    faults = [] if code == letter.smtp_code else [f"SMTP said {code}, not {letter.smtp_code}"]
    if new != dict.fromkeys(should, 1):
        faults.append(f"new messages: {new or 'none'}, should be one each for {should or 'no one'}")
    for who, raw in delivered.items():
        found = _faults(letter, raw) if who in letter.destinations else _faults_of_answer(letter, raw)
        faults += [f"{who}: {fault}" for fault in found]
    return Judgement(
        letter=letter,
        message_id=said.split()[-1],
        reply=f"{code} {said.split()[0] if code == 250 else said}",
        delivered=delivered,
        reasons=_reasons(emulator, said.split()[-1]),
        faults=faults,
    )


def _arrived(emulator: Emulator, before: Counter[str], expected: dict[str, int]) -> dict[str, int]:
    """How many messages each Maildir got: as expected, or after a while, because a bounce takes a moment."""
    for _ in range(_PATIENCE):
        emulator.settle()
        new = {who: count - before[who] for who, count in _counts(emulator).items() if count > before[who]}
        if new == expected:
            break
        time.sleep(0.1)
    return new


def _send(port: int, letter: Letter) -> tuple[int, str]:
    """The last reply of the conversation: to the recipient if it was refused, else to the data."""
    with smtplib.SMTP(HOST, port, local_hostname="mx.sender.example") as client:
        client.ehlo()
        client.mail(letter.sender)
        code, said = client.rcpt(letter.recipient)
        if code == 250:
            code, said = client.data(letter.raw)
    return code, said.decode("ascii")


def _faults(letter: Letter, raw: bytes) -> list[str]:
    header = message_from_bytes(raw)
    faults = []
    if letter.raw.partition(b"\r\n\r\n")[2] != raw.partition(b"\r\n\r\n")[2]:
        faults.append("the body is not the one that was sent")
    if [parseaddr(value)[1] for value in header.get_all("From", [])] != [letter.recipient]:
        faults.append(f"From is {header.get_all('From')}")
    if (
        letter.author.replace("@", " at ") not in str(make_header(decode_header(header["From"])))
        or parseaddr(str(header["Reply-To"]))[1] != letter.author
    ):
        faults.append("the author is not in From and Reply-To")
    if len(header.get_all("DKIM-Signature", [])) != 1 or "d=example.com" not in str(header["DKIM-Signature"]):
        faults.append("there is not one DKIM-Signature, SES's own")
    left = [name for name in header.keys() if name in _GONE or name.upper().startswith("X-SES-")]  # noqa: SIM118
    if left:
        faults.append(f"still there: {', '.join(left)}")
    return faults


def _faults_of_answer(letter: Letter, raw: bytes) -> list[str]:
    report = message_from_bytes(raw)
    faults = []
    if (report["Return-Path"], report.get_content_type()) != ("<>", "multipart/report"):
        faults.append("it is no report from the null sender")
    if f"Final-Recipient: rfc822; {letter.recipient}".encode() not in raw or b"dest.example" in raw:
        faults.append("it does not name the recipient, or it names a destination")
    return faults


def _counts(emulator: Emulator) -> Counter[str]:
    return Counter({who: len(emulator.maildirs.messages(who)) for who in emulator.maildirs.everybody()})


def _reasons(emulator: Emulator, message_id: str) -> list[str]:
    entries = (row for row in emulator.cloud.rows("LedgerTable") if row["message_id"] == message_id)
    return [f"{row['state']}: {row['reason']}" for row in entries if row["entry"].startswith("to:")]
