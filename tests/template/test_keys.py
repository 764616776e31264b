"""The stack's keys: which role may read which, and that none may look through the ledger."""

from typing import Any

import pytest
from postern_mail.aws.stack_keys import DQS, LINKS, PARTITIONS, REPLIES, STAMP, TAGS

from tests.rights import rights
from tests.template.deployments import Symbolic, actions, denied, granted, policy, symbolic

NEEDED = {
    "InboundFunctionRole": [STAMP, TAGS, DQS, LINKS, REPLIES],
    "WatchFunctionRole": [DQS],
    "FeedbackFunctionRole": [TAGS],
    "DigestFunctionRole": [TAGS, LINKS],
    "LinksFunctionRole": [LINKS],
}
MAKER = "KeysFunctionRole"
ANY_KEY = {"dynamodb:LeadingKeys": ["#key*"]}


@pytest.fixture(scope="module")
def widest(expanded: dict[str, Any]) -> Symbolic:
    return symbolic(expanded, RefuseUnknownRecipients="true", Links="true", AliasApi="true")


def of_functions(template: Symbolic) -> list[str]:
    functions = [one for one in template.document["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    return sorted(one["Properties"]["Role"]["Fn::GetAtt"][0] for one in functions)


def named(purposes: list[str]) -> dict[str, list[str]]:
    return {"dynamodb:LeadingKeys": [f"{PARTITIONS}{one}" for one in purposes]}


def test_every_role_is_denied_the_keys_that_it_does_not_need(widest: Symbolic) -> None:
    roles = of_functions(widest)
    assert {*NEEDED, MAKER} < set(roles)
    for role in roles:
        if role == MAKER:
            continue
        (forbidden,) = [one for one in denied(widest, role) if one.get("Action") == "dynamodb:*"]
        others = {"ForAnyValue:StringNotEquals": named(NEEDED[role])} if role in NEEDED else {}
        assert forbidden["Condition"] == {"ForAnyValue:StringLike": ANY_KEY, **others}, role
        assert forbidden["Resource"] == "*", role


def test_nothing_is_done_with_a_key_but_read_it_by_one_call_or_make_it(widest: Symbolic) -> None:
    """One policy of all roles; of those that read a key none may write over one."""
    for role in of_functions(widest):
        assert {"Ref": "FunctionPolicy"} in widest.document["Resources"][role]["Properties"]["ManagedPolicyArns"]
        forbidden = {str(one.get("Action")): one["Condition"] for one in denied(widest, role)}
        if role in NEEDED and forbidden.get("dynamodb:PutItem") != {"ForAnyValue:StringLike": ANY_KEY}:
            putting = [one for one in granted(widest, role) if "dynamodb:PutItem" in actions([one])]
            assert not [one for one in putting if "LedgerTable" in str(one["Resource"])], role
    (all_of_it,) = [one for one in policy(widest, "FunctionPolicy") if one["Effect"] == "Deny"]
    assert all_of_it["NotAction"] == ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
    assert (all_of_it["Resource"], all_of_it["Condition"]) == ("*", {"ForAnyValue:StringLike": ANY_KEY})


@pytest.mark.parametrize("role", NEEDED)
def test_a_role_reads_the_keys_that_it_needs(widest: Symbolic, role: str) -> None:
    reading = [one for one in granted(widest, role) if one["Sid"].startswith("ReadItsKey")]
    if role == "WatchFunctionRole":
        return  # it may read all of the ledger, and is denied the other keys
    assert [one["Condition"] for one in reading] == [{"ForAllValues:StringEquals": named(NEEDED[role])}]
    assert actions(reading) == {"dynamodb:BatchGetItem"}


def test_the_maker_writes_keys_and_nothing_else(widest: Symbolic) -> None:
    (making,) = [one for one in granted(widest, MAKER) if "dynamodb" in str(one["Action"])]
    assert actions([making]) == {"dynamodb:PutItem"}
    assert making["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{PARTITIONS}*"]}}


def test_no_role_may_scan_the_ledger() -> None:
    scanned = [one for one in rights("postern") if one.action == "dynamodb:Scan"]
    assert scanned
    assert not [one for one in scanned if "ledger" in one.resource or one.resource.endswith("*")]


def test_the_template_makes_what_is_read(widest: Symbolic) -> None:
    purposes = {one for each in NEEDED.values() for one in each} - {DQS}  # which is the owner's to set
    assert set(widest.resource("Keys")["Purposes"]) >= purposes
    assert widest.document["Resources"]["InboundRule"]["DependsOn"].count("Keys") == 1
