"""A stranger's attacks from outside: through SMTP, SES's double, the real functions and what SES says of the sendings."""

import os
import smtplib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from postern_command.tables.file import TablesFile

from emulator.cloud import HOST
from emulator.sending.events import NO_EMAIL, Fate
from emulator.system import Emulator
from tests.e2e.test_system import JANE, Post, message

pytestmark = [pytest.mark.slow, pytest.mark.long]

AT_ONCE = 50  # recipients of a message
ROUNDS = 3  # of the retry queue within ten minutes: Lambda's attempts end after 3, and the pauses are of 1, 2 and 4


class Mailboxes(dict[str, list[Fate]]):
    """What becomes of the messages that SES takes: those to no one's mailbox come back, at once and for good."""

    def __init__(self, exists: Callable[[str], bool]) -> None:
        super().__init__()
        self.exists = exists
        self.bounced: list[str] = []

    def get(self, key: str, default: Any = None) -> Any:
        return default if self.exists(key) else [NO_EMAIL]

    def __getitem__(self, key: str) -> list[Fate]:
        self.bounced.append(key)
        return [NO_EMAIL]


def load(emulator: Emulator, folder: Path, text: str) -> None:
    file = folder / "tables.toml"
    file.write_text(f'domains = ["example.com"]\n{text}')
    emulator.load(TablesFile.load(file))


@pytest.fixture
def stack(emulator: Emulator) -> Iterator[Emulator]:
    yield emulator
    emulator.sending.fates = {}


def write(emulator: Emulator, *recipients: str, sender: str = "betsy@sender.example", raw: bytes | None = None) -> None:
    """Hand a message over, and do not wait."""
    with smtplib.SMTP(HOST, emulator.receiving.port, local_hostname=f"mx.{sender.partition('@')[2]}") as client:
        client.ehlo()
        client.mail(sender)
        for recipient in recipients:
            client.rcpt(recipient)
        code, said = client.data(message() if raw is None else raw)
    assert code == 250, said


def time_passes(emulator: Emulator, rounds: int) -> None:
    """What is deferred is tried again, so often."""
    for _ in range(rounds):
        emulator.settle(300)
        emulator.retries.consume()
        emulator.retries.wake()
    emulator.settle(300)


WAYS = {
    "domain to domain": '[aliases."@example.com"]\ndestinations = ["@dest.example"]\n',
    "tags kept": '[aliases."@example.com"]\ndestinations = ["gone@dest.example"]\nkeep_tag = true\n',
    "catch-all": '[aliases."@example.com"]\ndestinations = ["gone@dest.example"]\n',
}


@pytest.mark.parametrize("way", WAYS)
def test_a_dictionary_makes_at_most_20_hard_bounces(stack: Emulator, tmp_path: Path, way: str) -> None:
    names = int(os.environ.get("POSTERN_DICTIONARY_NAMES", "1000"))  # 10,000 in .ci/full
    load(stack, tmp_path, WAYS[way])
    stack.sending.fates = boxes = Mailboxes(lambda who: False)
    local = "gone+n{}@example.com" if way == "tags kept" else "n{}@example.com"
    for first in range(0, names, AT_ONCE):
        write(stack, *(local.format(one) for one in range(first, first + AT_ONCE)))
        stack.function.wait_until_idle(300)
    time_passes(stack, ROUNDS)
    assert 1 <= len(boxes.bounced) <= 20


def test_500_good_addresses_imported_at_once_have_their_mail_within_ten_minutes(
    stack: Emulator, tmp_path: Path
) -> None:
    names = [f"n{number}@example.com" for number in range(500)]
    load(stack, tmp_path, "".join(f'[aliases."{one}"]\ndestinations = ["{one[:-12]}@new.example"]\n' for one in names))
    for one in names:
        write(stack, one)
    time_passes(stack, ROUNDS)
    arrived = {who for who in stack.maildirs.everybody() if who.endswith("@new.example")}
    assert len(arrived) == 500


@pytest.mark.parametrize("way", ["alias", "catch-all"])
def test_a_friends_letter_comes_while_300_an_hour_wait(stack: Emulator, tmp_path: Path, way: str) -> None:
    """At its first attempt, so within seconds."""
    name = "info" if way == "alias" else ""
    load(stack, tmp_path, f'[settings]\nrate_cap = 20\n[aliases."{name}@example.com"]\ndestinations = ["{JANE}"]\n')
    post = Post(stack)
    stack.cloud.put("DestinationTable", [{"address": JANE, "delivered_at": 1}])
    for number in range(60):
        write(stack, "info@example.com" if way == "alias" else f"x{number}@example.com", sender="b@flood.example")
    stack.settle(300)
    flooded = post.arrived()[JANE]
    assert flooded <= 20
    stack.retries.consume()
    post.send("info@example.com", sender="friend@friend.example")
    assert post.arrived()[JANE] == flooded + 1


def folded(name: bytes, value: bytes) -> bytes:
    """SMTP takes lines of 1,000 octets."""
    return name + b": " + b"\r\n ".join(value[at : at + 900] for at in range(0, len(value), 900)) + b"\r\n"


HEAVY = {
    "a megabyte of commas": folded(b"Cc", b"," * 900_000),
    "a megabyte of fields": b"a:\r\n" * 225_000,
    "a header without an end": folded(b"X-Long", b"x" * 3_000_000),
    "thousands of authors": folded(b"From", b", ".join(b"a%d@x.example" % number for number in range(5_000))),
    "parentheses": folded(b"Reply-To", b"(" * 45_000 + b")" * 45_000),
}


def test_a_dozen_heavy_messages_hold_no_one_up(stack: Emulator, tmp_path: Path) -> None:
    """Each has an outcome at its first attempt; nothing is left open, and a letter behind them arrives."""
    load(stack, tmp_path, f'[aliases."info@example.com"]\ndestinations = ["{JANE}"]\n')
    stack.cloud.put("DestinationTable", [{"address": JANE, "delivered_at": 1}])
    post = Post(stack)
    ids = [post.send("info@example.com", raw=message(header=one)) for one in (*HEAVY.values(), *HEAVY.values())]
    entries = [post.ledger(one) for one in ids]
    states = [one["to:info@example.com"]["state"] for one in entries]
    assert states == ["forwarded", "quarantined", "quarantined", "quarantined", "forwarded"] * 2
    assert not any("open" in one["message"] for one in entries)
    before = post.arrived()[JANE]
    post.send("info@example.com", sender="friend@friend.example")
    assert post.arrived()[JANE] == before + 1
