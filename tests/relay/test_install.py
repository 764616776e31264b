"""relay/install: the same result each time, what differs is said, and odd options are refused."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import demand
from .postfix import DOMAIN, INSTALL, OWNER, SECRET, install

FILES = {
    "etc/postern/relay",
    "etc/postfix/main.cf",
    "etc/postfix/master.cf",
    "etc/postfix/recipients",
    "etc/postfix/senders",
    *(f"etc/postfix/{name}" for name in ("foreign", "header", "replies", "stamp", "unreachable")),
    "etc/systemd/system/postern-credentials.service",
    "etc/systemd/system/postern-credentials.timer",
    "etc/systemd/system/postern-queue.service",
    "etc/systemd/system/postern-queue.timer",
    *(f"usr/local/libexec/postern/{name}" for name in ("aws.py", "credentials-fetch", "queue-age")),
}


@pytest.fixture(autouse=True)
def _postfix(postfix_is_here: None) -> None:
    pass


def files(root: Path) -> dict[str, tuple[bytes, int, int]]:
    found = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode, path.stat().st_ino) for path in found}


def again(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run with the options of the last one."""
    usual = dict.fromkeys(("domain", "owner", "region", "credentials", "secret"), "")
    return install(*arguments, root=str(root), **usual)


def test_the_second_run_changes_nothing(tmp_path: Path) -> None:
    assert install(root=str(tmp_path)).returncode == 0
    first = files(tmp_path)
    assert set(first) == FILES
    assert not any(b"@smtp" in content or b"@DOMAIN@" in content for content, _, _ in first.values())

    for done in (install(root=str(tmp_path)), again(tmp_path)):
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert files(tmp_path) == first
    assert again(tmp_path, "--check").stdout.endswith("\nrelay: nothing differs\n")


def test_check_says_what_differs_and_touches_nothing(tmp_path: Path) -> None:
    install(root=str(tmp_path))
    main = tmp_path / "etc" / "postfix" / "main.cf"
    main.write_text(main.read_text().replace("inet_interfaces = loopback-only", "inet_interfaces = all"))
    assert again(tmp_path, "--check").returncode == 1  # what is made of a template, and what is copied
    (tmp_path / "usr" / "local" / "libexec" / "postern" / "credentials-fetch").chmod(0o644)
    before = files(tmp_path)
    done = again(tmp_path, "--check")
    assert done.returncode == 1
    assert "-inet_interfaces = all\n+inet_interfaces = loopback-only\n" in done.stdout
    assert "credentials-fetch differs" in done.stdout
    assert files(tmp_path) == before

    again(tmp_path)
    assert again(tmp_path, "--check").returncode == 0


def test_from_smtp_to_the_api_and_back(tmp_path: Path) -> None:
    sources, root = tmp_path / "relay", tmp_path / "root"
    shutil.copytree(INSTALL.parent, sources)
    (sources / "postern-send").write_text("#!/bin/sh\n")
    script = str(sources / "install")
    install(root=str(root), script=script, configuration_set="postern")
    first = files(root)
    (root / "etc" / "postfix" / "sasl_passwd").write_text("secret")

    done = install(root=str(root), script=script, credentials="api", secret="", configuration_set="postern")
    assert done.returncode == 0, done.stderr
    assert not any("credentials" in name or "sasl" in name for name in files(root))
    assert "relayhost" not in (root / "etc" / "postfix" / "main.cf").read_text()
    assert "postern-send -f ${sender} -- ${recipient}" in (root / "etc" / "postfix" / "master.cf").read_text()

    install(root=str(root), script=script, configuration_set="postern")
    assert {name: found[:2] for name, found in files(root).items()} == {
        name: found[:2] for name, found in first.items()
    }


def test_what_was_there_before_stays_readable(tmp_path: Path) -> None:
    folder = tmp_path / "etc" / "postfix"
    folder.mkdir(parents=True)
    (folder / "main.cf").write_text("relayhost = [old]\n")
    for _ in range(2):
        install(root=str(tmp_path))
    assert (folder / "main.cf.before-postern").read_text() == "relayhost = [old]\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("domain", ""),
        ("domain", "example"),
        ("domain", "example.com|e id"),
        ("domain", "example.com\nrelayhost = [evil]"),
        ("owner", "ops"),
        ("owner", "ops@dest.example, joe@dest.example"),
        ("owner", "o&s@dest.example"),
        ("region", "eu west"),
        ("credentials", "password"),
        ("secret", ""),
        ("secret", "a b"),
        ("smtp_port", "x"),
        ("configuration_set", "a b"),
    ],
)
def test_options_that_are_not_understood_are_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    done = install(root=str(tmp_path), **{name: value})
    assert done.returncode == 2
    if value:
        assert f"--{name.replace('_', '-')} is missing or not understood" in done.stderr
    assert not files(tmp_path)


def test_a_password_has_no_option(tmp_path: Path) -> None:
    done = install("--password", "hunter2", root=str(tmp_path))
    assert (done.returncode, done.stderr) == (2, "relay: no such option: --password\n")
    text = INSTALL.read_text()
    assert "password" not in text.replace("user and password", "").replace("no password", "")


def test_nothing_of_it_is_secret(tmp_path: Path) -> None:
    install(root=str(tmp_path))
    options = (tmp_path / "etc" / "postern" / "relay").read_text()
    assert f"domain={DOMAIN}\nowner={OWNER}\n" in options
    assert f"secret={SECRET}\n" in options
    assert {path.name for path in tmp_path.rglob("*") if "passw" in path.name} == set()


def test_shellcheck_has_nothing_to_say() -> None:
    demand("" if shutil.which("shellcheck") else "shellcheck is not installed")
    done = subprocess.run(
        ["shellcheck", "--shell=sh", INSTALL, *INSTALL.parent.glob("*.sh")], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


UNITS = [
    "postern-credentials.service",
    "postern-credentials.timer",
    "postern-queue.service",
    "postern-queue.timer",
    "postern-guard.service",
]


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_the_units(tmp_path: Path, unit: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    install("--guard-metadata", root=str(tmp_path))
    path = tmp_path / "etc" / "systemd" / "system" / unit
    program = tmp_path / "usr" / "local" / "libexec" / "postern" / "credentials-fetch"
    for each in path.parent.iterdir():
        each.write_text(each.read_text().replace("/usr/local/libexec/postern", str(program.parent)))
    done = subprocess.run(["systemd-analyze", "verify", str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "postern" not in done.stderr
