"""Numbers of a tables file are those that DynamoDB keeps as they are."""

from pathlib import Path

import pytest
from boto3.dynamodb.types import TypeSerializer
from postern_command.tables.file import BadTablesFile, TablesFile

from emulator.cloud import _exact


def loaded(folder: Path, value: str) -> object:
    file = folder / "tables.toml"
    file.write_text(f'[aliases."a@example.com"]\ndestinations = ["x@dest.example"]\nexpires_at = {value}\n')
    return TablesFile.load(file).aliases["a@example.com"]["expires_at"]


@pytest.mark.parametrize("value", ["nan", "-inf", "1e400", "1e126", "1" * 39, "1e-129", "[1, inf]", "{ a = nan }"])
def test_what_no_row_can_hold_is_a_fault_of_the_file(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadTablesFile, match="DynamoDB cannot store the number"):
        loaded(tmp_path, value)


@pytest.mark.parametrize("value", ["0", "0.0", "-1", "1e125", "1e-128", "9" * 38, "0.1", "true", "1_801_353_600"])
def test_what_a_row_can_hold_is_taken_and_written(tmp_path: Path, value: str) -> None:
    TypeSerializer().serialize(_exact(loaded(tmp_path, value)))  # raises for what it cannot hold
