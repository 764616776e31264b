"""`postern doctor` on domains, rules and account: one bad situation after the other, with what the user reads."""

import datetime
import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from postern_command.aws import account
from postern_command.examinations import account as examinations
from postern_command.examinations import dns
from postern_command.examinations.receiving import matches, order
from postern_command.examinations.stack import credentials
from postern_command.stack import Stack
from postern_command.surroundings import Surroundings
from postern_mail import __version__
from postern_mail.aws import clients
from postern_mail.examination import Finding, Grade

from tests.builders import ROOT
from tests.pseudo_terminal import on_a_terminal, terminal
from tests.world import DOMAIN, MX, World

from .conftest import Office
from .test_doctor import activate
from .test_screens import COLOUR

Change = Callable[[World], object]


def findings(office: Office, **environment: str) -> dict[str, list[tuple[str, str, str]]]:
    """(state, seen, todo) of what is not well, by check."""
    done = office.run("doctor", "--json", **environment)
    return {
        one["check"]: [(each["state"], each["seen"], each["todo"]) for each in one["found"] if each["state"] != "ok"]
        for one in done.objects
        if one["state"] not in ("ok", "not checked")
    }


def said(found: Iterable[Finding]) -> list[tuple[str, str, str]]:
    """The same of one examination."""
    return [(each.grade, each.seen, each.todo) for each in found if each.grade is not Grade.OK]


def around() -> Surroundings:
    return Surroundings((DOMAIN,))


def standing(**values: Any) -> Change:
    return lambda world: vars(world.standing).update(values)


def known(**values: Any) -> Change:
    return lambda world: vars(world.known).update(values)


SHOWN = "`postern dns` shows its records"
# What is done to a world where all was well; the check that shows it, how bad it is, and what the user reads.
BAD: dict[str, tuple[Change, str, tuple[str, str, str]]] = {
    "no identity": (
        lambda world: world.standing.identities.there.clear(),
        "domains",
        ("failed", "example.com is not an SES identity in this region", "deploy the stack again"),
    ),
    "not verified": (
        known(verified=False),
        "domains",
        ("failed", "example.com is not verified", "write the DKIM records that `postern dns` shows"),
    ),
    "DKIM failed": (
        known(dkim_status="TEMPORARY_FAILURE"),
        "DKIM",
        ("warning", "DKIM for example.com: temporary failure", SHOWN),
    ),
    "DKIM switched off": (known(signs=False), "DKIM", ("warning", "DKIM for example.com: turned off", SHOWN)),
    "MAIL FROM failed": (
        known(mail_from_status="FAILED"),
        "MAIL FROM",
        ("warning", "bounces.example.com: failed; SES uses its own domain until then", SHOWN),
    ),
    "no MX": (
        lambda world: world.put(DOMAIN, "MX"),
        "MX",
        (
            "failed",
            "MX example.com: missing: nothing",
            f"add example.com MX 10 {MX}; it moves the mail to Postern",
        ),
    ),
    "no DMARC": (
        lambda world: world.put(f"_dmarc.{DOMAIN}", "TXT"),
        "DMARC",
        (
            "warning",
            "TXT _dmarc.example.com: missing: nothing",
            'add _dmarc.example.com TXT "v=DMARC1; p=none"',
        ),
    ),
    "sandbox": (
        standing(production=False, a_day=200),
        "sandbox",
        (
            "warning",
            "in SES's sandbox: 200 messages a day, to verified addresses only",
            "ask for production access (docs/getting-started.md); until then verify each mailbox:"
            " `aws sesv2 create-email-identity --email-identity ADDRESS`",
        ),
    ),
    "production access refused": (
        standing(production=False, a_day=200, review="DENIED"),
        "sandbox",
        (
            "warning",
            "in SES's sandbox: 200 messages a day, to verified addresses only; the request was denied",
            "answer AWS in the Support Center",
        ),
    ),
    "paused": (
        standing(enabled=False, enforcement="SHUTDOWN"),
        "the account",
        ("failed", "SES has paused the account's sending", "the SES console says why; mail waits until then"),
    ),
    "under review": (
        standing(enforcement="PROBATION"),
        "standing",
        (
            "warning",
            "SES has this account under review (probation) and may pause it",
            "see what bounces: `postern log --state lost --since 7d`, `postern destination list`",
        ),
    ),
    "dear plan": (
        standing(plan="ESSENTIALS"),
        "price plan",
        (
            "warning",
            "the plan Essentials: 0.16 USD or more for 1,000 messages sent; it is 0.10 without a plan",
            "unless you need its extras: `aws sesv2 put-account-pricing-attributes --plan NONE`",
        ),
    ),
    "no right": (
        standing(denied={"GetAccount"}),
        "sandbox",
        ("no answer", "SES GetAccount: AccessDeniedException: User is not authorized to perform: ses:GetAccount", ""),
    ),
}


