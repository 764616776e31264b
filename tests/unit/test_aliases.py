from typing import Any

import pytest
from postern.mail import aliases
from postern.mail.address import Address
from postern.mail.aliases import Resolution
from postern.mail.rows import Row, Rows

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
        (to("a@d.example", patterns=[{"pattern": "x"}]), "'patterns' is not supported yet"),
        (to("a@d.example", verdicts={"spam": "forward"}), "'verdicts' is not supported yet"),
    ],
)
def test_a_row_nobody_can_read_is_an_error_that_names_it_and_not_a_miss(row: Row, fault: str) -> None:
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
