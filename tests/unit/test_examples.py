"""README and docs/examples.md show what commands print: each is run, and prints that."""

import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.builders import ROOT
from tests.command import run

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
PROMPT = "    $ "


def shown(document: Path) -> Iterator[tuple[str, str]]:
    """(command, what it prints) for each example that has a prompt."""
    command, said = "", list[str]()
    for line in [*document.read_text(encoding="utf-8").splitlines(), ""]:
        if command and not line.startswith("    "):
            yield command, "\n".join(said)
            command, said = "", []
        if line.startswith(PROMPT):
            if command:
                yield command, "\n".join(said)
            command, said = line.removeprefix(PROMPT), []
        elif command:
            said.append(line.removeprefix("    "))


EXAMPLES = [(one.name, *example) for one in DOCUMENTS for example in shown(one) if example[0].startswith("postern ")]


@pytest.mark.parametrize(("document", "command", "said"), EXAMPLES)
def test_an_example_prints_what_the_document_says(
    document: str, command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that is `...` stands for any lines."""
    monkeypatch.chdir(ROOT)
    words = [word.replace("/tmp/", f"{tmp_path}/") for word in shlex.split(command)]
    done = run(*words[1:])
    assert "Traceback" not in done.err
    assert fnmatchcase(done.out.strip(), _pattern(said)), f"{document}:\n{done.out}{done.err}"


def _pattern(said: str) -> str:
    return "".join("*" if line == "..." else line.replace("[", "[[]") + "\n" for line in said.splitlines()).strip()


def test_there_are_examples() -> None:
    assert {document for document, *_ in EXAMPLES} >= {"README.md", "examples.md"}
