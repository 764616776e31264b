"""`postern alias` on the tables of moto's DynamoDB."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Desk
from .test_changes import ARN, Meddling, meddling  # noqa: F401 (a fixture)

INFO = "info@example.com"


@pytest.fixture
def info(desk: Desk) -> Desk:
    """One alias, added by command."""
    assert desk.run("alias", "add", INFO, "jane@dest.example").status == 0
    return desk


def row(desk: Desk, key: str = INFO) -> dict[str, Any]:
    """A row without who wrote it and when."""
    return {name: value for name, value in desk.aliases()[key].items() if not name.startswith("updated_")}


def test_add(desk: Desk) -> None:
    before = int(time.time())
    done = desk.run(
        "alias", "add", "Info@Example.com", "Jane@dest.example", "@dest.example", "discard:",
        "--keep-tag", "--expires", "2100-01-01", "--note", "hello",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "+ alias info@example.com",
        '+   destinations = ["Jane@dest.example", "@dest.example", "discard:"]',
        "+   expires_at = 2100-01-01 00:00:00 UTC",
        "+   keep_tag = true",
        '+   note = "hello"',
    ]
    (written,) = desk.aliases().values()
    assert before <= written.pop("updated_at") <= time.time()
    assert written.pop("updated_by") == ARN
    assert written == {
        "address": INFO,
        "destinations": ["Jane@dest.example", "@dest.example", "discard:"],
        "expires_at": 4102444800,
        "keep_tag": True,
        "note": "hello",
    }


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("INFO+News@example.com", "info+news@example.com"),
        ("@Example.com", "@example.com"),
        ("info@bücher.example", "info@xn--bcher-kva.example"),
        ("@bücher.example", "@xn--bcher-kva.example"),
    ],
)
def test_keys_are_written_as_they_are_looked_up(desk: Desk, typed: str, key: str) -> None:
    domains = "example.com,bücher.example"
    assert desk.run("alias", "add", typed, "x@dest.example", POSTERN_DOMAINS=domains).status == 0
    assert set(desk.aliases()) == {key}
    assert desk.run("alias", "show", typed, POSTERN_DOMAINS=domains).out.startswith(f"alias {key}\n")


def test_add_refuses_what_is_there_and_names_set(info: Desk) -> None:
    done = info.run("alias", "add", INFO, "joe@dest.example")
    assert (done.status, done.out) == (1, "")
    assert done.err == "postern: alias info@example.com already exists; `postern alias set` changes it\n"
    assert row(info)["destinations"] == ["jane@dest.example"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (
            ("info@other.example", "x@dest.example"),
            1,
            "other.example is not one of our domains, which are example.com, example.org",
        ),
        ((INFO, "nonsense"), 1, "aliases row 'info@example.com': destination 'nonsense' is not a mail address"),
        (("nonsense", "x@dest.example"), 2, "'nonsense': this is neither a mail address nor @domain"),
        ((INFO, "x@dest.example", "--expires", "soon"), 2, "'soon' is not a time: write 2027-01-31"),
        ((INFO, "x@dest.example", "--expires", "17"), 2, "'17' is not a time: write 2027-01-31"),
        ((INFO,), 2, "destinations"),
        (("", "x@dest.example"), 2, "'': this is neither"),
    ],
)
def test_add_refuses_what_is_not_valid(desk: Desk, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = desk.run("alias", "add", *arguments)
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert desk.aliases() == {}


@pytest.fixture
def _time_zone() -> Iterator[None]:
    yield
    time.tzset()


@pytest.mark.usefixtures("_time_zone")
@pytest.mark.parametrize("typed", ["1800000000", "2027-01-15T08:00:00Z", "2027-01-15T10:00+02:00", "2027-01-15T08:00"])
def test_forms_of_a_time(desk: Desk, typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")  # where someone works is not what a row means
    time.tzset()
    assert desk.run("alias", "add", INFO, "x@dest.example", "--expires", typed).status == 0
    assert row(desk)["expires_at"] == 1800000000


def test_a_loop_is_refused_naming_the_chain(info: Desk) -> None:
    assert info.run("alias", "add", "b@example.org", INFO).status == 0
    done = info.run("alias", "set", INFO, "b@example.org")
    assert (done.status, done.out) == (1, "")
    assert "alias info@example.com: alias loop: info@example.com -> b@example.org -> info@example.com" in done.err
    assert row(info)["destinations"] == ["jane@dest.example"]
    assert info.run("alias", "add", "self@example.com", "self@example.com", "x@dest.example").status == 0


def test_what_leads_nowhere_is_warned_about(desk: Desk) -> None:
    done = desk.run("alias", "add", INFO, "gone@example.com", "x@dest.example")
    assert done.status == 0
    assert done.err == "postern: warning: alias info@example.com: gone@example.com is unknown\n"
    assert set(desk.aliases()) == {INFO}
    assert desk.run("alias", "add", "b@example.com", INFO).err.endswith(
        "alias b@example.com: gone@example.com is unknown\n"
    )


def test_set_changes_what_is_named_and_nothing_else(desk: Desk) -> None:
    typed = {
        "address": {"S": INFO}, "destinations": {"S": "jane@dest.example, joe@dest.example"}, "enabled": {"S": "No"},
        "expires_at": {"S": "1800000000"}, "x_colour": {"S": "mauve"}, "gone": {"NULL": True},
    }  # fmt: skip
    desk.type("AliasTable", typed)
    done = desk.run("alias", "set", INFO, "--note", "new", "--keep-tag")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == ["~ alias info@example.com", "+   keep_tag = true", '+   note = "new"']
    assert row(desk) == {
        "address": INFO, "destinations": "jane@dest.example, joe@dest.example", "enabled": "No", "expires_at": "1800000000",
        "x_colour": "mauve", "gone": None, "keep_tag": True, "note": "new",
    }  # fmt: skip
    assert desk.run("alias", "set", INFO, "--no-keep-tag", "--note", "", "--no-expires").status == 0
    assert {"keep_tag", "note", "expires_at"}.isdisjoint(row(desk))


@pytest.mark.parametrize(
    ("name", "meant"), [("enabeld", "enabled"), ("destination", "destinations"), ("Enabled", "enabled")]
)
def test_an_attribute_that_is_unknown_is_named_and_can_be_taken_away(desk: Desk, name: str, meant: str) -> None:
    """Mail went on to someone who was switched off, because `enabled` was misspelt."""
    desk.type("AliasTable", {"address": {"S": INFO}, "destinations": {"S": "jane@dest.example"}, name: {"BOOL": False}})
    said = f"aliases row 'info@example.com': unknown attribute {name!r} ({meant}?)"
    assert said in desk.run("alias", "list").out
    assert said in desk.run("alias", "show", INFO).out
    assert said in desk.run("doctor").out
    assert said in desk.run("resolve", INFO).out
    done = desk.run("alias", "set", INFO, "--note", "x")
    assert (done.status, said in done.err) == (1, True)
    assert desk.run("alias", "set", INFO, "--unset", name).status == 0
    assert row(desk) == {"address": INFO, "destinations": "jane@dest.example"}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("info@exmaple.com", "write info@example.com"),
        ("*@example.com", "* has no meaning in a key; write @example.com"),
        ("*.example.com", "this is neither a mail address nor @domain; write @example.com"),
        (".example.com", "this is neither a mail address nor @domain; write @example.com"),
    ],
)
def test_the_key_that_is_meant_is_named(desk: Desk, typed: str, said: str) -> None:
    done = desk.run("alias", "add", typed, "jane@dest.example")
    assert (done.status in {1, 2}, said in done.err, desk.aliases()) == (True, True, {})


@pytest.mark.parametrize("key", ["con5@exmaple.com", "Info@example.com", "*@example.com"])
def test_rows_that_no_look_up_asks_for_are_named(desk: Desk, key: str) -> None:
    desk.type("AliasTable", {"address": {"S": key}, "destinations": {"S": "jane@dest.example"}})
    said = f"alias {key}: no look-up uses this key: "
    assert said in desk.run("alias", "list").out
    assert said in desk.run("doctor").out


def test_a_domain_as_people_read_it_is_asked_for(desk: Desk) -> None:
    desk.type("AliasTable", {"address": {"S": "info@bücher.example"}, "destinations": {"S": "jane@dest.example"}})
    ours = {"POSTERN_DOMAINS": "bücher.example"}
    assert desk.run("alias", "list", **ours).out == "info@bücher.example  jane@dest.example\n"


def test_a_time_that_is_no_good_is_named(desk: Desk) -> None:
    done = desk.run("alias", "add", INFO, "jane@dest.example", "--expires", "2020-01-01")
    assert (done.status, "it has expired, 2020-01-01" in done.err) == (0, True)
    milliseconds = {"address": {"S": "b@example.com"}, "destinations": {"S": "j@dest.example"}}
    desk.type("AliasTable", {**milliseconds, "expires_at": {"N": "1795701243000"}})
    assert "found 1795701243000, which would be milliseconds" in desk.run("alias", "list").out


def test_remove_says_who_gets_the_mail_then_and_only_if_someone_does(desk: Desk) -> None:
    """The domain has patterns and no catch-all: no one gets it."""
    pattern = {"M": {"pattern": {"S": "sales-.*"}, "destinations": {"S": "s@dest.example"}}}
    desk.type("AliasTable", {"address": {"S": "@example.com"}, "patterns": {"L": [pattern]}})
    for key in ("hello@example.com", "sales-1@example.com"):
        desk.run("alias", "add", key, "x@dest.example")
    assert desk.run("alias", "remove", "hello@example.com").err == ""
    assert "now goes by @example.com" in desk.run("alias", "remove", "sales-1@example.com").err
    assert desk.run("alias", "list").out == "@example.com    (patterns sales-.*)\n"


def test_set_destinations(desk: Desk) -> None:
    desk.type("AliasTable", {"address": {"S": INFO}, "destinations": {"S": "jane@dest.example, Joe@dest.example"}})
    assert desk.run("alias", "set", INFO, "--add", "x@dest.example", "--add", "JANE@dest.example").status == 0
    assert row(desk)["destinations"] == ["jane@dest.example", "Joe@dest.example", "x@dest.example"]
    assert desk.run("alias", "set", INFO, "--drop", "joe@Dest.example").status == 0
    assert row(desk)["destinations"] == ["jane@dest.example", "x@dest.example"]
    done = desk.run("alias", "set", INFO, "--drop", "joe@dest.example")
    assert (done.status, done.err) == (1, "postern: joe@dest.example is not a destination of alias info@example.com\n")
    assert desk.run("alias", "set", INFO, "a@dest.example", "b@dest.example").status == 0
    assert row(desk)["destinations"] == ["a@dest.example", "b@dest.example"]
    done = desk.run("alias", "set", INFO, "--drop", "a@dest.example", "--drop", "b@dest.example")
    assert (done.status, "it has no destinations" in done.err) == (1, True)


@pytest.mark.parametrize(
    "arguments", [(), ("x@dest.example", "--add", "y@dest.example"), ("--expires", "2100-01-01", "--no-expires")]
)
def test_set_used_wrongly(info: Desk, arguments: tuple[str, ...]) -> None:
    assert info.run("alias", "set", INFO, *arguments).status == 2


@pytest.mark.parametrize("command", [("set", "--note", "x"), ("remove",), ("enable",), ("disable",), ("show",)])
def test_an_alias_that_is_not_there(desk: Desk, command: tuple[str, ...]) -> None:
    done = desk.run("alias", *command, INFO)
    assert (done.status, done.out) == (1, "")
    assert "postern: there is no alias info@example.com" in done.err


def test_an_empty_address_is_a_usage_error(desk: Desk) -> None:
    assert desk.run("alias", "show", "").status == 2


def test_disable_and_enable_give_the_same_row(info: Desk) -> None:
    before = row(info)
    assert info.run("alias", "disable", INFO).out == "~ alias info@example.com\n+   enabled = false\n"
    assert row(info) == {**before, "enabled": False}
    assert info.run("alias", "enable", INFO).status == 0
    assert row(info) == before


def test_nothing_to_change_is_not_written(info: Desk) -> None:
    info.cloud.put("AliasTable", [{**info.aliases()[INFO], "updated_at": 7}])
    assert info.run("alias", "enable", INFO).out == "alias info@example.com: nothing to change\n"
    assert info.run("alias", "set", INFO, "jane@dest.example").status == 0
    assert info.aliases()[INFO]["updated_at"] == 7


def test_remove_says_who_gets_the_mail_then(info: Desk) -> None:
    assert info.run("alias", "add", "@example.com", "all@dest.example").status == 0
    done = info.run("alias", "remove", INFO)
    assert (done.status, done.out) == (0, '- alias info@example.com\n-   destinations = ["jane@dest.example"]\n')
    assert "warning: mail to info@example.com now goes by @example.com" in done.err
    assert set(info.aliases()) == {"@example.com"}
    assert info.run("alias", "remove", "@example.com").err == ""


@pytest.mark.parametrize("command", [("set", INFO, "x@dest.example"), ("remove", INFO), ("disable", INFO), ("add", "b@example.com", "x@y.example")])  # fmt: skip
def test_a_dry_run_shows_the_same_and_writes_nothing(info: Desk, command: tuple[str, ...]) -> None:
    before = info.aliases()
    dry = info.run("alias", *command, "--dry-run")
    assert (dry.status, info.aliases()) == (0, before)
    assert info.run("alias", *command).out == dry.out != ""
    assert info.aliases() != before


def test_as_json(info: Desk) -> None:
    change = {"change": "change", "table": "aliases", "address": INFO}
    (dry,) = info.run("alias", "set", INFO, "gone@example.org", "--json", "--dry-run").objects
    assert dry == {
        **change,
        "before": {"destinations": ["jane@dest.example"]},
        "after": {"destinations": ["gone@example.org"]},
        "warnings": ["alias info@example.com: gone@example.org is unknown"],
        "written": False,
    }
    (done,) = info.run("alias", "set", INFO, "gone@example.org", "--json").objects
    assert done == {**dry, "written": True}


@pytest.mark.parametrize("command", [("set", "--note", "mine"), ("remove",), ("disable",)])
def test_a_row_that_is_edited_meanwhile_is_not_written_over(
    info: Desk,
    meddling: type[Meddling],  # noqa: F811 (the fixture)
    command: tuple[str, ...],
) -> None:
    theirs = {**info.aliases()[INFO], "note": "theirs"}
    meddling.meddle = lambda _: info.cloud.put("AliasTable", [theirs])
    done = info.run("alias", *command, INFO)
    assert (done.status, done.out) == (1, "")
    assert done.err == "postern: alias info@example.com: changed by someone else meanwhile; check it, and try again\n"
    assert info.aliases()[INFO] == theirs


def test_show(info: Desk) -> None:
    info.run("alias", "set", INFO, "--expires", "2020-01-01", "--note", "two\nlines\x1b[2J")
    lines = info.run("alias", "show", "INFO@example.com").out.splitlines()
    assert lines[:2] == ["alias info@example.com", '  destinations = ["jane@dest.example"]']
    assert lines[2] == "  expires_at = 2020-01-01 00:00:00 UTC"
    assert "expired" in lines
    assert lines[-1].startswith("updated 20")
    assert lines[-1].endswith(f" UTC by {ARN}")
    listed = info.run("alias", "list").out
    assert listed == "info@example.com  jane@dest.example  (expired; two\\nlines\\x1b[2J)\n"
    assert "\x1b" not in "".join(lines)
    (shown,) = info.run("alias", "show", INFO, "--json").objects
    assert (shown["state"], shown["fault"], shown["updated_by"]) == ("expired", None, ARN)


@pytest.fixture
def many(desk: Desk) -> Desk:
    rows: list[dict[str, Any]] = [
        {"address": f"{letter}@{domain}", "destinations": [f"{letter}@dest.example"]}
        for domain in ("example.org", "example.com")
        for letter in "cab"
    ]
    rows[0] |= {"enabled": False}
    rows[1] |= {"expires_at": 7, "note": "Old"}
    rows[2] |= {"destinations": [f"m{number}@group.example" for number in range(9)]}
    rows[3] |= {"destinations": 7}
    desk.cloud.put("AliasTable", rows)
    return desk


def listed(desk: Desk, *arguments: object) -> list[str]:
    done = desk.run("alias", "list", *arguments, "--json")
    assert done.status == 0
    return [one["address"] for one in done.objects]


def test_list_is_in_order_and_says_what_is_off_or_wrong(many: Desk) -> None:
    assert many.run("alias", "list").out.splitlines() == [
        "a@example.com  a@dest.example",
        "b@example.com  b@dest.example",
        "c@example.com    (aliases row 'c@example.com': expected text or a list of texts, found Decimal('7'))",
        "a@example.org  a@dest.example  (expired; Old)",
        "b@example.org  m0@group.example, m1@group.example, m2@group.example, m3@group.example, m4@group.example, and 4 more",
        "c@example.org  c@dest.example  (disabled)",
    ]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--domain", "Example.ORG"), ["a@example.org", "b@example.org", "c@example.org"]),
        (("--destination", "group.example"), ["b@example.org"]),
        (("--destination", "B@dest"), ["b@example.com"]),
        (("--disabled",), ["c@example.org"]),
        (("--expired",), ["a@example.org"]),
        (("--expired", "--disabled"), ["a@example.org", "c@example.org"]),
        (("old",), ["a@example.org"]),
        (("A@", "--domain", "example.com"), ["a@example.com"]),
        (("nothing has this",), []),
    ],
)
def test_list_filters(many: Desk, arguments: tuple[str, ...], found: list[str]) -> None:
    assert listed(many, *arguments) == found


def test_list_pages(many: Desk) -> None:
    done = many.run("alias", "list", "--limit", 4)
    assert len(done.out.splitlines()) == 4
    assert done.err == "there are more: --after a@example.org\n"
    assert listed(many, "--limit", 4, "--after", "A@example.org") == ["b@example.org", "c@example.org"]
    assert many.run("alias", "list", "--limit", 6).err == ""
    assert listed(many, "--after", "b@example.com", "--limit", 1, "--domain", "example.org") == ["a@example.org"]
    assert listed(many, "--after", "bb@example.org") == ["c@example.org"]  # no such row is needed


def test_a_key_that_no_look_up_asks_for_is_told_and_can_be_removed(desk: Desk) -> None:
    for key in ("Info@example.com", "nonsense"):
        desk.type("AliasTable", {"address": {"S": key}, "destinations": {"S": "x@dest.example"}})
    shown = desk.run("alias", "list").out
    assert shown.count("no look-up uses this key") == 2
    for key in ("Info@example.com", "nonsense"):
        assert "no look-up uses this key" in desk.run("alias", "show", key).out
        assert desk.run("alias", "remove", key).status == 0
    assert desk.aliases() == {}


def test_a_catch_all_that_learns_and_the_names_it_learned(desk: Desk) -> None:
    added = ("--learn", "--learn-names", "shop-.*", "--learn-limit", 5)
    assert desk.run("alias", "add", "@example.com", "jane@dest.example", *added).status == 0
    assert row(desk, "@example.com") == {
        "address": "@example.com", "destinations": ["jane@dest.example"], "learn": True, "learn_names": "shop-.*",
        "learn_limit": 5,
    }  # fmt: skip
    learned = {"address": "shop-1@example.com", "learned_at": 1_790_000_000, "learned_from": "b@x.example"}
    desk.cloud.put("AliasTable", [{**learned, "made_by": "learn"}])
    assert "(learns up to 5 names a day)" in desk.run("alias", "list").out
    assert desk.run("alias", "list", "--learned").out.splitlines() == [
        "shop-1@example.com    (made by learn; 2026-09-21 from b@x.example; forwards to where @example.com does)"
    ]
    assert desk.run("alias", "disable", "shop-1@example.com").status == 0
    assert desk.run("resolve", "shop-1@example.com").status == 1
    assert desk.run("resolve", "shop-2@example.com").status == 0
    assert desk.run("alias", "set", "@example.com", "--no-learn", "--learn-names", "").status == 0
    assert row(desk, "@example.com").keys() == {"address", "destinations", "learn_limit"}
    assert desk.run("alias", "set", "@example.com", "--learn-limit", 0).status == 1
    assert desk.run("alias", "add", INFO, "jane@dest.example", "--learn").status == 1


def test_an_alias_that_ends_after_use(info: Desk) -> None:
    assert info.run("alias", "set", INFO, "--expires-after", "20 messages, 90 days").status == 0
    assert row(info)["expires_after"] == "20 messages, 90 days"
    assert "(ends after 20 messages, 90 days without use, 0 of 20 taken)" in info.run("alias", "list").out
    assert info.run("alias", "set", INFO, "--expires-after", "soon").status == 1
    assert info.run("alias", "set", INFO, "--no-expires").status == 0
    assert row(info).keys() == {"address", "destinations"}
