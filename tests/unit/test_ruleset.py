"""Which rule set is active: what is decided, at every position where a call can fail."""

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from postern_mail.custom_resource import PATIENCE, PAUSE
from postern_mail.errors import Misconfigured, Temporary, Unavailable
from postern_mail.ruleset import ACTIVATE, JOIN, MANUAL, TAKE_OVER, Activation

from tests.rule_fakes import FakeRuleSets, FakeStacks

OWN, OTHER, THIRD = "postern", "theirs", "unheard-of"
OWN_RULES = ["postern-inbound", "postern-recipients-*"]


@dataclass
class Region:
    """One region with its rule sets; `pauses` are the seconds waited."""

    sets: FakeRuleSets = field(default_factory=lambda: FakeRuleSets({OWN: ["postern-inbound"], OTHER: ["r"]}))
    stacks: FakeStacks = field(default_factory=FakeStacks)
    pauses: list[float] = field(default_factory=list)

    def ask(self, kind: str, mode: str = ACTIVATE, other: str = "", **properties: Any) -> str:
        activation = Activation(sets=self.sets, stacks=self.stacks, pause=self.pauses.append)
        wish = {"Mode": mode, "RuleSet": OWN, "ActiveRuleSet": other, "OwnRules": OWN_RULES, **properties}
        return activation.carry_out(kind, "arn:stack", wish)


@pytest.fixture
def region() -> Region:
    return Region()


def test_ours_becomes_active_if_no_other_is(region: Region) -> None:
    assert region.ask("Create") == "postern is active, none was"
    assert region.sets.current == OWN


def test_asked_again_it_does_nothing(region: Region) -> None:
    region.ask("Create")
    assert region.ask("Create") == region.ask("Update") == "postern is active already"
    assert region.sets.activations == [OWN]


def test_a_foreign_set_is_not_taken_over_without_its_name_and_the_refusal_says_how(region: Region) -> None:
    region.sets.current = OTHER
    with pytest.raises(Misconfigured, match="RuleSetMode=join ActiveRuleSet=theirs"):
        region.ask("Create")
    with pytest.raises(Misconfigured, match="theirs is active"):
        region.ask("Create", TAKE_OVER, THIRD)
    assert region.sets.current == OTHER


def test_the_set_that_is_named_is_replaced_and_comes_back(region: Region) -> None:
    region.sets.current = OTHER
    region.ask("Create", TAKE_OVER, OTHER)
    assert region.sets.current == OWN
    assert region.ask("Delete", TAKE_OVER, OTHER) == "theirs is active again"
    assert region.sets.current == OTHER


def test_taking_over_where_nothing_is_active_activates(region: Region) -> None:
    region.ask("Create", TAKE_OVER, OTHER)
    assert region.sets.current == OWN


def test_a_set_that_is_gone_cannot_come_back(region: Region) -> None:
    region.sets.current = OWN
    del region.sets.rules[OTHER]
    assert region.ask("Delete", TAKE_OVER, OTHER) == "no rule set is active, postern was"
    assert region.sets.current is None


def test_joining_needs_the_set_to_be_the_active_one(region: Region) -> None:
    with pytest.raises(Misconfigured, match="the rule set to join is theirs, but none is active"):
        region.ask("Create", JOIN, OTHER)
    region.sets.current = OTHER
    assert region.ask("Create", JOIN, OTHER) == "joined theirs"
    assert region.ask("Delete", JOIN, OTHER).startswith("left as it is")
    assert (region.sets.current, region.sets.activations) == (OTHER, [])


def test_our_own_set_gives_way_to_the_one_that_is_joined(region: Region) -> None:
    """Also when an update from joining to taking over fails: the rollback takes our rule out of our set again."""
    region.sets.current = OTHER
    region.ask("Update", TAKE_OVER, OTHER)
    assert region.sets.current == OWN
    region.stacks.back = True
    assert region.ask("Update", JOIN, OTHER) == "joined theirs, which is active in the place of postern"
    assert region.sets.current == OTHER


