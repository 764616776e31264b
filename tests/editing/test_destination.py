"""`postern destination` on a live table."""

import pytest

from .conftest import Desk

JANE, JOE = "jane@dest.example", "joe@dest.example"


@pytest.fixture
def known(desk: Desk) -> Desk:
    """Jane is suspended, Joe has failed once."""
    suspended = {"suspended_at": 1_795_000_000, "told_at": 1_795_000_001, "reason": "the mailbox does not exist"}
    desk.cloud.put(
        "DestinationTable",
        [
            {"address": JANE, "failures": {"1794999999 gone m1 550 5.1.1"}, **suspended},
            {"address": JOE, "failures": {"1794999999 transient m2 full"}},
        ],
    )
    return desk


def row(desk: Desk, address: str) -> object:
    return next((one for one in desk.cloud.rows("DestinationTable") if one["address"] == address), None)


def test_the_list_has_who_is_suspended(known: Desk) -> None:
    assert (
        known.run("destination", "list").out
        == f"{JANE}  suspended 2026-11-18 11:06:40 UTC  the mailbox does not exist\n"
    )
    everybody = known.run("destination", "list", "--all", "--json").objects
    assert [(one["address"], one["suspended"]) for one in everybody] == [(JANE, True), (JOE, False)]


def test_show_has_all_that_is_known(known: Desk) -> None:
    out = known.run("destination", "show", JANE.upper()).out
    assert "2026-11-18 11:06:39 UTC  gone m1 550 5.1.1" in out
    assert "told 2026-11-18 11:06:41 UTC" in out
    (one,) = known.run("destination", "show", JOE, "--json").objects
    assert (one["suspended"], one["failures"]) == (False, ["1794999999 transient m2 full"])


def test_resume_forgives_and_says_who_did_it(known: Desk) -> None:
    before = row(known, JANE)
    assert known.run("destination", "resume", JANE, "--dry-run").status == 0
    assert row(known, JANE) == before
    done = known.run("destination", "resume", JANE)
    assert (done.status, done.out) == (
        0,
        f"{JANE} is resumed; it was suspended 2026-11-18 11:06:40 UTC: the mailbox does not exist\n",
    )
    after = row(known, JANE)
    assert isinstance(after, dict)
    assert set(after) == {"address", "resumed_at", "resumed_by"}
    assert known.run("destination", "list").out == ""
    assert "resumed " in known.run("destination", "show", JANE).out


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("resume", JOE), 1, "joe@dest.example is not suspended"),
        (("resume", "nobody@dest.example"), 1, "nobody@dest.example is not suspended"),
        (("resume", JOE, "--dry-run"), 1, "joe@dest.example is not suspended"),
        (("show", "nobody@dest.example"), 1, "nobody@dest.example has no failures on record"),
        (("resume", "nonsense"), 2, "not a mail address: 'nonsense'"),
    ],
)
def test_the_answer_no_and_usage_errors(known: Desk, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = known.run("destination", *arguments)
    assert (done.status, done.err) == (status, f"postern: {said}\n")
    assert row(known, "nobody@dest.example") is None


def test_a_table_that_is_not_named_or_not_there(known: Desk) -> None:
    done = known.run("destination", "list", POSTERN_DESTINATION_TABLE="")
    assert (done.status, "POSTERN_DESTINATION_TABLE" in done.err) == (2, True)
    assert known.run("destination", "list", POSTERN_DESTINATION_TABLE="no-such-table").status == 3
    assert known.run("destination", "resume", JANE, POSTERN_DESTINATION_TABLE="no-such-table").status == 3
