"""`postern settings`, and the settings in a tables file: one item of the alias table that is no alias."""

from pathlib import Path

import pytest
from postern_mail.mail.settings import KEY

from tests.editing.conftest import Desk


def item(desk: Desk) -> dict[str, object]:
    return {name: value for name, value in desk.aliases()[KEY].items() if not name.startswith("updated_")}


def test_a_setting_is_set_and_gets_its_default_again(desk: Desk) -> None:
    assert desk.run("settings", "get", "largest_forward").out == "40\n"
    done = desk.run("settings", "set", "largest_forward", "25")
    assert (done.status, done.out) == (0, "+ settings\n+   largest_forward = 25\n")
    assert item(desk) == {"address": KEY, "largest_forward": 25}
    assert desk.aliases()[KEY]["updated_by"].startswith("arn:")
    assert "largest_forward 25 MB (default: 40 MB)" in " ".join(desk.run("settings", "list").out.split())
    assert desk.run("settings", "set", "subject_tag", "[x]").status == 0
    assert desk.run("settings", "unset", "largest_forward").status == 0
    assert item(desk) == {"address": KEY, "subject_tag": "[x]"}


def test_for_programs(desk: Desk) -> None:
    desk.run("settings", "set", "from_form", "name")
    form, tag, largest, *_ = desk.run("settings", "list", "--json").objects
    assert (form["name"], form["value"], form["set"], form["default"]) == (
        "from_form",
        "name",
        True,
        "name-and-address",
    )
    assert (tag["value"], tag["set"]) == ("", False)
    assert (largest["unit"], largest["allowed"]) == ("MB", "a whole number from 1 to 40")
    assert desk.run("settings", "get", "from_form", "--json").objects == [form]
    (change,) = desk.run("settings", "set", "from_form", "address", "--dry-run", "--json").objects
    assert (change["table"], change["before"], change["after"]) == (
        "settings", {"from_form": "name"}, {"from_form": "address"},
    )  # fmt: skip
    assert item(desk)["from_form"] == "name"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("set", "largest_forward", "41"), 1, "largest_forward: expected a whole number from 1 to 40, found '41'"),
        (("set", "from_form", "both"), 1, "from_form: expected name-and-address or name or address"),
        (("set", "largest", "25"), 2, "'largest': expected one of from_form"),
        (("unset", "largest"), 2, "unknown setting 'largest'"),
        (("get", "largest"), 2, "unknown setting 'largest'"),
    ],
)
def test_what_cannot_be_is_refused(desk: Desk, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = desk.run("settings", *arguments)
    assert (done.status, said in done.err) == (status, True)
    assert KEY not in desk.aliases()


def test_what_was_typed_wrong_is_named_and_can_be_set_right(desk: Desk) -> None:
    desk.type("AliasTable", {"address": {"S": KEY}, "largest_forward": {"S": "huge"}, "largest": {"N": "7"}})
    done = desk.run("settings", "list")
    assert (done.status, "settings: largest_forward: expected a whole number" in done.err) == (1, True)
    assert "largest: there is no such setting" in done.err
    assert "settings: largest_forward: " in desk.run("doctor").out
    done = desk.run("settings", "set", "largest_forward", "25")
    assert (done.status, "warning: settings: largest: there is no such setting" in done.err) == (0, True)
    assert desk.run("settings", "unset", "largest").status == 0
    assert desk.run("settings", "list").status == 0


def test_settings_that_someone_else_changed_meanwhile_are_not_written_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postern_command.aws.table_rows import TableRows  # noqa: PLC0415 (replaced below)

    real = TableRows.write

    def later(self: TableRows, changes: object) -> None:
        desk.cloud.put("AliasTable", [{"address": KEY, "subject_tag": "[hers]"}])
        real(self, changes)  # type: ignore[arg-type]

    monkeypatch.setattr(TableRows, "write", later)
    done = desk.run("settings", "set", "subject_tag", "[mine]")
    assert (done.status, "settings: changed by someone else" in done.err) == (1, True)
    assert item(desk)["subject_tag"] == "[hers]"


def test_a_reader_of_the_aliases_passes_the_settings_over(desk: Desk, file: Path) -> None:
    desk.cloud.put("AliasTable", [{"address": KEY, "subject_tag": "[x]"}, {"address": "#later@example.com"}])
    assert desk.run("apply", file, "--yes").status == 0
    assert {KEY, "#later@example.com"} <= desk.aliases().keys()
    assert desk.run("plan", file, "--check").status == 0
    assert "#" not in desk.run("alias", "list").out
    assert "#later" not in desk.run("export").out
    assert "#" not in desk.run("doctor").out
    assert desk.run("resolve", "#later@example.com", "--json").objects[0]["matched"] == ["@example.com"]


@pytest.mark.parametrize("command", ["add", "show", "disable", "remove"])
def test_no_alias_begins_as_postern_s_own_items(desk: Desk, command: str) -> None:
    desk.cloud.put("AliasTable", [{"address": KEY}])
    more = ("jane@dest.example",) if command == "add" else ()
    for key in (KEY, "#x@example.com"):
        done = desk.run("alias", command, key, *more)
        assert (done.status, "no alias begins with #" in done.err) == (2, True)
    done = desk.run("sender", "add", "spam.example", "REJECT", "--scope", "#x@example.com")
    assert (done.status, "no alias begins with #" in done.err) == (2, True)


FILE = """\
[settings]
largest_forward = 25
subject_tag = "[x]"

[aliases."info@example.com"]
destinations = [
    "jane@dest.example",
]
"""


def test_a_tables_file_has_them_too(desk: Desk, file: Path) -> None:
    file.write_text(FILE)
    assert desk.run("plan", file).out.startswith("+ settings\n+   largest_forward = 25\n")
    assert desk.run("apply", file).out.startswith("settings: 1 added")
    assert item(desk) == {"address": KEY, "largest_forward": 25, "subject_tag": "[x]"}
    assert FILE in desk.run("export").out
    assert desk.run("plan", file, "--check").status == 0
    file.write_text(FILE.replace("largest_forward = 25\n", ""))
    assert desk.run("apply", file).out.startswith("settings: 0 added, 1 changed")
    assert item(desk) == {"address": KEY, "subject_tag": "[x]"}


def test_a_file_without_them_leaves_them_as_they_are(desk: Desk, file: Path) -> None:
    desk.run("settings", "set", "subject_tag", "[x]")
    file.write_text(FILE.partition("\n\n")[2])
    assert "settings" not in desk.run("apply", file).out
    assert item(desk)["subject_tag"] == "[x]"


@pytest.mark.parametrize(
    ("section", "status", "said"),
    [
        ("[settings]\nlargest_forward = 41\n", 1, "settings: largest_forward: expected a whole number from 1 to 40"),
        ("[settings]\nlargest = 25\n", 1, "settings: largest: there is no such setting"),
        ("settings = 7\n", 2, "settings are written as [settings]"),
        ('[settings]\naddress = "x"\n', 2, "settings are written as [settings]"),
        (
            "[settings]\nsubject_tag = 2026-11-26\n",
            2,
            "2026-11-26 is neither text nor a number; as a time it is 1795651200",
        ),
    ],
)
def test_a_file_whose_settings_are_wrong(desk: Desk, file: Path, section: str, status: int, said: str) -> None:
    file.write_text(section + FILE.partition("\n\n")[2])
    done = desk.run("plan", file)
    assert (done.status, said in done.err) == (status, True)


def test_a_file_s_settings_hold_in_dry_runs(desk: Desk, file: Path, tmp_path: Path) -> None:
    file.write_text(FILE)
    message = tmp_path / "m.eml"
    message.write_bytes(b"From: a@sender.example\nSubject: hello\n\nhello\n")
    done = desk.run("explain", message, "--recipient", "info@example.com", "--tables", file)
    assert "+ Subject: [x]" in done.out
