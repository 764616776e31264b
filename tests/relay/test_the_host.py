"""relay/install on hosts of several kinds: SELinux, distributions by their os-release, a Postfix that is dead."""

import os
import subprocess
from pathlib import Path

import pytest

from .postfix import INSTALL, environment, install

pytestmark = pytest.mark.slow
API = {"credentials": "", "secret": ""}
OS_RELEASES = {
    "debian 12": ('ID=debian\nVERSION_ID="12"\n', "deb", ""),
    "debian 13": ('ID=debian\nVERSION_ID="13"\n', "deb", ""),
    "ubuntu 24.04": ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n', "deb", "not run"),
    "ubuntu 26.04": ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="26.04"\n', "deb", "not run"),
    "amazon linux 2023": ('ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n', "rpm", "not run"),
    "rhel 9": ('ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.6"\n', "rpm", "not run"),
    "rhel 10": ('ID="rhel"\nID_LIKE="centos fedora"\nVERSION_ID="10.1"\n', "rpm", "not run"),
    "rocky 9": ('ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.5"\n', "rpm", "not run"),
    "almalinux 10": ('ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="10.0"\n', "rpm", "not run"),
}


@pytest.fixture(autouse=True)
def _postfix(postfix_is_here: None) -> None:
    pass


def on(release: str, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """relay/install below `root`, where the machine's os-release is another one."""
    (root.parent / "os-release").write_text(release)
    line = [str(INSTALL), "--domain", "example.com", "--owner", "o@d.example", "--region", "eu-west-1", *arguments]
    inside = f'mount --bind {root.parent}/os-release {os.path.realpath("/etc/os-release")} && exec "$@"'
    whole = ["unshare", "--mount", "--propagation", "private", "sh", "-c", inside, "sh", *line, "--root", str(root)]
    return subprocess.run(whole, check=False, capture_output=True, text=True, env=environment())


@pytest.mark.parametrize("name", OS_RELEASES)
def test_a_distribution_of_the_table(tmp_path: Path, name: str) -> None:
    release, family, warned = OS_RELEASES[name]
    done = on(release, tmp_path / "root", "--credentials", "smtp", "--secret", "x")
    assert done.returncode == 0, done.stderr
    assert warned in done.stderr
    assert bool(done.stderr) == bool(warned)
    place = {"deb": "/etc/ssl/certs/", "rpm": "/etc/pki/ca-trust/"}[family]
    assert f"smtp_tls_CAfile = {place}" in (tmp_path / "root" / "etc" / "postfix" / "main.cf").read_text()


@pytest.mark.parametrize(
    ("release", "likeness"),
    [
        ('ID=debian\nVERSION_ID="14"\n', "/etc/ssl/"),
        ("ID=linuxmint\nID_LIKE='ubuntu debian'\nVERSION_ID=23\n", "/etc/ssl/"),
        ('ID=fedora\nVERSION_ID="44"\n', "/etc/pki/"),
        ('ID=void\nVERSION_ID="1"\n', ""),
        ("ID=debian\n", "/etc/ssl/"),
    ],
)
def test_another_one_only_by_force_and_with_a_warning(tmp_path: Path, release: str, likeness: str) -> None:
    refused = on(release, tmp_path / "root")
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert not (tmp_path / "root").exists()
    forced = on(release, tmp_path / "root", "--force", "--credentials", "smtp", "--secret", "x")
    if likeness:
        assert forced.returncode == 0
        assert "--force" in forced.stderr
        assert f"smtp_tls_CAfile = {likeness}" in (tmp_path / "root" / "etc" / "postfix" / "main.cf").read_text()
    else:
        assert (forced.returncode, "like no distribution" in forced.stderr) == (2, True)


def with_commands(folder: Path, commands: dict[str, str], root: Path, **options: str) -> tuple[int, str]:
    """install where these commands come first; (status, what it said)."""
    for name, program in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{program}\n")
        (folder / name).chmod(0o755)
    chosen = {"domain": "example.com", "owner": "o@d.example", "region": "eu-west-1", "root": str(root), **options}
    line = [part for name, value in chosen.items() for part in (f"--{name}", value)]
    path = f"{folder}:{environment()['PATH']}"
    done = subprocess.run([INSTALL, *line], check=False, capture_output=True, text=True, env={"PATH": path})
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("mode", "options", "expected"),
    [
        ("Enforcing", {"credentials": "api"}, "SELinux is enforcing here, and denies --credentials api"),
        ("Enforcing", {}, "has to be --credentials smtp, and that needs --secret"),
        ("Enforcing", {"secret": "x"}, "credentials=smtp"),
        ("Enforcing", {"credentials": "smtp", "secret": "x"}, "credentials=smtp"),
        ("Permissive", {}, "credentials=api"),
        ("Disabled", {"credentials": "api"}, "credentials=api"),
        ("", {}, "credentials=api"),
        ("", {"secret": "x"}, "credentials=smtp"),
    ],
)
def test_the_way_is_the_api_but_where_selinux_denies_it(
    tmp_path: Path, mode: str, options: dict[str, str], expected: str
) -> None:
    (tmp_path / "bin").mkdir()
    commands = {"getenforce": f"echo {mode}" if mode else "exit 127"}
    status, said = with_commands(tmp_path / "bin", commands, tmp_path / "root", **options)
    if expected.startswith("credentials="):
        assert status == 0, said
        assert f"\n{expected}\n" in (tmp_path / "root" / "etc" / "postern" / "relay").read_text()
    else:
        assert status == 2
        assert expected in said
        assert not (tmp_path / "root").exists()


