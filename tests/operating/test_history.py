"""`postern log` and `postern trace`: where is my message?"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from postern_command.following import followed
from postern_mail.errors import Unavailable
from postern_mail.mail.address import Address
from postern_mail.mail.outcomes import State
from postern_mail.ports.forward import Outcome

from tests.builders import envelope, verdict
from tests.operating.conftest import Office

INFO = ("info@example.com", "forwarded", "alias info@example.com")
GONE = "gone@dest.example"
SPAM = ("team@example.com", "quarantined", "spam FAIL")


def test_the_log_has_a_line_for_each_recipient_newest_first(office: Office) -> None:
    first = office.happened(INFO, SPAM)
    office.clock.time += 60
    second = office.happened(("late@example.com", "pending", ""))
    done = office.run("log")
    assert done.status == 0
    assert [line.split("  ", 1)[1] for line in done.out.splitlines()] == [
        f"{second}  pending  late@example.com  betsy@sender.example",
        f"{first}  forwarded  info@example.com  betsy@sender.example  alias info@example.com",
        f"{first}  quarantined  team@example.com  betsy@sender.example  spam FAIL",
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


@pytest.mark.parametrize(
    ("happened", "later"),
    [
        ({"delivered": {"at": 5}}, "delivered"),
        ({"bounced": {"at": 5, "why": "550 no such mailbox", "lost": True}}, "lost"),
        ({"bounced": {"at": 5, "why": "out of office"}, "delivered": {"at": 4}}, "bounced"),
        ({"complained": {"at": 6, "why": "abuse"}, "delivered": {"at": 5}}, "complained"),
        ({"rejected": {"at": 6, "why": "virus", "lost": True}}, "lost"),
        ({"delayed": {"at": 6}}, "delayed"),
    ],
)
def test_the_log_tells_the_later_truth(office: Office, happened: dict[str, object], later: str) -> None:
    """SES took it, so the outcome is `forwarded`; whether the mailbox has it is another question."""
    message_id = office.happened(INFO)
    office.sent(message_id, "gone@dest.example", "info@example.com")
    entry = office.entries(message_id)["via:gone@dest.example"]
    office.cloud.put("LedgerTable", [{**entry, **happened}])
    assert office.run("log").out.split("  ")[2:4] == [later, "info@example.com"]
    (row,) = office.run("log", "--state", later, "--json").objects
    assert (row["state"], row["later"], row["destination"]) == ("forwarded", later, "gone@dest.example")
    assert office.run("log", "--state", "forwarded", "--json").objects == [row]
    assert f"    {later}: gone@dest.example" in office.run("trace", message_id).out
    assert not [other for other in ("lost", "delivered") if other != later and office.run("log", "--state", other).out]


def test_who_was_merged_has_a_line_and_a_truth_of_his_own(office: Office) -> None:
    """sales@ led to both, so the copies went in its name; info@ leads to the one that arrived."""
    message_id = office.happened(("sales@example.com", "forwarded", "alias sales@example.com"), INFO)
    merged = Outcome(Address.parse("team@example.com"), State.MERGED, "alias team@example.com", merged=(GONE, "x@y.z"))
    more = envelope("team@example.com", message_id=message_id)
    office.ledger.open(more)
    office.ledger.close(more, [merged], 1234)
    for destination, happened in (
        ("jane@dest.example", {"delivered": {"at": 5}}),
        (GONE, {"bounced": {"at": 5, "why": "550 no such mailbox", "lost": True}}),
    ):
        office.sent(message_id, destination, "sales@example.com")
        office.cloud.put("LedgerTable", [{**office.entries(message_id)[f"via:{destination}"], **happened}])
    office.cloud.put(
        "LedgerTable", [{**office.entries(message_id)["to:info@example.com"], "merged": ["jane@dest.example"]}]
    )
    assert {row["recipient"].partition("@")[0]: row["later"] for row in office.run("log", "--json").objects} == {
        "sales": "lost", "info": "delivered", "team": "lost"
    }  # fmt: skip
    assert "merged gone@dest.example; x@y.z" in office.run("trace", message_id).out


def test_an_outcome_names_so_many_merged_destinations_as_an_item_holds(office: Office) -> None:
    many = tuple(f"{'x' * 60}{number}@{'y' * 60}.example" for number in range(5000))
    made = envelope("team@example.com", message_id="merged")
    office.ledger.open(made)
    office.ledger.close(made, [Outcome(Address.parse("team@example.com"), State.MERGED, "", merged=many)], 1)
    assert office.entries("merged")["to:team@example.com"]["merged"] == [*many[:500], "4500 more"]


def test_a_state_is_asked_for_in_any_case(office: Office) -> None:
    office.happened(INFO, SPAM)
    assert [row["recipient"] for row in office.run("log", "--json", "--state", "Quarantined").objects] == [SPAM[0]]


@pytest.mark.parametrize("command", ["trace", "original", "replay"])
def test_an_id_has_characters(office: Office, command: str) -> None:
    done = office.run(command, " ")
    assert (done.status, done.err) == (2, "postern: an empty id\n")
    assert "write at least 6 characters of the id" in office.run("trace", "abc").err


def test_nothing_to_list_is_said(office: Office) -> None:
    for arguments in (("log",), ("quarantine", "list")):
        done = office.run(*arguments)
        assert (done.status, done.out, done.err) == (0, "", "nothing to list\n")


@pytest.mark.parametrize("command", ["trace", "original"])
def test_an_id_may_be_typed_short(office: Office, command: str) -> None:
    first = office.happened(INFO, message_id=f"aaaaaa1{'0' * 25}")
    office.happened(INFO, message_id=f"aaaaaa2{'0' * 25}")
    office.store(first)
    short = office.run(command, "aaaaaa1")
    assert (short.status, short.out) == (0, office.run(command, first).out)
    done = office.run("trace", "aaaaaa")
    assert (done.status, "2 ids start with" in done.err) == (2, True)
    assert office.run(command, "aaaaaa3").status == 1
    assert office.run(command, "aaaaa").status == 1


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
        (("--since", "banana"), "write 30m, 12h, 7d, 2w, today, yesterday, 2026-11-20, 2026-11-20T18:00"),
        (("--state", "lots"), "expected one of forwarded, merged, "),
        (("--state", ""), "expected one of forwarded, merged, "),
        (("--recipient", "x y"), "not a mail"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(office: Office, options: tuple[str, ...], said: str) -> None:
    done = office.run("log", *options)
    assert done.status == 2
    assert said in done.err


def test_without_a_ledger_it_says_how_to_name_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    done = office.run("log", POSTERN_LEDGER_TABLE="")
    assert (done.status, "POSTERN_LEDGER_TABLE is not set, but POSTERN_ALIAS_TABLE is" in done.err) == (2, True)
    assert "or use --stack NAME" in done.err


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
        "from betsy@sender.example, received at an unknown time, 1234 bytes",
        "spam FAIL",
        "closed: every recipient is settled",
        "info@example.com  forwarded  alias info@example.com",
        "team@example.com  quarantined  spam FAIL",
        "jane@dest.example  sent  0102-ses",
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
    assert (done.status, "does not know message nothing" in done.err) == (1, True)


def test_no_stranger_steers_the_terminal(office: Office) -> None:
    message_id = office.happened(INFO, source="\x1b[2J@evil.example")
    for done in (office.run("log"), office.run("trace", message_id)):
        assert "\\x1b[2J@evil.example" in done.out
        assert "\x1b" not in done.out


def test_times_are_those_of_the_clock(office: Office) -> None:
    office.happened(INFO)
    (row,) = office.run("log", "--json").objects
    assert abs(row["opened_at"] - (time.time() - 600)) < 300


SCREENS = {
    80: """\
