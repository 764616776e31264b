"""`postern sender` on the tables of moto's DynamoDB."""

import pytest

from .conftest import Desk
from .test_changes import ARN

SPAM = ("spam.example", "*")


def test_add_and_remove(desk: Desk) -> None:
    done = desk.run("sender", "add", "Spam.example", "REJECT no thanks", "--note", "why")
    assert (done.status, done.err) == (0, "")
    assert done.out == '+ sender rule spam.example\n+   action = "REJECT no thanks"\n+   note = "why"\n'
    written = desk.senders()[SPAM]
    assert written.pop("updated_at")
    assert written == {
        "sender": "spam.example", "scope": "*", "action": "REJECT no thanks", "note": "why", "updated_by": ARN,
    }  # fmt: skip
    assert desk.run("sender", "remove", "SPAM.example").status == 0
    assert desk.senders() == {}
    done = desk.run("sender", "remove", "spam.example")
    assert (done.status, done.err) == (1, "postern: there is no sender rule spam.example\n")


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("<>", "<>"),
        ("User@", "user@"),
        ("User+Tag@Bücher.example", "user+tag@xn--bcher-kva.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_keys_are_written_as_they_are_looked_up(desk: Desk, typed: str, key: str) -> None:
    assert desk.run("sender", "add", typed, "OK", "--scope", "Info@example.com").status == 0
    assert set(desk.senders()) == {(key, "info@example.com")}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("@spam.example", "@domain is not a key of access(5); write spam.example"),
        ("*.spam.example", "* has no meaning within a key; write spam.example"),
        ("*@spam.example", "* has no meaning within a key; write spam.example"),
        (".spam.example", "a domain's key also matches its subdomains; write spam.example"),
        ("192.0.2.7", "a network is not a sender"),
        ("192.0.2.0/24", "a network is not a sender"),
        ("2001:db8::/32", "a network is not a sender"),
        ("jane doe", "this is neither an address nor a domain nor user@"),
    ],
)
def test_a_key_that_no_look_up_asks_for_is_refused(desk: Desk, typed: str, said: str) -> None:
    done = desk.run("sender", "add", typed, "REJECT")
    assert (done.status, desk.senders()) == (1, {})
    assert "no look-up uses this key: " in done.err
    assert said in done.err


def test_in_the_other_style_the_dot_is_asked_for(desk: Desk) -> None:
    dot = {"POSTERN_PARENT_DOMAIN_MATCHES_SUBDOMAINS": "false"}
    assert desk.run("sender", "add", ".Bücher.example", "REJECT", **dot).status == 0
    assert set(desk.senders()) == {(".xn--bcher-kva.example", "*")}
    assert "write .spam.example" in desk.run("sender", "add", "*.spam.example", "REJECT", **dot).err


def test_remove_names_the_scope_that_has_the_rule(desk: Desk) -> None:
    desk.cloud.put("AliasTable", [{"address": "info@example.com", "destinations": ["x@dest.example"]}])
    desk.run("sender", "add", "joe@gmail.example", "REJECT", "--scope", "info@example.com")
    done = desk.run("sender", "remove", "joe@gmail.example")
    assert done.status == 1
    assert done.err == (
        "postern: there is no sender rule joe@gmail.example; there is one for info@example.com (--scope)\n"
    )


