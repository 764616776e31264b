"""Writes the references that are made from the code: docs/settings.md and docs/command.md.

`python docs/generate.py --check` writes nothing and exits 1 if one of them is out of date.
"""

import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from postern_mail.settings import FeedbackSettings, RecipientsSettings, Settings, WatchSettings

DOCS = Path(__file__).parent
MADE = "<!-- Made by docs/generate.py (make docs); do not edit. -->\n\n"


def settings() -> str:
    """The settings as tables, from the metadata of the classes."""
    said = "The environment of the functions. template.yaml sets all of them; its parameters are what you choose."
    head = f"{MADE}# Settings\n\n{said}\n\n"
    functions: dict[str, type[Any]] = {
        "inbound": Settings,
        "feedback": FeedbackSettings,
        "recipients": RecipientsSettings,
        "watch and functions/digest": WatchSettings,
    }
    return head + "\n".join(_table(function, kind) for function, kind in functions.items())


def _table(function: str, kind: type[Any]) -> str:
    rows = [
        f"| `{one.metadata['variable']}` | {'required' if one.default is MISSING else f'`{one.default}`'.lower()} | {one.metadata['meaning']} |"  # noqa: E501
        for one in fields(kind)
    ]
    return "\n".join([f"## functions/{function}\n\n| variable | default | meaning |\n|---|---|---|", *rows]) + "\n"


def command() -> str:
    """The command's reference, by typer itself."""
    typer = Path(sys.executable).parent / "typer"
    arguments = [str(typer), "postern_command.main", "utils", "docs", "--name", "postern"]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)  # noqa: S603 (our own command line)
    return MADE + done.stdout.rstrip() + "\n"


def main(check: bool) -> int:
    """Write the references, or compare them."""
    made = {DOCS / "settings.md": settings(), DOCS / "command.md": command()}
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if check:
            print(f"out of date: {path.name}; run make docs")
        else:
            path.write_text(made[path], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