26 Nov 09:41  bbbbbbbb  rejected     nobody@example.com    joe@sender.example
              nobody@example.com is unknown
26 Nov 09:40  aaaaaaaa  lost         info@example.com      betsy@sender.example
              gone@dest.example: smtp; 550 5.1.1 there is no such mailbox here
26 Nov 09:40  aaaaaaaa  forwarded    team@example.com      betsy@sender.example
""",
    120: """\
26 Nov 09:41  bbbbbbbb  rejected     nobody@example.com          joe@sender.example          nobody@example.com is un\u2026
26 Nov 09:40  aaaaaaaa  lost         info@example.com            betsy@sender.example        gone@dest.example: smtp;\u2026
26 Nov 09:40  aaaaaaaa  forwarded    team@example.com            betsy@sender.example        alias team@example.com
""",
}


@pytest.mark.parametrize("width", SCREENS)
def test_the_screen(office: Office, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 11, 26, 9, 40, tzinfo=UTC).timestamp()
    monkeypatch.setattr(time, "time", lambda: at + 600)
    office.clock.time = at
    lost = office.happened(INFO, ("team@example.com", "forwarded", "alias team@example.com"), message_id="a" * 32)
    office.sent(lost, "gone@dest.example", "info@example.com")
    said = {"at": 1, "lost": True, "why": "smtp; 550 5.1.1 there is no such mailbox here"}
    office.cloud.put("LedgerTable", [{**office.entries(lost)["via:gone@dest.example"], "bounced": said}])
    office.clock.time = at + 60
    unknown = ("nobody@example.com", "rejected", "nobody@example.com is unknown")
    office.happened(unknown, message_id="b" * 32, source="joe@sender.example")
    done = office.run("log", COLUMNS=str(width), TTY_COMPATIBLE="1", NO_COLOR="1")
    assert done.out == SCREENS[width]


def test_the_log_goes_on_with_what_comes_and_what_changes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three looks, each after something happened; what is as it was is not shown again."""
    first = office.happened(("late@example.com", "pending", ""))

    def changed() -> None:
        office.happened(("late@example.com", "forwarded", "alias"), message_id=first)
        office.clock.time += 60
        office.happened(SPAM)

    looks = [lambda: None, changed]

    def pause(_: float) -> None:
        if not looks:
            raise KeyboardInterrupt
        looks.pop(0)()

    monkeypatch.setattr(followed, "__defaults__", (pause, time.time))
    done = office.run("log", "--follow", "--json", "--recipient", "@example.com")
    assert done.status == 0
    assert [(row["recipient"].partition("@")[0], row["state"]) for row in done.objects] == [
        ("late", "pending"), ("late", "forwarded"), ("team", "quarantined"),
    ]  # fmt: skip


