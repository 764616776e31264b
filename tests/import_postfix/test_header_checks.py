"""header_checks as header rules; tests/postfix/test_header_checks.py asks a running Postfix what they mean."""

from pathlib import Path
from typing import Any

import pytest
from postern_command.tables.file import TablesFile
from postern_command.tables.text import toml
from postern_postfix.report import Verdict

from .box import Imported, imported


def checked(root: Path, text: str, kind: str = "regexp") -> Imported:
    main_cf = f"mydestination = example.com\nheader_checks = {kind}:/etc/postfix/checks\n"
    return imported(root, main_cf=main_cf, files={"/etc/postfix/checks": text})


def rules(done: Imported) -> list[tuple[str, dict[str, Any], str]]:
    """(number, condition, action) of each rule."""
    found = []
    for (key, _), row in sorted(done.tables.senders.items()):
        conditions = {name: row[name] for name in row if name not in ("sender", "scope", "action")}
        found.append((key.removeprefix("rule:"), conditions, row["action"]))
    return found


@pytest.mark.parametrize(
    ("line", "condition", "action"),
    [
        ("/^Subject:.*casino/ REJECT no games", {"subject": {"contains": "casino"}}, "REJECT no games"),
        ("/^Subject: .*casino.*$/ DISCARD", {"subject": {"contains": "casino"}}, "DISCARD"),
        ("/^subject: free money$/ HOLD look", {"subject": {"equals": "free money"}}, "HOLD look"),
        ("/^Subject: free (money|cash)/ REJECT", {"subject": {"matches": "^free (money|cash)"}}, "REJECT"),
        ("/^From: a@b\\.example$/ REJECT", {"from": {"matches": "^a@b\\.example$"}}, "REJECT"),
        ("/^From:.*@b\\.example/ WARN seen", {"from": {"contains": "@b.example"}}, "WARN seen"),
        ("/^To:[[:space:]]+undisclosed/ REJECT", {"to": {"matches": "^undisclosed"}}, "REJECT"),
        (
            "/^List-Id:.*<l\\.example>/ REDIRECT x@y.example",
            {"list_id": {"contains": "<l.example>"}},
            "REDIRECT x@y.example",
        ),
        ("/^Subject: a/ PREPEND X-Seen: yes", {"subject": {"matches": "^a"}}, "PREPEND X-Seen: yes"),
        ("/^Subject:.*x/i REJECT", {"subject": {"matches": "(?-i:x)"}}, "REJECT"),
        ("/^Subject:/ WARN any", {"subject": {"matches": ".*"}}, "WARN any"),
        ("/^Subject: 100%$/ REJECT $$5", {"subject": {"equals": "100%"}}, "REJECT $5"),
    ],
)
def test_what_comes_along(line: str, condition: dict[str, Any], action: str, tmp_path: Path) -> None:
    done = checked(tmp_path, line)
    assert rules(done) == [("010", condition, action)]
    assert done.verdict("checks", 1) is Verdict.CHANGED
    assert "header rule 010" in done.said("checks", 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/^Received:.*x/ REJECT", "received, only for subject, from, to, cc, list-id"),
        ("/casino/ REJECT", "does not start with ^, a field name"),
        ("/^Subject: a|^From: b/ REJECT", "a choice between whole lines"),
        ("/^Subject:casino/ REJECT", "allow for the space after the colon"),
        ("/^(Subject|Sender): a/ REJECT", "no rules for sender"),
        ("!/^Subject: a/ REJECT", "it is negated"),
        ("/^Subject: a/ IGNORE", "header lines cannot be removed"),
        ("/^Subject: a/ REPLACE Subject: b", "header lines cannot be removed"),
        ("/^Subject: a/ FILTER smtp:x", "header lines cannot be removed"),
        ("/^Subject: (a)/ REJECT $1", "uses a part of the line"),
        ("/^Subject: (a)\\1/ REJECT", "means something else in RE2"),
        ("/^Subject: a/", "its result or its flags"),
        ("/^Subject: a/ REDIRECT info@example.com", "an address of our own"),
        ("/^Subject: a/ PREPEND Subject: b", "SES takes Subject once"),
        ("if /^Subject:/\n/^Subject: a/ REJECT\nendif", "if and endif in a table"),
    ],
)
def test_what_does_not_says_why(line: str, said: str, tmp_path: Path) -> None:
    done = checked(tmp_path, line)
    assert rules(done) == []
    assert done.verdict("checks", 1) is Verdict.IMPOSSIBLE
    assert said in done.said("checks", 1)
    assert all(entry.parts for entry in done.report.entries)


def test_a_line_for_two_fields_is_two_rules(tmp_path: Path) -> None:
    done = checked(tmp_path, "/^(Subject|From):.*casino/ REJECT\n", "pcre")
    assert [found[:2] for found in rules(done)] == [
        ("010", {"subject": {"contains": "casino"}}), ("020", {"from": {"contains": "casino"}}),
    ]  # fmt: skip


def test_what_a_line_takes_first_is_not_asked_of_later_ones(tmp_path: Path) -> None:
    text = "/^Subject: a/ WARN seen\n/^From: x/ REJECT\n/^Subject:.*b/ REJECT\n/^Subject:.*c/ DUNNO\n"
    done = checked(tmp_path, text)
    assert [(one[1], one[2]) for one in rules(done)] == [
        ({"from": {"matches": "^x"}}, "REJECT"),
        ({"subject": {"matches": "^a"}}, "WARN seen"),
        ({"subject": {"matches": "^a"}}, "DUNNO"),
        ({"subject": {"contains": "b"}}, "REJECT"),
    ]
    assert done.verdict("checks", 4) is Verdict.UNNEEDED


def test_of_a_second_such_field_what_follows_is_lost_and_said(tmp_path: Path) -> None:
    text = "/^Subject: a/ WARN s\n/^Subject: b/ REJECT\n/^From: a/ WARN f\n/^From: b/ REJECT\n"
    done = checked(tmp_path, text)
    assert done.verdict("checks", 2) is Verdict.IMPOSSIBLE
    assert "checks:1 may match the same mail first" in done.said("checks", 2)
    assert [one[2] for one in rules(done)] == ["WARN s", "WARN f", "DUNNO", "REJECT"]


def test_more_than_fifty(tmp_path: Path) -> None:
    done = checked(tmp_path, "".join(f"/^Subject:.*x{number}/ REJECT\n" for number in range(52)))
    assert len(rules(done)) == 50
    assert done.verdict("checks", 51) is Verdict.IMPOSSIBLE


def test_several_tables_and_the_file_with_other_settings(tmp_path: Path) -> None:
    main_cf = (
        "header_checks = regexp:/a, pcre:/b, hash:/c\nsmtpd_client_restrictions = reject_rbl_client bl.spamcop.net\n"
    )
    done = imported(
        tmp_path, main_cf=main_cf, files={"/a": "/^Subject:.*a/ HOLD\n", "/b": "/^From:.*b/ HOLD\n", "/c": "x HOLD\n"}
    )
    assert [one[0] for one in rules(done)] == ["010", "020"]
    assert done.verdict("main.cf", 1) is Verdict.IMPOSSIBLE  # of hash: nothing is read
    out = tmp_path / "tables.toml"
    out.write_text("".join(toml(done.tables)))
    again = TablesFile.load(out)
    assert (again.senders, again.settings) == (done.tables.senders, done.tables.settings)
    assert again.all_settings["header_rules"] == "10, 20"
