"""`make local`: keeps the system up for a mail client or swaks, and reloads the tables file when it changes."""

import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from postern_command.tables.checks import Findings
from postern_command.tables.file import BadTablesFile, TablesFile
from postern_mail.mail.plan import Policy
from postern_mail.mail.token import DAILY, Token, key_of, new_token
from postern_mail.mail.visible import visible

from .cloud import HOST
from .news import Arrivals, News
from .outside import Outside
from .schedules import Schedules, carry_out, orders, run_due
from .system import OWNER, Emulator, Ports

ENVIRONMENT = "env"  # the file with the variables
RETRY_POLL = 2.0  # seconds between polls of the retry queue
_TABLES = ("AliasTable", "SenderTable", "LedgerTable", "DestinationTable")
_IN_THE_WAY = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "POSTERN_STACK")
PAGE = "The page, for a browser (this address works once):\n "
# It ends when we end in any way, because its standard input then closes.
_POSTERN = """
import os, signal, threading
def wait():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=wait, daemon=True).start()
from postern_command.start import run
run()
"""
PORTS = Ports(smtp=2525, aws=5566, ses=5567, submission=2587)


def run(tables: Path, folder: Path, ports: Ports, say: Callable[[str], None] = print, *, page: bool = True) -> int:
    """Run until Ctrl-C. Returns the exit status, 2 for a tables file that cannot be read."""
    try:
        loaded = TablesFile.load(tables)
        domain = _domain(loaded)
    except BadTablesFile as fault:
        say(f"emulator: {fault}")
        return 2
    taken = [port for port in (ports.smtp, ports.aws, ports.ses, ports.submission) if port and not _is_free(port)]
    if taken:
        others = "--smtp 2526 --aws 5568 --ses 5569 --submission 2588"
        say(f"emulator: ports in use: {taken}; choose others with make local PORTS='{others}'")
        return 2
    parameters = {"LogAddresses": "true", "Links": "true", "AliasApi": "true"}  # they are on the reader's own machine
    with Emulator(domain, folder, ports=ports, parameters=parameters) as emulator:
        emulator.maildirs.as_files = True
        emulator.load(loaded)
        emulator.retries.run(RETRY_POLL)
        emulator.receiving.outside = Outside(emulator.maildirs, domain)
        watch = Watch(emulator, tables, say)
        with _variables(emulator), _page(emulator, wanted=page) as address:
            _introduce(emulator, domain, tables, say)
            if address:
                say(f"{PAGE} {address}\n")
            _complain(loaded, say)
            watch.until_stopped()
        say("stopping")
    return 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _asked_to_stop() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set, even if a shell started us with Ctrl-C ignored."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    return asked


class Watch:
    """Prints what happens to mail, reloads the tables when their file changes, and handles signals."""

    def __init__(self, emulator: Emulator, tables: Path, say: Callable[[str], None]) -> None:
        self._emulator = emulator
        self._tables = tables
        self._say = say
        self._stop, self._orders = _asked_to_stop(), orders()
        self._arrivals = Arrivals(emulator.maildirs)
        self._news = News(emulator.cloud, emulator.template.name("LedgerTable"))
        self._schedules = Schedules(emulator.template, time.time())
        self._seen = _version(tables)

    def until_stopped(self) -> None:
        """Watch until asked to stop, checking twice a second."""
        while not self._stop.wait(0.5):
            self._emulator.follow()
            for line in (*self._arrivals.lines(), *self._news.lines()):
                self._say(line)
            while not self._orders.empty():
                carry_out(self._orders.get(), self._emulator, self._say)
            run_due(self._schedules, self._emulator, self._say)
            if (version := _version(self._tables)) != self._seen:
                self._seen = version
                _reload(self._emulator, self._tables, self._say)


def _version(tables: Path) -> tuple[int, int]:
    """The file's time and size: both, since an editor may empty and fill a file within one clock tick."""
    status = tables.stat() if tables.exists() else None
    return (status.st_mtime_ns, status.st_size) if status else (0, 0)


