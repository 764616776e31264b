"""`postern rule`, and header rules in a tables file, on the tables of moto's DynamoDB."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import Desk
from .test_changes import ARN

RULE = ("rule:010", "*")


def settings(desk: Desk) -> dict[str, Any]:
    return desk.aliases().get("#settings", {})


def asked(desk: Desk) -> str | None:
    found: str | None = settings(desk).get("header_rules")
    return found


def test_add_and_remove_and_what_the_settings_name(desk: Desk) -> None:
    done = desk.run(
        "rule", "add", 10, "HOLD", "--subject", "contains casino", "--subject", "contains Lottery", "--note", "why",
        "--from", "matches @(a|b)\\.example$", "--verdict", "spam=gray", "--larger-than", 1000, "--not-listed",
        "--cc", "not_contains @example.com",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith('+ header rule 010\n+   action = "HOLD"\n')
    written = desk.senders()[RULE]
    assert written.pop("updated_at")
    assert written == {
        "sender": "rule:010", "scope": "*", "action": "HOLD", "note": "why", "updated_by": ARN, "larger_than": 1000,
        "subject": {"contains": ["casino", "Lottery"]}, "from": {"matches": ["@(a|b)\\.example$"]},
        "verdicts": {"spam": "GRAY"}, "listed": False, "cc": {"not_contains": ["@example.com"]},
    }  # fmt: skip
    assert asked(desk) == "10"
    assert (
        desk.run("rule", "add", 5, "TAG [x]", "--list-id", "equals l.example", "--scope", "info@example.com").status
        == 0
    )
    assert asked(desk) == "5, 10"
    assert desk.run("rule", "add", 10, "HOLD", "--to", "contains x", "--scope", "info@example.com").status == 0
    assert desk.run("rule", "remove", 10).status == 0
    assert asked(desk) == "5, 10"  # one is left in the other scope
    assert desk.run("rule", "remove", 10, "--scope", "info@example.com").status == 0
    assert asked(desk) == "5"
    done = desk.run("rule", "remove", 5)
    assert (done.status, done.err) == (
        1, "postern: there is no header rule 005; there is one for info@example.com (--scope)\n"
    )  # fmt: skip
    assert desk.run("rule", "remove", 5, "--scope", "info@example.com").status == 0
    assert (asked(desk), desk.senders()) == (None, {})


def test_other_settings_stay_and_replace_keeps_what_is_the_owners(desk: Desk) -> None:
    desk.run("settings", "set", "subject_tag", "[x]")
    desk.run("rule", "add", 10, "HOLD", "--subject", "contains a")
    done = desk.run("rule", "add", 10, "REJECT", "--subject", "contains b")
    assert (done.status, done.err) == (1, "postern: header rule 010 already exists; --replace changes it\n")
    assert desk.run("rule", "add", 10, "REJECT", "--to", "contains b", "--replace").status == 0
    assert {"to": {"contains": ["b"]}, "action": "REJECT"}.items() <= desk.senders()[RULE].items()
    assert "subject" not in desk.senders()[RULE]
    assert settings(desk)["subject_tag"] == "[x]"


def test_a_rule_is_moved_whole(desk: Desk) -> None:
    desk.run("rule", "add", 10, "HOLD", "--subject", "contains a", "--note", "why")
    desk.run("rule", "add", 20, "HOLD", "--subject", "contains b")
    before = desk.senders()[RULE]
    done = desk.run("rule", "move", 10, 30, "--dry-run")
    assert (done.status, RULE in desk.senders(), asked(desk)) == (0, True, "10, 20")
    done = desk.run("rule", "move", 10, 30)
    assert (done.status, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if line[0] in "+-" and line[2] != " "] == [
        "+ header rule 030", "- header rule 010"
    ]  # fmt: skip
    after = desk.senders()["rule:030", "*"]
    changing = ("sender", "updated_at")
    assert {**before, **dict.fromkeys(changing)} == {**after, **dict.fromkeys(changing)}
    assert (RULE in desk.senders(), asked(desk)) == (False, "20, 30")
    assert desk.run("rule", "add", 30, "HOLD", "--to", "contains x", "--scope", "info@example.com").status == 0
    assert desk.run("rule", "move", 30, 5, "--scope", "info@example.com").status == 0
    assert asked(desk) == "5, 20, 30", "30 is left in the other scope"
    desk.run("settings", "set", "header_rules", "20")
    desk.run("rule", "move", 30, 40)
    assert asked(desk) == "20", "what is not asked is not asked at another place"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((7, 8), 1, "there is no header rule 007"), ((10, 20), 1, "header rule 020 already exists"),
        ((10, 10), 1, "already exists"), ((10, 1000), 2, "999"),
    ],
)  # fmt: skip
def test_what_cannot_be_moved_stays(desk: Desk, arguments: tuple[int, int], status: int, said: str) -> None:
    for number in (10, 20):
        desk.run("rule", "add", number, "HOLD", "--subject", "contains a")
    before = desk.senders()
    done = desk.run("rule", "move", *arguments)
    assert (done.status, desk.senders(), asked(desk)) == (status, before, "10, 20")
    assert said in done.err


def test_a_rule_more_than_fifty_is_refused(desk: Desk) -> None:
    desk.run("settings", "set", "header_rules", ", ".join(map(str, range(100, 150))))
    done = desk.run("rule", "add", 10, "HOLD", "--subject", "contains a")
    assert (done.status, desk.senders()) == (1, {})
    assert "up to 50 numbers" in done.err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("10", "HOLD"), 1, "it has no condition"),
        (("10", "HOLD", "--subject", "casino"), 2, "--subject 'casino': expected contains, equals, matches"),
        (("10", "HOLD", "--cc", "not_matches ("), 1, "is not an RE2 regular expression"),
        (("10", "HOLD", "--subject", "matches ("), 1, "is not an RE2 regular expression"),
        (("10", "HOLD", "--verdict", "spam"), 2, "--verdict 'spam': expected one of virus"),
        (("10", "HOLD", "--subject", "contains x", "--scope", "spam"), 2, "'spam'"),
        (("0", "HOLD", "--subject", "contains x"), 2, "greater than or equal to 1"),
    ],
)
def test_what_is_no_rule_is_not_written(desk: Desk, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = desk.run("rule", "add", *arguments)
    assert (done.status, desk.senders(), asked(desk)) == (status, {}, None)
    assert said in done.err


def test_a_dry_run_writes_nothing(desk: Desk) -> None:
    done = desk.run("rule", "add", 10, "HOLD", "--subject", "contains a", "--dry-run")
    assert (done.status, desk.senders(), asked(desk)) == (0, {}, None)
    assert "+ header rule 010" in done.out


def test_list_names_those_that_are_not_asked_and_sender_list_has_none(desk: Desk) -> None:
    desk.run("rule", "add", 10, "HOLD", "--subject", "contains casino")
    desk.run("rule", "add", 5, "REJECT", "--scope", "info@example.com", "--larger-than", 7)
    desk.run("settings", "set", "header_rules", "10")
    out = desk.run("rule", "list").out
    assert out.index("for info@example.com") < out.index("casino")
    assert "it is not used, because the setting header_rules does not list it" in out
    assert [one["fault"] for one in desk.run("rule", "list", "--json").objects][1] is None
    assert desk.run("sender", "list").out == ""
    assert desk.run("sender", "add", "rule:010", "OK").status == 2


FILE = """\
domains = ["example.com"]

