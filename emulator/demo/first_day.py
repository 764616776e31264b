"""The first day, as docs/getting-started.md has it: an account that is empty, until mail can come."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ..function import ROOT
from ..system import OWNER, STACK, Emulator

POSTERN = Path(sys.executable).parent / "postern"
_UNANSWERED = re.compile(r"^ *no answer ", re.MULTILINE)
_FILES = ("template.yaml", "owner.example.yaml")


def begin(emulator: Emulator, domain: str, folder: Path, say: Callable[[str], None] = print) -> list[str]:
    """From an empty account to mail that comes; returns what did not go as it should."""
    folder.mkdir(parents=True)
    for name in _FILES:
        shutil.copy(ROOT / name, folder)
    config = (ROOT / "samconfig.toml").read_text(encoding="utf-8").replace('"postern"', f'"{STACK}"')
    (folder / "samconfig.toml").write_text(config, encoding="utf-8")
    faults = run(emulator, folder, say, 0, "init", "--yes", "--domain", domain, "--owner", OWNER)
    say("\n$ make deploy\nHere the emulator has done it: SES knows the domain, and waits for its DNS records.\n")
    emulator.create()
    faults += run(emulator, folder, say, 1, "dns", domain)
    say("\nThe records are pasted at the DNS provider, and SES sees them.\n")
    emulator.publish()
    return faults + run(emulator, folder, say, 0, "dns", "--wait", domain)


def run(emulator: Emulator, folder: Path, say: Callable[[str], None], expected: int, *arguments: str) -> list[str]:
    """Show a command and what it says; its fault if it does not end as expected, or had no answer from AWS."""
    say(f"$ postern {' '.join(arguments)}")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(  # noqa: S603 (our own command)
        [str(POSTERN), *arguments],
        cwd=folder,
        env={**kept, **emulator.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    say("".join(f"  {line}\n" for line in done.stdout.splitlines()).rstrip("\n"))
    if done.returncode != expected:
        return [f"postern {arguments[0]} ended with {done.returncode}, not {expected}"]
    return [f"postern {arguments[0]} had no answer"] if _UNANSWERED.search(done.stdout) else []
