"""The log of a function: every line that it wrote belongs to the invocation that wrote it.

ministack waits 5 ms for them and has them in the next invocation's log if they are late, or in none.
"""

import queue
import select
import time
from typing import Any

from ministack.core import lambda_runtime

_PATIENCE = 10.0  # seconds
_ROUND = 0.001  # seconds
_QUIET_ROUNDS = 25  # in which nothing comes, while the pipe is empty


def teach() -> None:
    """Take the place of ministack's own."""
    lambda_runtime.Worker._drain_stderr_bounded = _drained


def _drained(worker: Any) -> str:
    """All lines: they are in the pipe before the answer is, and a thread of the worker's moves them to its queue."""
    lines: list[str] = []
    quiet, end = 0, time.monotonic() + _PATIENCE
    while quiet < _QUIET_ROUNDS and time.monotonic() < end:
        found = len(lines)
        _empty(worker._stderr_queue, lines)
        quiet = 0 if len(lines) > found or _more_in_the_pipe(worker) else quiet + 1
        time.sleep(_ROUND)
    return "\n".join(lines)


def _empty(waiting: "queue.Queue[str]", lines: list[str]) -> None:
    while True:
        try:
            lines.append(waiting.get_nowait())
        except queue.Empty:
            return


def _more_in_the_pipe(worker: Any) -> bool:
    if not worker._stderr_thread.is_alive():
        return False
    process = worker._proc  # None if the function failed; the thread then ends with the pipe
    return process is None or bool(select.select([process.stderr], [], [], 0)[0])
