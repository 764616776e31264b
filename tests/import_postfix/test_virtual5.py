"""virtual(5) and its pattern tables, as they arrive in the alias table, beside aliases(5)."""

from pathlib import Path
from typing import Any

import pytest
from postern_postfix.report import Verdict

from .box import imported

TAKEN, CHANGED, IMPOSSIBLE, UNNEEDED = Verdict.TAKEN, Verdict.CHANGED, Verdict.IMPOSSIBLE, Verdict.UNNEEDED


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("info@example.com jane@dest.example", "info@example.com", ["jane@dest.example"]),
        (
            "Info@Example.com\tjane@dest.example,joe@dest.example",
            "info@example.com",
            ["jane@dest.example", "joe@dest.example"],
        ),
        (
            "info@example.com jane@dest.example joe@dest.example",
            "info@example.com",
            ["jane@dest.example", "joe@dest.example"],
        ),
        ("@example.com @other.example", "@example.com", ["@other.example"]),
        ("@example.com all@dest.example", "@example.com", ["all@dest.example"]),
        ("bare jane@dest.example", "bare@example.com", ["jane@dest.example"]),
        ('"quoted name"@example.com jane@dest.example', '"quoted name"@example.com', ["jane@dest.example"]),
        ("info+tag@example.com jane@dest.example", "info+tag@example.com", ["jane@dest.example"]),
    ],
)
def test_what_a_line_becomes(text: str, key: str, expected: list[str], tmp_path: Path) -> None:
    done = imported(tmp_path, virtual=text)
    assert {key: expected} == done.destinations
    assert done.verdict("virtual", 1) is TAKEN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("info: jane@dest.example", "give the file with --aliases"),
        ("info@other.example jane@dest.example", "--domain other.example"),
        ("@other.example jane@dest.example", "--domain other.example"),
        ("other.example anything", "--domain other.example"),
        ("info@example.com jane@dest.example, @other.example", "must be the only address"),
        ("info@example.com |cmd", "not a mail address"),
        ("info@example.com bob", "mailbox of a user on the box"),
        ("info@example.com nobody@example.com", "nobody was the mailbox of a user"),
        ("@example.com @example.com", "delivered to mailboxes on the box"),
        ("ünï@example.com jane@dest.example", "not a mail address"),
    ],
)
def test_what_is_impossible(text: str, said: str, tmp_path: Path) -> None:
    done = imported(tmp_path, virtual=text)
    assert done.verdict("virtual", 1) is IMPOSSIBLE
    assert said in done.said("virtual", 1)


def test_the_tag_is_kept_but_not_by_the_catch_all(tmp_path: Path) -> None:
    done = imported(tmp_path, virtual="info@example.com jane@dest.example\n@example.com all@dest.example")
    assert done.leads_to("info+news@example.com") == ["jane+news@dest.example"]
    assert done.leads_to("x+news@example.com") == ["all@dest.example"]


def test_a_virtual_alias_domain_has_no_aliases(tmp_path: Path) -> None:
    text = "example.net anything\ninfo@example.net root"
    done = imported(tmp_path, "example.com", "example.net", virtual=text, aliases="root: jane@dest.example")
    assert {"root@example.com", "info@example.net"} == done.destinations.keys()
    assert done.destinations["info@example.net"] == ["root@example.com"]
    assert done.verdict("virtual", 1) is TAKEN


def test_with_virtual_domains_alone_a_bare_name_is_written_out(tmp_path: Path) -> None:
    text = "example.com anything\ninfo@example.com root"
    done = imported(tmp_path, virtual=text, aliases="root: admin\nadmin: jane@dest.example")
    assert done.destinations == {"info@example.com": ["jane@dest.example"]}
    assert "no row of its own" in done.said("aliases", 1)


