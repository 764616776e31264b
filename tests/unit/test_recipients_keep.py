"""Keeping the rules: who writes, when it stops, what it leaves behind."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from postern_mail.errors import ClaimLost, Misconfigured, Refused, Unavailable
from postern_mail.recipients.keep import MARGIN, Keeper, changed_at
from postern_mail.recipients.plan import Rule
from postern_mail.recipients.ports import Turn

from tests.fakes import FakeClock
from tests.rule_fakes import FakeAliasTable, FakeLease, FakeRecipientsLog, FakeRules

TO_JANE = {"destinations": "jane@dest.example"}
ROLES = {"abuse@example.com", "postmaster@example.com", "postern-test@example.com"}
SCHEDULED = {"source": "aws.events"}


@dataclass
class System:
    clock: FakeClock = field(default_factory=FakeClock)
    rules: FakeRules = field(default_factory=FakeRules)
    elsewhere: dict[str, FakeRules] = field(default_factory=dict)
    table: FakeAliasTable = field(default_factory=FakeAliasTable)
    log: FakeRecipientsLog = field(default_factory=FakeRecipientsLog)
    answers: list[dict[str, Any]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    seconds: float = 600.0
    during_pause: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        self.lease = FakeLease(self.clock)
        self.end = self.clock.time + self.seconds

    def run(self, event: dict[str, Any] = SCHEDULED) -> None:
        keeper = Keeper(
            domains=["example.com"],
            prefix=self.rules.prefix,
            rule_set="ours",
            rules_in=lambda name: self.elsewhere.get(name, self.rules),
            table=self.table,
            lease=self.lease,
            clock=self.clock,
            log=self.log,
            pause=self._pause,
            put=lambda _, body: self.answers.append(json.loads(body)),
        )
        keeper.handle(event, lambda: self.end - self.clock.time)

    def aliases(self, count: int) -> set[str]:
        self.table.aliases = {f"a{number}@example.com": TO_JANE for number in range(count)}
        return set(self.table.aliases) | ROLES

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.time += seconds
        self.during_pause()


@pytest.fixture
def system() -> System:
    return System()


def request(kind: str, rule_set: str = "ours") -> dict[str, Any]:
    names = {"StackId": "stack", "RequestId": "1", "LogicalResourceId": "RecipientRules", "ResponseURL": "https://x"}
    return {"RequestType": kind, **names, "ResourceProperties": {"RuleSet": rule_set}}


def stream(*times: float) -> dict[str, Any]:
    return {"Records": [{"dynamodb": {"ApproximateCreationDateTime": time}} for time in times]}


def test_the_rules_follow_the_table_and_then_nothing_is_left_to_do(system: System) -> None:
    wanted = system.aliases(3)
    system.run()
    assert system.rules.recipients == wanted
    made = len(system.rules.steps)
    system.run()
    assert len(system.rules.steps) == made
    assert system.lease.owner == ""


def test_it_stops_before_the_functions_end_and_the_next_run_goes_on(system: System) -> None:
    wanted = system.aliases(450)
    began = system.clock.time
    system.rules.before = lambda: setattr(system.clock, "time", system.clock.time + 100)
    system.end = began + MARGIN + 150
    system.run()
    assert [look.left for look in system.log.looks] == [3]
    assert (system.lease.owner, system.lease.behind_since) == ("", began)
    system.end = system.clock.time + 1000
    system.run()
    assert system.rules.recipients == wanted
    assert system.lease.behind_since is None
    assert system.log.lags == [200, 500], "measured from when it was first seen"


def test_the_lag_is_counted_from_the_oldest_change(system: System) -> None:
    system.aliases(1)
    now = system.clock.time
    system.run(stream(now - 12, now - 30, now - 5))
    system.run(SCHEDULED)
    system.run(stream(now - 9))
    assert system.log.lags == [30, 0, 9], "also where the change made no call necessary"
    assert changed_at(SCHEDULED) is None


def test_who_finds_it_taken_leaves_word_and_the_writer_looks_once_more(system: System) -> None:
    """The second run comes while the first is writing, with a row that the first has not read."""
    system.aliases(1)

    def meanwhile() -> None:
        system.rules.before = lambda: None
        system.table.aliases["late@example.com"] = TO_JANE
        system.run()
        assert system.log.lines == ["left to another"]

    system.rules.before = meanwhile
    system.run(stream(system.clock.time - 30))
    assert "late@example.com" in system.rules.recipients
    assert system.lease.owner == ""
    assert system.log.lags == [30, 0], "the second look is not for the first change"


@pytest.mark.parametrize("broken", ["table", "rules"])
def test_a_failure_leaves_the_function_and_the_lease_and_says_since_when(system: System, broken: str) -> None:
    system.aliases(1)
    now = system.clock.time
    if broken == "table":
        system.table.failure = Unavailable("no table")
    else:
        system.rules.script = [Unavailable("no SES")]
    with pytest.raises(Unavailable):
        system.run(stream(now - 7))
    assert (system.lease.owner, system.lease.behind_since) == ("", now - 7)
    assert (system.log.lags, system.log.lines) == ([7], ["failure Unavailable"])
    system.table.failure = None
    system.clock.time += 100
    system.run()
    assert system.log.lags == [7, 107]


def test_a_writer_whose_lease_was_taken_over_makes_no_further_call(system: System) -> None:
    system.aliases(450)

    def overtaken() -> None:
        system.lease.owner = "another"

    system.rules.before = overtaken
    with pytest.raises(ClaimLost):
        system.run()
    assert len(system.rules.steps) == 1


def test_a_refused_rule_opens_the_domains_and_is_told(system: System) -> None:
    """SES takes some address in no rule: no one is refused for it."""
    system.rules.bodies = {"x-recipients-001": Rule("x-recipients-001", ("info@example.com",))}
    system.table.aliases = {"info@example.com": TO_JANE, "odd@example.com": TO_JANE}
    for _ in range(2):
        system.rules.script = [Refused("Invalid recipient: odd@example.com")]
        with pytest.raises(Misconfigured, match="taken whole.*odd@example.com"):
            system.run()
        assert system.rules.recipients == {"info@example.com", "example.com"}


def test_cloudformation_first_has_the_domains_taken_whole(system: System) -> None:
    system.aliases(1)
    system.run(request("Create"))
    assert system.rules.recipients == {"example.com"}
    assert (system.answers[0]["Status"], system.answers[0]["PhysicalResourceId"]) == ("SUCCESS", "ours/x-recipients-")
    assert system.lease.behind_since is not None, "the next run says how long they were"
    system.run()
    assert system.rules.recipients == {"a0@example.com", *ROLES}


def test_cloudformations_update_takes_nothing_away(system: System) -> None:
    wanted = system.aliases(1)
    system.run()
    system.run(request("Update"))
    assert system.rules.recipients == wanted | {"example.com"}


def test_cloudformations_deletion_takes_our_rules_away_and_no_trace_of_a_lag_stays(system: System) -> None:
    system.aliases(250)
    system.run()
    system.lease.behind_since = 1.0
    system.run(request("Delete"))
    assert system.rules.bodies == {}
    assert system.answers[0]["Status"] == "SUCCESS"
    assert system.lease.owner == ""
    assert system.lease.take() == Turn("3", 0, None, frozenset({"ours"}))


def test_a_deletion_lets_go_of_the_lease_whoever_asked_meanwhile(system: System) -> None:
    system.aliases(1)
    system.run()
    system.rules.before = system.run
    system.run(request("Delete"))
    assert system.log.lines[0] == "left to another"
    assert (system.lease.owner, system.rules.bodies) == ("", {})


def test_what_does_not_fit_into_the_time_is_no_success(system: System) -> None:
    system.end = system.clock.time + MARGIN - 1
    system.run(request("Create"))
    assert (system.answers[0]["Status"], system.rules.bodies) == ("FAILED", {})


def test_a_role_that_iam_does_not_know_yet_is_waited_for(system: System) -> None:
    system.rules.script = [Misconfigured("AccessDenied"), Misconfigured("AccessDenied")]
    system.run(request("Create"))
    assert (system.answers[0]["Status"], system.rules.recipients) == ("SUCCESS", {"example.com"})
    assert system.pauses == [2, 4]


def test_what_stays_refused_is_answered_so_that_the_stack_rolls_back(system: System) -> None:
    system.rules.script = [Misconfigured("Could not write to bucket")] * 9
    system.run(request("Create"))
    assert system.answers[0]["Status"] == "FAILED"
    assert "Could not write to bucket" in system.answers[0]["Reason"]


def test_cloudformation_waits_for_the_writer(system: System) -> None:
    turn = system.lease.take()
    assert turn is not None

    def finished() -> None:
        assert system.rules.steps == []
        if len(system.pauses) == 3:
            system.lease.give_back(turn, turn.behind_since or 1.0)

    system.during_pause = finished
    system.run(request("Create"))
    assert len(system.pauses) == 3
    assert system.rules.recipients == {"example.com"}


def test_cloudformation_is_answered_also_where_the_writer_does_not_end(system: System) -> None:
    system.lease.take()
    system.lease.until += 10_000
    system.run(request("Create"))
    assert (system.answers[0]["Status"], system.rules.steps) == ("FAILED", [])
    assert "another invocation is writing the rules" in system.answers[0]["Reason"]


def test_a_run_that_was_still_to_come_makes_no_rules_once_they_are_removed(system: System) -> None:
    """An event that Lambda still had in its queue; the rules would outlive the function that they invoke."""
    system.aliases(3)
    system.run()
    system.run(request("Delete"))
    for late in (SCHEDULED, stream(1.0)):
        system.run(late)
        assert system.rules.bodies == {}
        assert system.lease.owner == ""
    system.run(request("Create"))
    system.run()
    assert system.rules.recipients == system.aliases(3)


def test_a_set_that_the_stack_left_does_not_keep_it_from_the_other(system: System) -> None:
    system.elsewhere["left"] = FakeRules()
    wanted = system.aliases(3)
    system.run(request("Create"))
    system.run(request("Delete", "left"))
    system.run()
    assert system.rules.recipients == wanted


def test_the_rules_in_a_set_that_the_stack_leaves_are_removed_and_no_others(system: System) -> None:
    wanted = system.aliases(1)
    system.run()
    left = system.elsewhere["left"] = FakeRules(bodies={"x-recipients-001": Rule("x-recipients-001", ("example.com",))})
    system.run(request("Delete", "left"))
    assert (system.answers[-1]["Status"], system.answers[-1]["Reason"]) == ("SUCCESS", "our rules are gone")
    assert left.bodies == {}
    assert system.rules.recipients == wanted


def test_a_set_that_the_stack_comes_to_makes_another_resource(system: System) -> None:
    """So CloudFormation asks for the old one's removal, after the new one is made."""
    for rule_set in ("one", "two"):
        system.run(request("Update", rule_set))
    one, two = (answer["PhysicalResourceId"] for answer in system.answers)
    assert one != two
