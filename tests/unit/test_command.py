"""The command as a person meets it, its output and exit status read; as a process of its own where bytes are written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from postern_command.help import COMMANDS
from postern_mail import __version__

from emulator.template import Template
from tests.builders import ROOT, event
from tests.cloud_here import CloudHere
from tests.command import run

POSTERN = Path(sys.executable).parent / "postern"
TABLES = ROOT / "emulator" / "tables.toml"


@pytest.fixture
def event_file(tmp_path: Path) -> Path:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event("info@example.com", "nobody@example.com", "team@example.com")))
    return path


def test_version() -> None:
    done = run_bytes("--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"postern {__version__}\n")


def test_explain_says_what_would_become_of_each_recipient(event_file: Path) -> None:
    done = run("explain", "--event", event_file, "--tables", TABLES)
    assert done.status == 0, done.err
    assert "info@example.com: forward, because alias info@example.com" in done.out
    assert "nobody@example.com: reject, because nobody@example.com is unknown" in done.out
    assert (
        "would send to jane@dest.example in the name of info@example.com (once for info@example.com, team@example.com)"
        in done.out
    )


def test_explain_with_the_message_shows_how_its_header_changes(event_file: Path, tmp_path: Path) -> None:
    message = tmp_path / "message.eml"
    message.write_bytes(b"From: Betsy <betsy@sender.example>\r\nSender: x\xe9\x1b@y\r\nSubject: s\r\n\r\nbody")
    done = run("explain", "--event", event_file, message, "--tables", TABLES)
    assert done.status == 0, done.err
    assert "  - From: Betsy <betsy@sender.example>" in done.out
    assert '  + From: "Betsy (betsy at sender.example) via example.com" <info@example.com>' in done.out
    assert "  - Sender: x\\xe9\\x1b@y" in done.out
    assert "Subject" not in done.out


def test_explain_lets_no_stranger_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event("info@example.com", source="\x1b[2J\u202e@evil")))
    done = run("explain", "--event", path, "--tables", TABLES)
    assert "\\x1b[2J\\u202e@evil" in done.out
    assert "\x1b" not in done.out


def test_explain_without_an_event_takes_the_sender_of_return_path_and_asks_for_whom(tmp_path: Path) -> None:
    """What someone has who comes from another server: last week's messages, and no event of SES's."""
    message = tmp_path / "message.eml"
    message.write_bytes(b"Return-Path: <spam@spammer.example>\r\nFrom: a@sender.example\r\n\r\nbody")
    told = ("explain", message, "--recipient", "info@example.com", "--recipient", "nobody@example.com")
    done = run(*told, "--tables", TABLES)
    assert done.status == 0, done.err
    assert done.out.startswith("message offline from spam@spammer.example\n")
    assert "nobody@example.com: reject, because nobody@example.com is unknown" in done.out
    tables = tmp_path / "tables.toml"
    tables.write_text(
        '[aliases."info@example.com"]\ndestinations = ["jane@dest.example"]\n'
        '[[senders]]\nsender = "spammer.example"\naction = "REJECT no thanks"\n'
    )
    assert "info@example.com: reject, because" in run(*told, "--tables", tables).out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--recipient", "info@example.com"),
        ("MESSAGE",),
        ("--event", "EVENT", "--recipient", "info@example.com"),
        ("MESSAGE", "--recipient", "no address"),
    ],
)
def test_explain_wants_an_event_or_a_message_and_for_whom(
    arguments: tuple[str, ...], event_file: Path, tmp_path: Path
) -> None:
    message = tmp_path / "message.eml"
    message.write_bytes(b"From: a@sender.example\r\n\r\nbody")
    files = {"MESSAGE": message, "EVENT": event_file}
    done = run("explain", *(files.get(one, one) for one in arguments), "--tables", TABLES)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("postern: ")


def test_explain_as_json(event_file: Path) -> None:
    done = run("explain", "--event", event_file, "--tables", TABLES, "--json")
    explained = json.loads(done.out)
    assert [recipient["decision"] for recipient in explained["recipients"]] == ["forward", "reject", "forward"]
    assert [delivery["destination"] for delivery in explained["deliveries"]] == [
        "jane@dest.example",
        "joe@dest.example",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("not json", "event.json cannot be read: Expecting value"),
        ("[" * 100_000, "event.json cannot be read: maximum recursion depth"),
        ('{"Records": []}', "not an SES receipt event: 0 records"),
    ],
)
def test_an_event_that_cannot_be_read_is_a_usage_error(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "event.json"
    path.write_text(content)
    done = run("explain", "--event", path, "--tables", TABLES)
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[alias]", "unknown section 'alias'"),
        ("aliases = 7", 'aliases are written as [aliases."info@example.com"]'),
        ('[aliases."info"]', "alias 'info' is not a table under a mail address"),
        ('[aliases."A@b.example"]\n[aliases."a@b.example"]', "alias 'a@b.example' occurs twice"),
        ("[senders]", "senders are written as [[senders]]"),
        ("[[senders]]\naction='OK'", "a sender rule without a sender"),
        ("[[senders]]\nsender='a'\n[[senders]]\nsender='A'", "sender rule 'a' in scope '*' occurs twice"),
        (
            '[aliases."a@b.example"]\nnote = 2027-01-01T00:00:00Z',
            "alias 'a@b.example', note: 2027-01-01 00:00:00+00:00 is neither",
        ),
        ('[aliases."a@b.example"]\naddress = "x"', "alias 'a@b.example' is not a table"),
        ("[[senders]]\nsender=''", "a sender rule without a sender"),
        ("domains = 'example.com'", "domains is not a list of names"),
        ("= broken", "tables.toml: "),
    ],
)
def test_tables_that_cannot_be_read_are_wrong_use(event_file: Path, tmp_path: Path, content: str, said: str) -> None:
    tables = tmp_path / "tables.toml"
    tables.write_text(content)
    done = run("explain", "--event", event_file, "--tables", tables)
    assert done.status == 2
    assert said in done.err


RAW = b"Return-Path: <b@sender.example>\r\nFrom: Betsy <betsy@sender.example>\r\nSubject: s\r\n\r\nbody \xe9 no newline"
WAY = ("--recipient", "info@example.com", "--destination", "jane@dest.example")


@pytest.fixture
def messages(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("a.eml", "b.eml")]
    for path in paths:
        path.write_bytes(RAW)
    return paths


def run_bytes(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [POSTERN, *map(str, arguments)], capture_output=True, check=False, env=dict(os.environ) | environment
    )


@pytest.mark.parametrize("tables", [(), ("--tables", TABLES)])
def test_rewrite_writes_the_bytes_that_would_be_forwarded(messages: list[Path], tables: tuple[str, ...]) -> None:
    done = run_bytes("rewrite", *WAY, *tables, messages[0])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b'From: "Betsy (betsy at sender.example) via example.com" <info@example.com>\r\n')
    assert done.stdout.endswith(b"\r\n\r\nbody \xe9 no newline")


def test_rewrite_does_many_files_and_says_which_it_could_not(messages: list[Path], tmp_path: Path) -> None:
    out, gone = tmp_path / "out", tmp_path / "gone.eml"
    done = run("rewrite", *WAY, "--out-dir", out, *messages)
    assert (done.status, sorted(path.name for path in out.iterdir())) == (0, ["a.eml", "b.eml"])
    done = run("rewrite", *WAY, "--out-dir", out, messages[0], gone, messages[1])
    assert done.status == 1
    assert f"{gone}: " in done.err
    assert (out / "b.eml").read_bytes() == (out / "a.eml").read_bytes()


def test_rewrite_overwrites_nothing(messages: list[Path], tmp_path: Path) -> None:
    done = run("rewrite", *WAY, "--out-dir", tmp_path, messages[0])
    assert (done.status, "overwritten by its own result" in done.err) == (1, True)
    assert messages[0].read_bytes() == RAW
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / messages[0].name
    twin.write_bytes(RAW)
    done = run("rewrite", *WAY, "--out-dir", tmp_path / "out", messages[0], twin)
    assert (done.status, "another message has the same name" in done.err) == (1, True)
    assert run("rewrite", *WAY, "--out-dir", messages[0] / "x", messages[0]).status == 2


def test_rewrite_goes_only_where_the_tables_lead(messages: list[Path]) -> None:
    done = run("rewrite", "--recipient", "old@example.com", *WAY[2:], "--tables", TABLES, messages[0])
    assert (done.status, "old@example.com is disabled" in done.err) == (1, True)
    done = run("rewrite", *WAY[:2], "--destination", "x@dest.example", "--tables", TABLES, messages[0])
    assert (done.status, "does not lead to x@dest.example" in done.err) == (1, True)


@pytest.mark.parametrize("arguments", [("--recipient", "info", *WAY[2:]), WAY])
def test_rewrite_used_wrongly(messages: list[Path], arguments: tuple[str, ...]) -> None:
    assert run("rewrite", *arguments, *messages).status == 2


def test_original_fetches_a_stored_message(aws: CloudHere, template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.listening())
    bucket = template.name("MailBucket")
    aws.s3.put_object(Bucket=bucket, Key="inbound/stored", Body=RAW)
    done = run_bytes("original", "stored", POSTERN_MAIL_BUCKET=bucket)
    assert (done.returncode, done.stdout) == (0, RAW)
    done = run_bytes("original", "gone", POSTERN_MAIL_BUCKET=bucket)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no object inbound/gone" in done.stderr
    assert run_bytes("original", "stored", POSTERN_MAIL_BUCKET="no-such-bucket").returncode == 3


def loaded(*arguments: str) -> set[str]:
    """The modules that are there when the command has ended."""
    program = (
        "import atexit, sys; from postern_command.start import run;"
        " atexit.register(lambda: print(*sys.modules, file=sys.stderr)); run()"
    )
    command = [sys.executable, "-c", program, *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stderr.split())


def test_no_command_loads_boto3_before_it_asks_aws() -> None:
    program = "import sys; from postern_command.help import COMMANDS; list(COMMANDS.values()); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert {"postern_command.doctor", "postern_command.import_postfix"} < found
    assert not {"boto3", "rich.console", "rich.progress", "postern_postfix.importing"} & found


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"]])
def test_the_help_loads_nothing_that_it_does_not_need(arguments: list[str]) -> None:
    """`postern --help` takes 250 ms of a quiet machine at most: it loads no command, and no library but typer."""
    found = loaded(*arguments)
    assert {name for name in found if name.startswith("postern_")} == {
        "postern_mail",
        *(f"postern_command{name}" for name in ("", ".start", ".main", ".help", ".where")),
    }
    assert not {"boto3", "rich", "idna", "re2", "tomllib", "tomli_w"} & found
    assert len(found) < 180


def test_a_command_loads_no_other() -> None:
    modules = {f"postern_command.{command}" for command in COMMANDS}
    assert loaded("log", "--help") & modules == {"postern_command.log"}
