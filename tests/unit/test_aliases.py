from typing import Any

import pytest
from postern_mail.mail import aliases
from postern_mail.mail.address import Address, InvalidAddress
from postern_mail.mail.aliases import Resolution
from postern_mail.mail.patterns import Pattern
from postern_mail.mail.rows import Row, Rows

NOW = 1_795_000_000.0
OWN = {"example.com", "example.net"}


class Table:
    """Answers look-ups as the shell does, and counts the rounds."""

    def __init__(self, **_: Any) -> None:
        self.rounds = 0

    def resolve(self, table: dict[str, Row], text: str) -> Resolution:
        recipient, rows = Address.parse(text), Rows()
        while unread := aliases.unread([recipient], rows, OWN, NOW):
            self.rounds += 1
            rows.aliases.update({key: table.get(key) for key in unread})
        return aliases.resolve(recipient, rows, OWN, NOW)


def resolve(table: dict[str, Row], text: str) -> Resolution:
    return Table().resolve(table, text)


def to(*destinations: str, **more: Any) -> Row:
    return {"destinations": list(destinations), **more}


def found(resolution: Resolution) -> list[str]:
    return [str(destination) for destination in resolution.destinations]


FULL = {
    "info@example.com": to("jane@dest.example"),
    "info+news@example.com": to("news@dest.example"),
    "off@example.com": to("jane@dest.example", enabled=False),
    "old@example.com": to("jane@dest.example", expires_at=NOW),
    "new@example.com": to("jane@dest.example", expires_at=NOW + 1),
    "@example.com": to("all@dest.example"),
}


@pytest.mark.parametrize(
    ("text", "outcome", "destinations", "matched", "alias"),
    [
        ("info@example.com", "forward", ["jane@dest.example"], ("info@example.com",), "info@example.com"),
        ("INFO@Example.Com", "forward", ["jane@dest.example"], ("info@example.com",), "info@example.com"),
        ("info+x@example.com", "forward", ["jane@dest.example"], ("info@example.com",), "info@example.com"),
        ("info+news@example.com", "forward", ["news@dest.example"], ("info+news@example.com",), "info+news@example.com"),
        ("Any+x@example.com", "forward", ["all@dest.example"], ("@example.com",), "any+x@example.com"),
        ("off@example.com", "disabled", [], ("off@example.com",), "off@example.com"),
        ("off+tag@example.com", "disabled", [], ("off@example.com",), "off@example.com"),
        ("old@example.com", "expired", [], ("old@example.com",), "old@example.com"),
        ("new@example.com", "forward", ["jane@dest.example"], ("new@example.com",), "new@example.com"),
        ("info@example.net", "unknown", [], (), None),
    ],
)  # fmt: skip
def test_search_order_and_what_ends_it(
    text: str, outcome: str, destinations: list[str], matched: tuple[str, ...], alias: str | None
) -> None:
    resolution = resolve(FULL, text)
    assert (resolution.outcome, found(resolution), resolution.matched) == (outcome, destinations, matched)
    assert (str(resolution.alias) if resolution.alias else None) == alias


@pytest.mark.parametrize(
    "typed",
    [
        ["a@d.example", "b@d.example"],
        "a@d.example, b@d.example",
        {"b@d.example", "a@d.example"},
        ("a@d.example", "b@d.example"),
    ],
)
def test_a_destination_list_in_every_form_the_console_makes(typed: object) -> None:
    assert found(resolve({"x@example.com": {"destinations": typed}}, "x@example.com")) == ["a@d.example", "b@d.example"]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({}, "it has no destinations"),
        (to(), "it has no destinations"),
        ({"destinations": 7}, "expected text or a list"),
        ({"destinations": ["a@d.example", 7]}, "expected texts"),
        (to("not an address"), "destination 'not an address' is not a mail address"),
        (to("a@d.example", enabled="perhaps"), "expected true or false, found 'perhaps'"),
        (to("a@d.example", expires_at="tomorrow"), "expected epoch seconds, found 'tomorrow'"),
        (to("a@d.example", expires_at=float("nan")), "expected epoch seconds"),
        (to("a@d.example", expires_at=[1_800_000_000]), "expected epoch seconds"),
        (to("a@d.example", expires_at={"N": 1_800_000_000}), "expected epoch seconds"),
        (to("a@d.example", expires_at=True), "expected epoch seconds"),
        (to("a@d.example", expires_at=False), "expected epoch seconds"),
        (to("a@d.example", expires_at=10**400), "expected epoch seconds"),
        (to("a@d.example", patterns=[{"pattern": "x"}]), "patterns belong in the row of a domain"),
        (to("a@d.example", verdicts={"virus": "forward"}), "a virus is never forwarded"),
    ],
)
def test_an_unreadable_row_is_an_error_that_names_it_and_not_a_miss(row: Row, fault: str) -> None:
    resolution = resolve({"x@example.com": row, "@example.com": to("all@dest.example")}, "x@example.com")
    assert resolution.outcome == "error"
    assert "aliases row 'x@example.com'" in resolution.detail
    assert fault in resolution.detail


