"""The way without a password: pipe(8) to postern-send, here a program that does what a file says.

The program itself has tests of its own; these are about what Postfix makes of its exit status.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .postfix import INSTALL, OWNER, Relay

STAND_IN = """#!/bin/sh
# One folder for each call: its arguments and the message; the status is that of the file named for the recipient.
place=$(mktemp -d {calls}/XXXXXX)
printf '%s\\n' "$@" >"$place/arguments"
cat >"$place/message"
mv "$place" "$place.done"
echo "said by the stand-in"
exit "$(cat "{calls}/$4" 2>/dev/null || echo 0)"
"""
LIBRARY = "/usr/local/libexec/postern/postern-send"


class Api:
    """A relay whose program is the stand-in."""

    def __init__(self, folder: Path) -> None:
        self.calls = folder / "calls"
        self.calls.mkdir()
        self.calls.chmod(0o777)
        sources = folder / "relay"
        shutil.copytree(INSTALL.parent, sources)
        (sources / "postern-send").write_text(STAND_IN.format(calls=self.calls))
        self.host = Relay(folder, b"", 587, credentials="api", secret="", script=str(sources / "install"))
        installed = folder / "usr" / "local" / "libexec" / "postern" / "postern-send"
        assert installed.stat().st_mode & 0o777 == 0o755
        self.host.run("sed", "-i", f"s|{LIBRARY}|{installed}|", "/etc/postfix/master.cf")
        self.host.start()

    def answers(self, recipient: str, status: int) -> None:
        (self.calls / recipient).write_text(str(status))

    def sent(self) -> list[tuple[list[str], str]]:
        """(arguments, message) of each call."""
        done = sorted(self.calls.glob("*.done"))
        return [((call / "arguments").read_text().splitlines(), (call / "message").read_text()) for call in done]


@pytest.fixture(scope="module")
def running_api(postfix_is_here: None, folder: Path) -> Iterator[Api]:
    place = folder / "api"
    place.mkdir()
    started = Api(place)
    yield started
    started.host.close()


@pytest.fixture
def api(running_api: Api) -> Api:
    running_api.host.run("postsuper", "-d", "ALL")
    running_api.host.log.write_bytes(b"")
    for path in running_api.calls.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return running_api


def test_it_gets_envelope_and_message_and_0_is_the_end(api: Api) -> None:
    api.host.submit("root@localhost", "jane@dest.example", "joe@dest.example", text="From: root@localhost\n\nHello\n")
    api.host.wait_for(lambda: len(api.sent()) == 2 and not api.host.queued())
    assert sorted(arguments for arguments, _ in api.sent()) == [
        ["-f", "root@example.com", "--", "jane@dest.example"],
        ["-f", "root@example.com", "--", "joe@dest.example"],
    ]
    for _, message in api.sent():
        assert "\nFrom: root@example.com\n" in message
        assert message.endswith("\n\nHello\n")
        assert not message.startswith(("From ", "Return-Path:"))
        assert "\r" not in message
    assert api.host.said().count("status=sent") == 2


def test_75_keeps_it(api: Api) -> None:
    api.answers("jane@dest.example", 75)
    api.host.submit("shop@example.com", "jane@dest.example")
    api.host.wait_for_log("status=deferred .*said by the stand-in")
    (api.calls / "jane@dest.example").unlink()
    api.host.empty()
    assert [arguments[3] for arguments, _ in api.sent()] == ["jane@dest.example"] * 2


@pytest.mark.parametrize("status", [65, 69, 77])
def test_a_refusal_is_reported_to_the_owner_through_the_program_too(api: Api, status: int) -> None:
    api.answers("jane@dest.example", status)
    api.host.submit("shop@example.com", "jane@dest.example")
    api.host.wait_for(lambda: len(api.sent()) == 2 and not api.host.queued())
    (report,) = [(arguments, message) for arguments, message in api.sent() if arguments[3] == OWNER]
    assert report[0] == ["-f", "double-bounce@example.com", "--", OWNER]
    assert "said by the stand-in" in report[1]


def test_a_report_that_is_refused_stays_on_the_host(api: Api) -> None:
    api.answers("jane@dest.example", 69)
    api.answers(OWNER, 69)
    api.host.submit("shop@example.com", "jane@dest.example")
    api.host.wait_for(api.host.kept)
    assert [arguments[3] for arguments, _ in api.sent()].count(OWNER) == 1
    assert "discarded" not in api.host.said()
    api.host.run("postsuper", "-d", "ALL")


def test_there_is_no_password_anywhere(api: Api) -> None:
    assert not (api.host.config / "sasl_passwd").exists()
    assert "sasl" not in api.host.rendered
    units = {path.name for path in api.host.folder.glob("etc/systemd/system/*")}
    assert units == {"postern-queue.service", "postern-queue.timer"}