def _reload(emulator: Emulator, tables: Path, say: Callable[[str], None]) -> None:
    """Load the tables again and say so; a file that cannot be read leaves them unchanged."""
    try:
        loaded = TablesFile.load(tables)
        emulator.load(loaded)
    except ValueError as fault:
        say(f"tables NOT reloaded: {fault}")
        return
    say(f"tables reloaded: {len(loaded.aliases)} aliases, {len(loaded.senders)} sender rules")
    _complain(loaded, say)


def _complain(tables: TablesFile, say: Callable[[str], None]) -> None:
    """Print what is wrong in the tables: mail for a faulty row is deferred, or the row is never used."""
    for one in Findings.of(tables, Policy(tables.domains)).all:
        say(visible(f"tables: {one}"))


def _domain(tables: TablesFile) -> str:
    if len(tables.domains) != 1:
        raise BadTablesFile(f"the stack takes one domain, the tables have {sorted(tables.domains)}")
    return next(iter(tables.domains))


@contextmanager
def _variables(emulator: Emulator) -> Iterator[None]:
    """Write a file for the shell's `.` command, removed at the end; it unsets what would make SDKs go elsewhere."""
    path = emulator.folder / ENVIRONMENT
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in emulator.environment.items())
    found = f'export PATH="$PATH":{shlex.quote(str(Path(sys.executable).parent))}\n'  # `postern`, if it is nowhere else
    path.write_text(f"unset {' '.join(_IN_THE_WAY)}\n{exports}{found}", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _page(emulator: Emulator, *, wanted: bool) -> Iterator[str]:
    """Start `postern page` in its own process; returns the one-time address that it prints."""
    if not wanted:
        yield ""
        return
    ours = {name: value for name, value in os.environ.items() if name not in _IN_THE_WAY} | emulator.environment
    command = [sys.executable, "-c", _POSTERN, "page", "--no-browser", "--minutes", "1440"]
    with subprocess.Popen(command, env=ours, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (ourselves)
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _token(emulator: Emulator, domain: str) -> str:
    """A token for this run, whose aliases lead to the owner."""
    text = new_token(secrets.choice)
    token = Token(str(key_of(text)), "local", domain, (OWNER,), DAILY, int(time.time()))
    emulator.cloud.put("AliasTable", [token.row()])
    return text


def _introduce(emulator: Emulator, domain: str, tables: Path, say: Callable[[str], None]) -> None:
    port = emulator.receiving.port
    say(f"""\
Postern for {domain}, SMTP on 127.0.0.1 port {port}.

Write to it from another terminal, with swaks or with Python alone:
  swaks --server 127.0.0.1:{port} --from you@sender.example --to info@{domain}
  printf 'From: You <you@sender.example>\\nTo: info@{domain}\\nSubject: hello\\n\\nHello.\\n' |
    python3 -c "import smtplib, sys; s = smtplib.SMTP('127.0.0.1', {port}); \\
    s.sendmail('you@sender.example', 'info@{domain}', sys.stdin.read())"
A destination that has received mail may reply through the same port; a reply of ann@home.example to mail for
shop@{domain} goes out from that alias (docs/reply.md).
To write as an alias, use the password, server and port that `postern send-as add` prints here (docs/send-as.md).

Below, each recipient gets a line, as in `postern log`.
Postern notifies senders at sender.example of mail that is not forwarded, as on AWS.
Mail arrives in   {emulator.maildirs.folder}
The function logs {emulator.function_log}, feedback {emulator.feedback_log}
The tables are    {tables} (edit and save: they are loaded again)

For the `postern` command, the AWS command or SDKs, in another terminal:
  . {shlex.quote(str(emulator.folder / ENVIRONMENT))}
then `postern dns` and `postern doctor`, as on AWS.
A password manager can add aliases here (docs/password-manager.md):
  server {emulator.doors["ApiFunction"].url.rstrip("/")}
  token  {_token(emulator, domain)}
Tables: {", ".join(emulator.template.name(table) for table in _TABLES)}

Scheduled functions run on their schedules, and also on these signals:
  kill -USR1 {os.getpid()}   the hourly check, for `postern doctor`
  kill -USR2 {os.getpid()}   the digest of today, to {OWNER}, with links that work (docs/links.md)
Ctrl-C stops everything; the Maildirs stay.
""")
