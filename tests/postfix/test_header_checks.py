"""Header rules that the importer makes of header_checks against what a running cleanup does with the same lines."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from postern_command.tables.file import TablesFile
from postern_mail.mail.header import Header
from postern_mail.mail.plan import header_rules
from postern_mail.mail.rows import SenderKey
from postern_mail.mail.senders import EVERYWHERE
from postern_mail.mail.settings import KEY, rule_keys
from postern_postfix import header_checks
from postern_postfix.report import Report, Verdict
from postern_postfix.source import Line, Table

from tests.builders import envelope

from .conversation import SECONDS, log_since, session
from .judging import judging
from .server import Server

ACTED = re.compile(r": ([0-9A-Za-z]{10,}): (warning|reject|discard|hold): header .*: (?:5\.7\.1 )?(\w+)$", re.MULTILINE)
NEW = re.compile(r": ([0-9A-Za-z]{10,}): message-id=<m(\d+)@tests\.example>")
FIELDS = ("Subject", "From", "To", "List-Id")
words = st.sampled_from(["casino", "Win", "x", "a.b", "$5", "now", "<a@b.example>"])
values = st.lists(words, min_size=1, max_size=3).map(" ".join)
messages = st.dictionaries(st.sampled_from(FIELDS), values, min_size=1)
bodies = st.sampled_from(
    [
        "casino", "win", "casino now", "a\\.b", "a.b", "\\$5", "(casino|win)", "[xw]in", "w.*n", "x+", ".", "x ?now", "b[.]ex",
        "<a@b\\.example>", "casino x a\\.b",
    ]
)  # fmt: skip
heads = st.sampled_from(
    ["^Subject: ", "^From: ", "^To:.*", "^List-Id: *", "^Subject:.*", "^(Subject|To): ", "^subject:.*"]
)
tails = st.sampled_from(["", "$", ".*", ".*$"])
actions = st.sampled_from(["REJECT", "REJECT", "DISCARD", "WARN", "HOLD", "DUNNO", "INFO"])


@dataclass(frozen=True)
class Fate:
    """What became of a message; of one that is delivered, also what was noted."""

    delivered: bool
    noted: frozenset[tuple[str, str]] = frozenset()


def table(made: Sequence[tuple[str, str, str, str]]) -> list[str]:
    return [f"/{head}{body}{tail}/ {action} t{at}" for at, (head, body, tail, action) in enumerate(made)]


def imported(lines: list[str], kind: str) -> tuple[TablesFile, list[str]]:
    """The rules, and the lines that came along."""
    report = Report()
    read = [Line(Table.HEADER_CHECKS, "checks", at, at, text) for at, text in enumerate(lines, 1)]
    rules = header_checks.rules([(kind, read)], frozenset({"example.com"}), report)
    lost = {entry.line.text for entry in report.entries if entry.verdict is Verdict.IMPOSSIBLE}
    return TablesFile(frozenset({"example.com"}), {}, rules), [one for one in lines if one not in lost]


def ours(tables: TablesFile, message: dict[str, str]) -> Fate:
    raw = "".join(f"{name}: {value}\r\n" for name, value in message.items()) + "\r\n"
    rows = tables.read([KEY], ())
    keys: tuple[SenderKey, ...] = rule_keys(rows, [EVERYWHERE])
    rows.add(tables.read((), keys))
    asked = header_rules(envelope(), Header.of(raw.encode()), rows)
    found = asked.judged(EVERYWHERE) if asked is not None else ()
    if any(rule.action.is_final for rule in found):
        return Fate(delivered=False)
    noted = {"WARN": "warning", "HOLD": "hold"}
    return Fate(True, frozenset((noted[r.action.word], r.action.text) for r in found if r.action.word in noted))


def theirs(postfix: Server, service: str, lines: list[str], sent: Sequence[dict[str, str]]) -> list[Fate]:
    postfix.write("header-checks", dict(line.split(" \0", 1) for line in _parted(lines)))
    start = postfix.log.stat().st_size
    with session(postfix, service) as opened:
        for number, message in enumerate((*sent, {"Subject": "the last"})):
            header = "".join(f"{name}: {value}\r\n" for name, value in message.items())
            opened.mail("s@sender.example")
            opened.rcpt("info@elsewhere.example")
            opened.data(f"Message-ID: <m{number}@tests.example>\r\n{header}\r\nHello\r\n")
    log = _log(postfix, start, len(sent))
    ids = {found[1]: int(found[2]) for found in NEW.finditer(log)}
    acted: list[set[tuple[str, str]]] = [set() for _ in range(len(sent) + 1)]
    for queue_id, action, text in ACTED.findall(log):
        acted[ids[queue_id]].add((action, text))
    for path in (postfix.root / "queue" / "hold").iterdir():
        path.unlink()
    return [
        Fate(delivered=False) if {"reject", "discard"} & {action for action, _ in one} else Fate(True, frozenset(one))
        for one in acted[:-1]
    ]


def _parted(lines: list[str]) -> list[str]:
    """Pattern and flags, and the result, each with a NUL between."""
    return [re.sub(r"(/[A-Za-z]*) (\w+ \w+)$", "\\1 \0\\2", line) for line in lines]


def _log(postfix: Server, start: int, last: int) -> str:
    deadline = time.monotonic() + SECONDS
    while f"message-id=<m{last}@tests.example>" not in (log := log_since(postfix, start)):
        assert time.monotonic() < deadline, log[-3000:]
        time.sleep(0.02)
    return log


def compare(postfix: Server, kind: str, lines: list[str], sent: Sequence[dict[str, str]]) -> None:
    tables, kept = imported(lines, kind)
    service = "checks" if kind == "regexp" else "pcre-checks"
    for message, expected in zip(sent, theirs(postfix, service, kept, sent), strict=True):
        assert (kept, message, ours(tables, message)) == (kept, message, expected)


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
@judging(examples=8)
@given(
    made=st.lists(st.tuples(heads, bodies, tails, actions), min_size=1, max_size=5),
    sent=st.lists(messages, min_size=12, max_size=12),
)
def test_rules_do_what_the_lines_did(
    postfix: Server, kind: str, made: list[tuple[str, str, str, str]], sent: list[dict[str, str]]
) -> None:
    lines = table(made)
    lost = set(lines) - set(imported(lines, kind)[1])
    assume(not any(line.startswith("/^(") for line in lost))  # it may have come along for one of its fields
    compare(postfix, kind, lines, sent)


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
def test_lines_that_are_known_to_be_hard(postfix: Server, kind: str) -> None:
    sent = [{"Subject": one} for one in ("casino", "CASINO now", "the casino", "win", "casino win", "other")]
    both = [{"Subject": "win", "From": "win"}, {"Subject": "casino", "From": "win"}]
    for lines in (
        ["/^Subject: casino/ WARN a", "/^Subject:.*casino/ REJECT b", "/^Subject:.*win/ REJECT c"],
        ["/^Subject: casino$/ DUNNO a", "/^Subject:.*(casino|win)/ DISCARD b", "/^From: win/ REJECT c"],
        ["/^Subject: casino/i REJECT a", "/^Subject: CASINO/ HOLD b"],
        ["/^Subject: (casino|win)/ WARN a", "/^From: w/ HOLD b", "/^From:.*n$/ REJECT c"],
    ):
        compare(postfix, kind, lines, [*sent, *both])
