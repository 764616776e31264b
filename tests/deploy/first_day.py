"""docs/getting-started.md, followed to the letter: its commands, in a clone of their own."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from emulator.function import ROOT

PAGE = ROOT / "docs" / "getting-started.md"
BUILT = ROOT / ".aws-sam" / "deploy"  # kept from run to run, so that only what changed is built


def commands() -> list[str]:
    """What stands in the numbered steps of the page, one command each."""
    text = PAGE.read_text(encoding="utf-8")
    steps = re.split(r"^## \d+\. .*$", text, flags=re.MULTILINE)[1:]
    found = [re.findall(r"^    (.+)$", step.partition("\n## ")[0], re.MULTILINE) for step in steps]
    assert [len(one) for one in found] == [1] * len(found), found
    return [one for (one,) in found]


def clone(folder: Path) -> Path:
    """The tracked files as they are here, with the environments that are here."""
    here = folder / "postern"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, here / name)  # with its time: make must not install all again
    BUILT.mkdir(parents=True, exist_ok=True)
    for name, target in {".venv": ROOT / ".venv", ".venv-sam": ROOT / ".venv-sam", ".aws-sam": BUILT}.items():
        (here / name).symlink_to(target)
    return here


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
