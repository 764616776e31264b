"""`make local` as a person runs it: a process that is written to, and a tables file that is edited."""

import http.client
import json
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.cloud import HOST
from emulator.receiving.authentication import GTUBE
from tests.builders import ROOT

TABLES = """
[aliases."misspelt@example.org"]
destinations = ["jane@dest.example"]
enabeld = false

[aliases."info@example.org"]
destinations = ["{destination}"]

[[senders]]
sender = "spammer.example"
action = "{action}"
"""
POSTERN = Path(sys.executable).parent / "postern"
DEADLINE = 30  # seconds for anything to happen


class Local:
    def __init__(self, folder: Path, program: tuple[str, ...] = ("-m", "emulator"), *more: str) -> None:
        self.tables = folder / "tables.toml"
        self.folder = folder / "local"
        self.maildirs = self.folder / "maildirs"
        self.output = folder / "output"
        self.write_tables("jane@dest.example")
        command = [
            sys.executable,
            *program,
            "local",
            "--tables",
            str(self.tables),
            "--folder",
            str(self.folder),
        ]
        ports = [*(more or ("--no-page",)), "--smtp", "0", "--aws", "0", "--ses", "0", "--submission", "0"]
        self.process = subprocess.Popen(
            [*command, *ports],
            cwd=ROOT,
            stdout=self.output.open("wb"),
            env={"PYTHONUNBUFFERED": "1"},
        )
        self.wait_for(lambda: "tables: aliases row" in self.said())

    def said(self) -> str:
        return self.output.read_text()

    def write_tables(self, destination: str, action: str = "REJECT") -> None:
        self.tables.write_text(TABLES.format(destination=destination, action=action))

    def ports(self) -> list[int]:
        """The port it says, and those in the file of variables."""
        told = self.said() + (self.folder / "env").read_text()
        return [int(port) for port in set(re.findall(r"(?:port |127\.0\.0\.1:)(\d+)", told))]

    def write(self, sender: str = "you@sender.example", recipient: str = "info@example.org", text: str = "") -> None:
        found = re.search(r"SMTP on 127\.0\.0\.1 port (\d+)", self.said())
        assert found
        with smtplib.SMTP(HOST, int(found[1])) as client:
            client.sendmail(sender, recipient, f"From: {sender}\n\n{text or 'Hello.'}\n")

    def paste(self) -> None:
        """Write with the lines of Python that it prints, as a person pastes them."""
        found = re.search(r"^  (printf .*?\.read\(\)\)\")$", self.said(), re.MULTILINE | re.DOTALL)
        assert found
        subprocess.run(["bash", "-c", found[1]], check=True, env={"PATH": os.environ["PATH"]})

    def postern(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, in a shell that has sourced what it was told to, with a stack of its own before."""
        script = '. "$1"; shift; exec "$@"'
        environment = {"AWS_PROFILE": "nobody", "POSTERN_STACK": "another", "PATH": os.environ["PATH"]}
        return subprocess.run(
            ["sh", "-c", script, "sh", self.folder / "env", POSTERN, *arguments],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip

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
    assert "tables: aliases row 'misspelt@example.org': unknown attribute 'enabeld'" in local.said()
    local.paste()
    local.wait_for(lambda: "delivered to jane@dest.example" in local.said())
    (arrived,) = (local.maildirs / "jane@dest.example" / "new").iterdir()
    assert arrived.read_bytes().endswith(b"\n\nHello.\n")
    assert b"\r" not in arrived.read_bytes()

    local.write_tables("joe@dest.example", "REJEKT")
    local.wait_for(lambda: "tables reloaded: 2 aliases" in local.said())
    local.wait_for(lambda: "tables: senders row 'spammer.example in scope *': action 'REJEKT'" in local.said())
    local.write()
    local.wait_for(lambda: "delivered to joe@dest.example" in local.said())

    local.tables.write_text("= broken")
    local.wait_for(lambda: "tables NOT reloaded" in local.said())
    local.process.send_signal(signal.SIGINT)
    assert local.process.wait(DEADLINE) == 0
    assert not (local.folder / "env").exists()


def test_the_command_and_a_password_manager_edit_the_tables_with_what_it_says(local: Local) -> None:
    found = re.search(r"server (http://\S+)\n  token  (\w+)\n", local.said())
    assert found
    headers = {"authorization": f"Bearer {found[2]}", "content-type": "application/json"}
    request = urllib.request.Request(f"{found[1]}/api/v1/aliases", b'{"domain": "example.org"}', headers)
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        assert answer.status == 201
    done = local.postern("alias", "set", "info@example.org", "joe@dest.example")
    assert (done.returncode, done.stderr) == (0, "")
    local.write()
    local.wait_for(lambda: "delivered to joe@dest.example" in local.said())


def test_whatever_becomes_of_mail_is_told_and_a_reply_goes_out(local: Local) -> None:
    local.write("you@spammer.example")
    local.wait_for(lambda: "rejected  info@example.org  you@spammer.example  sender rule" in local.said())
    with pytest.raises(smtplib.SMTPRecipientsRefused):  # no one has written to that address
        local.write("jane@dest.example", "you@sender.example")
    local.write()
    local.wait_for(lambda: "  info@example.org  you@sender.example  alias info@example.org" in local.said())
    local.wait_for(lambda: "delivered to jane@dest.example" in local.said())
    local.write("jane@dest.example", "you@sender.example")
    local.wait_for(lambda: "delivered to you@sender.example" in local.said())
    (reply,) = (local.maildirs / "you@sender.example" / "new").iterdir()
    assert reply.read_bytes() == b"Return-Path: <jane@dest.example>\nFrom: jane@dest.example\n\nHello.\n"
    assert "you@sender.example" in (local.folder / "function.log").read_text()


def test_what_has_a_schedule_runs_when_asked_and_doctor_finds_nothing(local: Local) -> None:
    checked = local.postern("doctor", "--json")
    states = {found["check"]: found["state"] for found in map(json.loads, checked.stdout.splitlines())}
    assert states == dict.fromkeys(states, "ok") | {
        "table rows": "failed",
        "who is told": "not checked",
        "functions": "not checked",
        "owner.yaml": "not checked",
        "domains taken out": "not checked",
        "version": "not checked",
    }

    local.process.send_signal(signal.SIGUSR2)
    local.wait_for(lambda: "digest has nothing to tell" in local.said())
    local.write(text=GTUBE.decode())
    local.wait_for(lambda: "quarantined  info@example.org" in local.said())
    local.process.send_signal(signal.SIGUSR2)
    local.wait_for(lambda: local.said().count("digest was sent to owner@dest.example") == 1)
    local.wait_for(lambda: "  Release: http://127.0.0.1:" in local.said())
    (link,) = [line.rpartition(" ")[2] for line in local.said().splitlines() if line.startswith("  Release: ")]
    with urllib.request.urlopen(link, timeout=60) as page:
        assert b"<button" in page.read()
    local.process.send_signal(signal.SIGUSR2)  # what was told is told again, to the person who works on it
    local.wait_for(lambda: local.said().count("digest was sent to owner@dest.example") == 2)
    local.process.send_signal(signal.SIGUSR1)
    local.wait_for(lambda: "watch looked, and wrote to owner@dest.example: Mail of example.org: " in local.said())


@pytest.mark.long
def test_what_has_a_schedule_runs_by_it(tmp_path: Path) -> None:
    """With an hour of two seconds."""
    program = "from emulator import __main__, schedules; schedules._SECONDS['hour'] = 2; __main__.app()"
    running = Local(tmp_path, ("-c", program))
    try:
        running.wait_for(lambda: running.said().count("watch ran by its schedule") >= 2)
        assert "digest" not in running.said().replace("the digest of today", "")
    finally:
        running.process.kill()
        running.process.wait()


def test_it_listens_on_this_machine_only_and_has_a_page(tmp_path: Path) -> None:
    local = Local(tmp_path, ("-m", "emulator"), "--page")
    try:
        ports = local.ports()
        assert len(ports) == 7
        own = listening_on(ports)
        assert own.count("0100007F") == 8, "DNS by TCP and UDP"
        assert set(own) <= {"0100007F", f"{0:024X}01000000"}
        found = re.search(r"http://127\.0\.0\.1:(\d+)(/start\?token=\S+)", local.said())
        assert found
        client = http.client.HTTPConnection(HOST, int(found[1]), timeout=DEADLINE)
        client.request("GET", found[2])
        entered = client.getresponse()
        entered.read()
        client.request("GET", "/aliases", headers={"Cookie": str(entered.getheader("Set-Cookie")).partition(";")[0]})
        assert b"info@example.org" in client.getresponse().read()
        local.process.kill()
        local.process.wait()
        end = time.monotonic() + DEADLINE
        while listening_on(ports):
            assert time.monotonic() < end, "the page goes on without us"
            time.sleep(0.05)
    finally:
        local.process.kill()
        local.process.wait()


def listening_on(ports: list[int]) -> list[str]:
    """The addresses on which something listens at these ports, as the kernel writes them."""
    listening: list[str] = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, _, port = address.partition(":")
            if state in ("0A", "07") and int(port, 16) in ports:  # TCP_LISTEN, and UDP without a peer
                listening.append(host)
    return listening


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
