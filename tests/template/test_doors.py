"""The functions that the internet can reach: who may call them, how many at once, and that none leads mail elsewhere."""

from typing import Any

import pytest

from tests.iam import may
from tests.template.deployments import Symbolic, symbolic

DOORS = {"LinksFunction": "Links"}  # by the parameter that opens it
ON = dict.fromkeys(DOORS.values(), "true")
LINKS = "LinksFunctionRole"


@pytest.fixture(scope="module")
def opened(expanded: dict[str, Any]) -> Symbolic:
    return symbolic(expanded, **ON)


def table(name: str) -> str:
    return f"arn:aws:dynamodb:eu-west-1:123456789012:table/postern-{name}"


def permissions(template: Symbolic, function: str) -> list[dict[str, Any]]:
    found = template.resources("AWS::Lambda::Permission").values()
    return [one for one in found if one["FunctionName"] in (function, f"{function}.Arn")]


def test_no_door_is_open_unless_it_is_asked_for(expanded: dict[str, Any]) -> None:
    closed = symbolic(expanded)
    assert not closed.resources("AWS::Lambda::Url")
    assert not set(closed.resources("AWS::Lambda::Function")) & set(DOORS)
    assert not [one for one in closed.resources("AWS::Lambda::Permission").values() if one["Principal"] == "*"]
    assert closed.resource("DigestFunction")["Environment"]["Variables"]["POSTERN_LINKS_URL"] == ""
    assert closed.resource("Keys")["Doors"] == []


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_reached_by_its_url_alone(opened: Symbolic, door: str) -> None:
    """Both rights since October 2025, the second of them for calls by the URL alone (Lambda, "Control access to
    function URLs"): a bare InvokeFunction would let every AWS account call it as it likes."""
    granted = {one["Action"]: one for one in permissions(opened, door)}
    assert set(granted) == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert granted["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == "NONE"
    assert granted["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True


def test_everybody_may_invoke_nothing_but_by_a_url(opened: Symbolic) -> None:
    for name, one in opened.resources("AWS::Lambda::Permission").items():
        if one["Principal"] == "*" and one["Action"] != "lambda:InvokeFunctionUrl":
            assert one.get("InvokedViaFunctionUrl") is True, name


@pytest.mark.parametrize("door", DOORS)
def test_a_door_takes_two_at_once_and_waits_for_the_look_at_the_quota(opened: Symbolic, door: str) -> None:
    assert opened.resource(door)["ReservedConcurrentExecutions"] == 2
    assert opened.document["Resources"][door]["DependsOn"] == "Keys"
    assert len(opened.resource("Keys")["Doors"]) == len(DOORS)
    assert opened.resource("Keys")["Purposes"].count("links") == 1


HARMLESS: dict[str, tuple[str, str, set[str]]] = {
    "off": ("UpdateItem", "aliases", {"address", "enabled", "updated_at", "updated_by"}),
    "a rule that rejects": ("PutItem", "senders", {"sender", "scope", "reject", "updated_at", "updated_by"}),
    "an order": ("UpdateItem", "ledger", {"message_id", "entry", "state", "reason", "orders", "released_by"}),
    "a used link": ("UpdateItem", "ledger", {"message_id", "entry", "taken_until", "used_at", "used_by", "detail"}),
    "resumed": ("UpdateItem", "destinations", {"address", "resumed_at", "resumed_by", "suspended_at", "reason"}),
}
LEADING_ELSEWHERE: dict[str, tuple[str, str, set[str]]] = {
    "destinations": ("UpdateItem", "aliases", {"address", "destinations"}),
    "both": ("UpdateItem", "aliases", {"address", "enabled", "destinations"}),
    "patterns": ("UpdateItem", "aliases", {"address", "patterns"}),
    "expiry": ("UpdateItem", "aliases", {"address", "expires_at"}),
    "a new row": ("PutItem", "aliases", {"address", "destinations"}),
    "a row that is off, put": ("PutItem", "aliases", {"address", "enabled"}),
    "no row": ("DeleteItem", "aliases", {"address"}),
    "many rows": ("BatchWriteItem", "aliases", {"address", "destinations"}),
    "a redirect": ("PutItem", "senders", {"sender", "scope", "action"}),
    "a redirect beside": ("PutItem", "senders", {"sender", "scope", "reject", "action"}),
    "a redirect by update": ("UpdateItem", "senders", {"sender", "scope", "action"}),
    "no rule": ("DeleteItem", "senders", {"sender", "scope"}),
    "who a message is for": ("UpdateItem", "ledger", {"message_id", "entry", "recipients"}),
    "a claim": ("UpdateItem", "ledger", {"message_id", "entry", "destination"}),
    "an entry": ("PutItem", "ledger", {"message_id", "entry", "state"}),
    "no entry": ("DeleteItem", "ledger", {"message_id", "entry"}),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_links_may_do_what_they_are_for(opened: Symbolic, what: str) -> None:
    operation, where, attributes = HARMLESS[what]
    context = {"dynamodb:Attributes": attributes, "dynamodb:LeadingKeys": ["info@example.com"]}
    assert may(opened, LINKS, f"dynamodb:{operation}", table(where), context)


@pytest.mark.parametrize("what", LEADING_ELSEWHERE)
def test_links_cannot_change_where_mail_leads(opened: Symbolic, what: str) -> None:
    operation, where, attributes = LEADING_ELSEWHERE[what]
    context = {"dynamodb:Attributes": attributes, "dynamodb:LeadingKeys": ["info@example.com"]}
    assert not may(opened, LINKS, f"dynamodb:{operation}", table(where), context)


def test_links_read_no_key_but_their_own_and_write_none(opened: Symbolic) -> None:
    ledger = table("ledger")

    def allowed(action: str, key: str) -> bool:
        return may(opened, LINKS, f"dynamodb:{action}", ledger, {"dynamodb:LeadingKeys": [key]})

    assert allowed("BatchGetItem", "#key:links")
    for action, key in (("BatchGetItem", "#key:stamp"), ("UpdateItem", "#key:links"), ("Query", "#key:links")):
        assert not allowed(action, key)
