"""relay/install in a clean Debian 12 and 13, as root, with its own package manager: twice, with the same result.

The clean roots are made once and kept in the cache of the user who runs the tests.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import ROOT

from .conftest import demand
from .postfix import DOMAIN, OWNER, REGION, SECRET, environment
from .test_install import FILES

pytestmark = pytest.mark.debian
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "postern"
SUITES = {"12": "bookworm", "13": "trixie"}
INSTALL = (
    "/relay/install",
    "--domain",
    DOMAIN,
    "--owner",
    OWNER,
    "--region",
    REGION,
    "--credentials",
    "smtp",
    "--secret",
    SECRET,
)


@pytest.fixture(params=SUITES, ids=lambda version: f"debian {version}")
def debian(request: pytest.FixtureRequest, folder: Path, postfix_is_here: None) -> Iterator[Path]:
    demand("" if shutil.which("debootstrap") else "debootstrap is not installed")
    clean = CACHE / f"debian-{request.param}.tar"
    root = folder / f"debian-{request.param}"
    root.mkdir()
    if clean.exists():
        subprocess.run(["tar", "-xf", str(clean), "-C", str(root)], check=True)
    else:
        run(["debootstrap", "--variant=minbase", SUITES[request.param], str(root)])
        run(["chroot", str(root), "apt-get", "clean"])
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = clean.with_suffix(".unfinished")
        run(["tar", "-cf", str(unfinished), "-C", str(root), "."])
        unfinished.replace(clean)
    as_this_machine(root)
    shutil.copytree(ROOT / "relay", root / "relay")
    yield root
    shutil.rmtree(root)


def as_this_machine(root: Path) -> None:
    """Names and packages from where this machine has them; and no service starts, as there is no init."""
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    for source in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copy(source, root / "etc" / "apt" / "apt.conf.d")
    policy = root / "usr" / "sbin" / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)


def run(line: list[str]) -> str:
    done = subprocess.run(line, check=False, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(root: Path) -> dict[str, tuple[bytes, int, int]]:
    paths = [path for name in ("etc", "usr/local") for path in (root / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode, path.stat().st_ino) for path in paths}


def test_it_installs_twice_with_the_same_result(debian: Path) -> None:
    assert not (debian / "usr" / "sbin" / "postconf").exists()
    said = run(["chroot", str(debian), *INSTALL])
    assert "relay: installing postfix libsasl2-modules ca-certificates python3" in said
    assert said.endswith("relay: done\n")
    first = files(debian)
    assert set(first) >= FILES

    assert run(["chroot", str(debian), *INSTALL]).splitlines() == [
        "relay: systemd does not run here: nothing is started, no credentials are fetched",
        "relay: done",
    ]
    assert files(debian) == first
    assert run(["chroot", str(debian), "/relay/install", "--check"]).endswith("\nrelay: nothing differs\n")

    inside = run(
        ["chroot", str(debian), "postconf", "-h", "inet_interfaces", "smtp_tls_CAfile", "relayhost"]
    ).splitlines()
    assert inside[0] == "loopback-only"
    assert (debian / inside[1].lstrip("/")).stat().st_size > 0
    assert inside[2] == "[email-smtp.eu-west-1.amazonaws.com]:587"
    assert run(["chroot", str(debian), "postfix", "check"]) == ""
    assert run(["chroot", str(debian), "/usr/local/libexec/postern/credentials-fetch", "--help"]).startswith("usage:")
