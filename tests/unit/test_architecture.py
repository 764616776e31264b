"""The lines that the design draws, held by reading the sources."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postern_command.help import COMMANDS

from tests.builders import ROOT

PACKAGE = ROOT / "layers/postern/postern_mail"
COMMAND = ROOT / "command/postern_command"
IMPORTER = ROOT / "command/postern_postfix"
SOURCES = sorted(
    path
    for folder in ("layers/postern/postern_mail", "command", "functions", "emulator")
    for path in (ROOT / folder).rglob("*.py")
)
PRODUCT = [path for folder in (PACKAGE, COMMAND, IMPORTER) for path in sorted(folder.rglob("*.py"))]
FORBIDDEN_NAMES = {"utils", "helpers", "manager", "service", "common"}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_HANDLER_LINES = 40


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """(level, module) of every import in a file; level 0 is absolute."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def test_there_are_sources_to_look_at() -> None:
    assert len(SOURCES) > 30


PURE = [*sorted((PACKAGE / "mail").rglob("*.py")), PACKAGE / "recipients/addresses.py", PACKAGE / "recipients/plan.py"]


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_the_pure_core_imports_itself_and_the_standard_library_only(path: Path) -> None:
    impure = {"os", "time", "socket", "urllib", "http", "asyncio", "threading", "random", "uuid", "subprocess", "io"}
    for level, module in _imports(path):
        top = module.partition(".")[0]
        allowed = sys.stdlib_module_names - impure | {"idna", "re2"}  # libraries of values in, values out
        ours = level == 1 or (level == 2 and (top == "mail" or path.parent.parent.name == "mail"))
        assert ours or (level == 0 and top in allowed), f"{path.name} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_aws_and_the_emulator_import_boto3(path: Path) -> None:
    allowed = any(path.is_relative_to(folder) for folder in (PACKAGE / "aws", COMMAND / "aws", ROOT / "emulator"))
    used = {module.partition(".")[0] for _, module in _imports(path)} & {"boto3", "botocore"}
    assert allowed or not used


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small_and_named_for_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE_LINES
    assert path.stem not in FORBIDDEN_NAMES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            assert (body[-1].end_lineno or 0) - body[0].lineno < MAX_FUNCTION_LINES, f"{path.name}: {node.name}"


@pytest.mark.parametrize("path", sorted((ROOT / "functions").rglob("*.py")), ids=lambda path: path.parent.name)
def test_handlers_are_thin(path: Path) -> None:
    assert path.name == "handler.py"
    assert path.read_text(encoding="utf-8").count("\n") <= MAX_HANDLER_LINES
    assert not (path.parent / "requirements.txt").exists()


def test_no_exception_is_caught_and_passed_over() -> None:
    """`except ...: pass`, and a handler that only logs, are how mail gets lost."""
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                assert not all(isinstance(line, ast.Pass) for line in node.body), path
                assert node.type is not None, f"{path}: a bare except"


def test_the_function_starts_without_heavy_libraries() -> None:
    """What is imported is paid at every cold start: no pydantic, no tracer."""
    program = "import sys, postern_mail.aws.forward.assembly; print(' '.join(sorted(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    heavy = {
        "boto3", "botocore.exceptions", "urllib3", "concurrent.futures", "pydantic", "aws_xray_sdk", "typer", "rich", "requests",
        "moto", "idna", "re2",
    }  # fmt: skip
    assert "postern_mail.forward" in loaded
    assert not heavy & set(loaded)


def test_no_boto3_resource_is_made() -> None:
    """A resource is built from a description at run time; a client is half the cost."""
    for path in PRODUCT:
        calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
        assert not any(isinstance(call.func, ast.Attribute) and call.func.attr == "resource" for call in calls), path


def test_the_functions_need_nothing_of_the_command() -> None:
    """The layer has what Lambda runs; `layers/postern/Makefile` copies that one package."""
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        tops = {module.partition(".")[0] for level, module in _imports(path) if level == 0}
        assert not tops & {COMMAND.name, IMPORTER.name}, path


IMPORTER_NEEDS = {
    f"postern_mail.mail.{name}"
    for name in (
        "actions", "address", "aliases", "dns_lists", "greylist", "header_rules", "keys", "rows", "senders", "settings",
    )
}  # fmt: skip


def test_the_importer_is_a_library_of_its_own() -> None:
    needed = {module for path in IMPORTER.rglob("*.py") for level, module in _imports(path) if level == 0}
    assert {module for module in needed if module.startswith("postern_")} <= {
        *IMPORTER_NEEDS,
        "postern_command.tables.file",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_in_the_module_of_its_name(name: str) -> None:
    command: Any = COMMANDS[name]
    below = getattr(command, "commands", {"": command}).values()
    module = "import_postfix" if name == "import" else name.replace("-", "_")
    assert {one.callback.__module__ for one in below} == {f"postern_command.{module}"}


def test_main_has_no_bodies() -> None:
    """It is the way in; what the commands do stands in their own modules."""
    tree = ast.parse((COMMAND / "main.py").read_text(encoding="utf-8"))
    assert {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} == {"_version", "postern", "run"}
