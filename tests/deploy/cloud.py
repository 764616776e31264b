"""ministack as a process of its own, with IAM enforced, on a free port of 127.0.0.1."""

import os
import signal
import socket
import subprocess
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Self

from emulator.account import ACCOUNT, REGION
from emulator.calls import VARIABLE
from emulator.cloud import HOST
from emulator.function import ROOT

_PYTHON = ROOT / ".venv-ministack" / "bin" / "python"


class Ministack:
    """A context manager; `folder` gets its log, its functions' code and the list of denied calls."""

    def __init__(self, folder: Path, sending: str) -> None:
        port = _free_port()
        self.endpoint = f"http://localhost:{port}"  # not 127.0.0.1: sam would put the bucket's name before it
        self.log = folder / "ministack.log"
        self._denials = folder / "denials"
        self._variables = {
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "IOT_MTLS_ENABLED": "0",
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(folder),
            "POSTERN_SENDING": sending,
            "POSTERN_DENIALS": str(self._denials),
            VARIABLE: os.environ[VARIABLE],
        }

    def __enter__(self) -> Self:
        """Start it; it answers when it is `healthy`."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(_PYTHON), "-m", "tests.deploy.launcher"],
                cwd=ROOT,
                env=self._variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its functions are processes of this session, and end with it
            )
        return self

    def __exit__(self, *_: object) -> None:
        """End it and its functions, by the session they were started in."""
        for number in (signal.SIGTERM, signal.SIGKILL):  # the second for what outlives the first
            with suppress(ProcessLookupError):  # no one is left
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)

    def healthy(self) -> bool:
        """Whether it answers; fails if it ended."""
        assert self._process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def let_time_pass(self) -> None:
        """Make every schedule due."""
        self._process.send_signal(signal.SIGUSR1)

    def forget_denials(self) -> None:
        """What was denied so far is on the list no longer."""
        self._denials.unlink(missing_ok=True)

    def denials(self) -> list[str]:
        """The calls that IAM refused so far, as JSON."""
        return self._denials.read_text(encoding="utf-8").splitlines() if self._denials.exists() else []


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        port: int = listening.getsockname()[1]
        return port
