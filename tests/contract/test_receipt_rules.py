"""One contract for the fake and for the rules behind SES's API; then what only the API does."""

from collections.abc import Iterator
from typing import Any

import pytest
from postern_mail.aws import clients
from postern_mail.aws.recipients.assembly import shared_properties
from postern_mail.aws.recipients.receipt_rules import PACE, SesReceiptRules
from postern_mail.environment import RecipientsEnvironment
from postern_mail.errors import Refused, Temporary, Throttled, Unavailable
from postern_mail.recipients.plan import CREATE, DELETE, MAX_RECIPIENTS, UPDATE, Rule, Step
from postern_mail.recipients.ports import RuleStore

from emulator.cloud import CREDENTIALS
from emulator.receiving import rule_set as double
from emulator.receiving.rule_api import RuleApi
from emulator.receiving.rule_set import RuleSet
from emulator.sending.refusals import Account, Refusal
from emulator.sending.server import Sending
from emulator.template import Template
from tests.builders import ROOT
from tests.fakes import FakeClock
from tests.rule_fakes import FakeRules

pytestmark = pytest.mark.function("RecipientsFunction")

PREFIX = "x-recipients-"
ONE, TWO = f"{PREFIX}001", f"{PREFIX}002"
INFO, TEAM = "info@example.com", "team@example.com"


@pytest.fixture(scope="module")
def refusing() -> Template:
    return Template.load(ROOT / "template.yaml", "x", {"Domains": "example.com", "RefuseUnknownRecipients": "true"})


@pytest.fixture
def api(refusing: Template, monkeypatch: pytest.MonkeyPatch) -> Iterator[RuleApi]:
    made = RuleApi(RuleSet.of(refusing), interval=0)
    ses = Sending(Account(set(), set()), lambda *_: None, operations=made.operations)
    ses.start()
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_SES": ses.endpoint}.items():
        monkeypatch.setenv(name, value)
    yield made
    ses.stop()


class Ses:
    """The real adapter; its pauses pass on the fake clock."""

    def __init__(self, template: Template, api: RuleApi, **changed: str) -> None:
        variables = template.resource("RecipientsFunction")["Environment"]["Variables"]
        settings = RecipientsEnvironment.from_environment({**variables, **changed})
        self.clock, self.pauses = FakeClock(), list[float]()
        self.api = api
        self.client = clients.receipt_rules()
        self.rules = SesReceiptRules(
            self.client, settings.rule_set, PREFIX, shared_properties(settings), clock=self.clock, pause=self._pause
        )

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.time += seconds


@pytest.fixture
def ses(refusing: Template, api: RuleApi) -> Ses:
    return Ses(refusing, api)


@pytest.fixture(params=["fake", "ses"])
def rules(request: pytest.FixtureRequest) -> RuleStore:
    if request.param == "fake":
        return FakeRules()
    made: Ses = request.getfixturevalue("ses")
    return made.rules


def test_rules_are_made_changed_and_deleted(rules: RuleStore) -> None:
    assert rules.read().ours == ()
    rules.carry_out(Step(CREATE, ONE, (INFO, "example.com")))
    rules.carry_out(Step(CREATE, TWO, (TEAM,)))
    rules.carry_out(Step(UPDATE, ONE, (INFO,)))
    assert set(rules.read().ours) == {Rule(ONE, (INFO,)), Rule(TWO, (TEAM,))}
    rules.carry_out(Step(DELETE, ONE))
    rules.carry_out(Step(DELETE, ONE))
    assert rules.read().ours == (Rule(TWO, (TEAM,)),)


def test_what_is_there_is_not_made_and_what_is_not_there_not_changed(rules: RuleStore) -> None:
    with pytest.raises(Unavailable):
        rules.carry_out(Step(UPDATE, ONE, (INFO,)))
    rules.carry_out(Step(CREATE, ONE, (INFO,)))
    with pytest.raises(Unavailable):
        rules.carry_out(Step(CREATE, ONE, (TEAM,)))
    assert rules.read().ours == (Rule(ONE, (INFO,)),)


def test_a_hundred_recipients_and_no_more(ses: Ses) -> None:
    """What the plan counts on, and what the double refuses."""
    assert MAX_RECIPIENTS == double.MAX_RECIPIENTS
    many = tuple(f"a{number}@example.com" for number in range(MAX_RECIPIENTS + 1))
    ses.rules.carry_out(Step(CREATE, ONE, many[:-1]))
    assert ses.rules.read().ours[0].recipients == many[:-1]
    with pytest.raises(Temporary, match="LimitExceeded"):
        ses.rules.carry_out(Step(UPDATE, ONE, many))


@pytest.mark.parametrize("name", ["", "a b", "-inbound", "inbound.", "ö", "a" * 65])
def test_ses_takes_no_such_name(ses: Ses, name: str) -> None:
    ses.rules.carry_out(Step(CREATE, ONE, (INFO,)))
    (body,) = ses.api.rule_set.describe()
    with pytest.raises(Refusal, match="Invalid rule name"):
        ses.api.rule_set.create({**body, "Name": name})


