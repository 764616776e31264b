"""Which addresses exist, and which domains are taken whole."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.mail import aliases
from postern_mail.mail.address import Address
from postern_mail.mail.rows import Rows
from postern_mail.recipients.addresses import wanted

NOW = 1_795_000_000.0
OURS = ("example.com", "example.net")
TO_JANE = {"destinations": "jane@dest.example"}
ROLES = {f"{local}@{domain}" for local in ("abuse", "postmaster", "postern-test") for domain in OURS}


def taken(rows: dict[str, Any], room: int = 1000) -> set[str]:
    return set(wanted(rows, OURS, NOW, room).recipients)


def test_an_empty_table_leaves_the_addresses_every_domain_must_have_and_the_daily_tests() -> None:
    assert taken({}) == ROLES


@pytest.mark.parametrize(
    ("row", "exists"),
    [
        (TO_JANE, True),
        ({"destinations": "discard:"}, True),
        ({**TO_JANE, "enabled": False}, False),
        ({**TO_JANE, "enabled": "no"}, False),
        ({**TO_JANE, "expires_at": NOW}, False),
        ({**TO_JANE, "expires_at": NOW + 1}, True),
        ({"destinations": "jane at dest"}, True),
        ({**TO_JANE, "enabled": "perhaps"}, True),
    ],
    ids=["row", "discard", "disabled", "disabled-word", "expired", "expires-later", "bad-row", "bad-flag"],
)
def test_an_address_exists_if_its_row_is_in_force_or_must_be_corrected(row: dict[str, Any], exists: bool) -> None:
    assert ("info@example.com" in taken({"info@example.com": row})) is exists


def test_a_role_address_is_taken_although_its_row_is_disabled() -> None:
    assert taken({"abuse@example.com": {**TO_JANE, "enabled": False}}) == ROLES


def test_a_tag_of_its_own_is_taken_also_where_its_address_is_disabled() -> None:
    rows = {"info@example.com": {**TO_JANE, "enabled": False}, "info+news@example.com": TO_JANE}
    assert taken(rows) - ROLES == {"info+news@example.com"}


@pytest.mark.parametrize(
    ("row", "whole"),
    [
        (TO_JANE, True),
        ({"patterns": [{"pattern": "x.*", "destinations": ["jane@dest.example"]}]}, True),
        ({"patterns": [{"pattern": "(", "destinations": ["jane@dest.example"]}]}, True),
        ({**TO_JANE, "enabled": False}, False),
        ({**TO_JANE, "expires_at": NOW - 1}, False),
    ],
    ids=["catch-all", "patterns", "bad-row", "disabled", "expired"],
)
def test_a_domains_row_that_is_in_force_has_the_domain_taken_whole(row: dict[str, Any], whole: bool) -> None:
    rows = {"@example.com": row, "info@example.com": TO_JANE}
    found = wanted(rows, OURS, NOW, 1000)
    assert ("example.com" in found.whole) is whole
    assert ("example.com" in found.recipients, "info@example.com" in found.recipients) == (whole, not whole)
    assert "postmaster@example.net" in found.recipients


@pytest.mark.parametrize(
    "key",
    ["info@other.example", "info", "@", "info@", "Info@example.com", " info@example.com", "info@sub.example.com", "example.com"],
)  # fmt: skip
def test_rows_that_no_look_up_for_us_finds_are_left_out(key: str) -> None:
    assert taken({key: TO_JANE}) == ROLES


def test_a_domain_as_people_read_it_and_the_row_that_counts_of_two() -> None:
    ours = ["xn--mnchen-3ya.example"]
    read, written = "info@m\u00fcnchen.example", "info@xn--mnchen-3ya.example"
    disabled = {**TO_JANE, "enabled": False}
    cases: tuple[tuple[dict[str, Any], bool], ...] = (
        ({read: TO_JANE}, True),
        ({read: TO_JANE, written: disabled}, False),
        ({written: disabled, read: TO_JANE}, False),
        ({read: disabled, written: TO_JANE}, True),
    )
    for rows, there in cases:
        assert (written in wanted(rows, ours, NOW, 1000).recipients) is there


@pytest.mark.parametrize("local", ['"john doe"', "a..b", "a.", ".a", "+x", "x" * 65])
def test_what_ses_may_not_take_in_a_rule_opens_its_domain(local: str) -> None:
    found = wanted({f"{local}@example.com": TO_JANE}, OURS, NOW, 1000)
    assert found.whole == {"example.com": f"row {local}@example.com is not an address for a receipt rule"}


@pytest.mark.parametrize(("room", "whole"), [(11, set()), (10, {"example.com"}), (4, {"example.com"}), (3, set(OURS))])
def test_what_does_not_fit_opens_the_largest_domain_first(room: int, whole: set[str]) -> None:
    """11 addresses: 5 and the roles here, the roles alone there."""
    rows = {f"a{number}@example.com": TO_JANE for number in range(5)}
    found = wanted(rows, OURS, NOW, room)
    assert set(found.whole) == whole
    assert len(found.recipients) <= room
    assert all("do not fit" in why for why in found.whole.values())


@pytest.mark.parametrize(
    ("settings", "row", "there"),
    [({}, {}, False), ({"reply": "author"}, {}, True), ({}, {"reply": "author"}, True), ({}, {"reply": "off"}, False)],
)
def test_the_name_of_reply_addresses_is_taken_where_replies_are_on(
    settings: dict[str, Any], row: dict[str, Any], there: bool
) -> None:
    rows = {"#settings": {"address": "#settings", **settings}, "info@example.com": {**TO_JANE, **row}}
    assert ("reply@example.com" in wanted(rows, OURS, NOW, 1000).recipients) is there
    rows["#settings"] |= {"reply_local_part": "answer"}
    assert ("answer@example.net" in wanted(rows, OURS, NOW, 1000).recipients) is there


LOCALS = st.sampled_from(["info", "info+x", "info+y", "sales-a", "abuse", ""])
ROWS = st.dictionaries(
    st.builds(lambda local, domain: f"{local}@{domain}", LOCALS, st.sampled_from(OURS)),
    st.sampled_from(
        [
            TO_JANE,
            {**TO_JANE, "enabled": False},
            {**TO_JANE, "expires_at": NOW - 1},
            {"destinations": "nonsense"},
            {"destinations": "info@example.net"},
        ]
    ),
)


@given(ROWS, LOCALS.filter(bool), st.sampled_from(OURS), st.integers(2, 20))
def test_nothing_that_the_table_answers_for_is_left_out(
    rows: dict[str, Any], local: str, domain: str, room: int
) -> None:
    """Held against the look-up itself; labels match as SES says they do."""
    recipient = Address(local, domain)
    needed = aliases.keys(recipient)
    everything = Rows(
        {key: rows.get(key) for one in (recipient, Address("info", "example.net")) for key in aliases.keys(one)}
    )
    assert set(needed) <= set(everything.aliases)
    outcome = aliases.resolve(recipient, everything, ("example.net",), NOW)
    found = wanted(rows, OURS, NOW, room).recipients
    matched = {recipient.key, recipient.untagged.key, domain} & found
    ended = outcome.detail.startswith(recipient.key) and outcome.outcome in ("unknown", "disabled", "expired")
    assert matched or ended
