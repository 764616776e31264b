"""`postern contact`, and what stands in the way of reply addresses."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postern_mail.aws.forward.contacts import CONTACTS

from tests.command import Done

from .conftest import FILE, Desk

INFO, BETSY = "info@example.com", "betsy@sender.example"


@pytest.fixture
def contacts(desk: Desk) -> Iterator[Any]:
    """The command, with the ledger, which keeps the rows."""

    def run(*arguments: str) -> Done:
        return desk.run(*arguments, POSTERN_LEDGER_TABLE=desk.template.name("LedgerTable"))

    assert run("alias", "add", INFO, "jane@dest.example", "--reply", "author", "--name", "Shop").status == 0
    yield run
    rows = desk.cloud.partition("LedgerTable", message_id=CONTACTS)
    desk.cloud.delete("LedgerTable", [{"message_id": CONTACTS, "entry": row["entry"]} for row in rows])


def test_the_address_to_write_to_is_printed_and_stays_the_same(contacts: Any) -> None:
    first = contacts("contact", "add", INFO, BETSY, "--name", "Betsy")
    assert re.fullmatch(r"reply\+[a-z2-7]{26}@example\.com\n", first.out)
    assert contacts("contact", "add", "Info@Example.com", "BETSY@sender.example").out == first.out
    (line,) = contacts("contact", "list", INFO).out.splitlines()
    assert line.startswith(f"{INFO}  {BETSY}  {first.out.strip()}  last used ")
    assert json.loads(contacts("contact", "list", "--json").out)["name"] == "Betsy"
    assert contacts("contact", "list", "sales@example.com").err == "nothing to list\n"


def test_an_address_that_is_removed_is_never_made_again(contacts: Any) -> None:
    first = contacts("contact", "add", INFO, BETSY).out
    assert contacts("contact", "remove", INFO, BETSY).status == 0
    assert contacts("contact", "remove", INFO, BETSY).status == 1
    assert contacts("contact", "list").out.rstrip().endswith("  revoked")
    assert contacts("contact", "add", INFO, BETSY).out != first


@pytest.mark.parametrize(
    ("alias", "said"), [("sales@example.com", "leads nowhere"), ("team@example.com", "takes no replies")]
)
def test_no_one_writes_from_an_alias_that_takes_no_replies(contacts: Any, alias: str, said: str) -> None:
    contacts("alias", "add", "team@example.com", "joe@dest.example")
    done = contacts("contact", "add", alias, BETSY)
    assert (done.status, said in done.err) == (1, True)
    assert contacts("contact", "add", INFO, "nonsense").status == 2


def test_no_alias_may_have_the_name_of_reply_addresses(contacts: Any) -> None:
    for key in ("reply@example.com", "reply+x@example.org"):
        done = contacts("alias", "add", key, "jane@dest.example")
        assert (done.status, "replies are on" in done.err) == (1, True)
    assert contacts("settings", "set", "reply_local_part", "info").status == 1
    assert contacts("alias", "add", "replying@example.com", "jane@dest.example").status == 0


def test_replies_are_not_turned_on_where_a_row_or_a_pattern_has_the_name(desk: Desk) -> None:
    desk.type("AliasTable", {"address": {"S": "reply@example.com"}, "destinations": {"S": "jane@dest.example"}})
    assert desk.run("settings", "set", "reply", "author").status == 1
    assert desk.run("alias", "add", INFO, "jane@dest.example", "--reply", "author").status == 1
    assert desk.run("settings", "set", "reply_local_part", "answer").status == 0
    assert desk.run("settings", "set", "reply", "author").status == 0
    pattern = {"M": {"pattern": {"S": "ans.*"}, "destinations": {"S": "jane@dest.example"}}}
    desk.type("AliasTable", {"address": {"S": "@example.org"}, "patterns": {"L": [pattern]}})
    assert desk.run("settings", "set", "reply_local_part", "ans").status == 1


@pytest.mark.parametrize(
    "options", [["--reply", "all"], ["--also-from", "nonsense"], ["--name", "x@y"], ["--name", "x" * 61]]
)
def test_what_cannot_be_understood_is_not_written(desk: Desk, options: list[str]) -> None:
    assert desk.run("alias", "add", INFO, "jane@dest.example", *options).status == 1


def test_set_and_unset(contacts: Any, desk: Desk) -> None:
    assert contacts("alias", "set", INFO, "--also-from", "jane@work.example", "--reply", "off").status == 0
    assert (desk.aliases()[INFO]["also_from"], desk.aliases()[INFO]["reply"]) == (["jane@work.example"], "off")
    assert contacts("alias", "set", INFO, "--also-from", "", "--reply", "", "--name", "").status == 0
    assert not {"also_from", "reply", "name"} & desk.aliases()[INFO].keys()


def test_a_tables_file_has_them_too(contacts: Any, tmp_path: Path) -> None:
    rows = '[aliases."info@example.com"]\ndestinations = ["jane@dest.example"]\nreply = "author"\nname = "Shop"\n'
    path = tmp_path / "tables.toml"
    path.write_text(FILE.partition("\n[")[0] + "\n" + rows)
    assert contacts("plan", path, "--check").status == 0, "export and apply know the attributes"
    path.write_text(path.read_text() + '[aliases."reply@example.com"]\ndestinations = ["jane@dest.example"]\n')
    assert "replies are on" in contacts("apply", path).err
