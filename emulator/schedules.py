"""Runs the functions that have a schedule on AWS: `make local` uses the same schedule, and signals."""

import quopri
import re
import signal
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue

from postern_mail.mail.days import A_DAY
from postern_mail.owner_mail import MESSAGE_ID

from .cloud import HOST
from .system import OWNER, Emulator
from .template import Template

SIGNALS = {signal.SIGUSR1: "watch", signal.SIGUSR2: "digest"}
FUNCTIONS = {"watch": "WatchFunction", "digest": "DigestFunction"}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)\Z")
_DAILY = re.compile(r"cron\((\d+) (\d+) \* \* \? \*\)\Z")
_SECONDS = {"minute": 60, "hour": 3600, "day": A_DAY}


def next_run(expression: str, now: float) -> float:
    """When a schedule fires next, in epoch seconds; a rate counts from now.

    It knows only the forms in template.yaml (docs.aws.amazon.com/eventbridge, "Schedule expressions"). Raises
    ValueError for others.
    """
    if rate := _RATE.match(expression):
        return now + int(rate[1]) * _SECONDS[rate[2]]
    if daily := _DAILY.match(expression):
        then = now - now % A_DAY + int(daily[2]) * 3600 + int(daily[1]) * 60
        return then if then > now else then + A_DAY
    raise ValueError(f"not a schedule that the emulator keeps: {expression!r}")


class Schedules:
    """The schedules of the functions in FUNCTIONS, from its creation on."""

    def __init__(self, template: Template, now: float) -> None:
        self._next: dict[str, tuple[float, str]] = {}  # (when, expression)
        for word, function in FUNCTIONS.items():
            for event in template.resource(function)["Events"].values():
                if event["Type"] == "Schedule" and event["Properties"].get("State") != "DISABLED":
                    expression = event["Properties"]["Schedule"]
                    self._next[word] = next_run(expression, now), expression

    def due(self, now: float) -> Iterator[str]:
        """The functions that are due, once each, even if the machine slept meanwhile."""
        for word, (when, expression) in self._next.items():
            if when <= now:
                self._next[word] = next_run(expression, now), expression
                yield word


def run_due(schedules: Schedules, emulator: Emulator, say: Callable[[str], None]) -> None:
    """Run the functions that are due, as their schedules do, and print the results."""
    for word in schedules.due(time.time()):
        error = emulator.run_scheduled(FUNCTIONS[word])
        heard = f", and {found}" if word == "watch" and (found := _heard(emulator)) else ""
        say(f"{word} failed, see the function's log: {error}" if error else f"{word} ran by its schedule{heard}")


def orders() -> "SimpleQueue[str]":
    """Runs functions on request, in order."""
    words: SimpleQueue[str] = SimpleQueue()  # a signal handler's put may interrupt its get
    for number in SIGNALS:
        signal.signal(number, lambda number, _: words.put(SIGNALS[signal.Signals(number)]))
    return words


def carry_out(word: str, emulator: Emulator, say: Callable[[str], None]) -> None:
    """Run what was requested, and print the results."""
    error, done = _watch(emulator) if word == "watch" else _digest(emulator)
    say(f"{word} failed, see the function's log: {error}" if error else f"{word} {done}")


def _watch(emulator: Emulator) -> tuple[object, str]:
    error = emulator.run_scheduled(FUNCTIONS["watch"])
    return error, "looked, and " + (_heard(emulator) or "has nothing new to tell: `postern doctor` says what there is")


def _heard(emulator: Emulator) -> str:
    """Deliver what SNS mails to the owner into a Maildir; returns a text about it, "" for nothing."""
    told = emulator.cloud.heard()
    for subject, text in told:
        header = f"From: AWS Notifications <no-reply@sns.amazonaws.com>\r\nTo: {OWNER}\r\nSubject: {subject}\r\n"
        form = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        emulator.maildirs.deliver(OWNER, f"{header}{form}{text}".encode())
    return f"wrote to {OWNER}: {'; '.join(subject for subject, _ in told)}" if told else ""


def _digest(emulator: Emulator) -> tuple[object, str]:
    """Report on today as tomorrow's digest will, including what was reported before."""
    told = [row for row in emulator.cloud.rows("LedgerTable") if str(row["message_id"]).startswith(MESSAGE_ID)]
    emulator.cloud.delete("LedgerTable", ({name: row[name] for name in ("message_id", "entry")} for row in told))
    before = emulator.maildirs.count(OWNER)
    error = emulator.run_scheduled(FUNCTIONS["digest"], ahead=A_DAY)
    if emulator.maildirs.count(OWNER) == before:
        return error, "has nothing to tell"
    return error, "\n  ".join((f"was sent to {OWNER}", *_links(emulator.maildirs.messages(OWNER)[-1])))


def _links(digest: bytes) -> list[str]:
    """The lines of a digest with links, which work on this machine."""
    text = quopri.decodestring(digest).decode("utf-8", "replace")
    return [line.strip() for line in text.splitlines() if f"http://{HOST}:" in line]
