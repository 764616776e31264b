"""Dates and times of TOML in a tables file: an ending as a person writes it, in UTC unless it has an offset."""

from pathlib import Path

import pytest
from postern_command.pages.file_edits import write_file
from postern_command.status import UsageError
from postern_command.tables.change import Change
from postern_command.tables.file import BadTablesFile, TablesFile
from postern_command.times import since_when, typed_time

INFO = "info@example.com"
FORMS = {
    "2027-01-31": 1801353600,
    "2027-01-31T00:00:00": 1801353600,
    "2027-01-31 00:00:00": 1801353600,
    "2027-01-31T00:00:00Z": 1801353600,
    "2027-01-31T01:00:00+01:00": 1801353600,
    "2027-01-30T19:00:00-05:00": 1801353600,
    "2027-01-31T00:00:00.999999": 1801353600,
    "2027-01-31T23:59:59": 1801439999,
    "1801353600": 1801353600,
}


def read(path: Path, line: str) -> TablesFile:
    path.write_text(f'[aliases."{INFO}"]\ndestinations = ["jane@dest.example"]\n{line}\n')
    return TablesFile.load(path)


@pytest.mark.parametrize("name", ["expires_at", "learned_at"])
@pytest.mark.parametrize(("text", "seconds"), FORMS.items())
def test_a_time_is_in_seconds(tmp_path: Path, name: str, text: str, seconds: int) -> None:
    found = read(tmp_path / "t.toml", f"{name} = {text}").aliases[INFO][name]
    assert (found, type(found)) == (seconds, int)


@pytest.mark.parametrize(("text", "seconds"), FORMS.items())
def test_an_option_takes_the_same_forms(text: str, seconds: int) -> None:
    assert typed_time(text) == seconds


def test_in_one_line_too(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text(f'aliases."{INFO}" = {{ destinations = "jane@dest.example", expires_at = 2027-01-31 }}\n')
    assert TablesFile.load(file).aliases[INFO]["expires_at"] == 1801353600


@pytest.mark.parametrize("line", [
    "note = 2027-01-31", "x_since = 2027-01-31", "destinations2 = [2027-01-31]", "expires_at = 18:00:00",
    "expires_at = [2027-01-31]", "enabled = 2027-01-31T00:00:00Z",
])  # fmt: skip
def test_a_time_stands_for_nothing_else(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadTablesFile, match="neither text nor a number"):
        read(tmp_path / "t.toml", line)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("30m", 0.5), ("12h", 12), ("7d", 168), ("1w", 168), ("2w", 336), ("52w", 8736), ("999999w", 9600)],
)
def test_how_far_back(monkeypatch: pytest.MonkeyPatch, text: str, hours: float) -> None:
    """The ledger keeps no more than 400 days, and nothing further back is asked for."""
    monkeypatch.setattr("time.time", lambda: 1.8e9)
    assert since_when(text) == 1.8e9 - hours * 3600


@pytest.mark.parametrize("text", ["w", "2 w", "-1w", "1.5w", "2W", "2weeks", "1w2d", "\u0662w"])
def test_what_is_no_number_of_weeks(text: str) -> None:
    with pytest.raises(UsageError, match="7d, 2w, today"):
        since_when(text)


@pytest.mark.parametrize("text", ["18:00", "31.1.2027", "2027-13-01", ""])
def test_nor_is_anything_else_a_time(text: str) -> None:
    with pytest.raises(UsageError):
        typed_time(text)


def test_an_edit_of_the_page_leaves_a_date_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    before = read(file, "expires_at = 2027-01-31  # the lease ends").aliases[INFO]
    text = file.read_text()
    write_file(file, Change("aliases", (INFO,), before, {**before, "note": "x"}))
    assert file.read_text() == f'{text}note = "x"\n'
    write_file(file, Change("aliases", (INFO,), {**before, "note": "x"}, {**before, "expires_at": 1801353601}))
    assert "expires_at = 1801353601" in file.read_text()