@pytest.mark.parametrize("situation", BAD)
def test_what_is_wrong_is_said_with_what_to_do(office: Office, world: World, situation: str) -> None:
    change, check, expected = BAD[situation]
    change(world)
    ours = {one.name: one for one in (*examinations.EXAMINATIONS, *dns.EXAMINATIONS)}
    if check in ours:
        assert said(ours[check].run(around(), str).findings) == [expected]
    else:  # the hourly watch looks at it, too
        activate(office, "postern")
        assert findings(office, POSTERN_RULE_SET="postern")[check] == [expected]


def test_nothing_is_said_where_all_is_well(office: Office) -> None:
    activate(office, "postern")
    assert findings(office, POSTERN_RULE_SET="postern") == {}


@pytest.mark.parametrize(("sent", "state"), [(39_999, None), (40_000, "warning"), (50_000, "failed")])
def test_the_quota_is_held_against_the_busiest_day(
    office: Office, monkeypatch: pytest.MonkeyPatch, sent: int, state: str | None
) -> None:
    noon = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)
    points = [(noon, sent - 10), (noon + datetime.timedelta(hours=3), 10), (noon + datetime.timedelta(days=1), 5)]

    class Statistics:
        def get_send_statistics(self) -> dict[str, Any]:
            return {"SendDataPoints": [{"Timestamp": at, "DeliveryAttempts": number} for at, number in points]}

    with monkeypatch.context() as patched:
        patched.setattr(clients, "receipt_rules", lambda **_: Statistics())
        assert account.busiest_day() == sent
    monkeypatch.setattr(account, "busiest_day", lambda: sent)
    found = said(examinations.quota(around()))
    assert [one[0] for one in found] == ([state] if state else [])


@pytest.mark.parametrize(
    ("rate", "state"), [(None, None), (0.01, None), (0.03, "warning"), (0.05, "failed"), (0.2, "failed")]
)
def test_the_bounce_rate_is_held_against_what_ses_bears(
    office: Office, monkeypatch: pytest.MonkeyPatch, rate: float | None, state: str | None
) -> None:
    monkeypatch.setattr(account, "rate", lambda metric: rate if metric == "BounceRate" else None)
    found = said(examinations.reputation(around()))
    assert [one[0] for one in found] == ([state] if state else [])
    if rate == 0.05:
        assert found[0][1] == "bounces: 5.00%; SES reviews at 5.0% and pauses at 10.0%"


def test_a_rate_is_its_latest_value(office: Office) -> None:
    assert account.rate("BounceRate") is None
    watch = office.cloud.client("cloudwatch")
    for ago, value in ((7200, 0.2), (60, 0.01)):
        point = {"MetricName": "Reputation.BounceRate", "Value": value, "Timestamp": time.time() - ago}
        watch.put_metric_data(Namespace="AWS/SES", MetricData=[point])
    assert account.rate("BounceRate") == 0.01


def test_mailboxes_that_are_not_verified_get_nothing_in_the_sandbox(office: Office, world: World) -> None:
    rows = [{"address": "info@example.com", "destinations": ["jane@dest.example", "Ann@done.example", "a@example.com"]}]
    office.cloud.put("AliasTable", rows)
    stack = Stack.find(None)
    assert said(examinations.unverified(stack, around())) == []
    world.standing.production = False
    world.standing.identities.there["done.example"] = world.known
    assert said(examinations.unverified(stack, around())) == [
        (
            "failed",
            "jane@dest.example gets no mail yet: it is not verified",
            "`aws sesv2 create-email-identity --email-identity jane@dest.example`, then open the link in the mail that comes",
        )
    ]
    office.cloud.delete("AliasTable", [{"address": "info@example.com"}])


OURS = account.ReceiptRule("postern-inbound", True, (DOMAIN,), False)
FOREIGN = account.ReceiptRule("theirs", True, (), True)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((OURS,), []),
        ((), [("failed", "the active rule set postern has no rule of ours: no mail comes in")]),
        (
            (FOREIGN, OURS),
            [
                (
                    "failed",
                    "the rule theirs, not ours, takes mail for example.com too, before ours, and stops"
                    " there: Postern never sees it",
                )
            ],
        ),
        ((OURS, FOREIGN), [("warning", "the rule theirs, not ours, takes mail for example.com too")]),
        ((account.ReceiptRule("theirs", True, ("elsewhere.example",), True), OURS), []),
        ((account.ReceiptRule("theirs", False, (), True), OURS), []),
        (
            (account.ReceiptRule("postern-inbound", False, (DOMAIN,), False),),
            [("failed", "our rule postern-inbound is disabled in postern")],
        ),
    ],
)
def test_rules_of_others_and_their_place(
    office: Office, monkeypatch: pytest.MonkeyPatch, rules: tuple[account.ReceiptRule, ...], expected: list[Any]
) -> None:
    monkeypatch.setattr(account, "active_rules", lambda: ("postern", rules))
    found = said(order("postern", around()))
    assert [one[:2] for one in found] == expected


