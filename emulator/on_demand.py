"""What has a schedule on AWS, `make local` runs when it is sent a signal."""

import signal
from collections.abc import Callable
from queue import SimpleQueue

from postern_mail.mail.days import A_DAY
from postern_mail.owner_mail import MESSAGE_ID

from .system import OWNER, Emulator

SIGNALS = {signal.SIGUSR1: "watch", signal.SIGUSR2: "digest"}


def orders() -> "SimpleQueue[str]":
    """What is asked for from now on, as it comes."""
    words: SimpleQueue[str] = SimpleQueue()  # whose put may interrupt its get
    for number in SIGNALS:
        signal.signal(number, lambda number, _: words.put(SIGNALS[signal.Signals(number)]))
    return words


def carry_out(word: str, emulator: Emulator, say: Callable[[str], None]) -> None:
    """Do what is asked for, and say how it went."""
    error, done = _watch(emulator) if word == "watch" else _digest(emulator)
    say(f"{word} failed, see the function's log: {error}" if error else f"{word} {done}")


def _watch(emulator: Emulator) -> tuple[object, str]:
    return emulator.run_scheduled("WatchFunction"), "looked: `postern doctor` says what it found"


def _digest(emulator: Emulator) -> tuple[object, str]:
    """Tell of today as tomorrow's digest will, also of what was told before."""
    told = [row for row in emulator.cloud.rows("LedgerTable") if str(row["message_id"]).startswith(MESSAGE_ID)]
    emulator.cloud.delete("LedgerTable", ({name: row[name] for name in ("message_id", "entry")} for row in told))
    before = emulator.maildirs.count(OWNER)
    error = emulator.run_scheduled("DigestFunction", ahead=A_DAY)
    return error, f"was sent to {OWNER}" if emulator.maildirs.count(OWNER) > before else "has nothing to tell"
