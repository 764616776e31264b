"""DNS lists: what a setting names, what is asked, and that nothing else than a named code is a listing."""

import pytest
from postern_mail.mail.dns import NONE, Answer, Question
from postern_mail.mail.dns_lists import (
    ListResults,
    listed_domain,
    questions,
    reversed_address,
    self_test,
    sites,
    understood,
)
from postern_mail.mail.list_health import CLIENTS, Lists, Seen, failure
from postern_mail.mail.score import Finding, Score

ZEN, COP = "zen.dq.spamhaus.net", "bl.spamcop.net"
CLIENT = {"1.2.0.192": "the client"}


def points(text: str, *values: str, failed: str = "") -> tuple[int, str]:
    """(what an answer counts, what is wrong with it)."""
    listed = sites(text)
    (question,) = set(questions(listed, CLIENT, "k3y"))
    found = understood(listed, CLIENT, "k3y", {question: Answer(values, failed)})
    return sum(one.points for one in found.listings), "".join(found.errors.values())


@pytest.mark.parametrize(
    ("text", "value", "counts"),
    [
        ("bl.x.example=127.0.0.2", "127.0.0.2", 1),
        ("bl.x.example=127.0.0.2*3", "127.0.0.2", 3),
        ("bl.x.example=127.0.0.[2..11]*2", "127.0.0.11", 2),
        ("bl.x.example=127.0.0.[2;4..6]*2", "127.0.0.5", 2),
        ("bl.x.example=127.0.[0..1].[2..6]", "127.0.1.4", 1),
        ("bl.x.example=127.0.0.2*-4", "127.0.0.2", -4),
        ("bl.x.example=127.0.0.2*0", "127.0.0.2", 0),
        ("bl.x.example=127.0.0.3*2, bl.x.example=127.0.0.[2..3]", "127.0.0.3", 3),
        (COP, "127.0.0.2", 1),
        ("zen.spamhaus.org*2", "127.0.0.30", 2),
        (ZEN, "127.0.0.11", 1),
        ("dbl.spamhaus.org*5", "127.0.1.2", 5),
        ("dbl.spamhaus.org*5", "127.0.1.104", 0),
    ],
)
def test_codes_that_are_named_count_their_weight(text: str, value: str, counts: int) -> None:
    assert points(text, value) == (counts, "")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (ZEN, ("127.255.255.252",)),
        (ZEN, ("127.255.255.254",)),
        (ZEN, ("127.255.255.255",)),
        (ZEN, ("127.255.255.1",)),
        (ZEN, ("127.0.0.2", "127.255.255.254")),
        (ZEN, ("127.0.0.12",)),
        (ZEN, ("127.0.0.1",)),
        (COP, ("127.0.0.3",)),
        (COP, ("127.0.1.2",)),
        (COP, ("192.0.2.1",)),
        (COP, ("127.0.0.2", "192.0.2.1")),
        ("dbl.spamhaus.org", ("127.0.1.255",)),
        ("bl.x.example=127.[0..255].[0..254].[0..255]", ("127.255.255.254",)),
    ],
)
def test_every_other_answer_is_an_error_and_no_listing(text: str, values: tuple[str, ...]) -> None:
    counted, wrong = points(text, *values)
    assert counted == 0
    assert wrong


def test_a_failure_and_no_answer_are_no_listing() -> None:
    assert points(COP) == (0, "")
    assert points(COP, failed="SERVFAIL") == (0, "SERVFAIL")
    late = understood(sites(COP), CLIENT, "", {})
    assert late == ListResults(late=frozenset({COP}))


@pytest.mark.parametrize(
    "text",
    [
        "bl.x.example", "bl", "bl.x.example=127.0.0", "bl.x.example=10.0.0.2", "bl.x.example=127.255.255.[0..255]",
        "bl.x.example=127.0.0.2*x", "bl.x.example=127.0.0.2*101", "bl.x.example=127.0.0.[11..2]", "bl.x.example=127.0.0.256",
        "bl.x.example=127.0.0.[]", "bl.x.example=127.0.0.2.3", "bl.x.example=127.0.0.2]", "=127.0.0.2", "a b c",
        "s3cret.zen.dq.spamhaus.net", ", ".join(f"l{n}.example=127.0.0.2" for n in range(9)),
    ],
)  # fmt: skip
def test_what_is_no_list_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        sites(text)
    assert "s3cret" not in str(raised.value)


