"""Plans replayed call by call against a model of SES, broken off anywhere and begun again."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postern_mail.recipients import plan as planning
from postern_mail.recipients.plan import CREATE, DELETE, UPDATE, Rule, Step, opening, plan, room

PREFIX = "stack-recipients-"
DOMAINS = ("a.example", "b.example", "c.example")
ADDRESSES = tuple(f"{local}@{domain}" for domain in DOMAINS for local in "rstuvw")


@pytest.fixture(autouse=True, scope="module")
def small_limits() -> Iterator[None]:
    """Three recipients a rule, so that a few addresses need several rules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "MAX_RECIPIENTS", 3)
        patch.setattr(planning, "MAX_RULES", 14)
        yield


@dataclass
class Ses:
    """What SES has of ours, and whom it takes."""

    rules: dict[str, Rule] = field(default_factory=dict)

    def carry_out(self, step: Step) -> None:
        if step.kind == DELETE:
            del self.rules[step.name]
            return
        assert 1 <= len(step.recipients) <= planning.MAX_RECIPIENTS, "an empty rule would match everything"
        assert len(set(step.recipients)) == len(step.recipients)
        assert (step.name in self.rules) == (step.kind == UPDATE)
        self.rules[step.name] = Rule(step.name, step.recipients)
        assert len(self.rules) <= planning.MAX_RULES

    def taken(self) -> set[str]:
        """The addresses taken in SMTP."""
        return self._matched([rule for rule in self.rules.values() if rule.enabled])

    def handled(self) -> set[str]:
        """The addresses whose mail also goes where it should."""
        return self._matched([rule for rule in self.rules.values() if rule.sound])

    def _matched(self, rules: Collection[Rule]) -> set[str]:
        return {one for one in ADDRESSES for rule in rules if not rule.recipients or covers(rule.recipients, one)}


def covers(recipients: Collection[str], address: str) -> bool:
    return address in recipients or address.rpartition("@")[2] in recipients


def wanted_of(domains: Collection[str], addresses: Collection[str]) -> frozenset[str]:
    """As `addresses.wanted` makes them: no address of a domain that is taken whole."""
    return frozenset(domains) | {one for one in addresses if one.rpartition("@")[2] not in domains}


def rule(number: int, recipients: Collection[str], state: str) -> Rule:
    return Rule(f"{PREFIX}{number:03}", tuple(recipients), sound=state == "sound", enabled=state != "off")


WANTED = st.builds(wanted_of, st.sets(st.sampled_from(DOMAINS), max_size=3), st.sets(st.sampled_from(ADDRESSES)))
FOUND = st.lists(
    st.builds(
        rule,
        st.integers(1, 6),
        st.sets(st.sampled_from((*ADDRESSES, *DOMAINS, "other.example", ".example")), max_size=3),
        st.sampled_from(["sound", "sound", "sound", "elsewhere", "off"]),
    ),
    max_size=6,
    unique_by=lambda one: one.name,
)


def walk(ses: Ses, wanted: frozenset[str], calls: int) -> None:
    """Carry out so many calls of a plan, looking at every state on the way."""
    live = {one for one in ADDRESSES if covers(wanted, one)}
    steps = plan(list(ses.rules.values()), wanted, PREFIX)
    for step in steps[:calls]:
        taken, handled = ses.taken() & live, ses.handled() & live
        ses.carry_out(step)
        assert ses.taken() >= taken
        assert ses.handled() >= handled


@settings(max_examples=600, deadline=None)
@given(FOUND, st.lists(st.tuples(WANTED, st.integers(0, 8)), max_size=3), WANTED)
def test_no_address_is_refused_on_the_way_wherever_it_is_broken_off(
    found: list[Rule], broken_off: list[tuple[frozenset[str], int]], wanted: frozenset[str]
) -> None:
    ses = Ses({one.name: one for one in found})
    for another, calls in broken_off:
        walk(ses, another, calls)
    walk(ses, wanted, 1000)
    named = [recipient for one in ses.rules.values() for recipient in one.recipients]
    assert sorted(named) == sorted(wanted), "exactly what is wanted, each of them once"
    assert all(one.sound for one in ses.rules.values())
    assert plan(list(ses.rules.values()), wanted, PREFIX) == []


@settings(max_examples=200, deadline=None)
@given(FOUND, st.sets(st.sampled_from(DOMAINS), min_size=1, max_size=3))
def test_one_call_opens_all_domains_and_takes_nothing_away(found: list[Rule], domains: set[str]) -> None:
    ses = Ses({one.name: one for one in found})
    before = ses.taken() | ses.handled()
    steps = opening(found, domains, PREFIX)
    assert len(steps) <= 1
    for step in steps:
        ses.carry_out(step)
    assert ses.handled() >= {one for one in ADDRESSES if covers(domains, one)}
    assert ses.taken() >= before
    assert opening(list(ses.rules.values()), domains, PREFIX) == []


def replayed(found: Mapping[str, tuple[str, ...]], wanted: Collection[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    rules = [Rule(PREFIX + name, recipients) for name, recipients in found.items()]
    steps = plan(rules, wanted, PREFIX)
    return [(step.kind, step.name.removeprefix(PREFIX), step.recipients) for step in steps]


def test_what_changes_costs_one_call() -> None:
    found = {"001": ("r@a.example", "s@a.example")}
    assert replayed(found, ["r@a.example", "s@a.example"]) == []
    assert replayed(found, ["r@a.example", "s@a.example", "t@a.example"]) == [
        (UPDATE, "001", ("r@a.example", "s@a.example", "t@a.example"))
    ]
    assert replayed(found, ["s@a.example"]) == [(UPDATE, "001", ("s@a.example",))]
    assert replayed(found, ["s@a.example", "t@a.example"]) == [(UPDATE, "001", ("s@a.example", "t@a.example"))]
    assert replayed({}, ["r@a.example"]) == [(CREATE, "001", ("r@a.example",))]
    assert replayed(found, []) == [(DELETE, "001", ())]


def test_a_domain_goes_when_its_addresses_are_there_and_comes_before_they_go() -> None:
    assert replayed({"001": ("a.example",)}, ["r@a.example", "s@a.example", "t@a.example"]) == [
        (UPDATE, "001", ("r@a.example", "s@a.example", "a.example")),
        (CREATE, "002", ("t@a.example",)),
        (UPDATE, "001", ("r@a.example", "s@a.example")),
    ]
    assert replayed({"001": ("r@a.example", "s@a.example", "t@a.example")}, ["a.example"]) == [
        (CREATE, "002", ("a.example",)),
        (DELETE, "001", ()),
    ]


def test_a_rule_that_someone_emptied_is_not_filled_but_goes_last() -> None:
    """It matches everything: as long as it is there no one is refused."""
    assert replayed({"001": ()}, ["r@a.example"]) == [(CREATE, "002", ("r@a.example",)), (DELETE, "001", ())]


def test_the_rules_of_others_count_and_one_rule_is_kept_free() -> None:
    assert (room(0), room(5), room(20)) == (13 * 3, 8 * 3, 0)
