"""Header rules on the page: what `postern rule` does, live and in a file, shown before it is written."""

from pathlib import Path
from typing import Any

import pytest
from postern_command.pages.desk import Desk
from postern_command.pages.file_edits import write_file
from postern_command.stack import Stack
from postern_command.tables.change import Change
from postern_command.tables.file import TablesFile
from postern_command.tables.text import toml

from tests.operating.conftest import Office
from tests.page.browsing import Browser, browser

INFO = "info@example.com"
TYPED = {
    "number": "10", "scope": "*", "action": "HOLD", "subject": "contains casino, free\r\ncontains Lottery\r\n",
    "from": "matches @(a|b)\\.example$", "verdicts": "spam=gray\nspam=FAIL", "larger_than": "1000", "listed": "no",
    "note": "why",
}  # fmt: skip
ROW = {
    "sender": "rule:010", "scope": "*", "action": "HOLD", "note": "why", "larger_than": 1000, "listed": False,
    "subject": {"contains": ["casino, free", "Lottery"]}, "from": {"matches": ["@(a|b)\\.example$"]},
    "verdicts": {"spam": ["GRAY", "FAIL"]},
}  # fmt: skip
COMMAND = (
    "postern rule add 10 HOLD --subject 'contains casino, free' --subject 'contains Lottery'"
    " --from 'matches @(a|b)\\.example$' --larger-than 1000 --verdict spam=GRAY --verdict spam=FAIL --not-listed --note why"
)
PAGE = "/header-rule?sender=rule%3A010&scope=%2A"