def test_words_for_flags() -> None:
    assert resolve({"x@example.com": to("a@d.example", enabled="False")}, "x@example.com").outcome == "disabled"
    assert resolve({"x@example.com": to("a@d.example", enabled=" yes ")}, "x@example.com").outcome == "forward"


def test_keep_tag_hands_the_tag_on() -> None:
    table = {"info@example.com": to("jane@dest.example", keep_tag=True)}
    assert found(resolve(table, "info+x@example.com")) == ["jane+x@dest.example"]
    assert found(resolve(table, "info@example.com")) == ["jane@dest.example"]


def test_keep_tag_with_a_quoted_destination() -> None:
    table = {"info@example.com": to('"john doe"@dest.example', keep_tag=True)}
    assert found(resolve(table, "info+x@example.com")) == ['"john doe+x"@dest.example']


def test_a_domain_in_either_spelling_is_one() -> None:
    table = {"a@example.com": to("b@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example")}
    assert found(resolve(table, "a@example.com")) == ["b@xn--bcher-kva.example"]


def test_domain_to_domain_keeps_the_local_part() -> None:
    assert found(resolve({"@example.com": to("@dest.example")}, "jane@example.com")) == ["jane@dest.example"]


def test_discard() -> None:
    assert resolve({"x@example.com": to("discard:")}, "x@example.com").outcome == "discard"
    both = resolve({"x@example.com": to("discard:", "a@d.example")}, "x@example.com")
    assert (both.outcome, found(both)) == ("forward", ["a@d.example"])


def test_destinations_of_our_own_are_looked_up_again_one_round_a_level() -> None:
    table, lookups = {
        "a@example.com": to("b@example.com", "x@dest.example"),
        "b@example.com": to("c@example.net"),
        "c@example.net": to("y@dest.example", "x@dest.example"),
    }, Table()  # fmt: skip
    resolution = lookups.resolve(table, "a@example.com")
    assert found(resolution) == ["y@dest.example", "x@dest.example"]
    assert resolution.matched == ("a@example.com", "b@example.com", "c@example.net")
    assert str(resolution.alias) == "a@example.com"
    assert lookups.rounds == 3


def test_a_nested_destination_without_a_row_does_not_stop_the_others() -> None:
    resolution = resolve({"a@example.com": to("gone@example.com", "x@dest.example")}, "a@example.com")
    assert (resolution.outcome, found(resolution)) == ("forward", ["x@dest.example"])
    assert resolution.detail == "gone@example.com is unknown"


def test_a_self_mapping_ends_its_branch() -> None:
    resolution = resolve({"a@example.com": to("a@example.com", "x@dest.example")}, "a@example.com")
    assert (resolution.outcome, found(resolution)) == ("forward", ["x@dest.example"])
    alone = resolve({"a@example.com": to("a@example.com")}, "a@example.com")
    assert (alone.outcome, alone.detail) == ("unknown", "a@example.com leads only to itself")


def test_a_loop_is_an_error_that_names_the_chain() -> None:
    resolution = resolve({"a@example.com": to("b@example.com"), "b@example.com": to("a@example.com")}, "a@example.com")
    assert resolution.outcome == "error"
    assert resolution.detail == "alias loop: a@example.com -> b@example.com -> a@example.com"


@pytest.mark.parametrize(("levels", "outcome"), [(aliases.MAX_DEPTH, "forward"), (aliases.MAX_DEPTH + 1, "error")])
def test_depth_is_bounded(levels: int, outcome: str) -> None:
    table = {f"a{level}@example.com": to(f"a{level + 1}@example.com") for level in range(levels - 1)}
    table[f"a{levels - 1}@example.com"] = to("x@dest.example")
    assert resolve(table, "a0@example.com").outcome == outcome


def test_two_ways_to_one_alias_are_walked_once() -> None:
    """A lattice of aliases has exponentially many ways through it, and must not cost that much."""
    table = {
        f"a{level}@example.com": to(f"a{level + 1}@example.com", f"b{level + 1}@example.com") for level in range(8)
    }
    table |= {
        f"b{level}@example.com": to(f"a{level + 1}@example.com", f"b{level + 1}@example.com") for level in range(8)
    }
    table |= {"a8@example.com": to("x@dest.example"), "b8@example.com": to("x@dest.example")}
    resolution = resolve(table, "a0@example.com")
    assert found(resolution) == ["x@dest.example"]
    assert len(resolution.matched) == len(set(resolution.matched)) == 17


