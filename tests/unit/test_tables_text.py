"""A tables file written and read again is the same tables."""

from decimal import Decimal
from pathlib import Path

from postern_command.tables.file import TablesFile
from postern_command.tables.text import toml

from tests.builders import ROOT


def reread(tables: TablesFile, folder: Path) -> TablesFile:
    path = folder / "tables.toml"
    path.write_text("".join(toml(tables)), encoding="utf-8")
    return TablesFile.load(path)


def test_what_is_written_reads_as_what_it_was(tmp_path: Path) -> None:
    tables = TablesFile.load(ROOT / "emulator" / "tables.toml")
    assert reread(tables, tmp_path) == tables


def test_a_row_with_everything_in_it(tmp_path: Path) -> None:
    patterns = [{"pattern": r"sales-(\w+)", "destinations": [r"\1@dest.example"]}, {"pattern": "x", "destinations": []}]
    row = {"address": "@example.com", "patterns": patterns, "verdicts": {"spam": "forward"}, "note": 'a "b"\nc'}
    rule = {"sender": "<>", "scope": "@example.com", "action": 'REJECT "no" \\ thanks'}
    tables = TablesFile(
        frozenset({"example.com", "other.example"}), {"@example.com": row}, {("<>", "@example.com"): rule}
    )
    assert reread(tables, tmp_path) == tables


def test_what_the_live_table_holds_is_written_as_toml_has_it() -> None:
    row = {
        "address": "a@example.com",
        "destinations": {"z@dest.example", "a@dest.example"},
        "expires_at": Decimal(17),
        "updated_at": Decimal(1),
        "updated_by": "jane",
    }
    text = "".join(toml(TablesFile(frozenset({"example.com"}), {"a@example.com": row}, {})))
    assert text == (
        '[aliases."a@example.com"]\ndestinations = [\n    "a@dest.example",\n    "z@dest.example",\n]\nexpires_at = 17\n'
    )
