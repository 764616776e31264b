"""A Postfix that holds the imported files themselves, and whom its mail reaches.

Each box has a Postfix of its own, as main.cf is read when a process starts; queue and log are shared. What would
leave the machine goes to the sink, mailboxes are thrown away, and no command runs.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from itertools import count
from pathlib import Path

from tests.postfix.conversation import SECONDS, log_since, session
from tests.postfix.server import START_SECONDS, STOP_SECONDS, Server, postfix_command
from tests.postfix.sink import Sink

_INDEXED = "lmdb"  # what postmap and postalias make of the files; `hash` may be missing
_NUMBERS = count()
_TYPES = re.compile(r"\b(?:hash|btree):(?=/)")
_PATHS = re.compile(r"(?<![\w/])/etc/(?!passwd)")
_MASTER = """
smtp    unix n - n - 1 smtpd
local   unix - n n - - local
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
trace   unix - - n - 0 bounce
smtp-out unix - - n - - smtp
error   unix - - n - - error
retry   unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
anvil   unix - - n - 1 anvil
scache  unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
# Parameters of the judge; what the box says about the same is left out.
_OURS = """
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/log
maillog_file_prefixes = {root}
enable_long_queue_ids = yes
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000000
smtpd_hard_error_limit = 1000001
smtpd_junk_command_limit = 1000000
smtpd_reject_unlisted_recipient = no
smtpd_relay_restrictions = permit_mynetworks, reject
local_recipient_maps =
disable_dns_lookups = yes
default_transport = smtp-out:[127.0.0.1]:{sink_port}
relay_transport = smtp-out:[127.0.0.1]:{sink_port}
mailbox_transport = discard
virtual_transport = discard
allow_mail_to_commands =
allow_mail_to_files = alias, forward
alias_database =
notify_classes =
virtual_alias_recursion_limit = 30
hopcount_limit = 8
"""
_NAMES = frozenset(line.partition(" ")[0] for line in _OURS.split("\n") if line)


@dataclass(frozen=True)
class Files:
    """A box: main.cf, and the files that it names by their paths."""

    main_cf: str
    files: Mapping[str, str] = field(default_factory=dict)


class Judge(Server):
    """One folder for all boxes; `of` runs a Postfix that has one of them."""

    def __init__(self, root: Path, sink: Sink) -> None:
        self.root = root
        self.log = root / "log"
        self._config = root / "config"
        self._sink = sink
        for name in ("config", "queue", "data", "box"):
            (root / name).mkdir()
        (self._config / "master.cf").write_text(_MASTER)
        self._write_main_cf("")
        shutil.chown(root / "data", self.setting("mail_owner"))
        self.run("postfix", "check")
        self._daemon = f"{self.setting('daemon_directory')}/master"

    def whom(self, box: Files, addresses: Sequence[str]) -> dict[str, frozenset[str]]:
        """The addresses outside that mail to each of these reaches, in lower case."""
        shutil.rmtree(self.root / "box")
        (self.root / "box").mkdir(mode=0o755)
        for path, text in box.files.items():
            self._write_file(path, text)
        self._write_main_cf(self._placed(box.main_cf))
        with self._started():
            return self._asked(addresses)

    def _asked(self, addresses: Sequence[str]) -> dict[str, frozenset[str]]:
        self._sink.arrived.clear()
        cases = {f"case-{next(_NUMBERS)}": address for address in addresses}
        with session(self, "smtp") as opened:
            for case, address in cases.items():
                opened.docmd("MAIL", "FROM:<s@sender.example>")
                code, _ = opened.docmd("RCPT", f"TO:<{address}>")
                if code >= 400:
                    opened.rset()
                    continue
                opened.data(f"X-Case: {case}\r\nSubject: x\r\n\r\nHello\r\n")
        self._wait_until_idle()
        reached: dict[str, set[str]] = {address: set() for address in addresses}
        for one in self._sink.arrived:
            case = str(BytesHeaderParser().parsebytes(one.message).get("X-Case"))
            if case in cases:
                reached[cases[case]].update(map(str.lower, one.recipients))
        return {address: frozenset(found) for address, found in reached.items()}

    def _wait_until_idle(self) -> None:
        """Until nothing is in the queue but what is deferred. A message leaves `active` after what became of it came in."""
        deadline = time.monotonic() + SECONDS
        while any(any((self.root / "queue" / name).iterdir()) for name in ("incoming", "active", "incoming")):
            if time.monotonic() > deadline:
                raise TimeoutError(log_since(self, 0)[-3000:])
            time.sleep(0.01)

    def _placed(self, text: str) -> str:
        return _PATHS.sub(f"{self.root}/box/etc/", _TYPES.sub(f"{_INDEXED}:", text))

    def _write_file(self, path: str, text: str) -> None:
        file = self.root / "box" / path.lstrip("/")
        for folder in reversed(file.relative_to(self.root).parents[:-1]):
            (self.root / folder).mkdir(mode=0o755, exist_ok=True)
        file.write_bytes(self._placed(text).encode("utf-8", "surrogateescape"))
        file.chmod(0o644)
        os.utime(file, (0, 0))
        tool = "postalias" if "aliases" in file.name else "postmap"
        subprocess.run(
            [str(postfix_command(tool)), "-c", str(self._config), f"{_INDEXED}:{file}"],
            capture_output=True,
            check=False,
        )

    def _write_main_cf(self, box: str) -> None:
        kept = "\n".join(line for line in box.split("\n") if line.partition("=")[0].strip() not in _NAMES)
        ours = _OURS.format(root=self.root, sink_port=self._sink.port)
        (self._config / "main.cf").write_text(f"{kept}\n{ours}")
        os.utime(self._config / "main.cf", (0, 0))

    @contextmanager
    def _started(self) -> Iterator[None]:
        path = self.root / "queue" / "public" / "smtp"
        path.unlink(missing_ok=True)
        process = self._master()
        try:
            deadline = time.monotonic() + START_SECONDS
            while not (_answers(path) and self.log.exists()):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"Postfix did not start: {log_since(self, 0)[-3000:]}")
                if process.poll() is not None:  # what the last one started may still hold its lock
                    process = self._master()
                time.sleep(0.01)
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(STOP_SECONDS)
            for name in ("incoming", "active", "deferred", "defer", "bounce"):
                for message in (self.root / "queue" / name).rglob("*"):
                    message.unlink() if message.is_file() else None

    def _master(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._daemon, "-c", str(self._config), "-d"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "MAIL_CONFIG": str(self._config)},
            start_new_session=True,
        )


def _answers(path: Path) -> bool:
    """Does someone listen there? The file is made a moment earlier."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


@contextmanager
def judging(sink: Sink) -> Iterator[Judge]:
    """A judge whose files are gone afterwards."""
    root = Path(tempfile.mkdtemp(prefix="postern-import-"))
    try:
        root.chmod(0o755)  # Postfix reads its tables as a user of its own
        yield Judge(root, sink)
    finally:
        shutil.rmtree(root)
