"""The layer of dependencies has what functions import, and little else: it is unpacked at each cold start."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import ROOT

MOST = 800_000  # octets of Powertools' source that are left; it has 4.4 MB
PACKAGE = "aws_lambda_powertools"


def imported() -> set[str]:
    """The modules of Powertools that functions and layers name."""
    found: set[str] = set()
    for path in (*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers/postern").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            found |= {one for one in names if one.partition(".")[0] == PACKAGE}
    return found


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Powertools as the layer's Makefile leaves it."""
    folder = tmp_path_factory.mktemp("layer")
    spec = importlib.util.find_spec(PACKAGE)
    assert spec
    assert spec.origin
    shutil.copytree(Path(spec.origin).parent, folder / "python" / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    makefile = (ROOT / "layers/dependencies/Makefile").read_text(encoding="utf-8")
    removed = re.search(r"^\trm -rf .*UNUSED\)\)$", makefile, re.MULTILINE)
    assert removed
    made = re.sub(r"(?m)^\tpython3 -m pip(.*\\\n)+.*\n|^\t@if (.*\n)+", "", makefile)
    (folder / "Makefile").write_text(made)
    command = ["make", "-s", "-C", str(folder), "build-DependenciesLayer", f"ARTIFACTS_DIR={folder}"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder / "python"


def test_what_functions_import_is_there(left: Path) -> None:
    assert imported() >= {PACKAGE, f"{PACKAGE}.utilities.typing"}
    program = (
        f"import {', '.join(sorted(imported()))}\nfrom {PACKAGE} import Logger, Metrics\nprint({PACKAGE}.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True,
        env={"PYTHONPATH": str(left)},
    )  # fmt: skip
    assert done.stdout.startswith(str(left))


def test_the_rest_is_not(left: Path) -> None:
    size = sum(path.stat().st_size for path in left.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert size < MOST, "Powertools has grown: is there more in layers/dependencies/Makefile's UNUSED?"