def rules(office: Office) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows without who wrote them."""
    return {(row["sender"], row["scope"]): _plain(row) for row in office.cloud.rows("SenderTable")}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("updated_")}


def asked(office: Office) -> str | None:
    found = [row for row in office.cloud.rows("AliasTable") if row["address"] == "#settings"]
    return found[0].get("header_rules") if found else None


def test_a_rule_is_shown_then_made_and_asked(ann: Browser) -> None:
    page = ann.page("/header-rule/new")
    shown = page.send("/header-rule/add", **TYPED)
    assert (shown.status_code, rules(ann.office), asked(ann.office)) == (200, {}, None)
    said = shown.text.replace("&#39;", "'")
    assert COMMAND in said
    assert "Nothing is written yet" in said
    assert "header_rules = " in said, "the setting that goes along is shown, too"
    assert page.send("/header-rule/add", **TYPED, do="write").headers["location"] == "/header-rules"
    assert (rules(ann.office), asked(ann.office)) == ({("rule:010", "*"): ROW}, "10")
    assert page.send("/header-rule/add", **TYPED, do="write").status_code == 409, "it already exists"
    text = ann.page("/header-rules").text
    for part in ("Rule 10", "HOLD", "contains = [", "all aliases", "why"):
        assert part in text


@pytest.mark.slow
def test_the_command_shown_does_the_same(ann: Browser) -> None:
    ann.page("/header-rule/new").send("/header-rule/add", **TYPED, do="write")
    by_page = rules(ann.office), asked(ann.office)
    assert ann.office.run("rule", "remove", 10).status == 0
    assert rules(ann.office) == {}
    arguments = (
        "rule", "add", 10, "HOLD", "--subject", "contains casino, free", "--subject", "contains Lottery", "--from",
        "matches @(a|b)\\.example$", "--larger-than", 1000, "--verdict", "spam=GRAY", "--verdict", "spam=FAIL", "--not-listed",
        "--note", "why",
    )  # fmt: skip
    assert ann.office.run(*arguments).status == 0
    assert (rules(ann.office), asked(ann.office)) == by_page


def made(ann: Browser, **more: Any) -> None:
    ann.office.cloud.put("SenderTable", [{**ROW, **more}])
    ann.office.cloud.put("AliasTable", [{"address": "#settings", "header_rules": "10", "subject_tag": "[x]"}])


def test_an_edit_changes_what_was_edited_and_nothing_else(ann: Browser) -> None:
    more = {"x_mine": "kept", "to": {"equals": "one text", "contains": ["ends in a blank ", "line\nfeed", "\x1b[2J"]}}
    made(ann, **more)
    page = ann.page(PAGE)
    assert page.form("/header-rule/save")["subject"] == "contains casino, free\ncontains Lottery"
    shown = page.send("/header-rule/save", note="because")
    assert "--note because --replace" in shown.text
    assert page.send("/header-rule/save", note="because", listed="yes", larger_than="", do="write").status_code == 303
    wanted = {**ROW, **more, "note": "because", "listed": True}
    del wanted["larger_than"]
    assert rules(ann.office) == {("rule:010", "*"): wanted}
    assert asked(ann.office) == "10"


def test_a_select_says_what_is_there(ann: Browser) -> None:
    made(ann)
    (chosen,) = (one for one in ann.page(PAGE).tree.iter("option") if "selected" in one.attrib)
    assert chosen.get("value") == "no"


WRONG = [
    ({"subject": "casino"}, 400, "expected contains, equals, matches"), ({"from": "matches ("}, 422, "RE2"),
    ({"action": "EXPLODE"}, 422, "EXPLODE"), ({"action": ""}, 400, "a rule needs an action"), ({"verdicts": "spam"}, 400, "expected one of"),
    ({"larger_than": "much"}, 400, "not a number of bytes"), ({"number": "0"}, 400, "from 1 to 999"),
    ({"number": "1000"}, 400, "from 1 to 999"), ({"number": "x"}, 400, "not a number"), ({"number": "\u0661"}, 400, "not a number"),
    ({"scope": "two words"}, 400, "two words"),
    (dict.fromkeys(("subject", "from", "verdicts", "larger_than", "listed"), ""), 422, "has no condition"),
]  # fmt: skip


@pytest.mark.slow
def test_what_is_no_rule_is_not_made(ann: Browser) -> None:
    page = ann.page("/header-rule/new")
    for typed, status, said in WRONG:
        found = page.send("/header-rule/add", **{**TYPED, **typed}, do="write")
        assert (found.status_code, said in found.text) == (status, True), typed
    assert (rules(ann.office), asked(ann.office)) == ({}, None)


def test_a_move_takes_the_rule_along(ann: Browser) -> None:
    made(ann)
    page = ann.page(PAGE)
    shown = page.send("/header-rule/move", to="20")
    assert "postern rule move 10 20" in shown.text
    assert "Move header rule 010" in shown.text
    assert rules(ann.office).keys() == {("rule:010", "*")}
    done = page.send("/header-rule/move", to="20", do="write")
    assert done.status_code == 303
    assert (rules(ann.office), asked(ann.office)) == ({("rule:020", "*"): {**ROW, "sender": "rule:020"}}, "20")
    assert "header rule 010 is now header rule 020" in ann.page("/header-rules").text
    made(ann)
    assert ann.page(PAGE).send("/header-rule/move", to="20", do="write").status_code == 409, "there is one"
    assert ann.page(PAGE).send("/header-rule/move", to="10", do="write").status_code == 409
    assert ann.page(PAGE).send("/header-rule/move", to="-1", do="write").status_code == 400


@pytest.mark.slow
def test_a_rule_is_removed_and_asked_no_more(ann: Browser) -> None:
    made(ann)
    assert ann.page(PAGE).send("/header-rule/remove").status_code == 200, "shown first"
    assert ann.page(PAGE).send("/header-rule/remove", do="write").status_code == 303
    assert (rules(ann.office), asked(ann.office)) == ({}, None)
    made(ann)
    ann.office.cloud.put("SenderTable", [{**ROW, "scope": INFO}])
    assert ann.page(PAGE).send("/header-rule/remove", do="write").status_code == 303
    assert (set(rules(ann.office)), asked(ann.office)) == ({("rule:010", INFO)}, "10"), "asked in the other scope"


@pytest.mark.slow
@pytest.mark.parametrize(("action", "typed"), [("save", {"note": "mine"}), ("move", {"to": "20"}), ("remove", {})])
def test_a_lost_race_shows_the_difference_and_writes_nothing(ann: Browser, action: str, typed: dict[str, str]) -> None:
    made(ann)
    page = ann.page(PAGE)
    made(ann, note="somebody else's")
    before = rules(ann.office)
    lost = page.send(f"/header-rule/{action}", **typed, do="write")
    assert (lost.status_code, rules(ann.office)) == (409, before)
    assert "Someone else changed it first" in lost.text
    assert "somebody else&#39;s" in lost.text
    again = page.__class__(ann, lost.text).send(f"/header-rule/{action}", do="write")
    assert (again.status_code, rules(ann.office) != before) == (303, True)


def test_a_rule_that_is_not_there_is_not_touched(ann: Browser) -> None:
    ann.office.cloud.put("SenderTable", [{"sender": "b.example", "scope": "*", "action": "OK"}])
    for action in ("save", "move", "remove"):
        for sender in ("b.example", "rule:010", ""):
            form = {"sender": sender, "scope": "*", "to": "5", "do": "write"}
            found = ann.post(
                f"/header-rule/{action}", {**form, "form_token": ann.gate.form_token(f"/header-rule/{action}")}
            )
            assert found.status_code == 409, (action, sender)
    assert rules(ann.office).keys() == {("b.example", "*")}


def test_a_rule_that_is_not_asked_says_so(ann: Browser) -> None:
    made(ann)
    ann.office.cloud.put("AliasTable", [{"address": "#settings", "header_rules": "7"}])
    for page in ("/header-rules", PAGE):
        assert "it is not used" in ann.page(page).text


FILE = """\
# mine
domains = ["example.com"]

