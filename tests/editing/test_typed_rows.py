"""Rows typed by hand in the DynamoDB console: every form is read, listed, planned and exported alike."""

import time
from pathlib import Path
from typing import Any

import pytest
from postern_command.source import source
from postern_mail.mail.address import Address
from postern_mail.mail.aliases import Resolution, resolve, unread
from postern_mail.mail.rows import Rows

from .conftest import Desk

KEY = "info@example.com"
BOTH = ["jane@dest.example", "joe@dest.example"]
LATER = "4102444800"

# name: (attributes in DynamoDB's own JSON, state, destinations, what export writes)
FORMS: dict[str, tuple[dict[str, Any], str, list[str], str]] = {
    "list": ({"destinations": {"L": [{"S": one} for one in BOTH]}}, "enabled", BOTH, f"destinations = {BOTH}"),
    "string set": ({"destinations": {"SS": BOTH[::-1]}}, "enabled", BOTH, f"destinations = {BOTH}"),
    "commas": ({"destinations": {"S": ", ".join(BOTH)}}, "enabled", BOTH, f"destinations = {', '.join(BOTH)!r}"),
    "spaces and a comma too many": (
        {"destinations": {"S": f" {BOTH[0]} ,,{BOTH[1]}, "}}, "enabled", BOTH, f"destinations = ' {BOTH[0]} ,,{BOTH[1]}, '",
    ),
    "one": ({"destinations": {"S": BOTH[0]}}, "enabled", BOTH[:1], f"destinations = {BOTH[0]!r}"),
    "discard": ({"destinations": {"S": "discard:"}}, "enabled", ["discard:"], "destinations = 'discard:'"),
    "enabled, as a word": ({"destinations": {"S": BOTH[0]}, "enabled": {"S": "Yes"}}, "enabled", BOTH[:1], "enabled = 'Yes'"),
    "not, as a word": ({"destinations": {"S": BOTH[0]}, "enabled": {"S": " NO "}}, "disabled", BOTH[:1], "enabled = ' NO '"),
    "not, as a number": ({"destinations": {"S": BOTH[0]}, "enabled": {"N": "0"}}, "disabled", BOTH[:1], "enabled = 0"),
    "not": ({"destinations": {"S": BOTH[0]}, "enabled": {"BOOL": False}}, "disabled", BOTH[:1], "enabled = False"),
    "not, and nothing else": ({"enabled": {"BOOL": False}}, "disabled", [], "enabled = False"),
    "expired, a number": ({"destinations": {"S": BOTH[0]}, "expires_at": {"N": "17"}}, "expired", BOTH[:1], "expires_at = 17"),
    "expired, as text": ({"destinations": {"S": BOTH[0]}, "expires_at": {"S": " 17 "}}, "expired", BOTH[:1], "expires_at = ' 17 '"),
    "not yet": ({"destinations": {"S": BOTH[0]}, "expires_at": {"S": LATER}}, "enabled", BOTH[:1], f"expires_at = {LATER!r}"),
    "nulls": (
        {"destinations": {"S": BOTH[0]}, "expires_at": {"NULL": True}, "note": {"NULL": True}}, "enabled", BOTH[:1],
        f"destinations = {BOTH[0]!r}",
    ),
    "keep_tag as a word": ({"destinations": {"S": BOTH[0]}, "keep_tag": {"S": "on"}}, "enabled", BOTH[:1], "keep_tag = 'on'"),
}  # fmt: skip
FAULTS: dict[str, dict[str, Any]] = {
    "no destinations": {},
    "a number": {"destinations": {"N": "7"}},
    "no address": {"destinations": {"S": "jane"}},
    "a null among them": {"destinations": {"L": [{"S": BOTH[0]}, {"NULL": True}]}},
    "perhaps": {"destinations": {"S": BOTH[0]}, "enabled": {"S": "perhaps"}},
    "soon": {"destinations": {"S": BOTH[0]}, "expires_at": {"S": "soon"}},
}


@pytest.fixture(params=FORMS)
def typed(request: pytest.FixtureRequest, desk: Desk) -> tuple[str, list[str], str]:
    attributes, state, destinations, exported = FORMS[request.param]
    desk.type("AliasTable", {"address": {"S": KEY}, **attributes})
    return state, destinations, exported


def resolved(key: str) -> Resolution:
    """By the live tables, as mail is."""
    where, now, address = source(None, None), time.time(), Address.parse(key)
    rows = Rows()
    while keys := unread([address], rows, where.domains, now):
        rows.add(where.tables.read(keys, ()))
    return resolve(address, rows, where.domains, now)


def test_list_and_show(desk: Desk, typed: tuple[str, list[str], str]) -> None:
    state, destinations, _ = typed
    for command in (("list",), ("show", KEY)):
        (found,) = desk.run("alias", *command, "--json").objects
        assert (found["state"], found["fault"]) == (state, None)
        assert found["destinations"] == destinations
        assert found["enabled"] is (state != "disabled")
    assert desk.run("alias", "list").out.startswith(f"{KEY}  {', '.join(destinations)}")