def test_the_log_follows_through_a_gap_of_the_network_and_not_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"message_id": "m", "recipient": "a", "state": "forwarded", "later": None}]
    answers: list[list[dict[str, str | None]] | None] = [None, rows, *[None] * 20]

    def listed(_: float) -> Iterator[dict[str, str | None]]:
        found = answers.pop(0)
        if found is None:
            raise Unavailable("DynamoDB")
        yield from found

    seen = followed(listed, 0, 10, pause=lambda _: None)
    assert next(seen) == rows[0]
    with pytest.raises(Unavailable):
        next(seen)
    assert len(answers) == 7
    assert capsys.readouterr().err.count("trying again") == 13


def test_the_log_shows_the_latest_first_and_forgets_what_is_old() -> None:
    made = [{"message_id": f"m{number}", "recipient": "a", "state": "x", "later": None} for number in range(5)]
    asked: list[float] = []

    def listed(since: float) -> Iterator[dict[str, str | None]]:
        asked.append(since)
        yield from reversed(made)

    clock = iter((5_000.0, 100_000.0, 200_000.0))
    seen = followed(listed, 10, 2, pause=lambda _: None, now=lambda: next(clock))
    assert [next(seen)["message_id"] for _ in range(2)] == ["m3", "m4"]
    assert [next(seen)["message_id"] for _ in range(3)] == ["m0", "m1", "m2"]
    made.append({**made[0], "message_id": "m5"})
    assert next(seen)["message_id"] == "m5"
    assert asked == [10, 4_100, 99_100]
