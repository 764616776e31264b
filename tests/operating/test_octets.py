"""A stranger's message does not reach a terminal unasked, and an export holds nothing that acts."""

import tomllib
from pathlib import Path

import pytest
from postern_command.tables.file import TablesFile
from postern_command.tables.text import toml

from tests.operating.test_hostile import HOSTILE, is_safe
from tests.pseudo_terminal import on_a_terminal

WAY = ("--recipient", "info@example.com", "--destination", "jane@dest.example")


@pytest.fixture
def message(tmp_path: Path) -> Path:
    path = tmp_path / "m.eml"
    path.write_bytes(b"From: Betsy <betsy@sender.example>\r\n\r\n\x1b]0;owned\x07\x1b[2J")
    return path


def test_original_refuses_a_terminal_before_it_asks_aws() -> None:
    status, seen = on_a_terminal("original", "0123456789")
    assert (status, "> message.eml" in seen) == (2, True)


def test_rewrite_refuses_a_terminal_and_raw_takes_that_back(message: Path) -> None:
    status, seen = on_a_terminal("rewrite", *WAY, message)
    assert (status, "\x1b[2J" in seen, "> message.eml" in seen) == (2, False, True)
    status, seen = on_a_terminal("rewrite", "--raw", *WAY, message)
    assert (status, "\x1b[2J" in seen) == (0, True)


def test_rewrite_into_a_folder_is_no_matter_of_terminals(message: Path, tmp_path: Path) -> None:
    assert on_a_terminal("rewrite", *WAY, "--out-dir", tmp_path / "out", message)[0] == 0


@pytest.mark.parametrize("text", [*HOSTILE.values(), "\u200d\u00ad", '"\\\x85'])
def test_an_exported_file_holds_nothing_that_acts_and_reads_back_the_same(text: str) -> None:
    key = f"a{text}@example.com"
    rows = {key: {"destinations": [f"{text}@dest.example"], "note": text, f"x_{text}": {text: [text]}}}
    tables = TablesFile(
        frozenset({"example.com"}), rows, {(text, "*"): {"action": f"REJECT {text}"}}, {f"x_{text}": text}
    )
    written = "".join(toml(tables, with_domains=True))
    assert is_safe(written)
    read = tomllib.loads(written)
    assert read["aliases"] == rows
    assert read["senders"] == [{"sender": text, "scope": "*", "action": f"REJECT {text}"}]
    assert read["settings"] == {f"x_{text}": text}