[aliases."info@example.com"]
destinations = ["jane@dest.example"]

[[rules]]
number = 7
scope = "info@example.com"
action = "TAG [x]"
listed = true
verdicts = { spam = "GRAY" }

[[rules]]
number = 10
scope = "*"
action = "HOLD"
from = { equals = ["a@b.example", "c@d.example"] }
larger_than = 5000
subject = { contains = "casino", matches = "^a\\\\.\\"b" }
"""


def test_a_file_with_rules_is_applied_with_its_setting_and_exported_as_it_was(desk: Desk, tmp_path: Path) -> None:
    desk.run("settings", "set", "subject_tag", "[x]")
    file, out = tmp_path / "tables.toml", tmp_path / "out.toml"
    file.write_text(FILE)
    planned = desk.run("plan", file, "--json").objects
    assert {(one["table"], one["change"]) for one in planned} >= {("senders", "add"), ("settings", "change")}
    assert desk.run("apply", file, "--yes").status == 0
    assert (asked(desk), settings(desk)["subject_tag"]) == ("7, 10", "[x]")
    assert desk.run("plan", file, "--check").status == 0
    assert desk.run("export", "--out", out).status == 0
    exported = out.read_text()
    assert "header_rules" not in exported
    assert exported.endswith(FILE[FILE.index("[[rules]]\nnumber = 7") :])
    assert desk.run("plan", out, "--check").status == 0
    file.write_text(FILE[: FILE.index("[[rules]]")])
    assert desk.run("apply", file, "--yes").status == 0
    assert (asked(desk), desk.senders()) == (None, {})


def test_a_rule_that_the_files_own_settings_do_not_name_is_said(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "tables.toml"
    file.write_text(FILE.replace('[aliases."info', '[settings]\nheader_rules = "7"\n\n[aliases."info'))
    done = desk.run("plan", file)
    assert (done.status, "warning: header rule 010: it is not used" in done.err) == (0, True)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('number = "1"\naction = "HOLD"\n', "a header rule needs a number from 1 to 999"),
        ('action = "HOLD"\n', "a header rule needs a number"),
        ('number = 1\nsender = "x"\n', "and takes no sender"),
        ("number = 1\n[[rules]]\nnumber = 1\n", "header rule 1 in scope '*' occurs twice"),
        ('number = 1\n[[senders]]\nsender = "rule:001"\n', "write [[rules]] and number"),
    ],
)
def test_what_is_no_rule_of_a_file(desk: Desk, tmp_path: Path, section: str, said: str) -> None:
    file = tmp_path / "tables.toml"
    file.write_text(f"[[rules]]\n{section}")
    done = desk.run("plan", file)
    assert done.status == 2
    assert said in done.err


def test_screen_and_explain_ask_them(desk: Desk, tmp_path: Path) -> None:
    desk.run("alias", "add", "info@example.com", "jane@dest.example")
    desk.run("rule", "add", 10, "REJECT no games", "--subject", "contains casino")
    (found,) = desk.run("screen", "a@b.example", "--subject", "The Casino", "--json").objects
    assert (found["action"], found["text"], found["matched"]) == ("REJECT", "no games", "rule:010")
    assert desk.run("screen", "a@b.example", "--subject", "hi", "--json").objects[0]["action"] == "DUNNO"
    mail = tmp_path / "mail.eml"
    mail.write_text("From: a@b.example\nSubject: casino\n\nhi")
    assert (
        "reject, because header rule 010: REJECT no games"
        in desk.run("explain", mail, "--recipient", "info@example.com").out
    )
