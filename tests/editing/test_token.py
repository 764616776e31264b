"""`postern token` on the alias table of moto's DynamoDB."""

import re
import time

import pytest
from postern_mail.mail.token import ROWS, Token, key_of

from .conftest import Desk

ADD = ("token", "add", "phone", "--domain", "example.com", "--to", "jane@dest.example")


def test_a_token_is_shown_once_and_kept_as_its_hash(desk: Desk) -> None:
    done = desk.run(*ADD, "--limit", "7", POSTERN_ALIAS_API_URL="https://abc.lambda-url.eu-west-1.on.aws/")
    assert (done.status, done.err) == (
        0,
        "This is token phone, shown only once; the server is https://abc.lambda-url.eu-west-1.on.aws\n",
    )
    text = done.out.strip()
    assert re.fullmatch("postern[A-Za-z0-9]{43}", text)
    ((key, row),) = desk.aliases().items()
    assert (key, text in str(row)) == (key_of(text), False)
    token = Token.from_row(key, row)
    assert (token.name, token.domain, token.destinations, token.daily) == (
        "phone",
        "example.com",
        ("jane@dest.example",),
        7,
    )
    assert time.time() - 60 < token.created_at <= time.time()
    shown = desk.run("token", "list")
    assert shown.out.startswith("phone  example.com  jane@dest.example  7 a day, since 20")
    assert text not in shown.out
    (listed,) = desk.run("token", "list", "--json").objects
    assert (listed["name"], key in str(listed)) == ("phone", False)


def test_a_token_is_no_alias(desk: Desk) -> None:
    desk.run(*ADD)
    assert desk.run("alias", "list").err == "nothing to list\n"
    assert ROWS not in desk.run("export").out
    assert desk.run("alias", "show", next(iter(desk.aliases()))).status == 2


def test_a_token_that_is_removed_is_gone_and_its_aliases_stay(desk: Desk) -> None:
    desk.run(*ADD)
    alias = {"address": "a@example.com", "destinations": ["jane@dest.example"], "made_by": "token phone"}
    desk.cloud.put("AliasTable", [alias])
    assert desk.run("token", "remove", "phone", "--dry-run").out.startswith("token phone would be removed")
    assert len(desk.aliases()) == 2
    done = desk.run("token", "remove", "phone")
    assert (done.status, done.out) == (0, "token phone is removed; the aliases that it created stay\n")
    assert desk.aliases() == {"a@example.com": alias}
    assert desk.run("token", "remove", "phone").status == 1
    assert "a@example.com" in desk.run("alias", "list", "token phone").out


def test_a_dry_run_makes_none(desk: Desk) -> None:
    assert desk.run(*ADD, "--dry-run").out == "token phone would be created\n"
    (said,) = desk.run(*ADD, "--dry-run", "--json").objects
    assert (said["written"], "token" in said) == (False, False)
    assert desk.aliases() == {}


def test_programs_get_the_token_beside_what_it_is_for(desk: Desk) -> None:
    (said,) = desk.run(*ADD, "--json").objects
    assert (said["name"], said["domain"], said["destinations"], said["daily"], said["url"]) == (
        "phone",
        "example.com",
        ["jane@dest.example"],
        50,
        None,
    )
    assert key_of(said["token"]) in desk.aliases()


def test_without_a_server_it_says_so(desk: Desk) -> None:
    assert "no server accepts it yet: deploy with AliasApi true" in desk.run(*ADD).err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("phone",), 1, "token phone already exists"),
        (("phone\x1b[2J",), 2, "a name is up to 40 letters"),
        (("x" * 41,), 2, "a name is up to 40 letters"),
        (("tablet", "--domain", "other.example"), 1, "other.example is not one of our domains"),
        (("tablet", "--to", "jane"), 1, "destination 'jane' is not a mail address"),
        (("tablet", "--limit", "0"), 2, "--limit"),
        (("tablet", "--limit", "1001"), 2, "--limit"),
    ],
)
def test_what_would_make_no_good_aliases_is_refused(
    desk: Desk, arguments: tuple[str, ...], status: int, said: str
) -> None:
    desk.run(*ADD)
    done = desk.run("token", "add", *arguments, "--domain", "example.com", *ADD[5:], *arguments[1:])
    assert (done.status, said in done.err) == (status, True), done.err
    assert len(desk.aliases()) == 1


def test_a_domain_is_named_where_there_are_several(desk: Desk) -> None:
    done = desk.run(*ADD[:3], *ADD[5:])
    assert (done.status, "Give --domain, one of example.com, example.org" in done.err) == (2, True)
    assert desk.run(*ADD[:3], *ADD[5:], POSTERN_DOMAINS="example.org").status == 0


def test_a_domain_is_kept_as_look_ups_have_it(desk: Desk) -> None:
    domains = {"POSTERN_DOMAINS": "bücher.example"}
    for number, more in enumerate(([], ["--domain", "Bücher.example"], ["--domain", "xn--bcher-kva.example"])):
        done = desk.run("token", "add", f"t{number}", "--to", "jane@dest.example", *more, **domains)
        assert done.status == 0, done.err
    assert {row["domain"] for row in desk.aliases().values()} == {"xn--bcher-kva.example"}


def test_a_warning_says_where_its_aliases_would_lead_to_nothing(desk: Desk) -> None:
    done = desk.run(*ADD[:5], "--to", "nobody@example.com")
    assert (done.status, "warning: " in done.err) == (0, True)


def test_a_row_that_cannot_be_understood_is_listed_and_can_be_removed(desk: Desk) -> None:
    desk.cloud.put("AliasTable", [{"address": f"{ROWS}abc", "name": "old"}])
    assert desk.run("token", "list").out.startswith("old")
    assert desk.run("token", "remove", "old").status == 0
    assert desk.aliases() == {}
