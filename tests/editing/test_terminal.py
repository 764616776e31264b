"""`plan`, `apply` and `export` as a person meets them: colours, Ctrl-C, AWS that fails."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from postern_command import main, start
from postern_command.aws.table_rows import chunks
from postern_command.tables.change import Change

from tests.pseudo_terminal import terminal

from .conftest import Desk, numbered

POSTERN = Path(sys.executable).parent / "postern"
ARN = "arn:aws:sts::123456789012:user/moto"


@pytest.fixture
def server(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk's tables for the command as a process of its own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", desk.cloud.listening())


LIVE: dict[str, list[dict[str, Any]]] = {
    "AliasTable": [
        {"address": "info@example.com", "destinations": ["jane@dest.example", "joe@dest.example"], "enabled": False},
        {"address": "old@example.com", "destinations": ["x@dest.example"], "note": "\x1b[2J\u202e"},
        {"address": "#settings", "largest_forward": 25},
    ],
    "SenderTable": [{"sender": "spam.example", "scope": "info@example.com", "action": "OK"}],
}
WANTED = """
[settings]
largest_forward = 30
[aliases."info@example.com"]
destinations = ["jane@dest.example", "ann@dest.example"]
keep_tag = true
[aliases."new-newsletters-and-more@example.com"]
destinations = ["jane@dest.example", "joe@dest.example", "ann@dest.example", "a-rather-long-name@dest.example"]
"""
PLANS = {
    50: [
        "~  settings",
        "              largest_forward = 25 -> 30",
        "~  alias     info@example.com",
        "              +ann@dest.example -joe@dest.example\u2026",
        "+  alias     new-newsletters-and-more@example.com",
        "              jane@dest.example, joe@dest.example\u2026",
        "-  alias     old@example.com",
        "              x@dest.example; note = \\x1b[2J\\u202e",
        "-  sender    spam.example for info@example.com",
        "              OK",
    ],
    80: [
        "~  settings                               largest_forward = 25 -> 30",
        "~  alias     info@example.com             +ann@dest.example -joe@dest.example;\u2026",
        "+  alias     new-newsletters-and-more@e\u2026  jane@dest.example, joe@dest.example,\u2026",
        "-  alias     old@example.com              x@dest.example; note = \\x1b[2J\\u202e",
        "-  sender    spam.example for info@exam\u2026  OK",
    ],
    120: [
        "~  settings                                         largest_forward = 25 -> 30",
        "~  alias     info@example.com                       +ann@dest.example -joe@dest.example; -enabled = false; +keep_tag =\u2026",
        "+  alias     new-newsletters-and-more@example.com   jane@dest.example, joe@dest.example, ann@dest.example, a-rather-lo\u2026",
        "-  alias     old@example.com                        x@dest.example; note = \\x1b[2J\\u202e",
        "-  sender    spam.example for info@example.com      OK",
    ],
}


@pytest.mark.slow
@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("columns", PLANS)
def test_a_plan_is_a_list_on_a_terminal(desk: Desk, file: Path, columns: int) -> None:
    for table, rows in LIVE.items():
        desk.cloud.put(table, rows)
    file.write_text(WANTED)
    for command in (("plan",), ("apply", "--dry-run")):
        *screen, counts = terminal(*command, file, columns=columns, NO_COLOR="1").splitlines()
        assert screen == PLANS[columns]
        assert max(map(len, screen)) <= columns
        assert counts == "1 to add, 2 to change, 2 to remove; --wide shows each whole"
        whole = terminal(*command, file, "--wide", columns=columns, NO_COLOR="1")
        assert '-   note = "\\u001b[2J\\u202e"' in whole
        assert '    "a-rather-long-name@dest.example",' in whole


@pytest.mark.usefixtures("server")
def test_a_terminal_gets_colours_and_no_color_is_respected(desk: Desk, file: Path) -> None:
    file.write_text(numbered(1))
    assert terminal("plan", file).startswith("\x1b[32m+  alias     a0@example.com ")
    assert "\x1b[32m+ alias a0@example.com\x1b[0m" in terminal("plan", file, "--wide")
    assert "\x1b[" not in terminal("plan", file, NO_COLOR="1")
    assert "writing" in terminal("apply", file)


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    return subprocess.run([POSTERN, *map(str, arguments)], capture_output=True, text=True, check=False, env=variables)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"POSTERN_ALIAS_TABLE": "no-such-table"}, "DynamoDB GetItem (settings): ResourceNotFoundException"),
        (
            {"POSTERN_ALIAS_TABLE": "no-such-table"},
            "(region eu-west-1, profile default); is it in another region or account?",
        ),
        ({"AWS_ENDPOINT_URL": "nonsense"}, "DynamoDB: Invalid endpoint: nonsense"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "Could not connect to the endpoint URL"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "(region eu-west-1, profile default); check the network"),
    ],
)
@pytest.mark.usefixtures("server")
def test_aws_that_fails_is_one_sentence_and_status_3(
    desk: Desk, file: Path, environment: dict[str, str], said: str
) -> None:
    done = run("plan", file, **environment)
    assert done.returncode == 3
    assert done.stderr.startswith("postern: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_ends_quietly_also_before_the_command_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "run", interrupted)
    with pytest.raises(SystemExit) as ended:
        start.run()
    assert ended.value.code == 130


def test_a_fault_cannot_steer_a_terminal(desk: Desk, file: Path) -> None:
    file.write_text('[aliases."\\u001b[2J@example.com"]\ndestinations = ["x@dest.example"]\n')
    assert "alias \\x1b[2j@example.com: this is neither" in desk.run("plan", file).err


def test_nothing_that_says_where_is_a_usage_error(
    desk: Desk, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = ("ALIAS", "SENDER", "DESTINATION", "LEDGER")
    done = run("plan", file, **{f"POSTERN_{name}_TABLE": "" for name in tables})
    assert (done.returncode, "which stack?" in done.stderr) == (2, True)


def test_numbers_are_the_same_however_they_are_held(desk: Desk, file: Path) -> None:
    row = {"address": "a@example.com", "destinations": ["x@dest.example"], "expires_at": Decimal("1800000000.5")}
    desk.cloud.put("AliasTable", [row])
    file.write_text('[aliases."a@example.com"]\ndestinations = ["x@dest.example"]\nexpires_at = 1800000000.5\n')
    assert desk.run("plan", file, "--check").status == 0
    file.write_text(
        '[aliases."a@example.com"]\ndestinations = ["x@dest.example"]\nexpires_at = 1800000001\nenabled = 1\n'
    )
    assert desk.run("apply", file).status == 0
    assert desk.run("plan", file, "--check").status == 0
    file.write_text(file.read_text().replace("enabled = 1", "enabled = true"))
    assert desk.run("plan", file, "--check").status == 1


def test_lots_are_bounded_by_count_and_by_size() -> None:
    many = [Change("aliases", (f"a{number}",), None, {"note": "x"}) for number in range(250)]
    assert [len(lot) for lot in chunks(many)] == [100, 100, 50]
    large = [Change("aliases", (f"a{number}",), None, {"note": "x" * 300_000}) for number in range(20)]
    assert [len(lot) for lot in chunks(large)] == [6, 6, 6, 2]