def test_an_unread_key_is_a_mistake_of_the_caller_and_not_a_missing_row() -> None:
    with pytest.raises(KeyError, match="never read"):
        aliases.resolve(Address.parse("a@example.com"), Rows(), OWN, NOW)


def pattern(text: str, *destinations: str) -> dict[str, Any]:
    return {"pattern": text, "destinations": list(destinations)}


PATTERNS: dict[str, Row] = {
    "info@example.com": to("jane@dest.example"),
    "sales-one+vip@example.com": to("vip@dest.example"),
    "@example.com": to(
        "all@dest.example",
        patterns=[
            pattern(r"sales-(\w+)", r"\1@sales.example", "info@example.com"),
            pattern("sales-.*", "late@dest.example"),
            pattern(r"(?:old-)?info\+x", "pattern@dest.example"),
            pattern("hole", "discard:"),
            pattern(r"(.*)-there(x?)", r"\2@dest.example"),
            pattern("moved", "@other.example"),
        ],
    ),
    "@example.net": {"patterns": [pattern("a", "a@dest.example")]},
}


@pytest.mark.parametrize(
    ("text", "outcome", "destinations", "matched"),
    [
        (
            "sales-one@example.com",
            "forward",
            ["one@sales.example", "jane@dest.example"],
            ("@example.com", "info@example.com"),
        ),
        (
            "SALES-One@example.com",
            "forward",
            ["One@sales.example", "jane@dest.example"],
            ("@example.com", "info@example.com"),
        ),
        ("sales-one+vip@example.com", "forward", ["vip@dest.example"], ("sales-one+vip@example.com",)),
        ("sales-one+two@example.com", "forward", ["late@dest.example"], ("@example.com",)),
        ("presales-one@example.com", "forward", ["all@dest.example"], ("@example.com",)),
        ("info+x@example.com", "forward", ["pattern@dest.example"], ("@example.com",)),
        ("info+y@example.com", "forward", ["jane@dest.example"], ("info@example.com",)),
        ("hole@example.com", "discard", [], ("@example.com",)),
        ("moved@example.com", "forward", ["moved@other.example"], ("@example.com",)),
        ("not-there@example.com", "unknown", [], ("@example.com",)),
        ("a@example.net", "forward", ["a@dest.example"], ("@example.net",)),
        ("b@example.net", "unknown", [], ()),
    ],
)
def test_patterns_come_after_the_exact_address_and_before_the_untagged(
    text: str, outcome: str, destinations: list[str], matched: tuple[str, ...]
) -> None:
    resolution = resolve(PATTERNS, text)
    assert (resolution.outcome, found(resolution), resolution.matched) == (outcome, destinations, matched)


def test_what_a_stranger_makes_of_a_pattern_is_unknown_and_no_error() -> None:
    """An error holds the message and raises an alarm; who chooses the local part must not have that power."""
    assert resolve(PATTERNS, "not-there@example.com").detail == (
        "not-there@example.com is unknown (pattern '(.*)-there(x?)': destination '@dest.example' is not a mail address)"
    )


def test_a_disabled_domain_ends_the_search_where_its_pattern_matches() -> None:
    table = {
        "info@example.com": to("jane@dest.example"),
        "@example.com": {"enabled": "no", "patterns": [pattern("info.*", "a@dest.example")]},
    }
    assert resolve(table, "info+x@example.com").outcome == "disabled"
    assert resolve(table, "info@example.com").outcome == "forward"
    assert resolve(table, "other@example.com").outcome == "unknown"


@pytest.mark.parametrize(
    ("patterns", "fault"),
    [
        ("info", "patterns: expected a list"),
        (["info"], "expected a pattern with its destinations"),
        ([{"pattern": "x"}], "pattern 'x' has no destinations"),
        ([{"pattern": "x", "destination": "a@d.example"}], "expected a pattern with its destinations"),
        ([pattern("(", "a@d.example")], "is not an RE2 regular expression: missing )"),
        ([pattern("(?=x)", "a@d.example")], "is not an RE2 regular expression: invalid perl operator"),
        ([pattern("x" * 1001, "a@d.example")], "a pattern of 1001 characters"),
        ([pattern("(x)", r"\2@d.example")], "uses a group that pattern '(x)' does not have"),
        ([pattern("x", "nonsense")], "destination 'nonsense' is not a mail address"),
    ],
)
def test_unreadable_patterns_are_an_error(patterns: object, fault: str) -> None:
    resolution = resolve({"@example.com": to("all@dest.example", patterns=patterns)}, "x@example.com")
    assert resolution.outcome == "error"
    assert "aliases row '@example.com'" in resolution.detail
    assert fault in resolution.detail


def test_a_pattern_that_would_take_exponential_time_elsewhere_takes_none() -> None:
    table: dict[str, Row] = {"@example.com": {"patterns": [pattern("(a*)*b", "x@dest.example")]}}
    assert resolve(table, "a" * 60 + "@example.com").outcome == "unknown"