def test_the_rules_of_others_are_counted_and_left_alone(ses: Ses) -> None:
    ses.rules.carry_out(Step(CREATE, ONE, (INFO,)))
    (body,) = ses.api.rule_set.describe()
    ses.api.rule_set.bodies.append({**body, "Name": "somebody-else"})
    found = ses.rules.read()
    assert ([rule.name for rule in found.ours], found.others) == ([ONE], 1)


@pytest.mark.parametrize(
    ("change", "enabled"),
    [
        ({"Enabled": False}, False),
        ({"ScanEnabled": False}, True),
        ({"TlsPolicy": "Require"}, True),
        ({"Actions": []}, True),
        ({"Recipients": ["Info@example.com"]}, True),
    ],
)
def test_a_rule_that_someone_changed_is_not_sound_and_writing_it_repairs_it(
    ses: Ses, change: dict[str, Any], enabled: bool
) -> None:
    ses.rules.carry_out(Step(CREATE, ONE, (INFO,)))
    ses.api.rule_set.bodies[0] |= change
    assert ses.rules.read().ours == (Rule(ONE, (INFO,), sound=False, enabled=enabled),)
    ses.rules.carry_out(Step(UPDATE, ONE, (INFO,)))
    assert ses.rules.read().ours == (Rule(ONE, (INFO,)),)


def test_calls_are_a_second_apart(ses: Ses) -> None:
    ses.rules.read()
    assert ses.pauses == []
    ses.rules.carry_out(Step(CREATE, ONE, (INFO,)))
    ses.clock.time += 0.5
    ses.rules.carry_out(Step(CREATE, TWO, (TEAM,)))
    ses.clock.time += 60
    ses.rules.read()
    assert ses.pauses == pytest.approx([PACE, PACE - 0.5])


def test_the_pause_counts_from_a_call_that_failed_too(ses: Ses) -> None:
    with pytest.raises(Unavailable):
        ses.rules.carry_out(Step(UPDATE, ONE, (INFO,)))
    ses.rules.read()
    assert ses.pauses == pytest.approx([PACE])


def test_who_is_too_fast_all_the_same_is_asked_to_slow_down(ses: Ses) -> None:
    ses.api.interval = 3600
    ses.rules.read()
    with pytest.raises(Throttled, match="DescribeReceiptRuleSet: Throttling: Rate exceeded"):
        ses.rules.read()


def test_a_recipient_that_ses_does_not_take_is_refused_for_good(ses: Ses) -> None:
    with pytest.raises(Refused, match="Invalid recipient"):
        ses.rules.carry_out(Step(CREATE, ONE, ('"john doe"@example.com',)))


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("POSTERN_MAIL_BUCKET", "another", "Could not write to bucket"),
        ("POSTERN_INBOUND_FUNCTION", "arn:aws:lambda:eu-west-1:123456789012:function:another", "Could not invoke"),
    ],
)
def test_a_rule_that_could_do_nothing_is_a_failure(
    refusing: Template, api: RuleApi, variable: str, value: str, said: str
) -> None:
    with pytest.raises(Temporary, match=said):
        Ses(refusing, api, **{variable: value}).rules.carry_out(Step(CREATE, ONE, (INFO,)))


def test_a_rule_set_that_is_gone_has_no_rules(refusing: Template, api: RuleApi) -> None:
    """The stack is being deleted, and the set with it."""
    assert Ses(refusing, api, POSTERN_RULE_SET="gone").rules.read().ours == ()


@pytest.mark.parametrize(
    "parameters",
    [{}, {"SesWritesBy": "role", "InboundTls": "Require"}, {"RuleSetMode": "join", "ActiveRuleSet": "theirs"}],
)
def test_a_rule_is_taken_however_the_stack_is_deployed(parameters: dict[str, str]) -> None:
    """In an own set and a joined one, by the bucket's policy and by a role."""
    refusing = {"Domains": "example.com", "RefuseUnknownRecipients": "true", **parameters}
    template = Template.load(ROOT / "template.yaml", "x", refusing)
    settings = RecipientsEnvironment.from_environment(
        template.resource("RecipientsFunction")["Environment"]["Variables"]
    )
    made = RuleSet.of(template)
    assert made.name == settings.rule_set
    made.create({"Name": ONE, "Recipients": [INFO], **shared_properties(settings)})
    assert [rule.name for rule in made.rules] == [ONE]
    with pytest.raises(Refusal, match="Could not"):
        made.create({"Name": "x-other", "Recipients": [INFO], **shared_properties(settings)})


def test_a_star_under_string_equals_is_a_star() -> None:
    """IAM expands it under ArnLike only."""
    assert double._arns({"StringEquals": {"aws:SourceArn": "rule-*"}}) == ["rule-[*]"]
    assert double._arns({"ArnLike": {"aws:SourceArn": ["rule-*"]}}) == ["rule-*"]


def test_an_account_begins_without_an_active_rule_set(api: RuleApi) -> None:
    asked = {"Action": "DescribeActiveReceiptRuleSet"}
    assert api.answer(asked)["Metadata"] == {"Name": api.rule_set.name}
    api.rule_set.active = False
    assert api.answer(asked) == {}
