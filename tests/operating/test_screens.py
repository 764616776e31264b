"""What a person sees, on real terminals of two widths."""

import re
from typing import Any

import pytest

from tests.cloud_here import CloudHere
from tests.pseudo_terminal import terminal

from .conftest import Office

MESSAGE = "abcdefgh0123456789"
SCREENS = {
    80: [
        "  info@example.com                 forwarded     alias info@example.com",
        "  team@example.com                 quarantined   spam FAIL spam FAIL spam FAIL\u2026",
    ],
    120: [
        "  info@example.com                              forwarded     alias info@example.com",
        "  team@example.com                              quarantined   spam FAIL spam FAIL spam FAIL spam FAIL spam FAIL spam F\u2026",
    ],
}


@pytest.mark.slow
def test_a_trace_on_a_terminal(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(office.cloud, CloudHere)
    monkeypatch.setenv("AWS_ENDPOINT_URL", office.cloud.listening())
    rows = (
        ("info@example.com", "forwarded", "alias info@example.com"),
        ("team@example.com", "quarantined", "spam FAIL " * 9),
    )
    message_id = office.happened(*rows, message_id=MESSAGE)
    for columns, screen in SCREENS.items():
        shown = terminal("trace", message_id[:8], columns=columns).splitlines()
        assert [line for line in shown if "  " in line.strip()] == screen
        assert max(map(len, shown)) <= columns
    assert "spam FAIL " * 8 in terminal("trace", message_id[:8], "--wide")


COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # what our own styles are made of (ECMA-48 8.3.117, SGR)
DATE = re.compile(r"\d\d [A-Z][a-z]{2} \d\d:\d\d")
LISTS: dict[int, dict[tuple[str, ...], list[str]]] = {
    80: {
        ("log",): [
            "DD Mon hh:mm  abcdefgh  forwarded    info@example.com      a-rather-long-local\u2026",
            "              gone@dest.example is suspended",
            "DD Mon hh:mm  abcdefgh  quarantined  team@example.com      a-rather-long-local\u2026",
            "              spam FAIL spam FAIL spam FAIL spam FAIL spam FAIL spam FAIL spam \u2026",
        ],
        ("quarantine", "list"): [
            "DD Mon hh:mm  abcdefgh  team@example.com    a-rather-long-loc\u2026  spam FAIL spam \u2026"
        ],
        ("alias", "list"): [
            "@example.com                 ann@dest.example             (disabled)",
            "info@example.com             jane@dest.example, joe@des\u2026  (xxxxxxxxxxxxxxxxxxxx\u2026",
        ],
        ("sender", "list"): ["spam.example                 REJECT no thanks yyyyyyyyy\u2026"],
        ("destination", "list"): [
            "gone@dest.example                suspended DD Mon hh:mm  550 5.1.1 user unknow\u2026"
        ],
    },
    120: {
        ("log",): [
            "DD Mon hh:mm  abcdefgh  forwarded    info@example.com            a-rather-long-local-part@\u2026  alias info@example.com; \u2026",
            "              gone@dest.example is suspended",
            "DD Mon hh:mm  abcdefgh  quarantined  team@example.com            a-rather-long-local-part@\u2026  spam FAIL spam FAIL spam\u2026",
        ],
        ("quarantine", "list"): [
            "DD Mon hh:mm  abcdefgh  team@example.com              a-rather-long-local-part@ne\u2026  spam FAIL spam FAIL spam FAIL spam \u2026"
        ],
        ("alias", "list"): [
            "@example.com                           ann@dest.example                       (disabled)",
            "info@example.com                       jane@dest.example, joe@dest.example    (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\u2026",
        ],
        ("sender", "list"): ["spam.example                           REJECT no thanks yyyyyyyyyyyyyyyyyyy\u2026"],
        ("destination", "list"): [
            "gone@dest.example                             suspended DD Mon hh:mm  550 5.1.1 user unknown 550 5.1.1 user unknown 55\u2026"
        ],
    },
}


def shown(*arguments: str, columns: int) -> list[str]:
    """The lines on a terminal, without our own colours."""
    return COLOUR.sub("", terminal(*arguments, columns=columns)).splitlines()


@pytest.fixture
def listening(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Another process finds the stack."""
    assert isinstance(office.cloud, CloudHere)
    monkeypatch.setenv("AWS_ENDPOINT_URL", office.cloud.listening())
    monkeypatch.setenv("POSTERN_DESTINATION_TABLE", office.template.name("DestinationTable"))
    return office


def rows(text: str) -> dict[str, list[dict[str, Any]]]:
    """Rows with so much of a text that no column holds it."""
    failing = {"address": "gone@dest.example", "suspended_at": 1_790_000_000, "reason": text}
    return {
        "AliasTable": [
            {"address": "info@example.com", "destinations": ["jane@dest.example", "joe@dest.example"], "note": text},
            {"address": "@example.com", "enabled": False, "destinations": ["ann@dest.example"]},
        ],
        "SenderTable": [{"sender": "spam.example", "scope": "*", "action": f"REJECT {text}"}],
        "DestinationTable": [{**failing, "failures": {f"1790000000 gone m {text}"}}],
    }


@pytest.mark.slow
@pytest.mark.long
def test_every_list_on_a_terminal(listening: Office) -> None:
    source = "a-rather-long-local-part@newsletters.shop.example"
    happened = (
        ("info@example.com", "forwarded", "alias info@example.com; gone@dest.example is suspended"),
        ("team@example.com", "quarantined", "spam FAIL " * 9),
    )
    listening.happened(*happened, message_id=MESSAGE, source=source)
    made = rows("x" * 70)
    made["SenderTable"][0]["action"] = "REJECT no thanks " + "y" * 90
    made["DestinationTable"][0]["reason"] = "550 5.1.1 user unknown " * 5
    for table, each in made.items():
        listening.cloud.put(table, each)
    try:
        for columns, lists in LISTS.items():
            for arguments, screen in lists.items():
                lines = [DATE.sub("DD Mon hh:mm", line).rstrip() for line in shown(*arguments, columns=columns)]
                assert lines == screen, (columns, arguments)
                assert max(map(len, lines)) <= columns
    finally:
        forget(listening)


@pytest.mark.slow
@pytest.mark.long
def test_what_strangers_write_does_not_act_on_a_terminal(listening: Office) -> None:
    """Beside our own colours there is nothing but what prints."""
    text = "\x1b[2J\x1b]0;owned\x07\x9b31m\x07\x08\u202eexe\U000e0041" * 3
    message_id = listening.happened(("team@example.com", "quarantined", text), source=f"{text}@evil.example")
    listening.happened(("x@example.com", "rejected", "unknown"), source=f"x@{text}.example")
    stats = ("stats", "--by", "sender")
    for table, each in rows(text).items():
        listening.cloud.put(table, each)
    try:
        for arguments in (*LISTS[80], stats, ("trace", message_id), ("quarantine", "show", message_id)):
            for columns in LISTS:
                lines = shown(*arguments, columns=columns)
                assert all(line.isprintable() for line in lines), arguments
                assert arguments != stats or (len(lines), max(map(len, lines))) == (2, columns)
    finally:
        forget(listening)


def forget(office: Office) -> None:
    """Take away the rows that `office` does not."""
    for table, each in rows("").items():
        names = ("sender", "scope") if table == "SenderTable" else ("address",)
        office.cloud.delete(table, [{name: one[name] for name in names} for one in each])