def test_keep_tag_does_not_repeat_what_a_pattern_has_matched() -> None:
    row = to("all@dest.example", keep_tag=True, patterns=[pattern(r"team\+(.*)", r"\1@dest.example")])
    assert found(resolve({"@example.com": row}, "team+x@example.com")) == ["x@dest.example"]
    assert found(resolve({"@example.com": row}, "else+x@example.com")) == ["all@dest.example"]


def test_a_row_is_found_however_its_domain_is_spelled() -> None:
    """People type what they read into the console; SES hands over A-labels."""
    for domain in ("b\u00fccher.example", "xn--bcher-kva.example"):
        for key in (f"info@{domain}", f"@{domain}"):
            resolution = resolve({key: to("jane@dest.example")}, "info@xn--bcher-kva.example")
            assert (resolution.outcome, resolution.matched) == ("forward", (key,))
            assert str(resolution.alias) == "info@xn--bcher-kva.example"


def test_sharp_s_is_not_two() -> None:
    """IDNA 2003 took one domain for the other, and mail would go to a stranger (RFC 5894 4.2)."""
    assert Address.parse("a@fa\u00df.example").domain == "xn--fa-hia.example"


def test_null_in_the_console_is_as_if_the_attribute_were_not_there() -> None:
    row = {
        **to("a@d.example"),
        "enabled": None,
        "keep_tag": None,
        "patterns": None,
        "verdicts": None,
        "expires_at": None,
    }
    assert resolve({"x@example.com": row}, "x@example.com").outcome == "forward"


def test_the_verdicts_are_those_of_the_alias_that_was_written_to() -> None:
    table = {
        "a@example.com": to("b@example.com", verdicts={"spam": "forward"}),
        "b@example.com": to("x@dest.example", verdicts={"spam": "reject"}),
    }
    assert resolve(table, "a@example.com").verdicts == {"spam": "forward"}


def test_an_empty_tag_is_none() -> None:
    assert found(resolve({"info@example.com": to("jane@dest.example")}, "info+@example.com")) == ["jane@dest.example"]
    kept = {"info@example.com": to("jane@dest.example", keep_tag=True)}
    assert found(resolve(kept, "info+@example.com")) == ["jane+@dest.example"]


def test_the_tag_goes_along_to_another_domain_only_if_it_is_kept() -> None:
    assert found(resolve({"info@example.com": to("@dest.example")}, "info+x@example.com")) == ["info@dest.example"]
    kept = {"info@example.com": to("@dest.example", keep_tag=True)}
    assert found(resolve(kept, "info+x@example.com")) == ["info+x@dest.example"]
    assert found(resolve({"@example.com": to("@dest.example")}, "info+x@example.com")) == ["info+x@dest.example"]


def test_what_leads_to_itself_is_not_expanded_again_by_another_way() -> None:
    table = {
        "a@example.com": to("b@example.com", "a@example.com"),
        "b@example.com": to("a@example.com", "x@dest.example"),
        "@example.net": to("c@example.net", "d@example.net", "y@dest.example"),
    }
    assert found(resolve(table, "a@example.com")) == ["x@dest.example"]
    assert found(resolve(table, "c@example.net")) == ["y@dest.example"]


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        (r"(.+)=(.+)", r"\1@\2"),
        (r"(.+)", r"all@\1.dest.example"),
        (r"(.+)", r"all@dest.\1"),
        (r"(.+)", r"@\1"),
        (r"(.+)", r"all@dest\0.example"),
        (r"(.+)", r"\1"),
        (r"(.+)-(.+)", r'"a@b"@\2'),
        (r"(.+)-(.+)", r"\1@dest.example@\2"),
    ],
)
def test_no_stranger_names_the_domain_that_we_send_to(text: str, destination: str) -> None:
    table: dict[str, Row] = {
        "@example.com": {"patterns": [pattern(text, destination)]},
        "info@example.com": to("jane@dest.example"),
    }
    assert resolve(table, "x-victim.example@example.com").outcome == "error"
    assert resolve(table, "info@example.com").outcome == "forward", "who has a row of his own gets his mail"


@pytest.mark.parametrize("local", ['"x@evil.example"', '"x@evil.example>,<y"', "x@evil.example", '"a\\"@evil.example"'])
def test_whatever_a_group_holds_the_domain_stays(local: str) -> None:
    for text, destination in (
        (r"(.*)", r"\1@dest.example"),
        (r'"(.*)"', r"\1@dest.example"),
        (r"(.*)", r'"\1"@dest.example'),
    ):
        found = Pattern.from_item(pattern(text, destination)).expand(local)
        for one in found or ():
            try:
                assert Address.parse(one).domain == "dest.example"
            except InvalidAddress:
                continue  # the recipient is unknown
