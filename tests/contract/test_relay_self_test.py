"""relay/self-test, with everything it calls replaced; tests/relay has the real Postfix."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders import ROOT

LOCAL = "LISTEN 0 100 127.0.0.1:25 0.0.0.0:*\nLISTEN 0 100 [::1]:25 [::]:*"
# journalctl: what Postfix writes about the message that was sent last.
LOG = """name=$(sed -n 's/^Message-ID: //p' "$(dirname "$0")/message")
echo "4XYZ: message-id=<another@example.com>"
echo "4XYZ: to=<x@y.example>, status=sent (250 Ok)"
echo "4ABC: message-id=$name"
"""


def _run(folder: Path, install: str, listening: str, log: str) -> subprocess.CompletedProcess[str]:
    stubs = {
        "install": install,
        "ss": f"cat <<'END'\n{listening}\nEND" if listening else "exit 0",
        "sendmail": 'cat >"$(dirname "$0")/message"; echo "$*" >"$0.called"',
        "journalctl": LOG + log,
        "sleep": "exit 0",
        # Time passes: a second at every look at the clock.
        "date": 'echo x >>"$0.times"; echo $((1795000000 + $(wc -l <"$0.times")))',
    }
    for name, program in {"postconf": f"echo {folder}/queue", **stubs}.items():
        (folder / name).write_text(f"#!/bin/sh\n{program}\n")
        (folder / name).chmod(0o755)
    shutil.copy(ROOT / "relay" / "self-test", folder)
    (folder / "options").write_text("domain=example.com\n")
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "POSTERN_RELAY_OPTIONS": str(folder / "options")}
    return subprocess.run(
        [folder / "self-test"], check=False, capture_output=True, text=True, env=environment, timeout=60
    )


SENT = 'echo "4ABC: to=<success@simulator.amazonses.com>, status=sent (250 Ok 0102)"'
DEFERRED = 'echo "4ABC: to=<success@simulator.amazonses.com>, status=deferred (535 no)"'
BOUNCED = 'echo "4ABC: to=<success@simulator.amazonses.com>, status=bounced (554 no)"'


def test_a_relay_that_works_passes(tmp_path: Path) -> None:
    done = _run(tmp_path, "exit 0", LOCAL, f"{DEFERRED}; {SENT}")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "sendmail.called").read_text().split()[:2] == ["-f", "postern-relay@example.com"]
    message = (tmp_path / "message").read_text()
    assert message.startswith("From: <postern-relay@example.com>\nTo: <success@simulator.amazonses.com>\n")


@pytest.mark.parametrize(
    ("install", "listening", "log", "said"),
    [
        ("exit 1", LOCAL, SENT, "not as relay/install makes it"),
        ("exit 0", "", SENT, "nothing listens"),
        ("exit 0", LOCAL + "\nLISTEN 0 100 0.0.0.0:25 0.0.0.0:*", SENT, "0.0.0.0:25"),
        ("exit 0", "LISTEN 0 100 10.0.0.1:25 0.0.0.0:*", SENT, "10.0.0.1:25"),
        ("exit 0", LOCAL, BOUNCED, "554 no"),
        ("exit 0", LOCAL, DEFERRED, "535 no"),
        ("exit 0", LOCAL, "", "did not go out within 120 s"),
    ],
)
def test_a_relay_that_does_not_fails_and_says_why(
    tmp_path: Path, install: str, listening: str, log: str, said: str
) -> None:
    done = _run(tmp_path, install, listening, log)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_report_that_is_on_hold_is_said(tmp_path: Path) -> None:
    (tmp_path / "queue" / "hold").mkdir(parents=True)
    (tmp_path / "queue" / "hold" / "4XYZ").write_text("a report")
    done = _run(tmp_path, "exit 0", LOCAL, SENT)
    assert done.returncode == 1
    assert "1 reports of lost mail could not be delivered" in done.stderr
    assert "postsuper -H ALL" in done.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", ROOT / "relay" / "self-test"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
