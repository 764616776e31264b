"""What `sam build` makes of layers and functions: byte code of the functions' Python that no new time makes stale."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from emulator.function import ROOT
from emulator.template import parsed

PYTHON_313 = os.environ.get("PYTHON_313", "python3.13")
SOURCE = b"ANSWER = 42\n"
SERVERLESS = ("AWS::Serverless::Function", "AWS::Serverless::LayerVersion")
CHECKED_HASH = 0b11  # PEP 552: by hash, and the source is looked at

# Makefile, target, what it finds as source, what it makes of it, where Lambda has that
BUILDS = [
    ("layers/dependencies", "DependenciesLayer", "requirements.txt", "python/idna/core.py", "/opt"),
    ("layers/postern", "PosternLayer", "postern_mail/core.py", "python/postern_mail/core.py", "/opt"),
    ("functions", "InboundFunction", "handler.py", "handler.py", "/var/task"),
]
PIP = f"""#!/bin/sh
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/idna" && printf '{SOURCE.decode().strip()}\\n' >"$2/idna/core.py"
"""


class Build(NamedTuple):
    """One of the Makefiles that sam calls."""

    folder: str
    target: str
    source: str
    module: str
    place: str

    def run(self, folder: Path, python: str) -> tuple[Path, str]:
        """Call make as sam does, with `python` as python3.13: the artifacts and what was said."""
        commands, artifacts, work = folder / "bin", folder / "artifacts", folder / "work"
        for made in (commands, artifacts, (work / self.source).parent):
            made.mkdir(parents=True)
        (work / self.source).write_bytes(SOURCE)
        for name, script in (("python3", PIP), ("python3.13", f'#!/bin/sh\nexec {python} "$@"\n')):
            (commands / name).write_text(script)
            (commands / name).chmod(0o755)
        variables = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}", "ARTIFACTS_DIR": str(artifacts)}
        command = ["make", "--makefile", str(ROOT / self.folder / "Makefile"), f"build-{self.target}"]
        done = subprocess.run(command, cwd=work, env=variables, capture_output=True, text=True, timeout=60, check=True)
        return artifacts, done.stdout


@pytest.fixture(params=BUILDS, ids=[row[1] for row in BUILDS])
def build(request: pytest.FixtureRequest) -> Build:
    return Build(*request.param)


def python_313() -> str:
    """A command that is Python 3.13, or the test is skipped: `make test-313` always has one."""
    for name in (sys.executable, shutil.which(PYTHON_313) or ""):
        if name and answer(name, "import sys; print(sys.version_info[:2] == (3, 13))") == "True":
            return name
    pytest.skip("no Python 3.13 on this machine")


def answer(python: str, code: str, *arguments: str) -> str:
    """What the Python prints; nothing if it does not run."""
    command = [python, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout.strip()


def test_byte_code_is_of_the_functions_python_and_checked_by_hash(tmp_path: Path, build: Build) -> None:
    python = python_313()
    artifacts, said = build.run(tmp_path, python)

    made = artifacts / build.module
    content = (made.parent / "__pycache__" / f"{made.stem}.cpython-313.pyc").read_bytes()
    asked = (
        "import sys, importlib.util as u; print((u.MAGIC_NUMBER + u.source_hash(open(sys.argv[1], 'rb').read())).hex())"
    )
    assert (content[:4] + content[8:16]).hex() == answer(python, asked, str(made))
    assert int.from_bytes(content[4:8], "little") == CHECKED_HASH
    assert f"{build.place}/{build.module}".encode() in content  # what a traceback names
    assert "No byte code" not in said


@pytest.mark.parametrize("python", ["false", sys.executable], ids=["no python3.13", "another version"])
def test_without_the_functions_python_there_is_none_and_a_line_says_so(
    tmp_path: Path, python: str, build: Build
) -> None:
    if python == sys.executable and sys.version_info[:2] == (3, 13):
        pytest.skip("these tests run on 3.13 themselves")

    artifacts, said = build.run(tmp_path, python)

    assert (artifacts / build.module).read_bytes() == SOURCE
    assert not list(artifacts.rglob("*.pyc"))
    assert said.count("No byte code in ") == 1


def test_nothing_but_the_handler_is_in_a_functions_artifact(tmp_path: Path) -> None:
    artifacts, _ = Build(*BUILDS[-1]).run(tmp_path, "false")

    assert [path.name for path in artifacts.iterdir()] == ["handler.py"]


@pytest.mark.parametrize("template", ["template.yaml", "relay/template.yaml"])
def test_every_layer_and_function_is_built_by_a_makefile(template: str) -> None:
    resources = parsed(ROOT / template)["Resources"].items()
    ours = {name: body for name, body in resources if body["Type"] in SERVERLESS}

    assert {name: body["Metadata"]["BuildMethod"] for name, body in ours.items()} == dict.fromkeys(ours, "makefile")
    for body in ours.values():
        place = body["Metadata"].get("ContextPath") or body["Properties"]["ContentUri"]
        assert (ROOT / template).parent.joinpath(place, "Makefile").is_file()
