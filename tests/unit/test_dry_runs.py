"""`postern resolve` and `postern screen`, offline; the live tables are in test_live_tables."""

from pathlib import Path
from typing import Any

import pytest
from postern_command.screen import Screener
from postern_command.source import Source
from postern_mail.mail.header import Header
from postern_mail.mail.plan import Policy
from postern_mail.mail.verdicts import Verdicts

from tests.command import Done
from tests.command import run as postern
from tests.fakes import FakeTables

TABLES = r"""
domains = ["example.com", "bücher.example"]

[aliases."info@example.com"]
destinations = "jane@dest.example, joe@dest.example"

[aliases."off@example.com"]
destinations = ["jane@dest.example"]
enabled = false

[aliases."old@example.com"]
destinations = ["jane@dest.example"]
expires_at = 1

[aliases."hole@example.com"]
destinations = ["discard:"]

[aliases."a@example.com"]
destinations = ["b@example.com"]

[aliases."b@example.com"]
destinations = ["a@example.com"]

[aliases."@example.com"]
patterns = [{ pattern = 'sales-(\w+)', destinations = ['\1@dest.example', 'info@example.com'] }]

[aliases."info@bücher.example"]
destinations = ["jane@dest.example"]

[[senders]]
sender = "spam.example"
action = "REJECT no thanks"

[[senders]]
sender = ".dotted.example"
action = "REJECT"

[[senders]]
sender = "spam.example"
scope = "@example.com"
action = "OK"

[[senders]]
sender = "many.example"
scope = "info@example.com"
action = "WARN look"

[[senders]]
sender = "many.example"
action = "BCC x@else.example"

[[senders]]
sender = "typo.example"
action = "550"

[[senders]]
sender = "<>"
action = "HOLD"
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    path = tmp_path / "tables.toml"
    path.write_text(TABLES, encoding="utf-8")

    def run(command: str, *arguments: str, stdin: str = "") -> Done:
        return postern(command, "--tables", path, *arguments, stdin=stdin)

    return run


def test_what_each_address_stands_for(run: Any) -> None:
    done = run(
        "resolve", "--json", "INFO+x@example.com", "off@example.com", "-", "sales-x@example.com",
        stdin="old@example.com\n\nhole@example.com\nno@example.com\n",
    )  # fmt: skip
    assert done.status == 1
    assert done.objects[0] == {
        "address": "INFO+x@example.com",
        "outcome": "forward",
        "destinations": ["jane@dest.example", "joe@dest.example"],
        "matched": ["info@example.com"],
        "error": None,
    }
    assert [one["outcome"] for one in done.objects] == [
        "forward",
        "disabled",
        "expired",
        "discard",
        "unknown",
        "forward",
    ]
    assert done.objects[-1]["matched"] == ["@example.com", "info@example.com"]


def test_exit_status_0_when_every_address_resolves(run: Any) -> None:
    assert run("resolve", "info@example.com", "hole@example.com").status == 0


def test_what_cannot_be_resolved_says_why(run: Any) -> None:
    loop, junk = run("resolve", "--json", "a@example.com", "junk").objects
    assert (loop["outcome"], loop["error"]) == ("error", "alias loop: a@example.com -> b@example.com -> a@example.com")
    assert (junk["outcome"], junk["error"]) == ("error", "not a mail address: 'junk'")


def test_both_spellings_of_a_domain_are_one(run: Any) -> None:
    done = run("resolve", "--json", "info@bücher.example", "info@xn--bcher-kva.example")
    assert [one["matched"] for one in done.objects] == [["info@xn--bcher-kva.example"]] * 2


def test_lines_for_people(run: Any) -> None:
    done = run("resolve", "info@example.com", "no@example.com")
    assert (
        done.out
        == "info@example.com: forward jane@dest.example, joe@dest.example (info@example.com)\nno@example.com: unknown\n"
    )


@pytest.mark.parametrize(
    ("arguments", "action", "matched", "scope"),
    [
        (["x@mx.spam.example"], "REJECT", "spam.example", "*"),
        (["x@good.example"], "DUNNO", None, None),
        (["<>"], "HOLD", "<>", "*"),
        (["x@mx.spam.example", "--alias", "sales-x@example.com"], "OK", "spam.example", "@example.com"),
        (["x@mx.spam.example", "--alias", "@example.com"], "OK", "spam.example", "@example.com"),
        (["x@mx.spam.example", "--alias", "info@example.com"], "REJECT", "spam.example", "*"),
        (["x@mx.spam.example", "--parent-style", "dot"], "DUNNO", None, None),
        (["x@mx.dotted.example", "--parent-style", "dot"], "REJECT", ".dotted.example", "*"),
        (["x@many.example", "--alias", "info@example.com"], "BCC", "many.example", "*"),
        (["x@good.example", "--header-from", "Sp <x@spam.example>"], "REJECT", "spam.example", "*"),
        (["x@good.example", "--header-from", "x@spam.example", "--alias", "@example.com"], "OK", "spam.example", "@example.com"),
        (
            ["x@good.example", "--header-from", "x@spam.example", "--alias", "@example.com", "--dmarc", "fail"],
            "REJECT", "spam.example", "*",
        ),
    ],
)  # fmt: skip
def test_what_the_rules_say(
    run: Any, arguments: list[str], action: str, matched: str | None, scope: str | None
) -> None:
    done = run("screen", "--json", *arguments)
    assert done.status == 0, done.err
    (found,) = done.objects
    assert (found["sender"], found["action"], found["matched"], found["scope"]) == (
        arguments[0],
        action,
        matched,
        scope,
    )


def test_the_text_of_a_rule(run: Any) -> None:
    (found,) = run("screen", "--json", "-", stdin="x@spam.example\n").objects
    assert found == {
        "sender": "x@spam.example",
        "action": "REJECT",
        "text": "no thanks",
        "matched": "spam.example",
        "scope": "*",
        "rules": [{"sender": "spam.example", "scope": "*", "action": "REJECT", "text": "no thanks"}],
        "screening": None,
    }


def test_all_rules_that_hold_are_shown_to_people(run: Any) -> None:
    assert run("screen", "x@many.example", "--alias", "info@example.com").out == (
        "x@many.example: BCC (sender rule many.example for info@example.com: WARN look;"
        " sender rule many.example: BCC x@else.example)\n"
    )


def test_an_unreadable_row_is_named(run: Any) -> None:
    done = run("screen", "--json", "x@typo.example", "x@good.example")
    assert done.status == 1
    first, second = done.objects
    assert first["action"] == "ERROR"
    assert "senders row 'typo.example in scope *': action '550'" in first["text"]
    assert second["action"] == "DUNNO"


def test_what_is_typed_cannot_steer_a_terminal(run: Any) -> None:
    assert (
        run("resolve", "a\x1b[2J@example.com").out
        == "a\\x1b[2J@example.com: error not a mail address: 'a\\x1b[2J@example.com'\n"
    )
    assert "\x1b" not in run("screen", "a\x1b[2J@spam.example").out


def test_screening_asks_for_the_rules_of_one_scope_once() -> None:
    tables = FakeTables({}, {("spam.example", "*"): {"action": "REJECT"}})
    found, _ = Screener(Source(tables, Policy(frozenset())), Header(), Verdicts()).screen("x@spam.example", None)
    assert (found["action"], tables.calls) == ("REJECT", 1)