def test_spamhaus_is_asked_with_a_key_or_not_at_all() -> None:
    listed = sites(f"zen.spamhaus.org, {COP}")
    assert {one.zone for one in listed} == {ZEN, COP}
    assert list(questions(listed, CLIENT, "")) == [Question(f"1.2.0.192.{COP}")]
    assert Question(f"1.2.0.192.k3y.{ZEN}") in list(questions(listed, CLIENT, "k3y"))


def test_what_is_asked_about_an_address_and_a_domain() -> None:
    assert reversed_address("192.0.2.1") == "1.2.0.192"
    assert reversed_address("2001:db8::1") == "1.0.0.0." + "0." * 20 + "8.b.d.0.1.0.0.2"
    assert [reversed_address(one) for one in ("", "unknown", "1.2.3", "01.2.3.4")] == [""] * 4
    assert listed_domain("Bank.Example.") == "bank.example"
    nothing = (
        "",
        "192.0.2.1",
        "[192.0.2.1]",
        "2001:db8::1",
        "localhost",
        "a b.example",
        f"{'a' * 63}.{'b' * 63}.{'c' * 63}.example",
    )
    assert [listed_domain(one) for one in nothing] == [""] * len(nothing)
    assert self_test(COP, "", domains=False) == (Question(f"2.0.0.127.{COP}"), Question(f"1.0.0.127.{COP}"))
    assert self_test(ZEN, "k", domains=True) == (Question(f"TEST.k.{ZEN}"), Question(f"INVALID.k.{ZEN}"))


def test_a_list_that_names_over_half_of_the_last_clients_is_silent_until_it_recovers() -> None:
    lists = Lists()
    for number in range(CLIENTS // 2):
        lists = lists.with_client(f"c{number}", [COP])
    assert lists.silent == {}
    assert lists.with_client("c0", [COP]).silent == {}, "the same client again"
    lists = lists.with_client("c10", [COP])
    assert list(lists.silent) == [COP]
    for number in range(20, 20 + 9):
        lists = lists.with_client(f"c{number}", [])
    assert len(lists.recent) == CLIENTS
    assert list(lists.silent) == [COP]
    assert lists.with_client("c40", []).silent == {}
    assert Lists.from_row({"recent": [{"client": "a", "zones": [COP]}], "faulty": {ZEN: "why"}, "version": 3}) == Lists(
        {ZEN: "why"}, (Seen("a", frozenset({COP})),), 3
    )


@pytest.mark.parametrize(
    ("listed", "unlisted", "well"),
    [
        (Answer(("127.0.0.2",)), NONE, True),
        (Answer(("127.0.0.10", "127.0.0.2", "127.0.0.4")), NONE, True),
        (None, NONE, True),
        (Answer(("127.0.0.2",)), None, True),
        (NONE, NONE, False),
        (Answer(("127.0.0.2",)), Answer(("127.0.0.2",)), False),
        (Answer(("127.255.255.254",)), NONE, False),
        (Answer(("127.0.0.2",)), Answer(("127.255.255.254",)), False),
        (Answer(failed="SERVFAIL"), NONE, False),
        (Answer(("192.0.2.1",)), Answer(("192.0.2.1",)), False),
    ],
)
def test_the_test_entries_of_a_list(listed: Answer | None, unlisted: Answer | None, well: bool) -> None:
    assert (failure(listed, unlisted) == "") is well


@pytest.mark.parametrize(
    ("findings", "threshold", "keeps"),
    [
        ((), 1, False),
        ((Finding("a", 1),), 1, True),
        ((Finding("a", 0),), 1, False),
        ((Finding("a", 1),), 2, False),
        ((Finding("a", 1), Finding("b", 1)), 2, True),
        ((Finding("a", 1, weak=True),), 1, False),
        ((Finding("a", 1, weak=True), Finding("b", 1, weak=True)), 2, False),
        ((Finding("a", 1, weak=True), Finding("b", 1)), 2, True),
        ((Finding("a", 3), Finding("b", -2)), 2, False),
        ((Finding("a", 1, weak=True), Finding("b", 0)), 1, False),
    ],
)
def test_one_score_and_one_threshold(findings: tuple[Finding, ...], threshold: int, keeps: bool) -> None:
    assert Score(findings, threshold).keeps is keeps