def test_the_rules_of_the_active_set_as_ses_tells_them(office: Office) -> None:
    ses = office.cloud.client("ses")
    ses.create_receipt_rule_set(RuleSetName="theirs")
    stop = {"StopAction": {"Scope": "RuleSet"}}
    rule = {"Name": "first", "Enabled": True, "Recipients": [DOMAIN], "Actions": [stop]}
    ses.create_receipt_rule(RuleSetName="theirs", Rule=rule)
    ses.set_active_receipt_rule_set(RuleSetName="theirs")
    assert account.active_rules() == ("theirs", (account.ReceiptRule("first", True, (DOMAIN,), True),))
    ses.set_active_receipt_rule_set()
    assert account.active_rules() == ("", ())


@pytest.mark.parametrize(
    ("recipients", "taken"),
    [
        ([], True),
        (["example.com"], True),
        (["info@example.com"], True),
        ([".com"], True),
        (["ample.com"], False),
        (["mail.example.com"], False),
        ([".example.com"], False),
    ],
)
def test_which_recipients_are_ours(recipients: list[str], taken: bool) -> None:
    assert matches(recipients, [DOMAIN]) == ([DOMAIN] if taken else [])


@pytest.mark.parametrize(
    ("user", "days", "state"),
    [
        ("postern-relay-SmtpUser-1", 40, None),
        ("postern-relay-SmtpUser-1", 80, "failed"),
        ("ses-smtp-user.2024", 300, None),
        ("ses-smtp-user.2024", 400, "warning"),
    ],
)
def test_credentials_grow_old(
    office: Office, monkeypatch: pytest.MonkeyPatch, user: str, days: float, state: str | None
) -> None:
    monkeypatch.setattr(account, "key_ages", lambda _: iter([(user, days)]))
    found = said(credentials(Stack.find(None)))
    assert [one[0] for one in found] == ([state] if state else [])


def test_the_keys_of_users_that_send(office: Office) -> None:
    iam = office.cloud.client("iam")
    for user in ("ses-smtp-user.1", "somebody", "ses-smtp-user.none"):
        iam.create_user(UserName=user)
    iam.create_access_key(UserName="ses-smtp-user.1")
    iam.create_access_key(UserName="somebody")
    try:
        ((user, days),) = account.key_ages(["ses-smtp-user"])
        assert (user, round(days)) == ("ses-smtp-user.1", 0)
    finally:
        for user in ("ses-smtp-user.1", "somebody", "ses-smtp-user.none"):
            for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
                iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
            iam.delete_user(UserName=user)


def test_a_command_of_another_version(office: Office) -> None:
    assert "version" not in findings(office, POSTERN_VERSION=__version__)
    ((state, seen, todo),) = findings(office, POSTERN_VERSION="0.0.9")["version"]
    assert (state, seen) == ("warning", f"the functions run 0.0.9, and this command is {__version__}")
    assert "`make deploy`" in todo


def test_the_template_says_the_version_of_its_code() -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert re.findall(r"CodeVersion:\n    Value: (\S+)", text) == [__version__]


WELL = """\
Receiving
  ok           daily test
  not checked  rule set, what SES hands over, rules
Sending
  ok           sandbox, standing, quota, reputation, price plan, mailboxes
  not checked  domains, the account
Domains
  ok           DKIM, DKIM in DNS, MAIL FROM, MAIL FROM in DNS, MX, SPF, DMARC
  not checked  domains taken out
"""
BADLY = """\
Domains
  ok           DKIM, DKIM in DNS, MAIL FROM, MAIL FROM in DNS, SPF, DMARC
  not checked  domains taken out
  failed       MX
               MX example.com: in the way: 1 aspmx.l.google.com
               -> mail goes to 1 aspmx.l.google.com (Google) now; to move it to
               Postern, replace that with 10
               inbound-smtp.eu-west-1.amazonaws.com
Mail under way
"""


@pytest.mark.slow
def test_on_a_terminal_all_is_one_screen(office: Office, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", office.cloud.listening())  # type: ignore[attr-defined]
    shown = COLOUR.sub("", terminal("doctor")).splitlines()
    assert [line.rstrip() for line in shown[:9]] == WELL.splitlines(), json.dumps(shown, indent=1)
    assert len(shown) <= 24
    world.put(DOMAIN, "MX", "1 aspmx.l.google.com")
    status, screen = on_a_terminal("doctor")
    failed = COLOUR.sub("", screen).splitlines()
    assert status == 1
    assert [line.rstrip() for line in failed[6:15]] == BADLY.splitlines(), json.dumps(failed, indent=1)