def test_it_sees_a_dead_postfix_behind_a_unit_that_is_always_active(tmp_path: Path) -> None:
    """Debian 12's postfix.service runs /bin/true and stays active; what works is postfix@-.service."""
    script = INSTALL.read_text().replace('main "$@"', "")
    for stub, said in (("exit 1", "relay: Postfix does not run\n"), ("exit 0", "")):
        commands = {"systemctl": "exit 0", "postfix": stub, "stat": "echo root:600"}
        for name, program in commands.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{program}\n")
            (tmp_path / name).chmod(0o755)
        text = script.replace('here=$(cd "$(dirname "$0")" && pwd)', f"here={INSTALL.parent}") + "\ncheck_services\n"
        path = {"PATH": f"{tmp_path}:{environment()['PATH']}"}
        done = subprocess.run(["sh", "-c", text], check=False, capture_output=True, text=True, env=path)
        assert (done.stdout, done.stderr) == (said, "")


def test_help_explains_every_option() -> None:
    done = subprocess.run([INSTALL, "--help"], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    script = INSTALL.read_text()
    values = script.partition('VALUES="')[2].partition('"')[0].split()
    for option in (*values, "guard_metadata", "force", "check", "root", "help"):
        assert f"--{option.replace('_', '-')} " in done.stdout, option
    assert "set -eu" not in done.stdout


@pytest.mark.parametrize(
    ("options", "said", "lanes", "connections"),
    [
        ({}, "at most 7 messages a second: half of the account's 14 by 1", 0, 1),
        ({"hosts": "2"}, "at most 3.5 messages a second: half of the account's 14 by 2", 3, 1),
        ({"hosts": "50"}, "at most 1 messages a second", 1, 1),
        ({"rate": "1"}, "at most 1 messages a second: as --rate says", 1, 1),
        ({"rate": "0.5"}, "at most 0.5 messages a second", 1, 1),
        ({"rate": "14"}, "at most 14 messages a second", 0, 2),
        ({"rate": "100"}, "at most 100 messages a second", 0, 15),
    ],
)
def test_the_rate_sets_connections_and_delay(
    tmp_path: Path, options: dict[str, str], said: str, lanes: int, connections: int
) -> None:
    assert install(root=str(tmp_path), **options).returncode == 0
    assert said in install("--check", root=str(tmp_path), **options).stdout
    main = (tmp_path / "etc" / "postfix" / "main.cf").read_text()
    assert f"smtp_destination_concurrency_limit = {connections}\n" in main
    assert main.count("_destination_rate_delay = ") == lanes
    assert ("randmap:{" in main) == bool(lanes)
    assert ("_rate_delay = 2s" in main) == (options.get("rate") == "0.5")

    done = install(root=str(tmp_path), **{**options, **API, "credentials": "api"})
    assert done.returncode == 0, done.stderr
    master = (tmp_path / "etc" / "postfix" / "master.cf").read_text()
    (line,) = [line for line in master.splitlines() if line.startswith("postern ")]
    wait = float((tmp_path / "etc" / "postern" / "relay").read_text().partition("\nwait=")[2].split()[0])
    rate = float(said.split()[2])
    assert int(line.split()[6]) / (wait + 0.1) <= rate + 0.01


@pytest.mark.parametrize("options", [{"rate": "0"}, {"rate": "x"}, {"rate": "-1"}, {"hosts": "0"}, {"hosts": "x"}])
def test_no_rate_is_refused(tmp_path: Path, options: dict[str, str]) -> None:
    done = install(root=str(tmp_path), **options)
    assert done.returncode == 2
    assert "not understood" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("also", ["second.example", "second.example,third.example"])
def test_more_domains_may_be_sent_from(tmp_path: Path, also: str) -> None:
    assert install(root=str(tmp_path), also_from=also).returncode == 0
    foreign = (tmp_path / "etc" / "postfix" / "foreign").read_text()
    for domain in ("example.com", *also.split(",")):
        assert domain.replace(".", "[.]") in foreign