[[rules]]
number = 10  # the first
subject = { contains = "casino" }
action = "HOLD"
note = "a"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "t.toml"
    path.write_text(FILE)
    return path


@pytest.mark.slow
def test_the_file_is_edited_and_no_live_row(office: Office, file: Path) -> None:
    ann = browser(office, Desk(Stack.find(None), file=file))
    assert ann.page(PAGE).send("/header-rule/save", note="b", do="write").status_code == 303
    assert file.read_text() == FILE.replace('"a"', '"b"')
    assert ann.page(PAGE).send("/header-rule/move", to="5", do="write").status_code == 303
    assert file.read_text() == FILE.replace('"a"', '"b"').replace("number = 10", "number = 5"), "with its comment"
    typed = {**TYPED, "scope": INFO}
    assert ann.page("/header-rule/new").send("/header-rule/add", **typed, do="write").status_code == 303
    assert TablesFile.load(file).senders["rule:010", INFO] == {**ROW, "scope": INFO}
    assert 'subject = {contains = ["casino, free", "Lottery"]}' in file.read_text()
    page = ann.page("/header-rule?sender=rule%3A005&scope=%2A")
    assert page.send("/header-rule/remove", do="write").status_code == 303
    assert TablesFile.load(file).senders.keys() == {("rule:010", INFO)}
    assert (rules(office), asked(office)) == ({}, None)


FORMS = {
    "none": "",
    "an empty list": "rules = []\n",
    "tables": '[[rules]]\nnumber = 7\naction = "OK"\nlisted = true\n',
    "inline": 'rules = [{ number = 7, action = "OK", listed = true }]\n',
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_rule_beside_each_form(tmp_path: Path, text: str) -> None:
    file = tmp_path / "t.toml"
    file.write_text(f'domains = ["example.com"]\n{text}')
    before = dict(TablesFile.load(file).senders)
    key = ("rule:010", "*")
    write_file(file, Change("senders", key, None, ROW))
    changed = {**ROW, "action": "REJECT"}
    write_file(file, Change("senders", key, ROW, changed))
    assert TablesFile.load(file).senders == {**before, key: changed}
    there = {**changed, "sender": "rule:020"}
    write_file(file, Change("senders", ("rule:020", "*"), None, there), Change("senders", key, changed, None))
    assert TablesFile.load(file).senders == {**before, ("rule:020", "*"): there}
    write_file(file, Change("senders", ("rule:020", "*"), there, None))
    assert TablesFile.load(file).senders == before
    assert "".join(toml(TablesFile.load(file)))


@pytest.mark.parametrize(("named", "after_adding", "after_moving"), [("7", "7, 10", "7, 20"), ("10", "10", "20")])
def test_what_a_file_names_itself_follows(tmp_path: Path, named: str, after_adding: str, after_moving: str) -> None:
    file = tmp_path / "t.toml"
    file.write_text(f'domains = ["example.com"]\n[settings]\nheader_rules = "{named}"\n{FORMS["tables"]}')
    write_file(file, Change("senders", ("rule:010", "*"), None, ROW))
    assert TablesFile.load(file).all_settings["header_rules"] == after_adding
    there = {**ROW, "sender": "rule:020"}
    write_file(file, Change("senders", ("rule:020", "*"), None, there), Change("senders", ("rule:010", "*"), ROW, None))
    assert TablesFile.load(file).all_settings["header_rules"] == after_moving
    write_file(file, Change("senders", ("rule:020", "*"), there, None))
    assert TablesFile.load(file).all_settings["header_rules"] == "7"