def test_what_is_there_is_changed_only_if_asked_for(desk: Desk) -> None:
    desk.run("sender", "add", "spam.example", "REJECT", "--note", "mine")
    done = desk.run("sender", "add", "spam.example", "OK")
    assert (done.status, "already exists; --replace changes it" in done.err) == (1, True)
    done = desk.run("sender", "add", "spam.example", "OK", "--replace")
    assert done.out == '~ sender rule spam.example\n-   action = "REJECT"\n+   action = "OK"\n'
    assert desk.senders()[SPAM]["note"] == "mine"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("spam.example", "SPAM"), 1, "senders row 'spam.example in scope *': action 'SPAM'"),
        (("spam.example", "OK", "--scope", "a@other.example"), 1, "the scope is neither * nor an alias: other.example"),
        (("", "OK"), 2, "an empty sender; the null sender is <>"),
        (("spam.example", "OK", "--scope", "nonsense"), 2, "'nonsense': this is neither a mail address nor @domain"),
    ],
)
def test_add_refuses_what_is_not_valid(desk: Desk, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = desk.run("sender", "add", *arguments)
    assert (done.status, done.out, desk.senders()) == (status, "", {})
    assert said in done.err


def test_a_rule_for_no_alias_is_warned_about(desk: Desk) -> None:
    arguments = ("sender", "add", "spam.example", "OK", "--scope", "info@example.com")
    assert "warning: sender rule spam.example for info@example.com: there is no such alias" in desk.run(*arguments).err
    desk.clear()
    desk.run("alias", "add", "info@example.com", "x@dest.example")
    assert desk.run(*arguments).err == ""


def test_a_dry_run_writes_nothing(desk: Desk) -> None:
    (dry,) = desk.run("sender", "add", "spam.example", "OK", "--dry-run", "--json").objects
    assert (dry["written"], dry["after"], desk.senders()) == (False, {"action": "OK"}, {})


@pytest.fixture
def many(desk: Desk) -> Desk:
    rows = [
        {"sender": "b.example", "scope": "*", "action": "REJECT no"},
        {"sender": "a.example", "scope": "*", "action": "OK", "note": "Friend"},
        {"sender": "a.example", "scope": "info@example.com", "action": "DISCARD"},
        {"sender": "Bad.example", "scope": "*", "action": "OK"},
        {"sender": "c.example", "scope": "*", "action": "what"},
    ]
    desk.cloud.put("SenderTable", rows)
    return desk


def test_list(many: Desk) -> None:
    lines = many.run("sender", "list").out.splitlines()
    assert (
        lines[0]
        == "Bad.example  OK  (sender rule Bad.example: no look-up uses this key: keys are in lower case, domains as"
        " A-labels; write bad.example)"
    )
    assert lines[1:3] == ["a.example  OK  (Friend)", "b.example  REJECT no"]
    assert lines[3].startswith("c.example  what  (senders row 'c.example in scope *': action 'what'")
    assert lines[4:] == ["a.example  DISCARD  (for info@example.com)"]
    objects = many.run("sender", "list", "--json").objects
    assert objects[1] == {"sender": "a.example", "scope": "*", "action": "OK", "note": "Friend", "fault": None}
    assert objects[3]["fault"]
    assert many.run("sender", "remove", "Bad.example").status == 0


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("a.ex",), [("a.example", "*"), ("a.example", "info@example.com")]),
        (("friend",), [("a.example", "*")]),
        (("reject",), [("b.example", "*")]),
        (("--scope", "INFO@example.com"), [("a.example", "info@example.com")]),
        (("--scope", "*", "a.ex"), [("a.example", "*")]),
        (("--after", "b.example"), [("c.example", "*"), ("a.example", "info@example.com")]),
        (("--after", "c.example *"), [("a.example", "info@example.com")]),
        (("--after", "a.example info@example.com"), []),
    ],
)
def test_list_filters_and_pages(many: Desk, arguments: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    objects = many.run("sender", "list", "--json", *arguments).objects
    assert [(one["sender"], one["scope"]) for one in objects] == found


def test_list_says_how_to_go_on(many: Desk) -> None:
    assert many.run("sender", "list", "--limit", 4).err == "there are more: --after 'c.example *'\n"


def test_a_rule_of_a_link_is_listed_as_what_it_is_and_replaced_as_any_other(desk: Desk) -> None:
    """It has `reject` in place of an action: what writes it may write nothing else (docs/links.md)."""
    made = {"scope": "*", "made_by": "link", "updated_by": "link"}
    desk.cloud.put("SenderTable", [{"sender": "a@x.example", "reject": "", **made}])
    desk.cloud.put("SenderTable", [{"sender": "b@x.example", "reject": "no thanks", **made}])
    desk.cloud.put("SenderTable", [{"sender": "c@x.example", "reject": "", "action": "OK", **made}])
    lines = desk.run("sender", "list").out.splitlines()
    assert [line.split("  ")[1].partition(" (")[0] for line in lines] == ["REJECT", "REJECT no thanks", "OK"]
    assert "it has both action and reject" in lines[2]
    assert len(desk.run("sender", "list", "reject").out.splitlines()) == 2
    assert [one["action"] for one in desk.run("sender", "list", "--json").objects] == [
        "REJECT",
        "REJECT no thanks",
        "OK",
    ]
    assert desk.run("sender", "add", "a@x.example", "OK").status == 1
    assert desk.run("sender", "add", "a@x.example", "OK", "--replace").status == 0
    row = desk.senders()["a@x.example", "*"]
    assert (row["action"], "reject" in row, "made_by" in row) == ("OK", False, False)
    assert desk.run("sender", "remove", "b@x.example").status == 0
