from collections.abc import Mapping
from typing import Any

import pytest
from postern_mail.mail import senders
from postern_mail.mail.actions import Action
from postern_mail.mail.address import Address
from postern_mail.mail.rows import BadRow, Row, Rows, SenderKey
from postern_mail.mail.senders import Ruling, Senders

from tests.builders import envelope

SCOPE = "info@example.com"


def judge(table: Mapping[SenderKey, Row], source: str, *authors: str, style: str = "parent", **options: Any) -> Ruling:
    made = Senders.of(envelope(source=source, **options), map(Address.parse, authors), style)
    rows = Rows(senders={key: table.get(key) for key in made.keys([SCOPE])})
    return senders.judge(made, SCOPE, rows, {"example.com"})


def match(table: Mapping[SenderKey, Row], source: str, style: str = "parent") -> str | None:
    return str(judge(table, source, style=style)) or None


def everywhere(**rules: str) -> dict[SenderKey, Row]:
    return {(sender, "*"): {"action": action} for sender, action in rules.items()}


def test_the_search_order_is_that_of_access_5() -> None:
    assert senders.envelope_keys(envelope(source="User+Tag@A.B.example.com")) == (
        "user+tag@a.b.example.com",
        "user@a.b.example.com",
        "a.b.example.com",
        "b.example.com",
        "example.com",
        "com",
        "user+tag@",
        "user@",
        "*",
    )


def test_the_null_sender_and_text_have_one_key_beside_everyones() -> None:
    assert senders.envelope_keys(envelope(source="<>")) == ("<>", "*")
    assert senders.envelope_keys(envelope(source="Root")) == ("root", "*")


def test_text_that_is_no_address_does_not_slip_past_the_rule_for_its_domain() -> None:
    assert match(everywhere(**{"spammer.example": "REJECT"}), "a@mx.spammer.example (x)") is not None


def test_an_address_literal_has_no_parents() -> None:
    assert senders.envelope_keys(envelope(source="x@[192.0.2.1]")) == ("x@[192.0.2.1]", "[192.0.2.1]", "x@", "*")


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
    mine = f"sender rule junk@spam.example for {SCOPE}: DUNNO"
    assert match(table, "junk@spam.example") == mine
    both = table | everywhere(**{"spam.example": "REJECT"})
    assert match(both, "junk@spam.example") == f"{mine}; sender rule spam.example: REJECT"


@pytest.mark.parametrize("source", ["x@other.example", "<>", "Root", "x@[192.0.2.1]"])
def test_the_key_of_everyone_is_the_last_of_its_scope(source: str) -> None:
    """Only these may write to the team: `check_sender_access hash:/etc/postfix/team, reject`."""
    table = {("friend@x.example", SCOPE): {"action": "OK"}, ("*", SCOPE): {"action": "REJECT members only"}}
    assert match(table, "friend@x.example") == f"sender rule friend@x.example for {SCOPE}: OK"
    assert match(table, source) == f"sender rule * for {SCOPE}: REJECT members only"
    elsewhere = table | everywhere(**{"other.example": "OK"})
    assert match(elsewhere, source) == f"sender rule * for {SCOPE}: REJECT members only"


def test_the_key_of_everyone_leaves_nothing_to_the_header() -> None:
    """As Postfix, which never looks there: a From that anybody can write does not open the list."""
    table = {("friend@x.example", SCOPE): {"action": "OK"}, ("*", SCOPE): {"action": "REJECT"}}
    found = judge(table, "x@other.example", "friend@x.example")
    assert str(found) == f"sender rule * for {SCOPE}: REJECT"


def test_an_action_and_its_text_may_be_set_apart_by_a_tab() -> None:
    assert match({("spam.example", "*"): {"action": "REJECT\tgo away"}}, "x@spam.example") is not None


def test_the_other_parent_style_wants_a_dot() -> None:
    assert senders.envelope_keys(envelope(source="a@b.c.example"), "dot") == (
        "a@b.c.example",
        "b.c.example",
        ".c.example",
        ".example",
        "a@",
        "*",
    )
    table = everywhere(**{".spam.example": "REJECT", "junk.example": "REJECT"})
    assert match(table, "a@mx.spam.example", "dot") is not None
    assert match(table, "a@spam.example", "dot") is None
    assert match(table, "a@mx.junk.example", "dot") is None
    assert match(table, "a@mx.spam.example") is None


def test_a_domain_that_is_not_ascii_is_found_however_its_row_is_spelled() -> None:
    for key in ("bücher.example", "xn--bcher-kva.example"):
        assert match(everywhere(**{key: "REJECT"}), "a@shop.xn--bcher-kva.example") is not None
    assert match(everywhere(**{".bücher.example": "REJECT"}), "a@shop.xn--bcher-kva.example", "dot") is not None


def test_actions_that_are_not_final_add_up_over_both_scopes() -> None:
    table = {
        ("spam.example", SCOPE): {"action": "PREPEND X-A: 1"},
        ("junk@spam.example", "*"): {"action": "BCC copy@else.example"},
    }
    ruling = judge(table, "junk@spam.example")
    assert (ruling.prepended, [str(copy) for copy in ruling.copies], ruling.final) == (
        ("X-A: 1",),
        ["copy@else.example"],
        None,
    )


def test_the_last_redirect_counts() -> None:
    table = {
        ("spam.example", SCOPE): {"action": "REDIRECT one@else.example"},
        ("spam.example", "*"): {"action": "redirect two@else.example"},
    }
    assert str(judge(table, "junk@spam.example").redirect) == "two@else.example"


def test_each_author_is_asked_in_turn_when_the_envelope_has_no_rule() -> None:
    table = everywhere(**{"spam.example": "REJECT", "sender.example": "DUNNO"})
    assert (
        str(judge(table, "<>", "a@good.example", "b@spam.example"))
        == "sender rule spam.example: REJECT (by header From)"
    )
    assert judge(table, "x@sender.example", "b@spam.example").final is None


def test_ok_by_an_author_no_one_vouches_for_is_as_if_it_were_not_there() -> None:
    table = {("friend.example", SCOPE): {"action": "OK"}, ("friend.example", "*"): {"action": "REJECT"}}
    assert judge(table, "<>", "a@friend.example").first("REJECT") is not None
    assert judge(table, "<>", "a@friend.example", dmarcVerdict={"status": "PASS"}).first("OK") is not None


def test_a_stranger_cannot_make_us_ask_for_any_number_of_authors() -> None:
    made = Senders.of(envelope(), [Address.parse(f"a{number}@x.example") for number in range(1000)])
    assert (len(made.authors), made.unseen) == (senders.MAX_AUTHORS, 1000 - senders.MAX_AUTHORS)


@pytest.mark.parametrize(
    ("typed", "word", "text"),
    [
        ("ok", "OK", ""),
        ("Reject  no thanks ", "REJECT", "no thanks"),
        ("550 5.7.1 go away", "550", "5.7.1 go away"),
        ("450 later", "450", "later"),
        ("HOLD", "HOLD", ""),
        ("discard", "DISCARD", ""),
        ("warn\tlook", "WARN", "look"),
        ("INFO", "INFO", ""),
        ("REDIRECT a@b.example", "REDIRECT", "a@b.example"),
        ("BCC <a@b.example>", "BCC", "<a@b.example>"),
        ("PREPEND X-Mark: yes: it is", "PREPEND", "X-Mark: yes: it is"),
    ],
)
def test_actions(typed: str, word: str, text: str) -> None:
    action = Action.parse(typed)
    assert (action.word, action.text) == (word, text)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("REJCT", "expected one of OK"),
        ("550", "a number without a text means OK in Postfix"),
        ("1234", "a number without a text means OK in Postfix"),
        ("FILTER smtp:x", "Postfix would send the message through a content filter"),
        ("DEFER later", "write 450 and a text"),
        ("DEFER_IF_PERMIT", "write 450 and a text"),
        ("permit", "write OK"),
        ("reject_unverified_sender", "Postfix would apply it as a restriction"),
        ("hash:/etc/postfix/x", "Postfix would look it up as the name of a map"),
        ("250 fine", "a number"),
        ("REDIRECT jane", "not a mail address"),
        ("BCC", "not a mail address"),
        ("PREPEND X-Mark", "expected PREPEND Name: value"),
        ("PREPEND X-Mark: \u00e9", "expected PREPEND Name: value"),
        ("PREPEND X-Mark: " + "x" * 900, "expected PREPEND Name: value"),
        ("PREPEND Subject: hi", "SES takes Subject once"),
        ("PREPEND To: a@b.example", "SES takes To once"),
        ("PREPEND X-SES-CONFIGURATION-SET: x", "not for rules to set"),
        ("PREPEND X-Postern-Loop: x", "not for rules to set"),
        ("", "expected one of"),
        (None, "expected one of"),
        (7, "expected one of"),
    ],
)
def test_an_action_that_is_none_is_an_error_that_says_what_postfix_would_do(action: object, said: str) -> None:
    with pytest.raises(BadRow, match=r"senders row 'spam.example in scope \*': action") as caught:
        judge({("spam.example", "*"): {"action": action}}, "junk@spam.example")
    assert said in str(caught.value)
