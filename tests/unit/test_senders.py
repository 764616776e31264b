from collections.abc import Mapping

import pytest
from postern.mail import senders
from postern.mail.rows import BadRow, Row, Rows, SenderKey

from tests.builders import envelope

SCOPE = "info@example.com"


def match(table: Mapping[SenderKey, Row], source: str) -> str | None:
    made = envelope(source=source)
    rows = Rows(senders={key: table.get(key) for key in senders.keys(made, [SCOPE])})
    rule = senders.match(made, SCOPE, rows)
    return str(rule) if rule else None


def everywhere(**rules: str) -> dict[SenderKey, Row]:
    return {(sender, "*"): {"action": action} for sender, action in rules.items()}


def test_the_search_order_is_that_of_access_5() -> None:
    assert senders.search_keys(envelope(source="User+Tag@A.B.example.com")) == (
        "user+tag@a.b.example.com",
        "user@a.b.example.com",
        "a.b.example.com",
        "b.example.com",
        "example.com",
        "com",
        "user+tag@",
        "user@",
    )


def test_the_null_sender_and_text_have_one_key() -> None:
    assert senders.search_keys(envelope(source="<>")) == ("<>",)
    assert senders.search_keys(envelope(source="Root")) == ("root",)


def test_text_that_is_no_address_does_not_slip_past_the_rule_for_its_domain() -> None:
    assert match(everywhere(**{"spammer.example": "REJECT"}), "a@mx.spammer.example (x)") is not None


def test_an_address_literal_has_no_parents() -> None:
    assert senders.search_keys(envelope(source="x@[192.0.2.1]")) == ("x@[192.0.2.1]", "[192.0.2.1]", "x@")


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("junk@spam.example", "sender rule junk@spam.example: OK"),
        ("other@spam.example", "sender rule spam.example: REJECT no thanks"),
        ("other@deep.spam.example", "sender rule spam.example: REJECT no thanks"),
        ("other@notspam.example", None),
        ("sales@fine.example", "sender rule sales@: DISCARD"),
    ],
)
def test_the_most_specific_key_rules(source: str, rule: str | None) -> None:
    table = everywhere(**{"junk@spam.example": "ok", "spam.example": "REJECT no thanks", "sales@": "discard"})
    assert match(table, source) == rule


def test_the_aliass_own_scope_is_searched_whole_before_everywhere() -> None:
    table = {("spam.example", SCOPE): {"action": "OK"}, ("junk@spam.example", "*"): {"action": "REJECT"}}
    assert match(table, "junk@spam.example") == f"sender rule spam.example for {SCOPE}: OK"


def test_dunno_ends_the_search_in_its_own_scope_only() -> None:
    table = {("junk@spam.example", SCOPE): {"action": "DUNNO"}, ("spam.example", SCOPE): {"action": "OK"}}
    assert match(table, "junk@spam.example") is None
    assert (
        match(table | everywhere(**{"spam.example": "REJECT"}), "junk@spam.example")
        == "sender rule spam.example: REJECT"
    )


def test_an_action_and_its_text_may_be_set_apart_by_a_tab() -> None:
    assert match({("spam.example", "*"): {"action": "REJECT\tgo away"}}, "x@spam.example") is not None


@pytest.mark.parametrize("action", ["REJCT", "550", "FILTER smtp:x", "", None, 7, "OKAY"])
def test_an_action_nobody_knows_is_an_error_and_not_a_pass(action: object) -> None:
    with pytest.raises(BadRow, match=r"senders row 'spam.example in scope \*': action"):
        match({("spam.example", "*"): {"action": action}}, "junk@spam.example")
