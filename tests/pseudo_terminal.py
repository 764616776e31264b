"""The installed `postern` on a real pseudo-terminal."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

POSTERN = Path(sys.executable).parent / "postern"
PATIENCE = 60  # seconds in which a command must say something


def terminal(*arguments: str | Path, columns: int = 80, **environment: str) -> str:
    """What the command shows on a terminal that is so many columns wide; it ends with status 0."""
    status, shown = on_a_terminal(*arguments, columns=columns, **environment)
    assert status == 0, shown
    return shown


def on_a_terminal(
    *arguments: str | Path,
    columns: int = 80,
    program: str | Path = POSTERN,
    typed: Sequence[str] = (),
    **environment: str,
) -> tuple[int, str]:
    """(exit status, what the command shows) on a terminal that is so many columns wide. A line is typed at each prompt,
    which is what ends with a colon and a blank."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    variables = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [program, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**variables, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    shown, lines = b"", list(typed)
    while True:
        if not select.select([ours], [], [], PATIENCE)[0]:
            process.kill()
        try:
            read = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        shown += read
        if lines and shown.endswith(b": "):
            os.write(ours, lines.pop(0).encode() + b"\n")
    os.close(ours)
    return process.wait(timeout=60), shown.decode()
