"""A row of a tables file edited in place: in every form that TOML has for it, the rest stays as it was written."""

from pathlib import Path

import pytest
from postern_command.pages.file_edits import write_file
from postern_command.tables.change import Change
from postern_command.tables.file import TablesFile
from postern_mail.errors import Overtaken
from postern_mail.mail.rows import Row

INFO = {"address": "info@example.com", "destinations": ["jane@dest.example"]}
RULE = {"sender": "b.example", "scope": "*", "action": "OK"}
FORMS = {
    "tables": '[aliases."info@example.com"]\ndestinations = ["jane@dest.example"]\n',
    "inline": '[aliases]\n"INFO@example.com" = { destinations = ["jane@dest.example"] }\n',
    "dotted": 'aliases."info@example.com".destinations = ["jane@dest.example"]\n',
    "with an end of line of its own": '[aliases."info@example.com"]\r\ndestinations = [\r\n  "jane@dest.example", # x\r\n]\r\n',
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_an_alias_in_each_form(tmp_path: Path, text: str) -> None:
    file = tmp_path / "t.toml"
    file.write_bytes(f"# mine\n{text}".encode())
    file.chmod(0o640)
    after = {**INFO, "note": "x", "destinations": ["jane@dest.example", "joe@dest.example"]}
    write_file(file, Change("aliases", ("info@example.com",), INFO, after))
    assert TablesFile.load(file).aliases == {"info@example.com": after}
    assert file.read_text().startswith("# mine\n")
    assert file.stat().st_mode & 0o777 == 0o640
    assert (b"\r\n" in file.read_bytes()) == ("\r\n" in text)
    write_file(file, Change("aliases", ("info@example.com",), after, None))
    assert TablesFile.load(file).aliases == {}
    assert [one.name for one in tmp_path.iterdir()] == ["t.toml"]


RULES = {
    "none": "",
    "an empty list": "senders = []\n",
    "tables": '[[senders]]\nsender = "a.example"\naction = "OK"\n',
    "inline": 'senders = [{ sender = "a.example", action = "OK" }]\n',
}


@pytest.mark.parametrize("text", RULES.values(), ids=RULES)
def test_a_rule_beside_each_form(tmp_path: Path, text: str) -> None:
    file = tmp_path / "t.toml"
    file.write_text(f'domains = ["example.com"]\n{text}')
    before = dict(TablesFile.load(file).senders)
    key = ("b.example", "*")
    write_file(file, Change("senders", key, None, RULE))
    changed = {**RULE, "action": "REJECT"}
    write_file(file, Change("senders", key, RULE, changed))
    assert TablesFile.load(file).senders == {**before, key: changed}
    write_file(file, Change("senders", key, changed, None))
    assert TablesFile.load(file).senders == before


@pytest.mark.parametrize("before", [None, {**INFO, "note": "x"}])
def test_what_is_not_as_it_was_read_is_left(tmp_path: Path, before: Row | None) -> None:
    file = tmp_path / "t.toml"
    file.write_text(FORMS["tables"])
    with pytest.raises(Overtaken):
        write_file(file, Change("aliases", ("info@example.com",), before, None))
    assert file.read_text() == FORMS["tables"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "t.toml"
    real.write_text(FORMS["tables"])
    link.symlink_to(real)
    write_file(link, Change("aliases", ("info@example.com",), INFO, {**INFO, "note": "x"}))
    assert link.is_symlink()
    assert 'note = "x"' in real.read_text()
