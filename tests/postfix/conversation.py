"""Talking to the judge: SMTP over its sockets, and reading what it wrote down."""

import re
import smtplib
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .server import Server

SECONDS = 30  # for one answer, or for the queue to run empty; a guard, not a measure
_LOOKED_UP = re.compile(r"maps_find: \S+: (.*): not found$")
_SEARCHED = re.compile(r"mail_addr_find: (.*) -> \(not found\)$")
_NEW = re.compile(r": ([0-9A-Za-z]{10,}): message-id=")
_GONE = re.compile(r": ([0-9A-Za-z]{10,}): (?:removed$|.*status=deferred)")
_QUEUED = re.compile(rb"queued as ([0-9A-Za-z]{10,})")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of smtpd; `text` is what a rule wrote into it."""

    code: int
    text: str

    @property
    def queue_id(self) -> str:
        found = _QUEUED.search(self.text.encode())
        return found[1].decode() if found else ""


class _Session(smtplib.SMTP):
    """smtplib, with the path of a socket for a host."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(host)
        return connection


@contextmanager
def session(server: Server, service: str) -> Iterator[_Session]:
    """A connection to one of the services of master.cf, after EHLO."""
    with _Session(str(server.socket(service)), timeout=SECONDS, local_hostname="tests.example") as opened:
        opened.ehlo()
        yield opened


def ask(server: Server, service: str, senders: Sequence[str]) -> list[Reply]:
    """What smtpd says to MAIL FROM each of these."""
    with session(server, service) as opened:
        return [_mail_from(opened, sender) for sender in senders]


def greet(server: Server, service: str, names: Sequence[str]) -> list[Reply]:
    """What smtpd says to HELO with each of these."""
    with session(server, service) as opened:
        return [_reply(opened.docmd("HELO", name)) for name in names]


def keys_looked_up(server: Server, style: str, senders: Sequence[str]) -> list[tuple[str, ...]]:
    """The keys that smtpd looks up for each sender, in order, as its log tells them."""
    start = server.log.stat().st_size
    replies = ask(server, f"{style}-keys", senders)
    assert [reply.code for reply in replies] == [250] * len(senders), list(zip(senders, replies, strict=True))
    return _searches(server, start, len(senders))


def send(server: Server, service: str, messages: Sequence[tuple[str, Sequence[str]]]) -> list[Reply]:
    """The last reply to each (sender, recipients): to DATA's end, or the first that refused."""
    with session(server, service) as opened:
        return [_send(opened, sender, recipients) for sender, recipients in messages]


def log_since(server: Server, start: int) -> str:
    """What is in the log from an offset on, in octets."""
    with server.log.open("rb") as log:
        log.seek(start)
        return log.read().decode("utf-8", "replace")


def wait_until_idle(server: Server, start: int, last: str) -> str:
    """The log from `start` on, once every message in it is gone, held or deferred, and so is the last.

    All that went before the last is in the log when the last is, and a message that another one becomes
    before that one is gone.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        log = log_since(server, start)
        gone, new = _ids(_GONE, log), _ids(_NEW, log)
        waiting = {last, *new} - gone - _held(server)
        if not waiting:
            return log
        if time.monotonic() > deadline:
            raise TimeoutError(f"still in the queue: {sorted(waiting)}\n{log[-5000:]}")
        time.sleep(0.02)


def held(server: Server, queue_ids: Sequence[str]) -> list[tuple[str, ...]]:
    """The recipients of each message in the hold queue, in their order; it is taken out."""
    paths = [server.root / "queue" / "hold" / queue_id for queue_id in queue_ids]
    printed = server.run("postcat", "-e", *map(str, paths)).split("*** ENVELOPE RECORDS ")[1:] if paths else []
    for path in paths:
        path.unlink()
    return [tuple(re.findall(r"^recipient: (.*)$", one, re.MULTILINE)) for one in printed]


def _held(server: Server) -> set[str]:
    return {path.name for path in (server.root / "queue" / "hold").iterdir()}


def _ids(pattern: re.Pattern[str], log: str) -> set[str]:
    return {found[1] for line in log.splitlines() if (found := pattern.search(line))}


def _mail_from(opened: _Session, sender: str) -> Reply:
    reply = _reply(opened.docmd("MAIL", f"FROM:<{sender}>"))
    opened.rset()
    return reply


def _send(opened: _Session, sender: str, recipients: Sequence[str]) -> Reply:
    commands = [("MAIL", f"FROM:<{sender}>"), *(("RCPT", f"TO:<{one}>") for one in recipients)]
    for command in commands:
        reply = _reply(opened.docmd(*command))
        if reply.code >= 400:
            opened.rset()
            return reply
    return _reply(opened.data(f"Subject: {sender}\r\n\r\nHello\r\n"))


def _reply(answer: tuple[int, bytes]) -> Reply:
    return Reply(answer[0], answer[1].decode("ascii", "replace"))


def _searches(server: Server, start: int, count: int) -> list[tuple[str, ...]]:
    """The first `count` searches in the log from an offset on."""
    deadline = time.monotonic() + SECONDS
    while True:
        found: list[tuple[str, ...]] = []
        keys: list[str] = []
        for line in log_since(server, start).splitlines():
            if looked_up := _LOOKED_UP.search(line):
                keys.append(looked_up[1])
            elif _SEARCHED.search(line):
                found.append(tuple(keys))
                keys = []
        if len(found) >= count:
            assert len(found) == count, "somebody else asked at the same time"
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{count} searches, and the log has {len(found)}")
        time.sleep(0.02)
