"""Which entries an order opens, for every state they may be in."""

from typing import Any

import pytest
from postern_mail.mail.orders import CannotOrder, Order, missed, release, replay

INFO, TEAM, LATE = "info@example.com", "team@example.com", "late@example.com"


def entries(virus: str = "PASS", **states: str) -> dict[str, dict[str, Any]]:
    """A message for three, with claims named by what they are."""
    made: dict[str, dict[str, Any]] = {
        "message": {"recipients": {INFO, TEAM, LATE}, "verdicts": {"virus": virus}},
        "via:jane@dest.example": {"state": "sent", "recipient": INFO},
        "via:joe@dest.example": {"state": "failed", "recipient": TEAM},
        "via:ann@dest.example": {"state": "claimed", "recipient": TEAM},
    }
    outcomes = {INFO: "forwarded", TEAM: "failed", **states}
    return {**made, **{f"to:{who}": {"state": state} for who, state in outcomes.items()}}


@pytest.mark.parametrize(
    ("wanted", "options", "expected"),
    [
        ([], {}, Order((LATE,))),
        ([LATE], {}, Order((LATE,))),
        ([], {"failed": True}, Order((LATE, TEAM), (TEAM,), ("joe@dest.example",))),
        ([TEAM], {"failed": True}, Order((TEAM,), (TEAM,), ("joe@dest.example",))),
        ([INFO], {"again": True}, Order((INFO,), (INFO,), ("jane@dest.example",))),
        ([], {"again": True}, Order((INFO, LATE, TEAM), (INFO, TEAM), ("jane@dest.example", "joe@dest.example"))),
    ],
)
def test_a_replay_opens_what_is_asked_for_and_no_more(
    wanted: list[str], options: dict[str, bool], expected: Order
) -> None:
    assert replay(entries(), wanted, **{"again": False, "failed": False, **options}) == expected


def test_a_replay_opens_the_copy_that_serves_whom_it_names() -> None:
    """Both aliases lead to Joe, who was sent one copy, in the name of the first."""
    made = entries(**{LATE: "failed"})
    made["via:joe@dest.example"]["recipients"] = [LATE]
    assert replay(made, [LATE], again=False, failed=True) == Order((LATE,), (LATE,), ("joe@dest.example",))


def test_what_is_settled_but_open_is_run_so_that_it_is_closed() -> None:
    """An order or a function that was cut off leaves that; nothing of it is sent again."""
    made = entries(**{LATE: "merged"})
    made["message"]["pending"] = {INFO}
    order = replay(made, [], again=False, failed=False)
    assert (order, order.opened(made)) == (Order((INFO,)), ())
    assert replay(entries(), [], again=False, failed=True).opened(entries()) == (LATE, TEAM)


def test_what_is_deferred_is_run_without_being_opened() -> None:
    assert replay(entries(**{LATE: "deferred"}), [], again=False, failed=False) == Order((LATE,))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [([INFO], "info@example.com is forwarded: nothing to run"), (["x@example.com"], "it was not for x@example.com")],
)
def test_a_replay_of_what_is_settled_or_unknown_is_refused(wanted: list[str], said: str) -> None:
    with pytest.raises(CannotOrder, match=said):
        replay(entries(), wanted, again=False, failed=False)


def test_a_replay_with_nothing_to_do_is_refused() -> None:
    with pytest.raises(CannotOrder, match="nothing to run without --failed or --again"):
        replay(entries(**{LATE: "merged"}), [], again=False, failed=False)


def test_a_release_is_for_the_quarantined_alone() -> None:
    assert release(entries(**{LATE: "quarantined"}), []) == Order((LATE,), (LATE,))
    with pytest.raises(CannotOrder, match="info@example.com is forwarded, not quarantined"):
        release(entries(**{LATE: "quarantined"}), [INFO])
    with pytest.raises(CannotOrder, match="late@example.com is pending"):
        release(entries(), [])


def test_a_virus_is_never_released() -> None:
    with pytest.raises(CannotOrder, match="virus"):
        release(entries(virus="FAIL", **{LATE: "quarantined"}), [])


@pytest.mark.parametrize(("state", "reopened"), [("quarantined", (TEAM,)), ("forwarded", (TEAM,)), ("deferred", ())])
def test_what_a_suspended_destination_missed_is_run_for_its_recipient(state: str, reopened: tuple[str, ...]) -> None:
    made = entries(**{TEAM: state})
    made["via:joe@dest.example"]["state"] = "suspended"
    assert missed(made, ["joe@dest.example"]) == Order((TEAM,), reopened)


@pytest.mark.parametrize("state", ["unanswered", "claimed"])
def test_a_destination_that_was_suspended_over_a_lost_answer_may_have_missed_it(state: str) -> None:
    """No one tries it any more once its recipient is settled, and nothing else would tell of it."""
    made = entries(**{TEAM: "forwarded"})
    made["via:joe@dest.example"]["state"] = state
    assert missed(made, ["joe@dest.example"]) == Order((TEAM,), (TEAM,))


@pytest.mark.parametrize("who", ["jane@dest.example", "nobody@dest.example"])
def test_who_missed_nothing_gets_nothing(who: str) -> None:
    with pytest.raises(CannotOrder, match="missed"):
        missed(entries(), [who])


@pytest.mark.parametrize("kind", ["bounced", "rejected"])
def test_what_was_lost_is_run_again_as_what_failed(kind: str) -> None:
    made = entries(**{TEAM: "forwarded"})
    made["via:joe@dest.example"] |= {"state": "sent", kind: {"at": 1, "why": "no", "lost": True}}
    assert replay(made, [TEAM], again=False, failed=True) == Order((TEAM,), (TEAM,), ("joe@dest.example",))
    made["via:joe@dest.example"][kind] = {"at": 1, "why": "an out-of-office reply"}
    with pytest.raises(CannotOrder):
        replay(made, [TEAM], again=False, failed=True)
