"""Postfix's own tools as judge of how its files are read: postalias, postmap, postconf.

Debian: apt-get install postfix postfix-lmdb postfix-pcre. Without them these tests are skipped, and fail if CI says so.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st
from postern_postfix import access5, aliases5, main_cf, patterns
from postern_postfix.report import Report
from postern_postfix.source import Table, read
from postern_postfix.targets import Mailbox
from postern_postfix.tokens import Token, scan

from tests.required import without

# Debian keeps them where only root's PATH looks.
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
POSTCONF = shutil.which("postconf", path=PATH)


def table_types() -> set[str]:
    if POSTCONF is None:
        return set()
    with tempfile.TemporaryDirectory() as folder:
        return set(run(Path(folder), "postconf", "-m").split())


def run(folder: Path, tool: str, *arguments: str, config: str = "") -> str:
    """A tool of Postfix with its configuration in this folder; its output."""
    found = shutil.which(tool, path=PATH)
    assert found is not None
    (folder / "main.cf").write_text(f"compatibility_level = 3.6\n{config}")
    os.utime(folder / "main.cf", (0, 0))  # of a file that was written just now Postfix waits for more
    command = [found, "-c", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout.decode("utf-8", "surrogateescape")


TYPES = table_types()


@pytest.fixture(autouse=True, scope="module")
def postfix_is_here() -> None:
    if POSTCONF is None or "lmdb" not in TYPES:
        without("Postfix with lmdb is not here: apt-get install postfix postfix-lmdb postfix-pcre")


# Starting Postfix's tools takes longer than reading a line.
FEW_LARGE_FILES = settings(deadline=None, max_examples=30)
# Of Postfix's own, in a table that postalias makes.
OWN_KEYS = ("@", "YP_LAST_MODIFIED", "YP_MASTER_NAME")

LINES = st.lists(
    st.one_of(
        st.text('ab:@,;<>()[]"\\|!%#$ \t.=+/', max_size=24),
        st.sampled_from(
            ["# comment", "  # comment", "", "   ", "\tcontinued, more", "\r", 'a: "|exit 67"', "x: y z@d <e@f>"]
        )
        | st.sampled_from(
            ['"quoted name": x', "b: group: c, d;", "(c) e (f): (g) h", "caf\xe9: x", "K@L m", "example.com x"]
        ),
    ),
    min_size=20,
    max_size=60,
).map("\n".join)


def dumped(tool: str, folder: Path, data: bytes) -> list[str]:
    """What the tool makes of a file: key, tab and value of each entry."""
    (folder / "table").write_bytes(data)
    run(folder, tool, f"lmdb:{folder}/table")
    return [line for line in run(folder, tool, "-s", f"lmdb:{folder}/table").split("\n") if line]


def texts(tokens: Sequence[Token]) -> list[str]:
    """Without empty words: postalias writes no trace of a backslash at the end of a line."""
    return [str(token) for token in tokens if str(token)]


def our_aliases(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in read(path, Table.ALIASES, "f"):
        pair = None if line.unreadable else aliases5.pair(line.text)
        if isinstance(pair, tuple):
            found.setdefault(pair[0], texts(pair[1]))
    return found


@FEW_LARGE_FILES
@given(st.one_of(LINES.map(str.encode), LINES.map(lambda text: text.encode("latin-1", "replace"))))
def test_aliases_are_taken_apart_as_postalias_does(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = (line.partition(":\t") for line in dumped("postalias", folder, data))
        ours = our_aliases(folder / "table")
        expected = {key: texts(scan(value)) for key, _, value in theirs if key.upper() not in OWN_KEYS}
    assert expected == ours


@FEW_LARGE_FILES
@given(LINES.map(str.encode))
def test_pairs_are_taken_apart_as_postmap_does(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = dumped("postmap", folder, data)
        ours: dict[str, str] = {}
        for line in read(folder / "table", Table.VIRTUAL, "f"):
            pair = None if line.unreadable else access5.pair(line)
            if pair is not None:
                ours.setdefault(pair[0].lower(), pair[1])
    assert sorted(expected) == sorted(f"{key}\t{value}" for key, value in ours.items())


VALUES = [
    "plain, value",
    "$myhostname",
    "x$mydomain.y",
    "a$$b",
    "${mail_name}$(mydomain)",
    "${relayhost?yes}${relayhost:no}",
    "${myhostname?yes}${myhostname:no}",
    "${myhostname?{a b}:{c}}",
    "${relayhost?{a b}:{c}}",
    "${{$mydomain} == {example.com} ? {eq} : {ne}}",
    "${{$mydomain} != {example.com} ? {ne} : {eq}}",
    "${{3} < {12} ? {number} : {text}}",
    "${{b} > {a} ? {after} : {before}}",
    "${{3.10} <level {3.9} ? {less} : {more}}",
    "${ {a}=={a} ? {x y} : {z} }",
    "${myhostname?$mydomain}",
    "${myhostname?{${relayhost:{deep}}}}",
    "$mydestination",
]


@pytest.mark.parametrize("value", VALUES)
def test_macros_are_replaced_as_postconf_does(value: str, tmp_path: Path) -> None:
    text = f"myhostname = mail.example.com\nmail_name = Postern\nmydestination = $myhostname,\n  # c\n\t localhost.$mydomain\nsmtpd_banner = {value}\n"
    expected = run(tmp_path, "postconf", "-xh", "smtpd_banner", config=text).rstrip("\n")
    path = tmp_path / "ours"
    path.write_text(text)
    ours = main_cf.parameters(read(path, Table.MAIN_CF, "f"), Report()).value("smtpd_banner")
    assert expected == ours


@pytest.mark.parametrize(
    "value",
    ["${", "$", "$(myhostname", "${my host}", "${{a} ? {b}}", "${{a} == b}", "$smtpd_banner", "${myhostname?{a}b}"],
)
def test_what_postconf_refuses_is_refused(value: str, tmp_path: Path) -> None:
    text = f"myhostname = mail.example.com\nsmtpd_banner = {value}\n"
    path = tmp_path / "ours"
    path.write_text(text)
    ours = main_cf.parameters(read(path, Table.MAIN_CF, "f"), Report())
    assert run(tmp_path, "postconf", "-xh", "smtpd_banner", config=text).strip() == ""
    assert not ours.is_set("smtpd_banner")


PATTERN_TABLE = r"""
# the first that matches counts
/^info-(.*)@example\.com$/  $1@dest.example
/^(sales|support)\+(.+)@example\.com$/  $1-$2@dest.example
if /@example\.net$/
/^(a|b)@/  net@dest.example
/^c.*@example\.net$/i  c@dest.example
endif
!/@example\.com$/  rest@dest.example
/^UPPER@example.com$/  upper@dest.example
/^[^@]{3}@/  three@dest.example
/^x/  begins@dest.example
/^left@example\.com$|^right@example\.net$/  choice@dest.example
/^(one@example\.com|two@example\.com)$/  group@dest.example
/middle/  middle@dest.example
|^y(z)?@EXAMPLE\.com$|  ${1}y@dest.example
/@example\.com/  all@dest.example
"""
ADDRESSES = [
    f"{local}@{domain}"
    for local in (
        "info-x",
        "info-",
        "sales+a",
        "support+b+c",
        "a",
        "b",
        "c",
        "cc",
        "upper",
        "Upper",
        "abc",
        "yz",
        "y",
        "zzzz",
        "x",
        "xyz",
        "left",
        "right",
        "one",
        "two",
        "in-the-middle-of",
    )
    for domain in ("example.com", "example.net")
]


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_patterns_lead_where_postmap_leads(kind: str, address: str, tmp_path: Path) -> None:
    """All lines come along."""
    if kind not in TYPES:
        without(f"Postfix has no {kind} here: apt-get install postfix-{kind}")
    path = tmp_path / "table"
    path.write_text(PATTERN_TABLE)
    expected = run(tmp_path, "postmap", "-q", address, f"{kind}:{path}").strip()
    assert expected == first_match(kind, path)(address)


def first_match(kind: str, path: Path) -> Callable[[str], str]:
    lines = read(path, Table.PATTERNS, "f")
    rules = [one for _, one in patterns.read(lines, kind, ["example.com", "example.net"])]

    def look_up(address: str) -> str:
        local, _, domain = address.partition("@")
        for rule in rules:
            if isinstance(rule, patterns.PatternRule) and domain in rule.locals:
                matched = re2.fullmatch(f"(?i:{rule.locals[domain]})", local)
                (target,) = rule.targets
                assert isinstance(target, Mailbox)
                if matched:
                    replaced = str(target.address)
                    for number in range(1, 10):
                        if f"{{={number}=}}" in replaced:
                            replaced = replaced.replace(f"{{={number}=}}", matched[number] or "")
                    return replaced
        return ""

    return look_up
