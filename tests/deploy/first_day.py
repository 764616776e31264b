"""docs/getting-started.md, followed to the letter: its commands, in a clone of their own."""

import os
import re
import shlex
import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from emulator.function import ROOT

PAGE = ROOT / "docs" / "getting-started.md"
STACK_FILES = ("template.yaml", "samconfig.toml", "functions", "layers")
BUILT = ROOT / ".aws-sam" / "deploy"  # kept from run to run, so that only what changed is built


def commands() -> list[str]:
    """What stands in the numbered steps of the page, one command each."""
    text = PAGE.read_text(encoding="utf-8")
    steps = re.split(r"^## \d+\. .*$", text, flags=re.MULTILINE)[1:]
    found = [re.findall(r"^    (.+)$", step.partition("\n## ")[0], re.MULTILINE) for step in steps]
    assert [len(one) for one in found] == [1] * len(found), found
    return [one for (one,) in found]


def last_release() -> str:
    """The newest tag of a release, "" before the first."""
    found = _git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD", check=False)
    return found.decode().strip()


def changed_since(release: str) -> bool:
    """Whether the stack that is here is another than the release's."""
    return bool(_git("diff", "--name-only", release, "--", *STACK_FILES).strip())


def clone(folder: Path, release: str = "") -> Path:
    """The tracked files as they are here, with the environments that are here; the stack's of a release, if one is given."""
    here = folder / "postern"
    update(here)
    for name in STACK_FILES if release else ():
        shutil.rmtree(here / name) if (here / name).is_dir() else (here / name).unlink()
    if release:
        with tarfile.open(fileobj=BytesIO(_git("archive", release, *STACK_FILES))) as packed:
            packed.extractall(here, filter="data")
    BUILT.mkdir(parents=True, exist_ok=True)
    for name, target in {".venv": ROOT / ".venv", ".venv-sam": ROOT / ".venv-sam", ".aws-sam": BUILT}.items():
        (here / name).symlink_to(target)
    return here


def update(here: Path) -> None:
    """The tracked files as they are here, into a clone; `git pull`, so to say."""
    for name in STACK_FILES:
        shutil.rmtree(here / name, ignore_errors=True)
    for name in filter(None, _git("ls-files", "-z").decode().split("\0")):
        if (ROOT / name).is_file():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, here / name)  # with its time: make must not install all again


def _git(*arguments: str, check: bool = True) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=check, capture_output=True).stdout


def typed(command: str, folder: Path, environment: dict[str, str], answers: str = "", *, seconds: float) -> str:
    """What a command says that a user types there, with these answers; fails if it does not end well."""
    done = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env={**environment, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{environment['PATH']}"},
        input=answers,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout
