"""access(5) of senders, as it arrives in the sender table."""

from pathlib import Path

import pytest
from postern_postfix.report import Verdict

from .box import imported

TAKEN, CHANGED, IMPOSSIBLE, UNNEEDED = Verdict.TAKEN, Verdict.CHANGED, Verdict.IMPOSSIBLE, Verdict.UNNEEDED
LEFT = Verdict.LEFT_BEHIND


@pytest.mark.parametrize(
    ("text", "sender", "action", "verdict"),
    [
        ("Junk@Spam.Example reject", "junk@spam.example", "REJECT", TAKEN),
        ("spam.example REJECT go # away", "spam.example", "REJECT go # away", TAKEN),
        ("marketing@ REJECT", "marketing@", "REJECT", TAKEN),
        ("<> DISCARD", "<>", "DISCARD", TAKEN),
        ("a.example\tDUNNO", "a.example", "DUNNO", TAKEN),
        ("a.example\n  HOLD\n\t to look", "a.example", "HOLD to look", TAKEN),
        ("a.example 554 5.7.1 no", "a.example", "554 5.7.1 no", TAKEN),
        ("a.example 450 later", "a.example", "450 later", CHANGED),
        ("a.example RELAY", "a.example", "OK", CHANGED),
        ("a.example permit", "a.example", "OK", CHANGED),
        ("a.example REDIRECT jane@dest.example", "a.example", "REDIRECT jane@dest.example", TAKEN),
        ("a.example BCC jane@dest.example", "a.example", "BCC jane@dest.example", TAKEN),
        ("a.example PREPEND X-Mark: yes", "a.example", "PREPEND X-Mark: yes", TAKEN),
        ("a.example WARN look", "a.example", "WARN look", TAKEN),
        ('"quoted name"@a.example OK', '"quoted name"@a.example', "OK", TAKEN),
        ("bücher.example OK", "xn--bcher-kva.example", "OK", TAKEN),
    ],
)
def test_what_a_line_becomes(text: str, sender: str, action: str, verdict: Verdict, tmp_path: Path) -> None:
    done = imported(tmp_path, access=text)
    assert {sender: action} == done.actions
    assert done.verdict("access", 1) is verdict


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.example 550", "a code without text as OK"),
        ("a.example 250", "a code without text as OK"),
        ("a.example FILTER smtp:x", "no content filter"),
        ("a.example DEFER", "the sender cannot be asked to retry"),
        ("a.example DEFER_IF_PERMIT later", "the sender cannot be asked to retry"),
        ("a.example permit_mynetworks, reject", "a restriction or a class"),
        ("a.example hash:/etc/x", "names a table"),
        ("a.example REDIRECT", "needs a mail address"),
        ("a.example BCC jane", "needs a mail address"),
        ("a.example PREPEND nothing", "needs a header field"),
        ("a.example PREPEND Subject: x", "left out"),
    ],
)
def test_what_is_impossible(text: str, said: str, tmp_path: Path) -> None:
    done = imported(tmp_path, access=text)
    assert done.actions == {}
    assert done.verdict("access", 1) is IMPOSSIBLE
    assert said in done.said("access", 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("192.0.2 REJECT", "a network is not a sender"),
        ("192.0.2.0/24 REJECT", "a network is not a sender"),
        ("@a.example REJECT", "@domain is not a key"),
        (".a.example REJECT", "a leading dot is never used"),
        ("10 REJECT", "a network is not a sender"),
        ("2001:db8::1 REJECT", "a network is not a sender"),
        ("*@a.example REJECT", "* has no meaning within a key"),
        ("*.a.example REJECT", "* has no meaning within a key"),
    ],
)
def test_what_postfix_never_asked_for(text: str, said: str, tmp_path: Path) -> None:
    done = imported(tmp_path, access=text)
    assert done.actions == {}
    assert done.verdict("access", 1) is UNNEEDED
    assert said in done.said("access", 1)


@pytest.mark.parametrize(
    ("restrictions", "action"),
    [
        ("warn_if_reject check_sender_access hash:/etc/list", "WARN go away"),
        ("warn_if_reject, reject_unknown_sender_domain, check_sender_access hash:/etc/list", "REJECT go away"),
        ("permit_mynetworks, permit, check_sender_access hash:/etc/list", None),
        ("warn_if_reject reject, check_sender_access hash:/etc/list", "REJECT go away"),
        ("warn_if_reject check_sender_access hash:/etc/list, check_sender_access hash:/etc/list", "REJECT go away"),
    ],
)
def test_where_the_table_stands_in_its_list(restrictions: str, action: str | None, tmp_path: Path) -> None:
    files = {"/etc/list": "spam.example REJECT go away\ngood.example OK"}
    done = imported(tmp_path, main_cf=f"smtpd_sender_restrictions = {restrictions}", files=files)
    expected = {} if action is None else {"spam.example": action, "good.example": "OK"}
    assert done.actions == expected


def test_the_first_of_two_counts(tmp_path: Path) -> None:
    done = imported(tmp_path, access="a.example OK\nA.example REJECT")
    assert done.actions == {"a.example": "OK"}
    assert done.verdict("access", 2) is UNNEEDED


def test_a_leading_dot_in_the_other_style(tmp_path: Path) -> None:
    done = imported(tmp_path, access=".a.example REJECT\na.example OK", parents=False)
    assert done.actions == {".a.example": "REJECT", "a.example": "OK"}
    assert any("ParentDomainMatchesSubdomains=false" in remark for remark in done.report.remarks)


def test_two_files_are_one_table_now(tmp_path: Path) -> None:
    config = "smtpd_sender_restrictions = check_sender_access hash:/one, check_sender_access hash:/two"
    files = {"/one": "a.example OK", "/two": "a.example REJECT\njoe@a.example REJECT"}
    done = imported(tmp_path, main_cf=config, files=files)
    assert done.actions == {"a.example": "OK", "joe@a.example": "REJECT"}
    assert [done.verdict("/two", line) for line in (1, 2)] == [UNNEEDED, CHANGED]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.example", "not a pair"),
        ("a..b@@ REJECT", "is not an address, a domain"),
        ("  a.example REJECT", "Postfix ignores it"),
    ],
)
def test_what_never_held_is_left_behind(text: str, said: str, tmp_path: Path) -> None:
    done = imported(tmp_path, access=text)
    assert done.actions == {}
    assert done.verdict("access", 1) is LEFT
    assert said in done.said("access", 1)


def test_patterns_of_senders_are_impossible(tmp_path: Path) -> None:
    done = imported(tmp_path, access_pcre="/^spam/ REJECT\n/^more/ REJECT")
    assert [entry.verdict for entry in done.report.entries] == [IMPOSSIBLE, IMPOSSIBLE]
    assert done.actions == {}


def test_another_key_for_the_null_sender(tmp_path: Path) -> None:
    done = imported(tmp_path, access="null.sender REJECT\n<> OK", main_cf="smtpd_null_access_lookup_key = null.sender")
    assert done.actions == {"<>": "REJECT"}
    assert done.verdict("access", 2) is LEFT
