"""`postern log` and `postern trace`: where is my message?"""

import time

import pytest

from tests.builders import verdict
from tests.operating.conftest import Office

INFO = ("info@example.com", "forwarded", "alias info@example.com")
SPAM = ("team@example.com", "quarantined", "spam FAIL")


def test_the_log_has_a_line_for_each_recipient_newest_first(office: Office) -> None:
    first = office.happened(INFO, SPAM)
    office.clock.time += 60
    second = office.happened(("late@example.com", "pending", ""))
    done = office.run("log")
    assert done.status == 0
    assert [line.split("  ", 1)[1] for line in done.out.splitlines()] == [
        f"{second}  betsy@sender.example -> late@example.com  pending",
        f"{first}  betsy@sender.example -> info@example.com  forwarded: alias info@example.com",
        f"{first}  betsy@sender.example -> team@example.com  quarantined: spam FAIL",
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"info", "team", "other"}),
        (("--recipient", "INFO@example.com"), {"info"}),
        (("--recipient", "@example.com"), {"info", "team"}),
        (("--state", "quarantined"), {"team"}),
        (("--sender", "joe@"), {"other"}),
        (("--since", "5m"), {"other"}),
        (("--since", "2030-01-01"), set()),
        (("--limit", 1), {"other"}),
    ],
)
def test_the_log_shows_what_is_asked_for(office: Office, options: tuple[object, ...], expected: set[str]) -> None:
    office.happened(INFO, SPAM)
    office.clock.time += 500
    office.happened(("other@sub.example.com", "rejected", "unknown"), source="joe@sender.example")
    done = office.run("log", "--json", *options)
    assert {row["recipient"].partition("@")[0] for row in done.objects} == expected
    assert ("there are more" in done.err) == ("--limit" in options)


def test_the_log_goes_back_over_several_days(office: Office) -> None:
    now = office.clock.time
    office.clock.time = now - 3 * 86_400
    old = office.happened(INFO)
    office.clock.time = now
    assert office.run("log", "--json").objects == []
    assert [row["message_id"] for row in office.run("log", "--json", "--since", "4d").objects] == [old]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "yesterday"), "neither epoch"),
        (("--state", "lost"), "no state"),
        (("--recipient", "x"), "not a mail"),
    ],
)
def test_what_cannot_be_meant_is_wrong_use(office: Office, options: tuple[str, ...], said: str) -> None:
    done = office.run("log", *options)
    assert done.status == 2
    assert said in done.err


def test_without_a_ledger_it_says_how_to_name_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    done = office.run("log", POSTERN_LEDGER_TABLE="")
    assert (done.status, "POSTERN_LEDGER_TABLE is not set, but POSTERN_ALIAS_TABLE is" in done.err) == (2, True)
    assert "or say --stack NAME" in done.err


def test_an_aws_that_does_not_answer_is_status_3(office: Office) -> None:
    assert office.run("log", POSTERN_LEDGER_TABLE="nothing").status == 3


def test_a_trace_has_everything_that_the_ledger_has(office: Office) -> None:
    message_id = office.happened(INFO, SPAM, spamVerdict=verdict("FAIL"))
    office.sent(message_id, "jane@dest.example", "info@example.com", detail="0102-ses")
    item = {"message_id": message_id, "entry": "dsn:info@example.com", "state": "sent", "bounce": {"type": "Permanent"}}
    office.cloud.put("LedgerTable", [item])
    done = office.run("trace", message_id)
    assert done.status == 0
    for said in (
        f"message {message_id}",
        "from betsy@sender.example, received at a time SES did not say, 1234 octets",
        "spam FAIL",
        "closed: every recipient is settled",
        "info@example.com  forwarded: alias info@example.com",
        "team@example.com  quarantined: spam FAIL",
        "jane@dest.example  sent: 0102-ses",
        "attempts 1",
        "recipient info@example.com",
        "settled_at 20",
        "answers\n  info@example.com  sent",
        "bounce type Permanent",
    ):
        assert said in done.out
    (told,) = office.run("trace", message_id, "--json").objects
    assert told["destinations"]["jane@dest.example"]["attempts"] == 1
    assert told["recipients"]["team@example.com"]["state"] == "quarantined"
    assert told["message"]["verdicts"]["spam"] == "FAIL"
    assert told["answers"]["info@example.com"]["bounce"] == {"type": "Permanent"}


def test_a_trace_of_what_is_under_way_says_who_waits(office: Office) -> None:
    message_id = office.happened(INFO, ("team@example.com", "deferred", "jane: SES is busy"))
    assert "  open: team@example.com pending" in office.run("trace", message_id).out


def test_a_trace_of_nothing_is_no(office: Office) -> None:
    done = office.run("trace", "nothing")
    assert (done.status, "has nothing of message nothing" in done.err) == (1, True)


def test_no_stranger_steers_the_terminal(office: Office) -> None:
    message_id = office.happened(INFO, source="\x1b[2J@evil.example")
    for done in (office.run("log"), office.run("trace", message_id)):
        assert "\\x1b[2J@evil.example" in done.out
        assert "\x1b" not in done.out


def test_times_are_those_of_the_clock(office: Office) -> None:
    office.happened(INFO)
    (row,) = office.run("log", "--json").objects
    assert abs(row["opened_at"] - (time.time() - 600)) < 300
