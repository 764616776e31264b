"""A real rspamd on this machine, which asks no one: no name server, no map, no Redis.

It reads the package's own configuration, with local files of ours in a folder of its own.
"""

import json
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

HOST = "127.0.0.1"
_READY = 60  # seconds at most until it listens
_OFF = ("asn", "dcc", "fuzzy_check", "greylist", "hfilter", "history_redis", "mx_check", "neural", "once_received", "phishing", "ratelimit", "rbl",
        "replies", "reputation", "spamassassin", "url_redirector", "arc", "bayes_expiry", "dkim", "spf", "dmarc")  # fmt: skip
_LOCAL = {
    "worker-controller.inc": "enabled = false;",
    "worker-proxy.inc": "enabled = false;",
    "worker-fuzzy.inc": "enabled = false;",
    "options.inc": 'dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; } filters = ["chartable", "regexp"];',
    "logging.inc": 'type = "console"; level = "error";',
    "classifier-bayes.conf": "enabled = false;",
    **{f"{module}.conf": "enabled = false;" for module in _OFF},
}


class Rspamd:
    """One rspamd; `port` is where its worker listens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = free.getsockname()[1]

    def start(self) -> None:
        """Returns when it takes messages. Raises TimeoutError with what it said."""
        local = self._folder / "local.d"
        local.mkdir()
        for name, text in _LOCAL.items():
            (local / name).write_text(f"{text}\n", encoding="utf-8")
        (local / "worker-normal.inc").write_text(f'bind_socket = "{HOST}:{self.port}"; count = 1;\n', encoding="utf-8")
        self._folder.chmod(0o777)
        named = [f"--var={name}={self._folder}" for name in ("LOCAL_CONFDIR", "DBDIR", "RUNDIR", "LOGDIR")]
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            ["/usr/bin/rspamd", "-f", "-i", *named], stdout=self._log, stderr=subprocess.STDOUT
        )
        for _ in range(_READY * 10):
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        raise TimeoutError((self._folder / "log").read_text(encoding="utf-8", errors="replace")[-2_000:])

    def stop(self) -> None:
        """End it, by its own id; its workers end with it."""
        self._process.terminate()
        self._process.wait(30)
        self._log.close()

    def symbols(self, raw: bytes, sender: str, recipient: str) -> dict[str, float]:
        """The rules that fire on a message from this sender to this recipient, with their scores."""
        request = urllib.request.Request(
            f"http://{HOST}:{self.port}/checkv2",
            data=raw,
            headers={
                "From": sender,
                "Rcpt": recipient,
                "Deliver-To": recipient,
                "IP": "192.0.2.25",
                "Helo": "mx.x.example",
                "Hostname": "mx.x.example",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer)["symbols"]
        return {name: float(one["score"]) for name, one in found.items()}