def test_virtual_is_asked_before_aliases(tmp_path: Path) -> None:
    aliases = "info: no@dest.example\nteam: info\nother: x@dest.example"
    done = imported(tmp_path, virtual="info@example.com yes@dest.example", aliases=aliases)
    assert done.destinations["info@example.com"] == ["yes@dest.example"]
    assert done.verdict("aliases", 1) is CHANGED
    # From within aliases(5) the name means the alias, which has no row.
    assert done.destinations["team@example.com"] == ["no@dest.example"]


def test_a_catch_all_of_virtual_takes_the_mail_of_aliases(tmp_path: Path) -> None:
    done = imported(tmp_path, virtual="@example.com all@dest.example", aliases="info: jane@dest.example")
    assert done.leads_to("info@example.com") == ["all@dest.example"]
    assert "takes that mail first, in Postfix too" in done.said("aliases", 1)


def test_what_leads_to_itself_leads_on_to_aliases(tmp_path: Path) -> None:
    text = "info@example.com info@example.com, joe@dest.example"
    done = imported(tmp_path, virtual=text, aliases="info: jane@dest.example")
    assert done.destinations["info@example.com"] == ["jane@dest.example", "joe@dest.example"]


def test_an_address_elsewhere_that_virtual_renames(tmp_path: Path) -> None:
    text = "info@example.com old@dest.example\nold@dest.example new@dest.example"
    done = imported(tmp_path, virtual=text)
    assert done.destinations["info@example.com"] == ["new@dest.example"]
    assert done.verdict("virtual", 2) is IMPOSSIBLE


PATTERNS = r"""
/^info-(.*)@example\.com$/ $1@dest.example
/^(.+)\+(.+)@example\.com$/ $2-${1}@dest.example
if /@example\.net$/
/^sales@/ sales@dest.example
endif
/@example\.net$/ rest@dest.example
"""


def test_patterns_lead_where_postfix_led(tmp_path: Path) -> None:
    done = imported(tmp_path, "example.com", "example.net", virtual_pcre=PATTERNS)
    assert done.leads_to("INFO-x@example.com") == ["x@dest.example"]
    assert done.leads_to("a+b@example.com") == ["b-a@dest.example"]
    assert done.leads_to("sales@example.net") == ["sales@dest.example"]
    assert done.leads_to("any@example.net") == ["rest@dest.example"]
    assert done.leads_to("sales@example.com") == []
    assert [entry.verdict for entry in done.report.entries] == [TAKEN, TAKEN, CHANGED, TAKEN, CHANGED, TAKEN]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (r"/^(?!x).*@example\.com$/ a@b.example", "RE2 refuses"),
        (r"/^(.)\1@example\.com$/ a@b.example", "mail that it matched now goes"),
        (r"/^a.b/ a@b.example", "it may match across one"),
        (r"/^([a-z])x/ $1@b.example", "$1 must be one of at most 9 groups"),
        (r"!/^info@example\.com$/ a@b.example", "it is negated"),
        (r"/^a@/!/^b@/ a@b.example", "a second pattern"),
        (r"/^a@(.*)$/ $1@b.example", "$1 must be one of at most 9 groups"),
        (r"/(a)@/ $1@b.example", "$1 must be one of at most 9 groups"),
        (r"/^a b@example\.com$/x a@b.example", "the flag x"),
        (r"/^a@example\.org$/ a@b.example", "matches none of the domains"),
        (r"/^a@example\.com$/", "no result"),
        (r"/^a@example\.com a@b.example", "does not end"),
        (r"if /^info/", "a condition"),
        (r"/^[.@example\.com$/ a@b.example", "it"),
    ],
)
@pytest.mark.parametrize("kind", ["pcre", "regexp"])
def test_patterns_that_cannot_be_proved(line: str, said: str, kind: str, tmp_path: Path) -> None:
    done = imported(tmp_path, virtual_pcre=line) if kind == "pcre" else imported(tmp_path, virtual_regexp=line)
    assert done.verdict(f"virtual_{kind}", 1) is IMPOSSIBLE
    assert said in done.said(f"virtual_{kind}", 1)
    assert done.tables.aliases == {}


