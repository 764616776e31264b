"""The page as a process: where it listens, that plain HTTP is all it takes, and how it ends."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from postern_command.pages.desk import Desk
from postern_command.pages.gate import Gate
from postern_command.pages.server import Begun, serve, sockets
from postern_command.stack import Stack

from tests.cloud_here import CloudHere
from tests.command import run
from tests.operating.conftest import Office
from tests.page.browsing import Page, browser

DEADLINE = 30  # seconds for anything to happen


class Served:
    """`postern page`, and someone who speaks HTTP to it."""

    def __init__(self, office: Office, *options: str) -> None:
        assert isinstance(office.cloud, CloudHere)
        environment = {**os.environ, "AWS_ENDPOINT_URL": office.cloud.listening(), "PYTHONUNBUFFERED": "1"}
        command = [str(Path(sys.executable).parent / "postern"), "page", "--no-browser", *options]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.address = self.process.stdout.readline().strip()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/start\?token=\S+)", self.address)
        assert found, self.address
        self.port, self.start = int(found[1]), found[2]

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[http.client.HTTPResponse, str]:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        client.request(method, path, body or None, headers)
        answer = client.getresponse()
        text = answer.read().decode()
        client.close()
        return answer, text


@pytest.fixture
def served(office: Office) -> Iterator[Served]:
    made = Served(office)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.mark.slow
def test_forms_work_by_plain_http_and_it_ends_with_ctrl_c(served: Served, office: Office) -> None:
    office.cloud.put("AliasTable", [{"address": "info@example.com", "destinations": ["jane@dest.example"]}])
    entered, _ = served.ask("GET", served.start)
    assert entered.status == 303
    cookie = str(entered.getheader("Set-Cookie")).partition(";")[0]
    _, html = served.ask("GET", "/aliases", Cookie=cookie)
    form = urlencode(Page(None, html).form("/alias/switch"))  # type: ignore[arg-type]
    sent = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    assert served.ask("POST", "/alias/switch", form, **sent)[0].status == 403
    answer, _ = served.ask("POST", "/alias/switch", form, **sent, Origin=f"http://127.0.0.1:{served.port}")
    assert answer.status == 303
    (row,) = (row for row in office.cloud.rows("AliasTable") if row["address"] == "info@example.com")
    assert row["enabled"] is False
    rebound, said = served.ask("GET", "/aliases", Cookie=cookie, Host="evil.example")
    assert (rebound.status, "info@" in said, rebound.getheader("Server")) == (421, False, None)
    assert served.ask("GET", served.start)[0].status == 403, "the token was used"

    idle = socket.create_connection(("127.0.0.1", served.port))  # what is open does not keep it from ending
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(DEADLINE) == 0
    assert served.process.stdout
    assert served.process.stdout.read().endswith("ended\n")
    idle.close()


def test_a_random_port_of_both_loopback_addresses_and_no_other() -> None:
    first, second = sockets(), sockets()
    try:
        names = [one.getsockname()[:2] for one in (*first, *second)]
        assert {name for name, _ in names} <= {"127.0.0.1", "::1"}
        assert len({port for _, port in names}) == 2
        assert len({one.getsockname()[1] for one in first}) == 1
    finally:
        for one in (*first, *second):
            one.close()


def test_it_ends_by_itself_when_no_one_asks(office: Office) -> None:
    listening = sockets()
    ann = browser(office, Desk(Stack.find(None)))
    began = time.monotonic()
    begun = Begun(ann.client.app, Gate(listening[0].getsockname()[1], time.monotonic), listening)
    assert serve(begun, lambda: None, idle=0.3)
    assert time.monotonic() - began >= 0.3


def test_what_is_wrong_is_said_before_it_listens(office: Office, tmp_path: Path) -> None:
    broken = tmp_path / "t.toml"
    broken.write_text("= broken")
    assert run("page", "--no-browser", "--file", broken).status == 2
    assert run("page", "--no-browser", POSTERN_DOMAINS="no domain!").status == 2


def test_without_its_extra_it_says_what_to_install(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "postern_command.pages.server", None)
    done = run("page")
    assert (done.status, "python3 -m pip install '.[page]'" in done.err) == (2, True)
