"""Lambda: runs the handler named in the template asynchronously, in processes of its own.

As on AWS (docs.aws.amazon.com/lambda, "Asynchronous invocation"): an event whose function fails is retried, and ends
on the on-failure queue as a record with the event under `requestPayload`.
"""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from .account import REGION
from .calls import VARIABLE
from .cloud import CREDENTIALS, Cloud
from .runtime import AHEAD
from .template import Template

ROOT = Path(__file__).parent.parent
CONCURRENCY = 2  # environments in parallel; the machine may have only two cores
START_TIMEOUT = 60  # seconds for a cold start
LAMBDA_RETRY_DELAYS = (60.0, 120.0)  # seconds before the first and second retry on AWS


Answer = tuple[dict[str, Any] | None, Any]  # (None or the error as Lambda reports it, the function's return value)


class Environment:
    """One execution environment, a process: its variables are only the template's, it is killed when it times out, as
    on Lambda, and nothing that the emulator imports leaks into it. It starts when first needed."""

    def __init__(self, handler: Path, variables: Mapping[str, str], log: IO[bytes]) -> None:
        self._handler = handler
        self._variables = variables
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def run(self, event: object, context: dict[str, Any], timeout: float) -> Answer:
        """Run an event; returns its outcome."""
        try:
            pipe = self._started()
            pipe.send((event, context))
            if not pipe.poll(timeout):
                self.stop()
                said = f"Task timed out after {timeout} seconds"
                return {"errorType": "Sandbox.Timedout", "errorMessage": said}, None
            answer: Answer = pipe.recv()
        except (EOFError, OSError):
            self.stop()
            return {"errorType": "Runtime.ExitError", "errorMessage": "the function's process ended"}, None
        return answer

    def stop(self) -> None:
        """Stop the process, by its pid."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._pipe = None

    def _started(self) -> Connection:
        if self._pipe is not None:
            return self._pipe
        self._pipe, theirs = Pipe()
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            [sys.executable, "-m", "emulator.runtime", str(theirs.fileno()), str(self._handler)],
            cwd=ROOT,
            env=dict(self._variables),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        theirs.close()
        if not self._pipe.poll(START_TIMEOUT) or self._pipe.recv() != "ready":
            raise EOFError("the function's process did not start")
        return self._pipe


class Function:
    """The function with this logical id in the template; `ahead` is how many seconds its clock is ahead."""

    def __init__(
        self,
        template: Template,
        logical_id: str,
        cloud: Cloud,
        *,
        endpoints: Mapping[str, str],
        log_file: Path,
        retry_delays: tuple[float, ...] = LAMBDA_RETRY_DELAYS,
        ahead: float = 0,
    ) -> None:
        declared = template.resource(logical_id)
        self.arn = template.arn(logical_id)
        self._name = template.name(logical_id)
        self._cloud = cloud
        self._timeout = float(declared["Timeout"])
        invocation = declared["EventInvokeConfig"]
        self._retry_delays = retry_delays[: invocation["MaximumRetryAttempts"]]
        self._queue_arn = invocation["DestinationConfig"]["OnFailure"]["Destination"]
        module, _, _ = declared["Handler"].partition(".")
        handler = template.folder / declared["CodeUri"] / f"{module}.py"
        variables = {
            **CREDENTIALS,
            **declared["Environment"]["Variables"],
            **endpoints,
            "AWS_REGION": REGION,
            "AWS_LAMBDA_FUNCTION_NAME": self._name,
            "PYTHONUNBUFFERED": "1",  # on Lambda, everything is in the log when the function returns
            "PATH": os.environ.get("PATH", ""),
            AHEAD: str(ahead),
        }
        if VARIABLE in os.environ:
            record = {VARIABLE: os.environ[VARIABLE], "EMULATOR_FUNCTION": logical_id, "EMULATOR_STACK": template.stack}
            variables |= record
        self._log = log_file.open("ab")
        self._idle = [Environment(handler, variables, self._log) for _ in range(CONCURRENCY)]
        self._all = tuple(self._idle)
        self._free = threading.Condition()
        self._under_way = 0
        self._stopping = threading.Event()

    def invoke(self, event: object) -> None:
        """Queue an event, as InvocationType Event does: it runs soon, in its own thread."""
        with self._free:
            self._under_way += 1
        threading.Thread(target=self._see_through, args=(event,), daemon=True).start()

    def run(self, event: object) -> dict[str, Any] | None:
        """Run an event and wait for its end, without retries. Returns None, or the error."""
        return self._run(event)[0]

    def call(self, event: object) -> Any:
        """Run an event, as InvocationType RequestResponse does. Returns its return value, None if it failed."""
        return self._run(event)[1]

    def wait_until_idle(self, timeout: float) -> None:
        """Wait until every event has succeeded or is on the queue. Raises TimeoutError."""
        with self._free:
            if not self._free.wait_for(lambda: self._under_way == 0, timeout):
                raise TimeoutError(f"{self._under_way} events are still under way after {timeout} s")

    def stop(self) -> None:
        """Stop all processes."""
        self._stopping.set()
        for environment in self._all:
            environment.stop()
        self._log.close()

    def _see_through(self, event: object) -> None:
        try:
            error, _ = self._run(event)
            attempts = 1
            for delay in self._retry_delays:
                if error is None or self._stopping.wait(delay):
                    break
                error, _ = self._run(event)
                attempts += 1
            if error is not None and not self._stopping.is_set():
                self._fail(event, error, attempts)
        finally:
            with self._free:
                self._under_way -= 1
                self._free.notify_all()

    def _run(self, event: object) -> Answer:
        with self._free:
            self._free.wait_for(lambda: self._idle)
            environment = self._idle.pop()
        context = {
            "function_name": self._name,
            "aws_request_id": str(uuid.uuid4()),
            "deadline": time.time() + self._timeout,
            "invoked_function_arn": self.arn,
        }
        try:
            return environment.run(event, context, self._timeout)
        finally:
            with self._free:
                self._idle.append(environment)
                self._free.notify_all()

    def _fail(self, event: object, error: Mapping[str, Any], attempts: int) -> None:
        record = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(),
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": f"{self.arn}:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": attempts,
            },
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": error,
        }
        sqs = self._cloud.sqs
        url = sqs.get_queue_url(QueueName=self._queue_arn.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(record))
