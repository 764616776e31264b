"""`make local` as a person runs it: a process that is written to, and a tables file that is edited."""

import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.cloud import HOST
from tests.builders import ROOT

TABLES = """
[aliases."info@example.org"]
destinations = ["{destination}"]
"""
DEADLINE = 30  # seconds for anything to happen


class Local:
    def __init__(self, folder: Path) -> None:
        self.tables = folder / "tables.toml"
        self.maildirs = folder / "local" / "maildirs"
        self.output = folder / "output"
        self.variables = folder / "local" / "env"
        self.write_tables("jane@dest.example")
        command = [
            sys.executable,
            "-m",
            "emulator",
            "local",
            "--tables",
            str(self.tables),
            "--folder",
            str(folder / "local"),
        ]
        ports = ["--smtp", "0", "--aws", "0", "--ses", "0"]
        self.process = subprocess.Popen(
            [*command, *ports], cwd=ROOT, stdout=self.output.open("wb"), env={"PYTHONUNBUFFERED": "1"}
        )
        self.wait_for(lambda: "Ctrl-C" in self.said())

    def said(self) -> str:
        return self.output.read_text()

    def write_tables(self, destination: str) -> None:
        self.tables.write_text(TABLES.format(destination=destination))

    def ports(self) -> list[int]:
        """The port it says, and those in the file of variables."""
        text = self.said() + self.variables.read_text()
        return [int(port) for port in set(re.findall(r"(?:port |127\.0\.0\.1:)(\d+)", text))]

    def write(self, recipient: str = "info@example.org") -> None:
        found = re.search(r"SMTP on 127\.0\.0\.1 port (\d+)", self.said())
        assert found
        with smtplib.SMTP(HOST, int(found[1])) as client:
            client.sendmail("you@sender.example", recipient, "From: you@sender.example\n\nHello.\n")

    def wait_for(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.05)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    running = Local(tmp_path)
    yield running
    running.process.kill()
    running.process.wait()


def test_mail_arrives_and_edits_of_the_tables_hold_from_then_on(local: Local) -> None:
    local.write()
    local.wait_for(lambda: "delivered to jane@dest.example" in local.said())
    (arrived,) = (local.maildirs / "jane@dest.example" / "new").iterdir()
    assert arrived.read_bytes().endswith(b"\r\n\r\nHello.\r\n")

    local.write_tables("joe@dest.example")
    local.wait_for(lambda: "tables reloaded: 1 aliases" in local.said())
    local.write()
    local.wait_for(lambda: "delivered to joe@dest.example" in local.said())

    local.tables.write_text("= broken")
    local.wait_for(lambda: "tables NOT reloaded" in local.said())
    local.process.send_signal(signal.SIGINT)
    assert local.process.wait(DEADLINE) == 0


def test_the_command_edits_the_tables_with_the_variables_of_the_file(local: Local) -> None:
    assert f". {local.variables}" in local.said()
    variables = dict(re.findall(r"export (\w+)=(\S+)", local.variables.read_text()))
    postern = Path(sys.executable).parent / "postern"
    done = subprocess.run(
        [postern, "alias", "set", "info@example.org", "joe@dest.example"],
        capture_output=True, text=True, check=False, env=variables,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    local.write()
    local.wait_for(lambda: "delivered to joe@dest.example" in local.said())


def test_every_recipient_has_a_line_and_the_schedules_run_when_asked(local: Local) -> None:
    local.write("nobody@example.org")
    said = "rejected  you@sender.example -> nobody@example.org: nobody@example.org is unknown"
    local.wait_for(lambda: said in local.said())
    local.process.send_signal(signal.SIGUSR1)
    local.wait_for(lambda: "the hourly check ran" in local.said())
    local.process.send_signal(signal.SIGUSR2)
    local.wait_for(lambda: "the digest ran" in local.said())


def test_faults_of_the_tables_are_said_when_they_are_loaded(local: Local) -> None:
    local.tables.write_text('[aliases."info@example.org"]\ndestinations = ["x@dest.example"]\nenabeld = false\n')
    local.wait_for(lambda: "tables: aliases row 'info@example.org': unknown attribute 'enabeld'" in local.said())


def test_it_listens_on_this_machine_only(local: Local) -> None:
    ports = local.ports()
    assert len(ports) == 3
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, _, port = address.partition(":")
            if state == "0A" and int(port, 16) in ports:
                listening.append(host)
    assert listening == ["0100007F"] * 3


def test_a_port_in_use_is_said_and_not_fought_over(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "emulator", "local", "--tables", "emulator/tables.toml", "--aws", str(port)]
        done = subprocess.run(
            [*command, "--folder", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 2
    assert f"ports in use: [{port}]" in done.stdout