def test_a_pattern_that_leads_to_nothing_does_not_leave_its_mail_to_others(tmp_path: Path) -> None:
    config = "mydestination = example.com\nvirtual_alias_maps = pcre:/etc/patterns, hash:/etc/virtual"
    files = {"/etc/patterns": "/^bob/ bob", "/etc/virtual": "@example.com all@dest.example"}
    done = imported(tmp_path, main_cf=config, files=files)
    assert done.leads_to("bobby@example.com") == []
    assert done.leads_to("ann@example.com") == ["all@dest.example"]
    assert done.verdict("patterns", 1) is IMPOSSIBLE


def test_a_pattern_is_in_force_beside_a_catch_all_that_leads_nowhere(tmp_path: Path) -> None:
    config = "mydestination = example.com\nvirtual_alias_maps = hash:/etc/virtual, pcre:/etc/patterns"
    files = {"/etc/patterns": "/^sales/ sales@dest.example", "/etc/virtual": "@example.com bob"}
    done = imported(tmp_path, main_cf=config, files=files)
    assert done.leads_to("sales@example.com") == ["sales@dest.example"]
    assert done.leads_to("ann@example.com") == []


def test_a_loop_that_a_pattern_closes_is_said(tmp_path: Path) -> None:
    config = "mydestination = example.com\nvirtual_alias_maps = hash:/etc/virtual, pcre:/etc/patterns"
    files = {"/etc/patterns": "/^in/ ann@example.com", "/etc/virtual": "ann@example.com info@example.com"}
    done = imported(tmp_path, main_cf=config, files=files)
    assert done.verdict("/etc/virtual", 1) is IMPOSSIBLE
    assert "alias loop" in done.said("/etc/virtual", 1)


def test_what_posix_means_otherwise_is_not_taken_over(tmp_path: Path) -> None:
    line = r"/^\d@example\.com$/ a@b.example"
    assert imported(tmp_path, virtual_regexp=line).verdict("regexp", 1) is IMPOSSIBLE
    assert imported(tmp_path, virtual_pcre=line).verdict("pcre", 1) is TAKEN


@pytest.mark.parametrize(("table", "text"), [("virtual", "info@example.com"), ("virtual_pcre", "endif")])
def test_what_postfix_ignores_is_left_behind(table: str, text: str, tmp_path: Path) -> None:
    tables: dict[str, Any] = {table: text}
    assert imported(tmp_path, **tables).verdict(table, 1) is Verdict.LEFT_BEHIND


def test_under_a_lost_condition_everything_is_lost(tmp_path: Path) -> None:
    lines = "if /^x/\n/^a@example.com$/ a@b.example\nif /@example.com$/\nendif\nendif\n/^b@example.com$/ b@b.example"
    done = imported(tmp_path, virtual_pcre=lines)
    assert [entry.verdict for entry in done.report.entries] == [IMPOSSIBLE] * 5 + [TAKEN]


def test_a_pattern_takes_the_mail_of_aliases(tmp_path: Path) -> None:
    done = imported(tmp_path, virtual_pcre=r"/^info@example\.com$/ yes@dest.example", aliases="info: no@dest.example")
    assert done.leads_to("info@example.com") == ["yes@dest.example"]


def test_a_pattern_that_told_case_apart(tmp_path: Path) -> None:
    done = imported(tmp_path, virtual_pcre=r"/^info@example\.com$/i a@b.example")
    assert done.verdict("pcre", 1) is CHANGED


def test_a_negated_condition(tmp_path: Path) -> None:
    lines = "if !/@example\\.net$/\n/^a@/ a@dest.example\nendif\n/^a@/ b@dest.example"
    done = imported(tmp_path, "example.com", "example.net", virtual_regexp=lines)
    assert done.leads_to("a@example.com") == ["a@dest.example"]
    assert done.leads_to("a@example.net") == ["b@dest.example"]
