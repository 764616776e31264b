"""`postern stats`: from the days that the watch added up, and today's in the ledger."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest
from postern_command.figures import By, figures
from postern_mail.aws import clients
from postern_mail.aws.watch.summaries import DynamoSummaries
from postern_mail.daily_summaries import DailySummaries
from postern_mail.mail.days import A_DAY
from postern_mail.mail.summaries import Summary, Use, day_of

from tests.operating.conftest import Office


@pytest.fixture
def noon(office: Office) -> float:
    """Of today; the office's clock is there."""
    now = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0).timestamp()
    office.clock.time = now
    return now


def book(office: Office) -> DynamoSummaries:
    return DynamoSummaries(clients.dynamodb(), office.template.name("LedgerTable"))


def added_up(office: Office) -> None:
    watch = DailySummaries(book=book(office), clock=office.clock)
    while watch.run():
        pass


def happened(office: Office, noon: float, day: int, *outcomes: tuple[str, str], source: str = "b@s.example") -> None:
    office.clock.time = noon - day * A_DAY
    office.happened(*((f"{who}@example.com", state, f"{who}@example.com") for who, state in outcomes), source=source)
    office.clock.time = noon


def week(office: Office, noon: float) -> None:
    happened(office, noon, 3, ("info", "forwarded"), ("info+x", "merged"))
    happened(office, noon, 1, ("info", "forwarded"), ("team", "quarantined"), source="j@joe.example")
    added_up(office)
    happened(office, noon, 0, ("team", "rejected"))


@pytest.mark.parametrize("later", [False, True], ids=["yesterday is added up", "yesterday is not yet"])
def test_what_is_added_up_and_what_is_not_yet_count_alike(office: Office, noon: float, later: bool) -> None:
    if later:
        happened(office, noon, 3, ("info", "forwarded"), ("info+x", "merged"))
        office.clock.time = noon - A_DAY
        added_up(office)
        happened(office, noon, 1, ("info", "forwarded"), ("team", "quarantined"), source="j@joe.example")
        happened(office, noon, 0, ("team", "rejected"))
    else:
        week(office, noon)
    totals = {by: [(one.label, one.total) for one in figures(book(office), by, 4, noon).lines] for by in By}
    assert [number for _, number in totals[By.DAY]] == [2, 0, 2, 1]
    assert totals[By.OUTCOME] == [("forwarded", 2), ("merged", 1), ("quarantined", 1), ("rejected", 1)]
    assert totals[By.SENDER] == [("s.example", 3), ("joe.example", 2)]
    assert totals[By.ALIAS] == [("info@example.com", 3), ("team@example.com", 2)]
    assert [one.last_used for one in figures(book(office), By.ALIAS, 4, noon).lines] == [noon - A_DAY, noon - A_DAY]
    assert sum(one.total for one in figures(book(office), By.ALIAS, 2, noon).lines) == 3, "of two days only"


def test_lines_for_people_and_for_programs(office: Office, noon: float, tmp_path: Path) -> None:
    week(office, noon)
    done = office.run("stats", "--by", "alias")
    assert done.status == 0
    assert [line.split("  ")[:2] for line in done.out.splitlines()[:2]] == [
        ["info@example.com", "3"], ["team@example.com", "2"],
    ]  # fmt: skip
    assert office.run("stats", "--by", "alias", "--limit", 1).out.splitlines()[1].startswith("(1 others)")
    rows = office.run("stats", "--json", "--days", 4).objects
    assert [row["total"] for row in rows] == [2, 0, 2, 1]
    assert rows[0]["counts"] == {"forwarded": 1, "merged": 1}
    assert office.run("stats", "--json", "--by", "sender").objects == [
        {"sender": "s.example", "total": 3}, {"sender": "joe.example", "total": 2},
    ]  # fmt: skip
    picture = tmp_path / "mail.svg"
    done = office.run("stats", "--svg", picture)
    assert (done.status, done.out) == (0, "")
    assert ET.parse(picture).getroot().tag.endswith("svg")


def test_aliases_with_how_they_are_used(office: Office, noon: float) -> None:
    names = ("info", "team", "old", "never")
    rows = [{"address": f"{one}@example.com", "destinations": ["j@dest.example"]} for one in names]
    office.cloud.put("AliasTable", rows)
    book(office).keep(
        day_of(noon - 60 * A_DAY), Summary({}, {"old@example.com": Use({}, int(noon) - 60 * A_DAY)}), noon
    )
    week(office, noon)
    try:
        domain = ("--domain", "example.com", "--used")
        listed = office.run("alias", "list", "--json", *domain).objects
        found = {row["address"].partition("@")[0]: row for row in listed}
        assert [(found[one]["count"], found[one]["last_used"]) for one in names] == [
            (3, noon - A_DAY), (2, noon - A_DAY), (0, noon - 60 * A_DAY), (0, None),
        ]  # fmt: skip
        lines = {line.partition("@")[0]: line for line in office.run("alias", "list", *domain).out.splitlines()}
        assert f"(3 in 30 days, last used {day_of(noon - A_DAY)})" in lines["info"]
        assert f"(0 in 30 days, last used {day_of(noon - 60 * A_DAY)})" in lines["old"]
        assert "(never used)" in lines["never"]
        assert "used" not in office.run("alias", "list").out
    finally:
        office.cloud.delete("AliasTable", ({"address": f"{one}@example.com"} for one in names))


def test_a_stack_without_mail_says_so(office: Office, noon: float) -> None:
    assert noon
    done = office.run("stats")
    assert (done.status, done.out, done.err) == (0, "", "no mail in these days\n")
    assert len(office.run("stats", "--json").objects) == 30


@pytest.mark.parametrize("wrong", [("--days", 0), ("--days", 401), ("--by", "colour")])
def test_what_cannot_be_counted(office: Office, wrong: tuple[object, ...]) -> None:
    assert office.run("stats", *wrong).status == 2
