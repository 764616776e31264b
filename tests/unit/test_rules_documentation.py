"""docs/rules.md: each setting, parameter and command in its tables exists, and no line of the old box is left out."""

import re

import pytest
from postern_command.help import COMMANDS
from postern_mail.mail.settings import descriptions
from postern_mail.mail.verdict_fields import NAMES

from tests.builders import ROOT

TEXT = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in TEXT.splitlines() if line.startswith("| ")]
BOX = (ROOT / "tests/import_postfix/files/seed_box/etc/postfix/main.cf").read_text(encoding="utf-8")
HOW = ("exact", "approximate", "impossible")


def test_every_setting_that_is_named_exists() -> None:
    named = re.findall(r"settings? `([a-z_]+)`", TEXT)
    assert len(named) > 15
    assert set(named) <= descriptions().keys()
    assert {"dnsbl_sites", "greylist", "screening_threshold"} <= set(named)


def test_every_setting_of_screening_is_told_of() -> None:
    screening = [
        name for name in descriptions() if name.startswith(("reject_", "dnsbl_", "rhsbl_", "greylist", "screening_"))
    ]
    assert [name for name in [*screening, "verdict_fields"] if f"`{name}`" not in TEXT and name != "dnsbl_action"] == []


def test_every_parameter_that_is_named_exists() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for name in re.findall(r"parameter `(\w+)`", TEXT):
        assert f"\n  {name}:\n" in template, name


@pytest.mark.parametrize("words", sorted(set(re.findall(r"`postern ([a-z-]+(?: [a-z-]+)?)", TEXT))))
def test_every_command_that_is_named_exists(words: str) -> None:
    name, _, below = words.partition(" ")
    command = COMMANDS[name]
    assert not hasattr(command, "commands") or below in getattr(command, "commands", {}), words


def test_each_line_of_the_tables_says_how_exactly() -> None:
    rows = [row for row in ROWS if row[0].startswith("`") and len(row) >= 3]
    assert len(rows) > 30
    for row in rows:
        assert (
            any(how in cell for cell in row[1:] for how in HOW) or "default" in " ".join(row) or row[1] == "always"
        ), row


def test_no_restriction_of_the_old_box_is_left_out() -> None:
    told = " ".join(row[0] for row in ROWS)
    restrictions = re.findall(r"^\s+((?:reject|permit_|check_)[a-z_]+(?: [a-z.:0-9/_]+)?)", BOX, re.MULTILINE)
    assert len(restrictions) > 10
    for one in restrictions:
        assert one in told or one.split()[0] in told, one
    assert "smtpd_helo_required" in told


def test_the_header_lines_are_those_that_are_written() -> None:
    for name in NAMES:
        assert f"    {name}: " in TEXT