@pytest.mark.parametrize("why", ["it holds another stage's rule", "there is no set to join"])
def test_our_own_set_does_not_give_way_where_mail_would_be_lost(region: Region, why: str) -> None:
    region.sets.current = OWN
    if why.startswith("it holds"):
        region.sets.rules[OWN].append("postern-dev-inbound")
    else:
        del region.sets.rules[OTHER]
    with pytest.raises(Misconfigured, match="the rule set to join is theirs, but rule set postern is active"):
        region.ask("Update", JOIN, OTHER)
    assert region.sets.current == OWN


def test_manual_asks_for_nothing_and_deactivates_what_is_about_to_be_deleted(region: Region) -> None:
    region.ask("Create", MANUAL)
    assert region.sets.calls == 0
    region.sets.current = OWN
    region.ask("Delete", MANUAL)
    assert region.sets.current is None


def test_a_set_that_is_no_longer_ours_is_left_alone(region: Region) -> None:
    region.sets.current = OTHER
    assert region.ask("Delete") == "left as it is: rule set theirs is active, not postern"
    assert region.sets.current == OTHER


def test_a_set_with_another_stages_rules_stays_active(region: Region) -> None:
    region.sets.current = OWN
    region.sets.rules[OWN] = ["postern-dev-inbound", "postern-inbound", "postern-recipients-3"]
    assert region.ask("Delete") == "postern stays active: it holds the rules of others: postern-dev-inbound"
    assert region.sets.current == OWN


@pytest.mark.parametrize(
    ("mode", "other"), [(ACTIVATE, OTHER), (MANUAL, OTHER), (TAKE_OVER, ""), (JOIN, ""), ("on", "")]
)
def test_what_does_not_fit_together_is_refused(region: Region, mode: str, other: str) -> None:
    with pytest.raises(Misconfigured):
        region.ask("Create", mode, other)
    assert region.sets.calls == 0


def test_calls_are_a_second_apart_and_a_failing_one_gets_more_time(region: Region) -> None:
    region.sets.failures = {1: Unavailable("x"), 2: Unavailable("x")}
    region.ask("Create")
    assert region.pauses == [PAUSE, 2 * PAUSE, 3 * PAUSE, PAUSE]
    assert min(region.pauses) > 1


def test_a_lasting_failure_comes_out(region: Region) -> None:
    region.sets.failures = dict.fromkeys(range(1, 99), Unavailable("down"))
    with pytest.raises(Unavailable, match="down"):
        region.ask("Create")
    assert region.sets.calls == PATIENCE


def test_a_refusal_does_not_hold_the_rollback_of_an_update(region: Region) -> None:
    """CloudFormation asks for the old properties again; a foreign set may be active by then."""
    region.sets.current = OTHER
    with pytest.raises(Misconfigured):
        region.ask("Update")
    region.stacks.back = True
    assert "rolls back" in region.ask("Update")
    with pytest.raises(Misconfigured):
        region.ask("Create")


@pytest.mark.parametrize("position", range(1, 3))
@pytest.mark.parametrize(("after", "lasting"), product([False, True], repeat=2))
@pytest.mark.parametrize("before", [None, OTHER])
def test_a_create_that_fails_anywhere_is_undone_by_the_delete_that_follows(
    region: Region, before: str | None, position: int, after: bool, lasting: bool
) -> None:
    """`after`: SES did it and its answer was lost."""
    region.sets.current = before
    region.sets.after = after
    span = range(position, position + PATIENCE) if lasting else (position,)
    region.sets.failures = dict.fromkeys(span, Unavailable("x"))
    mode, other = (TAKE_OVER, OTHER) if before else (ACTIVATE, "")
    if lasting:
        with pytest.raises(Temporary):
            region.ask("Create", mode, other)
    else:
        region.ask("Create", mode, other)
        assert region.sets.current == OWN
    region.sets.failures.clear()
    region.ask("Delete", mode, other)
    assert region.sets.current == before


@pytest.mark.parametrize("position", range(1, 3))
@pytest.mark.parametrize("after", [False, True])
def test_a_delete_that_fails_anywhere_is_safe_to_repeat(region: Region, position: int, after: bool) -> None:
    region.sets.current = OWN
    region.sets.after = after
    region.sets.failures = dict.fromkeys(range(position, position + PATIENCE), Unavailable("x"))
    with pytest.raises(Unavailable):
        region.ask("Delete", TAKE_OVER, OTHER)
    region.sets.failures.clear()
    region.ask("Delete", TAKE_OVER, OTHER)
    assert region.sets.current == OTHER
