"""Puts the files of this folder into relay/template.yaml, where cfn-init finds them for each instance.

User data has room for 16 KB, and the files are more; as metadata of the launch template they are readable, and
get no permission of the instance's role. Their digest is in the user data: a group replaces its instances if
that changes. `python relay/generate.py --check` writes nothing and exits 1 if the template is out of date.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "template.yaml"
PLACE = "/opt/postern/relay"  # on the instance
OURS = {"template.yaml", "generate.py"}  # not for instances
FILES = ("# files of relay/, made by relay/generate.py (make docs)", "# end of the files of relay/")
DIGEST = "# relay/ "


def files() -> dict[str, Path]:
    """The files that an instance gets, by their names there."""
    found = (path for path in sorted(FOLDER.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(FOLDER).as_posix(): path for path in found if path.name not in OURS}


def entry(name: str, path: Path) -> Iterator[str]:
    """One file as cfn-init takes it. Raises ValueError for a text that YAML would not give back as it is."""
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
    """Of the names, modes and texts of all files."""
    lines = (line for name, path in files().items() for line in entry(name, path))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def made(template: str) -> str:
    """The template with the files as they are now."""
    first, last = FILES
    before, _, rest = template.partition(first)
    between, _, after = rest.partition(last)
    if not between:
        raise ValueError(f"{TEMPLATE} has lost the lines around the files")
    indent = before[before.rindex("\n") + 1 :]
    lines = (line for name, path in files().items() for line in entry(name, path))
    block = "".join(f"{indent}{line}\n" if line else "\n" for line in lines)
    whole = f"{before}{first}\n{block}{indent}{last}{after}"
    return "".join(_with_digest(line) for line in whole.splitlines(keepends=True))


def _with_digest(line: str) -> str:
    start = line.find(DIGEST)
    known = start >= 0 and line[:start].strip() == "" and line[start + len(DIGEST) :].strip().isalnum()
    return f"{line[:start]}{DIGEST}{digest()}\n" if known else line


def main(check: bool) -> int:
    """Write the template, or compare it."""
    text = TEMPLATE.read_text(encoding="utf-8")
    if made(text) == text:
        return 0
    if check:
        print("out of date: relay/template.yaml; run make docs")
        return 1
    TEMPLATE.write_text(made(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
