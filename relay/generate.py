"""Writes relay/files.yaml from the files in this folder: the list by which cfn-init installs them on each instance.

The files do not fit into user data, which is limited to 16 KB. As metadata of the launch template, which includes the
list, they can be read without a permission of the instance's role. Their digest is in the template's user data, so that
the group replaces its instances when it changes. `python relay/generate.py --check` writes nothing and exits 1 if
either is out of date.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "template.yaml"
PLACE = "/opt/postern/relay"  # on the instance
LIST = FOLDER / "files.yaml"
OURS = {"template.yaml", "generate.py", "files.yaml"}  # not for instances
HEAD = "# Made by relay/generate.py (make docs) of the files of this folder, for relay/template.yaml.\n"
DIGEST = "# relay/ "


def files() -> dict[str, Path]:
    """The files that an instance gets, by their names there."""
    found = (path for path in sorted(FOLDER.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(FOLDER).as_posix(): path for path in found if path.name not in OURS}


def entry(name: str, path: Path) -> Iterator[str]:
    """One file in cfn-init's form. Raises ValueError for text that YAML would not preserve."""
    text = path.read_text(encoding="ascii")
    if not text.endswith("\n") or text.endswith("\n\n") or text.startswith((" ", "\n")):
        raise ValueError(f"{path} begins with white space, or does not end with one line end")
    yield f"{PLACE}/{name}:"
    yield f'  mode: "{"000755" if os.access(path, os.X_OK) else "000644"}"'
    yield "  owner: root"
    yield "  group: root"
    yield "  content: |"
    yield from (f"    {line}" if line else "" for line in text[:-1].split("\n"))


def digest() -> str:
    """The digest of the names, modes and texts of all files."""
    lines = (line for name, path in files().items() for line in entry(name, path))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def listed() -> str:
    """The list with the current files."""
    lines = (line for name, path in files().items() for line in entry(name, path))
    return HEAD + "".join(f"{line}\n" for line in lines)


def made(template: str) -> str:
    """The template with the digest of the current files."""
    whole = "".join(_with_digest(line) for line in template.splitlines(keepends=True))
    if f"{DIGEST}{digest()}" not in whole:
        raise ValueError(f"{TEMPLATE} has lost the line with the digest")
    return whole


def _with_digest(line: str) -> str:
    start = line.find(DIGEST)
    known = start >= 0 and line[:start].strip() == "" and line[start + len(DIGEST) :].strip().isalnum()
    return f"{line[:start]}{DIGEST}{digest()}\n" if known else line


def main(check: bool) -> int:
    """Write both, or check that they are up to date."""
    status = 0
    for path, text in ((LIST, listed()), (TEMPLATE, made(TEMPLATE.read_text(encoding="utf-8")))):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"out of date: {path.relative_to(FOLDER.parent)}; run make docs")
            status = 1
        else:
            path.write_text(text, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
