"""One Lambda execution environment: a process that loads the real handler and gives it events.

`function` starts it and sends events over a pipe: `python -m emulator.runtime FD HANDLER.py`.
"""

import importlib.util
import os
import sys
import time
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3

from .calls import VARIABLE, record_our_own, recorded

AHEAD = "EMULATOR_AHEAD"  # the environment variable for the seconds by which the function's clock is ahead
_now = time.time


@dataclass
class Context:
    """The part of Lambda's context object that Powertools and handlers use."""

    function_name: str
    aws_request_id: str
    deadline: float
    memory_limit_in_mb: int = 1024
    function_version: str = "$LATEST"
    log_group_name: str = "emulator"
    log_stream_name: str = "emulator"
    invoked_function_arn: str = field(default="")

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until Lambda stops the function."""
        return max(0, int((self.deadline - _now()) * 1000))


def serve(pipe: Connection, handler_file: Path) -> None:
    """Load the handler, as a cold start does, and run events until the pipe closes."""
    if VARIABLE in os.environ:
        who = os.environ["EMULATOR_FUNCTION"], os.environ["EMULATOR_STACK"]
        boto3.setup_default_session(botocore_session=recorded(*who))
        record_our_own(*who)
    if ahead := float(os.environ.get(AHEAD, "0")):
        time.time = lambda: _now() + ahead
    specification = importlib.util.spec_from_file_location("handler", handler_file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.dont_write_bytecode = True  # no byte code beside the source: `sam build` would not ship it
    specification.loader.exec_module(module)
    pipe.send("ready")
    while True:
        try:
            event, context = pipe.recv()
        except EOFError:
            return
        answer = _answer(module.handler, event, context)
        sys.stdout.flush()  # metrics are printed; on AWS they are in the log when the function returns
        pipe.send(answer)


def _answer(handler: Any, event: object, context: dict[str, Any]) -> tuple[dict[str, Any] | None, Any]:
    """(None for success, else the error as Lambda reports it; the handler's return value)."""
    try:
        returned = handler(event, Context(**context))
    except Exception as error:  # noqa: BLE001 (Lambda's own boundary: it reports whatever leaves a handler)
        traceback.print_exc()
        return {"errorType": type(error).__name__, "errorMessage": str(error)}, None
    return None, returned


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), Path(sys.argv[2]))
