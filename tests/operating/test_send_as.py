"""`postern send-as` on moto's IAM: who may get a password, what it may do, and the end of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from postern_command.aws.send_as import POLICY, SendAsUsers, policy
from postern_command.examinations import stack as examination
from postern_command.output.mail_programs import STEPS, steps
from postern_command.stack import Stack
from postern_mail.aws import clients
from postern_mail.errors import Unavailable
from postern_mail.mail.address import Address
from postern_mail.mail.send_as import user_name
from postern_mail.relay.smtp_password import smtp_password

from emulator.account import ACCOUNT, REGION
from emulator.sending.identities import Identities
from tests.builders import ROOT
from tests.command import Done, run
from tests.identities_here import answered_by
from tests.operating.conftest import Office

STACK, INFO = "postern-office", "info@example.com"
USER = user_name(STACK, REGION, Address.parse(INFO))
PATH = f"/postern/{REGION}/{STACK}/send-as/"
ALIASES: dict[str, dict[str, Any]] = {
    INFO: {"destinations": ["jane@dest.example"]},
    "off@example.com": {"destinations": ["jane@dest.example"], "enabled": False},
    "old@example.com": {"destinations": ["jane@dest.example"], "expires_at": 1},
    "bad@example.com": {"destinations": 7},
    "hole@example.com": {"destinations": ["discard:"]},
    "a$b/{c}=d@example.com": {"destinations": ["jane@dest.example"]},
}


class Desk:
    """The command, IAM, and the identities of SES."""

    def __init__(self, office: Office) -> None:
        self.office, self.iam = office, office.cloud.client("iam")
        self.identities = Identities(lambda: ["shop", f"{STACK}-forward"])
        self.verify(f"{STACK}-forward")

    def verify(self, configuration_set: str) -> None:
        self.identities.there.clear()
        made = {"EmailIdentity": "example.com", "ConfigurationSetName": configuration_set}
        self.identities.answer("POST", "/v2/email/identities", json.dumps(made).encode())
        self.identities.there["example.com"].verified = True

    def run(self, *arguments: object, **options: Any) -> Done:
        return run("send-as", *arguments, POSTERN_STACK=STACK, **options)

    def document(self, user: str = USER) -> Any:
        return self.iam.get_user_policy(UserName=user, PolicyName=POLICY)["PolicyDocument"]

    def keys(self, user: str = USER) -> list[str]:
        return [one["AccessKeyId"] for one in self.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]]

    def clear(self) -> None:
        for user in self.iam.list_users()["Users"]:
            name = user["UserName"]
            for key in self.keys(name):
                self.iam.delete_access_key(UserName=name, AccessKeyId=key)
            for one in self.iam.list_user_policies(UserName=name)["PolicyNames"]:
                self.iam.delete_user_policy(UserName=name, PolicyName=one)
            for one in self.iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
                self.iam.detach_user_policy(UserName=name, PolicyArn=one["PolicyArn"])
            self.iam.delete_user(UserName=name)


@pytest.fixture
def desk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(office)
    monkeypatch.setattr(
        "postern_mail.aws.clients.identities", lambda **_: answered_by(boto3.client("sesv2"), made.identities)
    )
    office.cloud.put("AliasTable", [{"address": key, **row} for key, row in ALIASES.items()])
    yield made
    made.clear()
    office.cloud.delete("AliasTable", [{"address": key} for key in ALIASES])


def test_a_password_is_made_for_one_alias_and_shown_once(desk: Desk) -> None:
    done = desk.run("add", "INFO@example.com")
    assert (done.status, done.err) == (0, "")
    user = desk.iam.get_user(UserName=USER)["User"]
    (key,) = desk.keys()
    assert user["Path"] == PATH
    assert {one["Key"]: one["Value"] for one in user["Tags"]} == {"postern:stack": STACK, "postern:address": INFO}
    (shown,) = (line.split()[1] for line in done.out.splitlines() if line.startswith("  password"))
    assert done.out.count(shown) == 1
    assert all(one in done.out for one in (f"email-smtp.{REGION}.amazonaws.com", key, "587 with STARTTLS", *STEPS))
    assert shown not in desk.run("list").out + desk.run("list", "--json").out


def test_the_password_is_the_relays_derivation(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []

    def derived(secret: str, region: str) -> str:
        seen.append((secret, region))
        return smtp_password(secret, region)

    monkeypatch.setattr("postern_command.aws.send_as.smtp_password", derived)
    (told,) = desk.run("add", INFO, "--json").objects
    ((secret, region),) = seen
    assert (told["password"], region) == (smtp_password(secret, REGION), REGION)
    assert (told["user"], told["port"], told["address"]) == (desk.keys()[0], 587, INFO)


def test_it_may_send_as_the_alias_alone(desk: Desk) -> None:
    desk.run("add", INFO)
    assert desk.iam.list_user_policies(UserName=USER)["PolicyNames"] == [POLICY]
    (statement,) = desk.document()["Statement"]
    ses = f"arn:aws:ses:{REGION}:{ACCOUNT}"
    assert statement == {
        "Sid": "SendAsOneAddress", "Effect": "Allow", "Action": "ses:SendRawEmail",
        "Resource": [f"{ses}:identity/*", f"{ses}:configuration-set/{STACK}-forward"],
        "Condition": {"StringEqualsIgnoreCase": {"ses:FromAddress": INFO, "ses:FeedbackAddress": INFO}},
    }  # fmt: skip


def test_an_address_is_no_variable_of_a_policy_and_fits_a_tag(desk: Desk) -> None:
    odd = "a$b/{c}=d@example.com"
    assert desk.run("add", odd).status == 0
    made = policy(f"arn:aws:iam::{ACCOUNT}:user/x", REGION, STACK, Address.parse("a${*}@example.com"))
    bound = made["Statement"][0]["Condition"]["StringEqualsIgnoreCase"]
    assert set(bound.values()) == {"a${$}{*}@example.com"}
    (tag,) = (
        one["Value"]
        for one in desk.iam.list_user_tags(UserName=user_name(STACK, REGION, Address.parse(odd)))["Tags"]
        if one["Key"] == "postern:address"
    )
    assert tag == "a=24b=2F=7Bc=7D=3Dd@example.com"
    assert [(one["address"], one["faults"]) for one in desk.run("list", "--json").objects] == [(odd, [])]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("x@example.net", "example.net is not one of the stack's domains, example.com: add it to Domains"),
        ("nobody@example.com", "is not an alias, so answers to it reach no one: `postern alias add nobody@example.com"),
        ("off@example.com", "is disabled, so answers to it reach no one: `postern alias enable off@example.com`"),
        ("old@example.com", "is expired, so answers to it reach no one: `postern alias set old@example.com"),
        ("bad@example.com", "row cannot be understood, so answers to it reach no one: `postern resolve bad@"),
    ],
)
@pytest.mark.parametrize("verb", ["add", "rotate"])
def test_what_is_no_alias_of_the_stack_is_refused_with_what_to_do(
    desk: Desk, verb: str, address: str, said: str
) -> None:
    done = desk.run(verb, address)
    assert done.status == 1
    assert said in done.err
    assert desk.iam.list_users()["Users"] == []


def test_what_is_no_address_is_a_usage_error(desk: Desk) -> None:
    assert desk.run("add", "a b@example.com").status == 2
    assert desk.run("remove").status == desk.run("remove", INFO, "--all").status == 2


def test_an_alias_whose_mail_is_thrown_away_is_warned_of(desk: Desk) -> None:
    done = desk.run("add", "hole@example.com", "--dry-run")
    assert (done.status, done.out) == (0, "would create a password for hole@example.com\n")
    assert "is discarded" in done.err
    assert desk.iam.list_users()["Users"] == []


def test_a_domain_that_ses_does_not_send_for_is_warned_of(desk: Desk) -> None:
    desk.verify("shop")
    assert "has shop in SES, not postern-office-forward" in desk.run("add", INFO, "--dry-run").err
    desk.identities.there["example.com"].verified = False
    assert "SES does not send for example.com yet: `postern dns`" in desk.run("add", INFO, "--dry-run").err


def test_a_second_password_is_a_rotation(desk: Desk) -> None:
    desk.run("add", INFO)
    done = desk.run("add", INFO)
    assert done.status == 1
    assert "info@example.com already has a password" in done.err
    assert "`postern send-as rotate info@example.com`" in done.err


def test_a_user_of_someone_else_is_left_alone(desk: Desk) -> None:
    desk.iam.create_user(UserName=USER, Path="/mine/")
    for verb in ("add", "rotate", "remove"):
        done = desk.run(verb, INFO)
        assert done.status == 1
        assert f"IAM has a user {USER} under the path /mine/ that Postern did not create" in done.err
    assert (desk.keys(), desk.run("list").out) == ([], "")


def test_what_was_left_half_made_is_finished(desk: Desk) -> None:
    desk.iam.create_user(
        UserName=USER, Path=PATH,
        Tags=[{"Key": "postern:stack", "Value": STACK}, {"Key": "postern:address", "Value": INFO}],
    )  # fmt: skip
    assert "no password" in desk.run("list").out
    assert desk.run("add", INFO).status == 0
    assert (len(desk.keys()), desk.run("list", "--json").objects[0]["faults"]) == (1, [])


def test_a_rotation_ends_the_password_before(desk: Desk) -> None:
    desk.run("add", INFO)
    first = desk.keys()
    (told,) = desk.run("rotate", INFO, "--json").objects
    assert desk.keys() == [told["user"]] != first
    (kept,) = desk.run("rotate", INFO, "--keep-old", "--json").objects
    assert set(desk.keys()) == {told["user"], kept["user"]}
    (last,) = desk.run("rotate", INFO, "--json").objects
    assert desk.keys() == [last["user"]]
    assert desk.run("rotate", INFO, "--dry-run").out == f"would create a password for {INFO}\n"
    assert desk.keys() == [last["user"]]


def test_a_rotation_shows_the_new_password_also_where_the_old_one_does_not_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run("add", INFO)

    def fails(*_: object) -> None:
        raise Unavailable("IAM DeleteAccessKey: no")

    monkeypatch.setattr(SendAsUsers, "end", fails)
    done = desk.run("rotate", INFO)
    assert done.status == 3
    assert "  password  " in done.out
    assert "IAM DeleteAccessKey: no" in done.err


def test_nothing_to_rotate_and_nothing_to_remove(desk: Desk) -> None:
    assert f"{INFO} has no password yet: `postern send-as add {INFO}`" in desk.run("rotate", INFO).err
    assert desk.run("remove", INFO).status == 1
    assert desk.run("remove", "--all").status == 0


def loose(document: Any) -> None:
    document["Statement"][0]["Condition"]["StringEqualsIgnoreCase"].pop("ses:FeedbackAddress")


def unbound(document: Any) -> None:
    document["Statement"][0].pop("Condition")


def one_more(document: Any) -> None:
    document["Statement"].append({"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"})


def wider(document: Any) -> None:
    document["Statement"][0]["Resource"] = "*"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (loose, "its policy no longer restricts it to info@example.com"),
        (unbound, "its policy no longer restricts it to info@example.com"),
        (one_more, "its policy no longer restricts it to info@example.com"),
        (wider, "its policy differs from the one that Postern wrote"),
    ],
)
def test_a_lost_condition_is_said_and_a_rotation_repairs_it(desk: Desk, change: Any, said: str) -> None:
    desk.run("add", INFO)
    document = desk.document()
    change(document)
    desk.iam.put_user_policy(UserName=USER, PolicyName=POLICY, PolicyDocument=json.dumps(document))
    assert said in desk.run("list").out
    ((_, seen, todo),) = [one for one in findings(deployed()) if one[0] == "failed"]
    assert (said in seen, todo) == (True, "`postern send-as rotate info@example.com`")
    desk.run("rotate", INFO)
    assert desk.run("list", "--json").objects[0]["faults"] == []


def test_more_rights_than_its_own_are_said(desk: Desk) -> None:
    desk.run("add", INFO)
    desk.iam.put_user_policy(UserName=USER, PolicyName="more", PolicyDocument=json.dumps(desk.document()))
    assert "it has more permissions than that policy, from more" in desk.run("list").out
    desk.iam.delete_user_policy(UserName=USER, PolicyName=POLICY)
    assert "its policy is gone, so it cannot send" in desk.run("list").out


def test_a_user_whose_tags_were_changed_is_named(desk: Desk) -> None:
    desk.run("add", INFO)
    desk.iam.tag_user(UserName=USER, Tags=[{"Key": "postern:address", "Value": "other@example.com"}])
    (one,) = desk.run("list", "--json").objects
    assert (one["address"], one["faults"]) == ("", ["its tags do not name its address"])
    assert USER in desk.run("list").out
    assert desk.run("remove", INFO).status == 0
    assert desk.iam.list_users()["Users"] == []


def deployed() -> Stack:
    """The tables that the environment names, in a stack that has a name."""
    return replace(Stack.find(None), deployed=STACK)


def findings(where: Stack) -> list[tuple[str, str, str]]:
    return [(str(one.grade), one.seen, one.todo) for one in examination.credentials(where)]


def test_the_doctor_knows_their_age(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.run("add", INFO)
    assert findings(deployed()) == [("ok", f"password of {INFO}: 0 days old", "")]
    monkeypatch.setattr(examination, "SEND_AS_DAYS", -1)
    ((grade, _, todo),) = findings(deployed())
    assert (grade, todo) == ("warning", f"`postern send-as rotate {INFO}`")
    assert findings(replace(deployed(), deployed="another")) == []


def test_the_doctor_knows_what_sends_as_no_alias_any_more(desk: Desk) -> None:
    desk.run("add", INFO)
    desk.office.cloud.delete("AliasTable", [{"address": INFO}])
    ((_, seen, todo),) = [one for one in findings(deployed()) if one[0] == "warning"]
    assert seen == f"password of {INFO}: the address is unknown, so answers to it reach no one"
    assert f"`postern send-as remove {INFO}`" in todo


def test_a_removal_takes_all_of_it(desk: Desk) -> None:
    desk.run("add", INFO)
    desk.run("rotate", INFO, "--keep-old")
    assert desk.run("remove", INFO, "--dry-run").out == f"{INFO}  would be removed\n"
    assert len(desk.keys()) == 2
    assert desk.run("remove", INFO).out == f"{INFO}  is removed\n"
    assert desk.iam.list_users()["Users"] == []


@pytest.mark.slow
def test_a_tear_down_removes_them_all_and_no_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.run("add", INFO)
    desk.run("add", "hole@example.com")
    desk.iam.create_user(UserName="somebody")
    desk.iam.create_user(UserName="of-another", Path="/postern/eu-west-1/another/send-as/")
    assert desk.run("remove", "--all", stdin="n\n").status == 1
    assert len(desk.iam.list_users()["Users"]) == 4
    for variable in ("POSTERN_ALIAS_TABLE", "POSTERN_SENDER_TABLE", "POSTERN_LEDGER_TABLE", "POSTERN_MAIL_BUCKET"):
        monkeypatch.delenv(variable)
    done = desk.run("remove", "--all", "--yes", "--json", "--stack", STACK)  # CloudFormation knows no such stack
    assert [(one["address"], one["written"]) for one in done.objects] == [("hole@example.com", True), (INFO, True)]
    assert {one["UserName"] for one in desk.iam.list_users()["Users"]} == {"somebody", "of-another"}


def test_without_a_name_nothing_is_made(desk: Desk) -> None:
    done = run("send-as", "add", INFO)
    assert done.status == 2
    assert "Give --stack NAME, or set POSTERN_STACK" in done.err


def test_the_steps_have_the_values_and_never_the_password() -> None:
    said = "\n".join(one for listed in steps(INFO, "smtp.example", "AKIA1", 2587).values() for one in listed)
    assert not {"ADDRESS", "SERVER", "USER"} & set(said.replace(":", " ").replace("@", " ").split())
    assert list(STEPS) == ["Gmail", "Outlook", "Apple Mail", "Thunderbird", "mutt"]
    assert (said.count("Port: 2587"), "587" in said.replace("2587", "")) == (4, False)


def test_where_aws_is_an_emulator_its_server_is_shown(desk: Desk) -> None:
    done = desk.run("add", INFO, POSTERN_SUBMISSION="127.0.0.1:2587")
    shown = [line.split() for line in done.out.splitlines()]
    assert ["server", "127.0.0.1"] in shown
    assert ["port", "2587", "with", "STARTTLS"] in shown
    assert not [one for one in ("amazonaws.com", "Gmail") if one in done.out]
    (told,) = desk.run("rotate", INFO, "--json", POSTERN_SUBMISSION="127.0.0.1:2587").objects
    assert (told["server"], told["port"]) == ("127.0.0.1", 2587)


def test_the_document_has_the_same_steps() -> None:
    document = " ".join((ROOT / "docs/send-as.md").read_text(encoding="utf-8").split())
    assert [one for listed in STEPS.values() for one in listed if " ".join(one.split()) not in document] == []


def test_the_document_has_the_rights_that_it_takes_and_no_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made, asked = clients.iam, set()

    def watched() -> Any:
        client = made()
        client.meta.events.register("before-call.iam.*", lambda model, **_: asked.add(f"iam:{model.name}"))
        return client

    monkeypatch.setattr(clients, "iam", watched)
    for arguments in (["add", INFO], ["rotate", INFO], ["list"], ["remove", INFO]):
        assert desk.run(*arguments).status == 0
    document = (ROOT / "docs/send-as.md").read_text(encoding="utf-8")
    (policy_,) = re.findall(r"^    \{\n.*?^    \}$", document, re.MULTILINE | re.DOTALL)
    written = {action for one in json.loads(policy_)["Statement"] for action in one["Action"]}
    assert written == asked | {"iam:TagUser", "ses:GetEmailIdentity"}, "the tags are CreateUser's"
