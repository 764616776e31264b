"""Bringing domains to where the template wants them, with a fault at every call and a rollback in the middle."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from postern_mail.aws.recipients.receipt_rules import PACE
from postern_mail.custom_resource import CALL, RESERVE
from postern_mail.domains.carry_out import HAND_OVER, LONGEST, MOST_TURNS, ONWARD, PATIENCE, SES_PACE, THROTTLES
from postern_mail.domains.plan import FEEDBACK_BY_MAIL, KEY_LENGTH, Identity
from postern_mail.domains.records import SPF_LINE
from postern_mail.errors import Misconfigured, Temporary, Throttled, Unavailable

from tests.domain_fakes import STACK, ZONE, Account, Failures, properties

COM, ORG = "example.com", "example.org"
ALL = {"HostedZones": [ZONE], "Records": ["dkim", "mailfrom", "spf", "dmarc", "mx"]}
DOWN = Unavailable("down")
BOTOCORE_ATTEMPTS = 3  # of clients.receipt_rules


@pytest.fixture
def account() -> Account:
    return Account()


def state(account: Account) -> tuple[Any, ...]:
    return dict(account.ses.there), dict(account.zones.sets)


def test_a_domain_gets_identity_and_records(account: Account) -> None:
    assert (
        account.ask("Create", properties(COM, **ALL))
        == "1 domains: 1 identities made, 0 adopted; 8 record sets written"
    )
    made = account.ses.there[COM]
    assert (made.made_by, made.mail_from, made.configuration_set, made.feedback_by_mail) == (
        "postern", "bounces.example.com", "postern-forward", False,
    )  # fmt: skip
    assert account.records() == {
        **{(f"examplecom{n}._domainkey.{COM}", "CNAME"): (f"examplecom{n}.dkim.amazonses.com",) for n in (1, 2, 3)},
        (f"bounces.{COM}", "MX"): ("10 feedback-smtp.eu-west-1.amazonses.com",),
        (f"bounces.{COM}", "TXT"): (SPF_LINE,),
        (COM, "TXT"): (SPF_LINE,),
        (f"_dmarc.{COM}", "TXT"): ('"v=DMARC1; p=none"',),
        (COM, "MX"): ("10 inbound-smtp.eu-west-1.amazonaws.com",),
    }


def test_asked_again_it_only_looks(account: Account) -> None:
    account.ask("Create", properties(COM, **ALL))
    before, number = state(account), len(account.failures.calls)
    said = account.ask("Update", properties(COM, **ALL), properties(COM, **ALL))
    assert said == "1 domains: 0 identities made, 0 adopted; 0 record sets written"
    assert state(account) == before
    assert {call.split()[0] for call in account.failures.calls[number:]} == {"look", "zone"}


def test_an_identity_that_is_there_is_adopted_and_not_called_ours(account: Account) -> None:
    account.ses.there[COM] = Identity()
    assert "0 identities made, 1 adopted" in str(account.ask("Create", properties(COM)))
    assert account.ses.there[COM].made_by == ""
    assert account.ses.there[COM].configuration_set == "postern-forward"


def test_without_a_zone_no_record_is_written(account: Account) -> None:
    account.ask("Create", properties(COM, ORG, HostedZones=[ZONE]))
    assert {name.removeprefix("bounces.").partition("._domainkey.")[2] or COM for name, _ in account.records()} == {COM}
    assert account.ses.there.keys() == {COM, ORG}


def test_a_domain_belongs_to_the_nearest_zone_above_it(account: Account) -> None:
    account.zones.names["Z2"] = "sub.example.com"
    account.ask(
        "Create", properties(COM, "a.example.com", "b.sub.example.com", HostedZones=[ZONE, "Z2"], Records=["dkim"])
    )
    assert {(zone, name.partition("._domainkey.")[2]) for zone, name, _ in account.zones.sets} == {
        (ZONE, COM), (ZONE, "a.example.com"), ("Z2", "b.sub.example.com"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({}, "there is no hosted zone Z1"),
        ({ZONE: ORG}, f"Z1 is the zone of {ORG}, which is above none of the domains"),
        ({ZONE: "ample.com"}, "Z1 is the zone of ample.com"),
    ],
)
def test_a_zone_that_does_not_fit_is_refused_before_anything_is_made(
    account: Account, names: dict[str, str], said: str
) -> None:
    account.zones.names = names
    with pytest.raises(Misconfigured, match=said):
        account.ask("Create", properties(COM, **ALL))
    assert state(account) == ({}, {})


def test_two_zones_of_one_name_are_refused(account: Account) -> None:
    account.zones.names["Z2"] = COM
    with pytest.raises(Misconfigured, match="Z1 and Z2 are both of example.com"):
        account.ask("Create", properties(COM, **{**ALL, "HostedZones": [ZONE, "Z2"]}))


def test_what_is_there_is_left_alone_and_said(account: Account) -> None:
    foreign = [
        account.zones.put(COM, "MX", "10 mail.example.net"),
        account.zones.put(COM, "TXT", '"v=spf1 mx -all"'),
        account.zones.put(f"_dmarc.{COM}", "TXT", '"v=DMARC1; p=reject; rua=mailto:x@example.net"'),
        account.zones.put(f"bounces.{COM}", "MX", "10 feedback-smtp.us-east-1.amazonses.com"),
    ]
    said = account.ask("Create", properties(COM, **ALL))
    assert "4 record sets written, 4 left as they are" in str(said)
    assert all(account.zones.sets[ZONE, one.name, one.type] == one for one in foreign)
    left = [line for line in account.said if "left as it is" in line]
    assert len(left) == 4
    assert any('"v=spf1 include:amazonses.com mx -all"' in line for line in left)
    assert any("10 mail.example.net" in line for line in left)


def test_the_answer_holds_nothing_by_domain(account: Account) -> None:
    names = [f"{number:02}{'d' * 20}.example" for number in range(100)]
    account.ses.there = {name: Identity(configuration_set="shop") for name in names}
    said = str(account.ask("Create", properties(*names)))
    assert len(said) < 200
    assert "100 left as they are" in said


def test_a_step_that_ses_refuses_is_left_and_does_not_fail_the_stack(account: Account) -> None:
    account.ses.there[COM] = Identity(next_key="RSA_1024_BIT")
    account.ses.refused = {KEY_LENGTH}
    assert "1 left as they are" in str(account.ask("Create", properties(COM)))
    assert account.ses.there[COM].feedback_by_mail is False, "what comes after it is done"


# --- changes --------------------------------------------------------------------------------------------------


def test_a_policy_of_ours_is_changed_and_one_of_someone_else_is_not(account: Account) -> None:
    account.ask("Create", properties(COM, **ALL))
    for policy, before in (("quarantine", "none"), ("reject", "quarantine")):
        account.ask("Update", properties(COM, DmarcPolicy=policy, **ALL), properties(COM, DmarcPolicy=before, **ALL))
        assert account.records()[f"_dmarc.{COM}", "TXT"] == (f'"v=DMARC1; p={policy}"',)
    account.zones.put(f"_dmarc.{COM}", "TXT", '"v=DMARC1; p=none; pct=5"')
    account.ask("Update", properties(COM, **ALL), properties(COM, DmarcPolicy="reject", **ALL))
    assert account.records()[f"_dmarc.{COM}", "TXT"] == ('"v=DMARC1; p=none; pct=5"',)


@pytest.mark.parametrize(
    ("kind", "later"),
    [
        ("a domain taken out", properties(ORG, HostedZones=[""])),
        ("no records any more", properties(COM, ORG, HostedZones=[ZONE], Records=[""])),
        ("no zones any more", properties(COM, ORG)),
        ("another label", properties(COM, ORG, **{**ALL, "MailFromLabel": "b"})),
        ("the end of the stack", None),
    ],
)
def test_nothing_is_ever_taken_away(account: Account, kind: str, later: dict[str, Any] | None) -> None:
    first = properties(COM, ORG, **ALL)
    account.ask("Create", first)
    identities, sets = state(account)
    account.ask("Update", later, first) if later else account.ask("Delete", first)
    assert account.ses.there.keys() == identities.keys(), kind
    assert account.zones.sets.items() >= sets.items(), kind


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_a_domain_that_goes_is_not_left_with_a_configuration_set_that_goes(account: Account, kind: str) -> None:
    """Another service that sends in its name would be refused."""
    account.ask("Create", properties(COM, ORG))
    account.ses.there[ORG] = replace(account.ses.there[ORG], configuration_set="shop")
    whole = properties(COM, ORG)
    account.ask("Delete", whole) if kind == "Delete" else account.ask("Update", properties(ORG), whole)
    gone, other = account.ses.there[COM], account.ses.there[ORG]
    assert (gone.configuration_set, gone.feedback_by_mail) == ("", True)
    assert (other.configuration_set, other.feedback_by_mail) == (
        "shop" if kind == "Delete" else "postern-forward",
        False,
    )


def test_a_domain_that_comes_back_is_known_as_ours(account: Account) -> None:
    both, one = properties(COM, ORG, **ALL), properties(COM, **ALL)
    account.ask("Create", both)
    before = state(account)
    account.ask("Update", one, both)
    assert "0 identities made, 0 adopted; 0 record" in str(account.ask("Update", both, one))
    assert state(account) == before


# --- faults ---------------------------------------------------------------------------------------------------

WHOLE = properties(COM, ORG, **ALL)


def calls_of(wish: dict[str, Any]) -> int:
    account = Account()
    account.ask("Create", wish)
    return len(account.failures.calls)


def test_every_fault_is_tried() -> None:
    assert calls_of(WHOLE) == 27


@pytest.mark.parametrize("position", range(1, calls_of(WHOLE) + 1))
@pytest.mark.parametrize("after", [False, True])
def test_a_call_that_fails_once_changes_nothing(account: Account, position: int, after: bool) -> None:
    """`after`: AWS did it and its answer was lost."""
    account.failures.after = after
    account.failures.at = {position: DOWN}
    whole = Account()
    whole.ask("Create", WHOLE)
    assert account.ask("Create", WHOLE) is not None
    assert state(account) == state(whole)
    assert not [line for line in account.said if "left" in line]


@pytest.mark.parametrize("position", range(1, calls_of(WHOLE) + 1))
@pytest.mark.parametrize("after", [False, True])
def test_a_request_that_fails_anywhere_is_safe_to_repeat(account: Account, position: int, after: bool) -> None:
    account.failures.after = after
    account.failures.at = dict.fromkeys(range(position, position + PATIENCE), DOWN)
    with suppress(Temporary):  # a batch of Route 53 that was made is refused the second time, and then seen
        account.ask("Create", WHOLE)
    account.failures.at = {}
    account.ask("Create", WHOLE)
    whole = Account()
    whole.ask("Create", WHOLE)
    assert state(account) == state(whole)


@pytest.mark.parametrize("position", range(1, calls_of(WHOLE) + 1))
@pytest.mark.parametrize("after", [False, True])
def test_a_rollback_in_the_middle_leaves_what_was(account: Account, position: int, after: bool) -> None:
    """An update fails, and CloudFormation asks for what was before; AWS is still down then, or not."""
    small = properties(COM, HostedZones=[ZONE], Records=["dkim"])
    account.ask("Create", small)
    account.zones.put(COM, "MX", "10 mail.example.net")
    identities, sets = state(account)
    number = len(account.failures.calls)
    account.failures.after = after
    account.failures.at = dict.fromkeys(range(number + position, number + position + PATIENCE), DOWN)
    try:
        account.ask("Update", WHOLE, small)
    except Temporary:
        account.stacks.back = True
        for down in (True, False):
            account.failures.at = dict.fromkeys(range(1, 1000), DOWN) if down else {}
            said = account.ask("Update", small, WHOLE)
            assert ("rolls back" in str(said)) == down
    assert account.ses.there[COM].made_by == "postern"
    assert account.ses.there[COM].configuration_set == identities[COM].configuration_set
    assert account.zones.sets.items() >= sets.items()


def test_the_rollback_of_a_refusal_goes_through(account: Account) -> None:
    small, wrong = properties(COM), properties(COM, COM)
    account.ask("Create", small)
    with pytest.raises(Misconfigured):
        account.ask("Update", wrong, small)
    account.stacks.back = True
    assert account.ask("Update", small, wrong) == "1 domains: 0 identities made, 0 adopted; 0 record sets written"


def test_a_deletion_that_fails_anywhere_is_safe_to_repeat(account: Account) -> None:
    account.ask("Create", WHOLE)
    done = len(account.failures.calls)
    for _ in range(6):  # two domains, each looked at and given back two things: one further each time
        account.failures.at = dict.fromkeys(range(done + 1, done + 1 + PATIENCE), DOWN)
        with pytest.raises(Temporary):
            account.ask("Delete", WHOLE)
        account.failures.after = True
        done = len(account.failures.calls)
        account.failures.at = {}
    account.ask("Delete", WHOLE)
    assert {one.configuration_set for one in account.ses.there.values()} == {""}
    assert all(one.feedback_by_mail for one in account.ses.there.values())


# --- time -----------------------------------------------------------------------------------------------------


def test_ses_is_asked_once_a_second_and_a_failing_call_gets_more_time(account: Account) -> None:
    account.failures.at = {1: DOWN, 2: DOWN}
    account.ask("Create", properties(COM))
    assert account.pauses[:4] == [SES_PACE, 2 * SES_PACE, 3 * SES_PACE, SES_PACE]
    assert min(account.pauses) > 1


def test_throttling_is_waited_for_longer_than_a_failure(account: Account) -> None:
    account.failures.at = dict.fromkeys(range(1, THROTTLES), Throttled("too fast"))
    account.ask("Create", properties(COM))
    assert max(account.pauses) == LONGEST
    account.failures.at = dict.fromkeys(range(1, 999), Throttled("too fast"))
    with pytest.raises(Throttled):
        account.ask("Create", properties(COM))


def test_what_does_not_fit_goes_on_where_it_was_and_the_last_one_answers(account: Account) -> None:
    names = [f"d{number}.example" for number in range(40)]
    account.seconds = HAND_OVER + 50
    said, event, turns = account.ask("Create", properties(*names)), None, 1
    while said is None:
        event = account.onward[-1]
        assert event[ONWARD]["turn"] == turns + 1
        turns += 1
        said = account.invoke(event)
    assert said == "40 domains: 40 identities made, 0 adopted; 0 record sets written"
    assert 3 < turns <= MOST_TURNS
    assert [call for call in account.failures.calls if call.startswith("make")] == [f"make {name}" for name in names]


def test_a_request_that_gets_nowhere_ends(account: Account) -> None:
    account.seconds = HAND_OVER + 1
    names = [f"d{number}.example" for number in range(100)]
    event: Any = {"RequestType": "Create", "StackId": STACK, "ResourceProperties": properties(*names)}
    for _ in range(MOST_TURNS - 1):
        assert account.invoke(event) is None
        event = account.onward[-1]
    with pytest.raises(Unavailable, match=f"not done after {MOST_TURNS} invocations"):
        account.invoke(event)


def test_time_that_ends_within_a_domain_hands_it_over(account: Account) -> None:
    """A call that could outlast the time for an answer is not begun."""
    account.seconds = HAND_OVER
    account.failures.at = dict.fromkeys(range(1, 18), Throttled("too fast"))
    assert account.ask("Create", properties(COM)) is None
    assert account.onward[0][ONWARD]["next"] == 0
    assert sum(account.pauses) <= HAND_OVER - CALL - RESERVE
    account.failures.at = {}
    assert account.invoke(account.onward[0]) is not None
    assert account.ses.there[COM].mail_from == f"bounces.{COM}"


@pytest.mark.parametrize("lasting", [False, True])
def test_an_invocation_that_cannot_be_handed_over_is_asked_for_twice(account: Account, lasting: bool) -> None:
    account.seconds = HAND_OVER - 1
    account.failures.at = {1: DOWN, 2: DOWN} if lasting else {1: DOWN}
    if lasting:
        with pytest.raises(Unavailable):
            account.ask("Create", properties(COM))
    else:
        assert account.ask("Create", properties(COM)) is None
    assert account.failures.calls == ["onward", "onward"]


def test_feedback_by_mail_ends_with_the_events(account: Account) -> None:
    account.ses.there[COM] = Identity()
    account.ask("Create", properties(COM))
    order = [call for call in account.failures.calls if not call.startswith("look")]
    assert order.index("configuration set example.com") < order.index(f"{FEEDBACK_BY_MAIL} example.com")


# --- beside the recipients function ------------------------------------------------------------------------------


@dataclass
class OneASecond(Failures):
    """SES, which carries out one call a second for a whole account and throttles the others."""

    now: float = 0.0
    carried_out_at: float = -1.0
    throttled: int = 0

    def meet(self, name: str, work: Callable[[], Any]) -> Any:
        self.allow()
        return super().meet(name, work)

    def allow(self) -> None:
        if self.now - self.carried_out_at < 1:
            self.throttled += 1
            raise Throttled("one call a second")
        self.carried_out_at = self.now


@dataclass
class RecipientsFunction:
    """What it asks of SES: a call each PACE seconds, and botocore's attempts at each. A run that fails is followed by
    another, which has the same call before it."""

    ses: OneASecond
    calls: int
    due: float = 0.3
    attempts: int = 0
    failed_runs: int = 0

    def until(self, end: float) -> None:
        while self.calls and self.due <= end:
            self.ses.now = self.due
            self.attempts += 1
            try:
                self.ses.allow()
            except Throttled:
                lost = self.attempts == BOTOCORE_ATTEMPTS
                self.failed_runs += lost
                self.due += 60 if lost else 0.5 * self.attempts
                self.attempts %= BOTOCORE_ATTEMPTS
            else:
                self.calls, self.attempts = self.calls - 1, 0
                self.due += PACE
        self.ses.now = end


def test_it_gets_on_beside_the_recipients_function_and_that_one_beside_it() -> None:
    """Both have much to do: thirty new domains, and a rule set that is rewritten."""
    ses = OneASecond()
    other = RecipientsFunction(ses, calls=200)
    account = Account(ses, seconds=900.0)
    account.meanwhile = lambda: other.until(ses.now + account.pauses[-1])
    names = [f"d{number}.example" for number in range(30)]
    said, turns = account.ask("Create", properties(*names)), 1
    while said is None:
        said, turns = account.invoke(account.onward[-1]), turns + 1
    assert said == "30 domains: 30 identities made, 0 adopted; 0 record sets written"
    assert ses.throttled > 20, "they were in each other's way"
    other.until(ses.now + 3600)
    assert (other.calls, other.failed_runs) == (0, 0)
    assert turns <= 2


def test_a_hundred_new_domains_take_at_most_two_invocations() -> None:
    account = Account(seconds=900.0)
    names = [f"d{number}.example.com" for number in range(100)]
    said, turns = account.ask("Create", properties(*names, **ALL)), 1
    while said is None:
        said, turns = account.invoke(account.onward[-1]), turns + 1
    assert said == "100 domains: 100 identities made, 0 adopted; 800 record sets written"
    assert turns == 2
