"""Six messages back and forth: Betsy writes to an alias, Ann answers in its name, each from a mailbox of her own."""

import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.utils import formatdate, parseaddr

from ..cloud import HOST
from ..system import Emulator
from .jwz import threads

SHOP = "shop@example.com"  # of tables.toml: it takes replies
ROUNDS = 3


@dataclass
class Person:
    """A person with a mailbox; `box` holds the messages sent and received."""

    name: str
    address: str
    box: list[bytes] = field(default_factory=list)

    def writes(self, emulator: Emulator, number: int, answered: bytes | None) -> str:
        """Write to the shop, or reply as mail programs do. Returns the recipient."""
        host = self.address.partition("@")[2]
        to, subject, thread = SHOP, "Candles", ""
        if answered is not None:
            seen = message_from_bytes(answered)
            to = parseaddr(seen["Reply-To"] or seen["From"])[1]
            ids = [*str(seen["References"] or "").split(), seen["Message-ID"]]
            thread = f"In-Reply-To: {ids[-1]}\r\nReferences: {' '.join(ids)}\r\n"
            subject = "Re: Candles"
        raw = (
            f"Received: from laptop.{host} ([10.1.2.3]) by smtp.{host}; Sun, 22 Nov 2026 12:00:0{number} +0000\r\n"
            f"From: {self.name} <{self.address}>\r\nTo: {to}\r\nSubject: {subject}\r\n"
            f"Date: {formatdate(time.time() + number)}\r\nMessage-ID: <{number}@laptop.{host}>\r\n{thread}"
            f"User-Agent: Mutt ({host})\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nLine {number}.\r\n"
        ).encode()
        with smtplib.SMTP(HOST, emulator.receiving.port, local_hostname=f"smtp.{host}") as client:
            client.sendmail(self.address, to, raw)
        self.box.append(raw)
        emulator.settle()
        return to

    def gets(self, emulator: Emulator, before: int) -> bytes | None:
        """The one message that came, None if there is not one."""
        came = emulator.maildirs.messages(self.address)[before:]
        self.box += came
        return came[0] if len(came) == 1 else None


def run(emulator: Emulator, say: Callable[[str], None] = print) -> list[str]:
    """Write six messages; returns what did not go as it should."""
    betsy, ann = Person("Betsy", "betsy@sender.example"), Person("Ann", "ann@home.example")
    faults: list[str] = []
    last: bytes | None = None
    for number in range(2 * ROUNDS):
        writer, reader = (betsy, ann) if number % 2 == 0 else (ann, betsy)
        before = emulator.maildirs.count(reader.address)
        to = writer.writes(emulator, number, last)
        last = reader.gets(emulator, before)
        if last is None:
            return [*faults, f"message {number + 1} of the conversation did not arrive once"]
        sender = message_from_bytes(last)["From"]
        say(f"{writer.name} writes to {to}; {reader.name} gets it from {' '.join(str(sender).split())}")
        faults += _leaks(last, writer) if writer is ann else []
    for person in (betsy, ann):
        found = threads(person.box)
        say(f"{person.name}'s mailbox: {', '.join(f'a thread of {len(one)}' for one in found)}")
        if [len(one) for one in found] != [2 * ROUNDS]:
            faults.append(f"{person.name}'s thread is in pieces: {found}")
    return faults


def _leaks(raw: bytes, ann: Person) -> Iterator[str]:
    header = raw.partition(b"\r\n\r\n")[0].decode().lower()
    for mark in (ann.address, ann.address.partition("@")[2], "10.1.2.3", "user-agent:", "received:"):
        if mark in header:
            yield f"Betsy sees {mark} in the header of the reply"
