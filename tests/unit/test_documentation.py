"""What the documents tell people to type is there: every command with its options, every target of make, every link."""

import ast
import io
import os
import re
import shlex
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from postern_command.help import COMMANDS, GROUPS
from postern_command.main import app
from postern_mail import __version__

from tests.builders import ROOT
from tests.command import run

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
    *sorted(ROOT.glob("*/*/README.md")),
]
_TYPED = re.compile(r"^    (postern .*)$|`(postern [a-z][^`]*)`", re.MULTILINE)
_TARGET = re.compile(r"(?:^    |`)make ((?:[a-z-]+ ?)+)", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def typed() -> Iterator[tuple[str, list[str]]]:
    """(the document, the words after `postern`) for each example; those that only name a command as well."""
    for document in DOCUMENTS:
        if document.name == "command.md":
            continue  # it is made of the commands themselves
        for match in _TYPED.finditer(document.read_text(encoding="utf-8")):
            for line in (match[1] or match[2]).split(";"):
                words = shlex.split(line.partition(" > ")[0].partition(" | ")[0], comments=True)
                if words[:1] == ["postern"]:
                    yield document.name, words[1:]


def leaf(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words name, and what it is given."""
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", ()):
        command, words = command.commands[words[0]], words[1:]
    return command, words


def lacking(command: Any, given: list[str]) -> set[str]:
    """The required options that an example does not give. What only names a command gives nothing at all."""
    required = [one for one in command.params if one.required and one.param_type_name == "option"]
    words = {word.partition("=")[0] for word in given}
    return {one.opts[0] for one in required if given and not words & set(one.opts)}


def wrong(words: list[str]) -> set[str]:
    """What an example has that no command has, and what it lacks."""
    command, rest = leaf(words)
    if hasattr(command, "commands"):
        return set(rest[0].split("|") if rest else ()) - {*command.commands, "--version", "--help"}
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    unknown = {word.partition("=")[0] for word in rest if word.startswith("--")} - options
    return unknown | (set() if "--help" in rest else lacking(command, rest))


@pytest.mark.parametrize(
    ("document", "words"), list(typed()), ids=lambda one: one if isinstance(one, str) else " ".join(one)
)
def test_a_command_in_a_document_is_one(document: str, words: list[str]) -> None:
    assert wrong(words) == set(), document


def targets() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for match in _TARGET.finditer(document.read_text(encoding="utf-8")):
            yield document.name, match[1].split()[0]


@pytest.mark.parametrize(("document", "target"), sorted(set(targets())))
def test_a_target_in_a_document_is_in_the_makefile(document: str, target: str) -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert target in phony.split(), document


def links() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for match in _LINK.finditer(document.read_text(encoding="utf-8")):
            yield str(document.relative_to(ROOT)), match[1]


@pytest.mark.parametrize(("document", "link"), sorted(set(links())))
def test_a_link_in_a_document_leads_somewhere(document: str, link: str) -> None:
    assert ((ROOT / document).parent / link).exists()


_NOT_WORDS = re.compile(r"^```.*?^```|^(?: {4,}|\t)(?! *(?:[-*]|\d+\.) ).*?$|`[^`]*`|\S+@\S+", re.MULTILINE | re.DOTALL)
_TARGET_OF_A_LINK = re.compile(r"\]\([^)]*\)")


def avoided() -> re.Pattern[str]:
    """The words that the style sheet in docs/developing.md lists under *not*."""
    sheet = (ROOT / "docs" / "developing.md").read_text(encoding="utf-8").partition("## Words\n")[2]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \|$", sheet, re.MULTILINE)
    words = [word.strip() for row in rows for word in row.split(",") if word.strip() != "not"]
    assert len(words) > 10
    return re.compile(rf"\b(?<!there )(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)


def unwanted(text: str, words: re.Pattern[str]) -> list[str]:
    """The avoided words in the prose of a document; code, addresses and the sheet's own table say what they must."""
    before, _, sheet = text.partition("| write | not |\n")
    return words.findall(_NOT_WORDS.sub("", before + sheet.partition("\n\n")[2]))


def wide(text: str) -> list[str]:
    """The lines of prose over 100 columns, as they are read: without where a link leads, and without pictures."""
    lines, fenced = [], False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        is_prose = not fenced and not line.startswith("    ") and not line.lstrip().startswith(("|", "!["))
        if is_prose and len(_TARGET_OF_A_LINK.sub("]", line)) > 100:
            lines.append(line)
    return lines


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: str(one.relative_to(ROOT)))
def test_a_document_keeps_to_the_style_sheet(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert unwanted(text, avoided()) == []
    if document.name != "command.md":  # typer's, a line for each option
        assert wide(text) == []


def explanations(source: str) -> Iterator[str]:
    """The docstrings and comments of a Python source, each on one line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield " ".join(text.split())
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


@pytest.mark.parametrize("folder", ["bench", "command", "docs", "emulator", "functions", "layers", "relay", "tests"])
def test_docstrings_and_comments_keep_to_the_style_sheet(folder: str) -> None:
    words = avoided()
    sources = [(path, path.read_text(encoding="utf-8")) for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [
        f"{path.name}: {text}"
        for path, source in sources
        for text in explanations(source)
        if unwanted(text.replace("None", ""), words)
    ]
    assert sources
    assert found == []


def test_an_avoided_word_in_a_docstring_or_comment_is_found() -> None:
    source = 'def one() -> None:  # for nobody\n    """It is\n    mended."""\n'
    assert [unwanted(text, avoided()) for text in explanations(source)] == [["mended"], ["nobody"]]


def test_an_avoided_word_and_a_wide_line_are_found() -> None:
    said = "Nobody mends `nobody`,\n    nobody\nnobody@example.com but\nfor him; there is none.\n"
    assert unwanted(said, avoided()) == ["Nobody", "mends", "him"]
    assert wide(
        f"{'wide ' * 21}\n    {'code ' * 21}\n| {'table ' * 21}\n```\n{'code ' * 21}\n```\n[a](b{'b' * 99})"
    ) == ["wide " * 21]


def test_the_documents_have_examples_at_all() -> None:
    assert len(list(typed())) > 50
    assert len(set(targets())) > 10
    assert len(set(links())) > 5


def test_an_example_that_lacks_a_required_option_is_found() -> None:
    command, rest = leaf(["rewrite", "mail.eml", "--recipient", "info@example.com"])
    assert lacking(command, rest) == {"--destination"}
    assert not lacking(command, [*rest, "--destination=jane@dest.example"])


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(command, "commands"):
        for name, one in command.commands.items():
            yield from leaves(one, (*words, name))
    else:
        yield words, command


WITHOUT_STACK = {("init",), ("rewrite",), ("import", "postfix")}


def test_every_command_that_asks_a_stack_takes_one() -> None:
    without = {
        words
        for words, command in leaves(typer.main.get_command(app))
        if not any("--stack" in one.opts for one in command.params)
    }
    assert without == WITHOUT_STACK


def test_a_decision_is_under_a_heading_of_its_own() -> None:
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    assert not re.findall(r"^\*\*.*\?\*\*", text, re.MULTILINE), "write ### Question? below the ## of its part"
    assert len(re.findall(r"^### .*\?$", text, re.MULTILINE)) > 100


def test_a_decision_is_written_once() -> None:
    """A merge by union, which git may be told to make of this file, brings text back."""
    questions = re.findall(r"^### .*$", (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(questions) == sorted(set(questions))


def test_the_changelog_has_a_dated_section_of_this_version() -> None:
    """As keepachangelog.com has it, with Breaking; `make release` looks for the section."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased, *releases = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert unreleased == "Unreleased"
    assert re.fullmatch(rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", releases[0])
    for section in text.split("\n## ")[1:]:
        kinds = re.findall(r"^### (.*)$", section, re.MULTILINE)
        assert set(kinds) <= {"Breaking", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
        assert len(kinds) == len(set(kinds)), "each once"


def test_the_way_of_a_message_is_one_page() -> None:
    text = (ROOT / "docs" / "way-of-a-message.md").read_text(encoding="utf-8")
    assert len(re.sub(r"^\s*\|.*$", "", text, flags=re.MULTILINE).split()) <= 450
    assert len(re.findall(r"^\s*\| .*\*\*(?:Defer|Reject|Quarantine|Discard|Forward)\*\*", text, re.MULTILINE)) >= 12


@pytest.mark.parametrize(("words", "command"), list(leaves(typer.main.get_command(app))), ids=str)
def test_every_command_explains_itself_by_h(words: tuple[str, ...], command: Any) -> None:
    done = run(*words, "-h")
    assert (done.status, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.parametrize(("words", "command"), list(leaves(typer.main.get_command(app))), ids=str)
def test_every_command_has_an_example_in_its_help(
    words: tuple[str, ...], command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is of this command, and typer takes it, with the files that it names."""
    example = command.epilog.removeprefix("Example: ")
    said = run(*words, "-h").out.splitlines()[-1].strip()
    assert said == command.epilog, "it stands in one line, to be copied"
    typed = shlex.split(example.partition(" > ")[0])
    assert typed[0] == "postern"
    named, rest = leaf(typed[1:])
    assert named.callback.__wrapped__ is command.callback.__wrapped__
    assert wrong(typed[1:]) == set()
    monkeypatch.chdir(tmp_path)
    for word in rest:
        if word.endswith((".toml", ".eml")):
            Path(word).touch()
    assert named.make_context("postern", list(rest), help_option_names=["-h", "--help"]).params


def test_every_command_stands_in_one_group_of_the_help() -> None:
    shown = [name for names in GROUPS.values() for name in names]
    assert sorted(shown) == sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    out = run("-h").out
    assert [out.count(f"\n  {name} ") for name in shown] == [1] * len(shown)
    assert [out.count(f"\n{heading}:\n") for heading in GROUPS] == [1] * len(GROUPS)
    assert max(map(len, out.splitlines())) <= 80
    assert all(f" {line}\n" in out for commands in GROUPS.values() for line in commands.values()), "a line for each"


@pytest.mark.parametrize(("short", "long"), [("ls", "list"), ("rm", "remove")])
def test_ls_and_rm_are_there_and_do_not_crowd_the_help(short: str, long: str) -> None:
    groups = {name: getattr(command, "commands", {}) for name, command in COMMANDS.items()}
    listing = {name for name, commands in groups.items() if long in commands}
    assert listing >= {"alias", "sender"}
    assert listing == {name for name, commands in groups.items() if short in commands}
    for group in listing:
        assert run(group, short, "-h").status == 0
        assert f" {short} " not in run(group, "-h").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes(shell: str) -> None:
    complete = {"_POSTERN_COMPLETE": f"complete_{shell}", "COMP_WORDS": "postern ali", "COMP_CWORD": "1"}
    asked = {"_TYPER_COMPLETE_ARGS": "postern ali", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        [Path(sys.executable).parent / "postern"],
        env={**os.environ, **complete, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "alias" in done.stdout
