"""`make local`: the system stays up for a mail client or swaks, and the tables file is live."""

import os
import shlex
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from postern_command.ids import short_id
from postern_command.log import ended, recipients, why
from postern_command.tables.checks import Findings
from postern_command.tables.file import BadTablesFile, TablesFile
from postern_mail.aws.watch.history import History
from postern_mail.mail.plan import Policy
from postern_mail.mail.visible import visible

from .cloud import HOST
from .system import Emulator, Ports

LOOK_BACK = 600  # seconds of the ledger that are looked at again
RETRY_POLL = 2.0  # seconds between looks at the retry queue
_TABLES = ("AliasTable", "SenderTable", "LedgerTable", "DestinationTable")
PORTS = Ports(smtp=2525, aws=5566, ses=5567)


def run(tables: Path, folder: Path, ports: Ports, say: Callable[[str], None] = print) -> int:
    """Run until Ctrl-C; returns the exit status, 2 for tables that cannot be used."""
    try:
        loaded = TablesFile.load(tables)
        domain = _domain(loaded)
    except BadTablesFile as fault:
        say(f"emulator: {fault}")
        return 2
    taken = [port for port in (ports.smtp, ports.aws, ports.ses) if port and not _is_free(port)]
    if taken:
        say(f"emulator: ports in use: {taken}; choose others with make local PORTS='--smtp 2526 --aws 5568 --ses 5569'")
        return 2
    with Emulator(domain, folder, ports=ports, parameters={"LogAddresses": "true"}) as emulator:
        emulator.load(loaded)
        emulator.retries.run(RETRY_POLL)
        variables = _write_variables(emulator, folder)
        _introduce(emulator, domain, tables, variables, say)
        _complain(loaded, say)
        _run_when_asked(emulator, say)
        _watch(emulator, tables, _asked_to_stop(), say)
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
    """Set by Ctrl-C, and by SIGTERM, also where a shell has started us with Ctrl-C ignored."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    return asked


def _watch(emulator: Emulator, tables: Path, asked_to_stop: threading.Event, say: Callable[[str], None]) -> None:
    """Load the tables again whenever the file changes, and tell what arrives."""
    seen = _version(tables)
    maildirs = emulator.maildirs
    arrived = {destination: len(maildirs.messages(destination)) for destination in maildirs.everybody()}
    outcomes = Outcomes(emulator, say)
    while not asked_to_stop.wait(0.5):
        emulator.follow()
        for destination in maildirs.everybody():
            count = len(maildirs.messages(destination))
            for _ in range(count - arrived.get(destination, 0)):
                say(f"delivered to {destination}: {maildirs.path(destination)}")
            arrived[destination] = count
        outcomes.tell()
        if (version := _version(tables)) != seen:
            seen = version
            _reload(emulator, tables, say)


class Outcomes:
    """A line for each recipient, as `postern log` has it, and another whenever it becomes something else."""

    def __init__(self, emulator: Emulator, say: Callable[[str], None]) -> None:
        self._ledger = History(emulator.cloud.dynamodb, emulator.template.name("LedgerTable"))
        self._say = say
        self._since = time.time()
        self._told: dict[tuple[str, str], str] = {}

    def tell(self) -> None:
        """Say what is new. Messages of the last minutes are looked at."""
        since = max(self._since, time.time() - LOOK_BACK)
        for row in reversed(list(recipients(self._ledger, since))):
            key, now = (row["message_id"], row["recipient"]), ended(row)
            if self._told.get(key) != now:
                self._told[key] = now
                reason = f": {why(row)}" if why(row) else ""
                self._say(visible(f"{short_id(key[0])}  {now}  {row['source']} -> {key[1]}{reason}"))


def _run_when_asked(emulator: Emulator, say: Callable[[str], None]) -> None:
    """SIGUSR1 runs the hourly check, SIGUSR2 the digest, as their schedules would."""

    def run_now(logical_id: str, what: str) -> None:
        error = emulator.run_scheduled(logical_id)
        say(f"{what} failed: {error}" if error else f"{what} ran")

    for number, logical_id, what in (
        (signal.SIGUSR1, "WatchFunction", "the hourly check"),
        (signal.SIGUSR2, "DigestFunction", "the digest"),
    ):
        started = partial(threading.Thread, target=run_now, args=(logical_id, what), daemon=True)
        signal.signal(number, lambda *_, start=started: start().start())


def _write_variables(emulator: Emulator, folder: Path) -> Path:
    """The file to source for the `postern` command, the AWS command and SDKs."""
    path = folder / "env"
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in emulator.environment.items())
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _version(tables: Path) -> tuple[int, int]:
    """Time and size: an editor that empties a file and fills it within one tick changes both."""
    status = tables.stat() if tables.exists() else None
    return (status.st_mtime_ns, status.st_size) if status else (0, 0)


def _reload(emulator: Emulator, tables: Path, say: Callable[[str], None]) -> None:
    """Load the tables again and say so: a file that cannot be read leaves them as they were."""
    try:
        loaded = TablesFile.load(tables)
        emulator.load(loaded)
    except ValueError as fault:
        say(f"tables NOT reloaded: {fault}")
        return
    say(f"tables reloaded: {len(loaded.aliases)} aliases, {len(loaded.senders)} sender rules")
    _complain(loaded, say)


def _complain(tables: TablesFile, say: Callable[[str], None]) -> None:
    """Say what is wrong in the tables: mail for such a row is deferred, or the row never counts."""
    for one in Findings.of(tables, Policy(tables.domains)).said:
        say(visible(f"tables: {one}"))


def _domain(tables: TablesFile) -> str:
    if len(tables.domains) != 1:
        raise BadTablesFile(f"the stack takes one domain, the tables have {sorted(tables.domains)}")
    return next(iter(tables.domains))


def _introduce(emulator: Emulator, domain: str, tables: Path, variables: Path, say: Callable[[str], None]) -> None:
    port = emulator.receiving.port
    say(f"""\
Postern for {domain}, SMTP on 127.0.0.1 port {port}.

Write to it from another terminal, with swaks or with what Python has:
  swaks --server 127.0.0.1:{port} --from you@sender.example --to info@{domain}
  printf 'From: You <you@sender.example>\\nTo: info@{domain}\\nSubject: hello\\n\\nHello.\\n' |
    python3 -c "import smtplib, sys; s = smtplib.SMTP('127.0.0.1', {port})
  s.sendmail('you@sender.example', 'info@{domain}', sys.stdin.read())"

Each recipient has a line here; a sender at sender.example is told by an answer, as on AWS, what was not forwarded.
Mail arrives in   {emulator.maildirs.folder}
The function logs {emulator.function_log}, feedback {emulator.feedback_log}
The tables are    {tables} (edit and save: they are loaded again)

For the `postern` command, the AWS command or SDKs:   . {variables}
The hourly check runs now by   kill -USR1 {os.getpid()}   and the digest by   kill -USR2 {os.getpid()}
Tables: {", ".join(emulator.template.name(table) for table in _TABLES)}

Ctrl-C stops everything; what is in the Maildirs stays.
""")
