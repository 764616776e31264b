"""A Postfix of our own, that answers on UNIX sockets and forgets everything when it is stopped.

Its tables are text files. A service marked fresh ends after one connection, so each connection meets the
tables as they were last written, without a reload.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PACKAGED = ("/usr/sbin", "/usr/local/sbin")  # where postconf is, also if PATH has no sbin
START_SECONDS = 30
STOP_SECONDS = 20
TABLES = ("rules", "empty", "first", "second", "virtual", "virtual-regexp", "aliases", "header-checks")
HOW_TO_GET_IT = "apt-get install --no-install-recommends postfix, or dnf install postfix, and run the tests as root"

# Options of master.cf that several services share.
_FRESH = "-o max_use=1"
_SENDER = "-o smtpd_sender_restrictions=check_sender_access,texthash:{root}/tables/"
_OPTIONS = {
    "fresh": _FRESH,
    "ask": f"{_FRESH} -o smtpd_delay_reject=no {_SENDER}rules",
    "members": f"{_FRESH} -o smtpd_delay_reject=no {_SENDER}rules,check_sender_access,static:{{{{REJECT nobody else}}}}",
    "keys": f"{_FRESH} -o smtpd_delay_reject=no {_SENDER}empty",
    "dot": "-o parent_domain_matches_subdomains=",
    "plain": "-o recipient_delimiter=",
    "two_lines": f"{_FRESH} {_SENDER}first,check_sender_access,texthash:{{root}}/tables/second",
    "invalid_helo": "-o smtpd_delay_reject=no -o smtpd_helo_restrictions=reject_invalid_helo_hostname",
    "non_fqdn_helo": "-o smtpd_delay_reject=no -o smtpd_helo_restrictions=reject_non_fqdn_helo_hostname",
    "non_fqdn_sender": "-o smtpd_delay_reject=no -o smtpd_sender_restrictions=reject_non_fqdn_sender",
    "hold": "-o smtpd_sender_restrictions=check_sender_access,static:HOLD",
    "checks": f"{_FRESH} -o header_checks=regexp:{{root}}/tables/header-checks",
    "pcre_checks": f"{_FRESH} -o header_checks=pcre:{{root}}/tables/header-checks",
    "virtual": f"{_FRESH} -o virtual_alias_maps=texthash:{{root}}/tables/virtual,regexp:{{root}}/tables/virtual-regexp",
}


def missing() -> str:
    """Why there can be no Postfix here, "" if there can."""
    if postfix_command("postconf") is None:
        return "Postfix is not installed"
    return "" if os.geteuid() == 0 else "Postfix starts for root only"


class Server:
    """One running Postfix; `root` has its configuration, queue, log and tables."""

    def __init__(self, root: Path, sink_port: int) -> None:
        self.root = root
        self.log = root / "log"
        self._config = root / "config"
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("config", "queue", "data", "tables"):
            (root / name).mkdir()
        for name in TABLES:
            self.write(name, {})
        options = {name: text.format(root=root) for name, text in _OPTIONS.items()}
        for name in ("main.cf", "master.cf"):
            text = (HERE / name).read_text().format(root=root, sink_port=sink_port, **options)
            (self._config / name).write_text(text)
        shutil.chown(root / "data", self.setting("mail_owner"))

    def start(self) -> None:
        """Make the queue and start; returns when the first service can be asked."""
        self.run("postfix", "check")
        master = f"{self.setting('daemon_directory')}/master"
        self._process = subprocess.Popen(
            [master, "-c", str(self._config), "-d"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "MAIL_CONFIG": str(self._config)},
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while not (self.socket("aliases").exists() and self.log.exists()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Postfix did not start: {self.log.read_text() if self.log.exists() else ''}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End master, which ends what it started, and by force what is left of its session."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)

    def socket(self, service: str) -> Path:
        return self.root / "queue" / "public" / service

    def write(self, table: str, rows: Mapping[str, str]) -> None:
        """Replace a table; the next connection to a fresh service meets it."""
        path = self.root / "tables" / table
        new = path.with_suffix(".new")
        new.write_text("".join(f"{key}\t{value}\n" for key, value in rows.items()))
        os.utime(new, (0, 0))  # Postfix waits until a table is a second old, in case someone is still writing it
        new.replace(path)

    def run(self, command: str, *arguments: str) -> str:
        """What one of Postfix's commands prints; raises CalledProcessError."""
        line = [postfix_command(command) or command, "-c", str(self._config), *arguments]
        return subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout

    def setting(self, name: str) -> str:
        return self.run("postconf", "-xh", name).strip()


@contextmanager
def running(sink_port: int) -> Iterator[Server]:
    """A Postfix that is stopped, and whose files are gone, afterwards."""
    root = Path(tempfile.mkdtemp(prefix="postern-postfix-"))
    try:
        root.chmod(0o755)  # Postfix reads its tables as a user of its own
        server = Server(root, sink_port)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(root)


def postfix_command(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *PACKAGED)))