def test_resolve(desk: Desk, typed: tuple[str, list[str], str]) -> None:
    state, destinations, _ = typed
    outcome = "discard" if destinations == ["discard:"] else "forward"
    found = resolved(KEY)
    assert found.outcome == (outcome if state == "enabled" else state)
    if found.outcome == "forward":
        assert [str(one) for one in found.destinations] == destinations


def test_export_is_a_file_that_changes_nothing(desk: Desk, typed: tuple[str, list[str], str], tmp_path: Path) -> None:
    text = desk.run("export").out
    flat = text.replace("\n    ", "").replace(",\n]", "]").replace('"', "'").replace("','", "', '")
    assert typed[2].replace("False", "false") in flat
    path = tmp_path / "tables.toml"
    path.write_text(text)
    done = desk.run("plan", path, "--check")
    assert (done.status, done.out) == (0, "nothing to change\n")
    before = desk.aliases()
    assert desk.run("apply", path).status == 0
    assert desk.aliases() == before


def test_a_plan_shows_how_another_form_is_written(
    desk: Desk, typed: tuple[str, list[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "tables.toml"
    path.write_text(f'[aliases."{KEY}"]\ndestinations = ["new@dest.example"]\n')
    (change,) = desk.run("plan", path, "--json").objects
    assert (change["change"], change["after"]) == ("change", {"destinations": ["new@dest.example"]})
    assert desk.run("apply", path).status == 0
    assert desk.aliases()[KEY]["destinations"] == ["new@dest.example"]


def test_editing_keeps_every_form(desk: Desk, typed: tuple[str, list[str], str]) -> None:
    before = desk.aliases()[KEY]
    assert desk.run("alias", "set", KEY, "--note", "new").status == 0
    after = desk.aliases()[KEY]
    assert {**before, "note": "new"} == {name: value for name, value in after.items() if name[:8] != "updated_"}


@pytest.mark.parametrize("attributes", FAULTS.values(), ids=FAULTS)
def test_a_row_that_cannot_be_understood_is_named_and_can_be_corrected(desk: Desk, attributes: dict[str, Any]) -> None:
    desk.type("AliasTable", {"address": {"S": KEY}, **attributes})
    (found,) = desk.run("alias", "list", "--json").objects
    assert (found["state"], KEY in found["fault"]) == ("fault", True)
    assert found["fault"] in desk.run("alias", "list").out
    assert found["fault"] in desk.run("alias", "show", KEY).out
    assert resolved(KEY).outcome == "error"
    done = desk.run("alias", "set", KEY, "--note", "x")
    assert (done.status, found["fault"] in done.err) == (1, True)
    mended = [desk.run("alias", *one) for one in (("set", KEY, "x@dest.example", "--no-expires"), ("enable", KEY))]
    assert 0 in [one.status for one in mended]
    assert resolved(KEY).outcome == "forward"


@pytest.mark.parametrize(
    ("item", "state"),
    [
        ({"action": {"S": " reject  no thanks "}, "note": {"NULL": True}}, None),
        ({"action": {"N": "7"}}, "fault"),
        ({}, "fault"),
    ],
)
def test_sender_rules(desk: Desk, tmp_path: Path, item: dict[str, Any], state: str | None) -> None:
    desk.type("SenderTable", {"sender": {"S": "spam.example"}, "scope": {"S": "*"}, **item})
    (found,) = desk.run("sender", "list", "--json").objects
    assert bool(found["fault"]) == bool(state)
    path = tmp_path / "tables.toml"
    path.write_text(desk.run("export").out)
    assert desk.run("plan", path, "--check").status == (1 if state else 0)


@pytest.mark.parametrize(
    "key", ["@spam.example", "*.spam.example", "*@mx.spam.example", "Spam.Example", ".spam.example"]
)
def test_screen_names_a_live_rule_that_no_look_up_asks_for(desk: Desk, key: str) -> None:
    desk.type("SenderTable", {"sender": {"S": key}, "scope": {"S": "*"}, "action": {"S": "REJECT"}})
    done = desk.run("screen", "x@mx.Spam.Example")
    assert "x@mx.Spam.Example: DUNNO" in done.out
    assert f"warning: sender rule {key}: no look-up uses this key" in done.err
    assert desk.run("screen", "x@other.example").err == ""


@pytest.mark.parametrize("key", ["*@example.com", "example.com", "Info@Example.com", "*.example.com"])
def test_resolve_names_a_live_alias_that_no_look_up_asks_for(desk: Desk, key: str) -> None:
    desk.type("AliasTable", {"address": {"S": key}, "destinations": {"L": [{"S": "jane@dest.example"}]}})
    done = desk.run("resolve", "Info@Example.com")
    assert "Info@Example.com: unknown" in done.out
    assert f"warning: alias {key}: no look-up uses this key" in done.err
