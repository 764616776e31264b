"""Every line of every file is in the report exactly once, whatever the files hold."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postern_command.tables.file import TablesFile
from postern_command.tables.text import toml
from postern_mail.mail.aliases import Alias
from postern_mail.mail.senders import SenderRule
from postern_postfix import report as reporting
from postern_postfix.report import Verdict
from postern_postfix.report_text import lines
from postern_postfix.source import Line, Table

from .box import Imported, imported

DOMAINS = ("example.com", "example.net")
NOT_ALONG = (Verdict.LEFT_BEHIND, Verdict.IMPOSSIBLE)


def accounted_for(done: Imported, files: dict[str, bytes]) -> None:
    """Each physical line that is neither empty nor a comment lies in one entry that says something."""
    for name, data in files.items():
        entries = [entry for entry in done.report.entries if entry.line.file.endswith(name)]
        for number, line in enumerate(data.split(b"\n"), 1):
            comment = line.startswith(b"#") if name == "list" else line.strip().startswith(b"#")
            covering = [entry for entry in entries if entry.line.first <= number <= entry.line.last]
            if line.strip() and not comment:
                assert len(covering) == 1, (name, number, line)
    for entry in done.report.entries:
        assert entry.parts, entry.line
        assert all(part.says for part in entry.parts)
        assert all(bool(part.instead) == (part.verdict in NOT_ALONG) for part in entry.parts)
    assert len({(entry.line.table, entry.line.file, entry.line.first) for entry in done.report.entries}) == len(
        done.report.entries
    )


def sound(done: Imported) -> None:
    """The tables can be written, read again, and each row understood."""
    for key, row in done.tables.aliases.items():
        Alias.from_row(key, row)
    for sender, row in done.tables.senders.items():
        SenderRule.from_row(sender, row)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tables.toml"
        path.write_text("".join(toml(done.tables)), encoding="utf-8")
        again = TablesFile.load(path)
    assert dict(done.tables.aliases) == again.aliases
    assert dict(done.tables.senders) == again.senders
    assert done.tables.domains == again.domains


def all_of(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        texts: dict[str, Any] = {name: data for name, data in files.items() if name not in ("main.cf", "list")}
        done = imported(
            root, *DOMAINS, main_cf=files.get("main.cf"), files={"/etc/list": files.get("list", b"")}, **texts
        )
        listed = {name: data for name, data in files.items() if name != "list"}
        if any(entry.line.table is Table.INCLUDE for entry in done.report.entries):
            listed["list"] = files.get("list", b"")
    accounted_for(done, listed)
    sound(done)
    for every in (False, True):
        for line in lines(done.report, every):
            assert line.isprintable()
    reporting.as_json(done.report)


WORD = st.sampled_from(
    [
        "jane",
        "bob",
        "info",
        "info+tag",
        "a.b",
        '"quoted name"',
        "owner-list",
        "list",
        "Jane",
        "ünï",
        "a!b",
        "a%b",
        "\\x",
    ]
)
DOMAIN = st.sampled_from(["example.com", "example.net", "other.example", "localhost", "dest.example", "x", "1.2.3", ""])
ADDRESS = st.one_of(WORD, st.tuples(WORD, DOMAIN).map("@".join), DOMAIN.map("@{}".format))
TARGET = st.one_of(
    ADDRESS,
    st.sampled_from(
        [
            '"|exit 67"',
            '"|exit 0"',
            "|cmd",
            '"|/bin/x -a"',
            "/dev/null",
            "/var/mail/x",
            ":include:/etc/list",
            "~/m",
            '""',
            ":include:/nowhere",
            "(comment)",
            "Jane Doe <jane@dest.example>",
            "group: jane, bob@x.y;",
            "# note",
            ",",
            "$1",
        ]
    ),
)
TARGETS = st.lists(TARGET, max_size=4).map(", ".join)
NOISE = st.sampled_from(
    ["", "#", "# comment", "  # comment", "   ", "\t, more@dest.example", "  cont", "\r", "junk", "x y z"]
)
ALIASES = st.one_of(st.tuples(st.one_of(WORD, ADDRESS), TARGETS).map(": ".join), NOISE)
VIRTUAL = st.one_of(st.tuples(ADDRESS, TARGETS).map(" ".join), st.tuples(DOMAIN, WORD).map("\t".join), NOISE)
ACTION = st.sampled_from(
    [
        "OK",
        "ok",
        "REJECT",
        "REJECT go away",
        "550",
        "550 no",
        "450 later",
        "HOLD",
        "DISCARD x",
        "DUNNO",
        "FILTER a:b",
        "REDIRECT a@b.example",
        "REDIRECT",
        "BCC x",
        "PREPEND X-A: b",
        "PREPEND x",
        "WARN",
        "hash:/x",
        "permit",
        "reject_x",
    ]
)
ACCESS = st.one_of(
    st.tuples(st.one_of(ADDRESS, DOMAIN, st.sampled_from(["bob@", "<>", ".x.y", "10.0.0"])), ACTION).map(" ".join),
    NOISE,
)
REGEX = st.sampled_from(
    [
        "/^info-(.*)@example\\.com$/",
        "/@example\\.net$/",
        "/^a|b@c$/",
        "!/@example\\.com$/",
        "/(?!x)@/",
        "/^x@.*$/i",
        "|^y@|",
        "/[/",
        "if /@example\\.com$/",
        "if !/^x/",
        "endif",
        "ENDIF",
        "/^example\\.net$/",
        "/a/!/b/",
        "/unclosed",
        "/^(.)@(.)$/x",
    ]
)
PATTERNS = st.one_of(st.tuples(REGEX, TARGETS).map(" ".join), REGEX, NOISE)
VALUE = st.sampled_from(
    [
        "",
        "+",
        "example.com, example.net",
        "$mydestination",
        "$a${b?c}${d:e}",
        "hash:/etc/list",
        "regexp:/etc/list",
        "ldap:x",
        "permit_mynetworks, reject",
        "check_sender_access hash:/etc/list",
        "reject_rbl_client a.b",
        "{ a b }, { c",
        "${",
        "10",
    ]
)
NAME = st.sampled_from(
    [
        "mydestination",
        "myorigin",
        "myhostname",
        "alias_maps",
        "virtual_alias_maps",
        "recipient_delimiter",
        "a",
        "relayhost",
        "smtpd_recipient_restrictions",
        "message_size_limit",
        "virtual_alias_domains",
        "virtual_mailbox_domains",
        "virtual_mailbox_maps",
        "smtp_x",
        "luser_relay",
        "two words",
        "parent_domain_matches_subdomains",
        "propagate_unmatched_extensions",
        "smtpd_null_access_lookup_key",
        "mydomain",
    ]
)
MAIN_CF = st.one_of(st.tuples(NAME, VALUE).map(" = ".join), NOISE)


def text(line: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    return st.lists(line, max_size=12).map(lambda lines: "\n".join(lines).encode())


@settings(deadline=None, max_examples=150)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "aliases": text(ALIASES),
            "virtual": text(VIRTUAL),
            "access": text(ACCESS),
            "main.cf": text(MAIN_CF),
            "list": text(st.one_of(TARGETS, NOISE)),
        },
    )
)
def test_lines_as_people_write_them(files: dict[str, bytes]) -> None:
    all_of(files)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(["virtual_regexp", "virtual_pcre", "access_regexp", "aliases_pcre"]), text(PATTERNS))
def test_pattern_tables(name: str, data: bytes) -> None:
    all_of({name: data})


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["aliases", "virtual", "access", "main.cf", "virtual_regexp", "virtual_pcre"]),
    st.one_of(st.binary(max_size=200), st.text(':@,;<>()[]"\\|!%$#{}?=/ \t\n\r\0ab.é', max_size=80).map(str.encode)),
)
def test_junk(name: str, data: bytes) -> None:
    all_of({name: data})


def test_a_list_is_accounted_for_in_an_alias(tmp_path: Path) -> None:
    all_of(
        {"aliases": b"team: :include:/etc/list\nall: :include:/etc/list", "list": b"# c\njane@dest.example\nbob\n  # d"}
    )


@pytest.mark.parametrize("table", list(Table))
def test_a_line_without_a_word_counts_as_impossible(table: Table) -> None:
    """Were one forgotten, the exit status would say so."""
    report = reporting.Report()
    line = Line(table, "f", 1, 1, "x")
    report.enter([line])
    assert [entry.verdict for entry in report.entries] == [Verdict.IMPOSSIBLE]
    assert report.counts()[Verdict.IMPOSSIBLE] == 1
