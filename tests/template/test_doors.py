"""The functions that the internet can reach: who may call them, how many at once, and that none leads mail elsewhere."""

from collections.abc import Collection
from typing import Any

import pytest

from tests.iam import may
from tests.password_managers import bitwarden, extension
from tests.template.deployments import Symbolic, symbolic

DOORS = {"LinksFunction": "Links", "ApiFunction": "AliasApi"}  # by the parameter that opens it
ON = dict.fromkeys(DOORS.values(), "true")
LINKS, API = "LinksFunctionRole", "ApiFunctionRole"


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


def test_everyone_may_invoke_nothing_but_by_a_url(opened: Symbolic) -> None:
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


ALIAS = {"address", "destinations", "note", "made_by", "updated_at", "updated_by"}
CHANGING: dict[str, tuple[str, str, str, set[str]]] = {
    "a row in place of another": ("PutItem", "aliases", "info@example.com", ALIAS),
    "one row of many": ("BatchWriteItem", "aliases", "info@example.com", ALIAS),
    "its destinations": ("UpdateItem", "aliases", "info@example.com", {"address", "destinations"}),
    "that it is off": ("UpdateItem", "aliases", "info@example.com", {"address", "enabled"}),
    "by PartiQL": ("PartiQLUpdate", "aliases", "info@example.com", {"address", "destinations"}),
    "no row": ("DeleteItem", "aliases", "info@example.com", {"address"}),
    "no row, by PartiQL": ("PartiQLDelete", "aliases", "info@example.com", {"address"}),
    "a catch-all": ("PartiQLInsert", "aliases", "@example.com", {"address", "destinations"}),
    "patterns": ("PartiQLInsert", "aliases", "info@example.com", {"address", "destinations", "patterns"}),
    "settings": ("PartiQLInsert", "aliases", "#settings", {"address", "own_from"}),
    "a token": ("PartiQLInsert", "aliases", "#token:abc", {"address", "destinations"}),
    "more a day": ("UpdateItem", "aliases", "#token:abc", {"address", "daily"}),
    "a rule": ("PartiQLInsert", "senders", "spam.example", {"sender", "scope", "action"}),
    "who a message is for": ("UpdateItem", "ledger", "0123abcd", {"message_id", "entry", "recipients"}),
    "a suspension": ("UpdateItem", "destinations", "jane@dest.example", {"address", "suspended_at"}),
}
READING: dict[str, tuple[str, str, set[str]]] = {
    "where an alias leads": ("BatchGetItem", "info@example.com", {"address", "destinations"}),
    "the settings": ("BatchGetItem", "#settings", {"address", "own_from"}),
    "a row": ("GetItem", "info@example.com", {"address"}),
    "the table": ("Scan", "", set()),
    "by PartiQL": ("PartiQLSelect", "info@example.com", {"address"}),
}


@pytest.mark.parametrize("what", CHANGING)
def test_a_password_manager_cannot_change_where_an_alias_leads(opened: Symbolic, what: str) -> None:
    """PartiQLInsert makes "a new item, if an item with same primary key does not exist" (Service Authorization
    Reference), and the role may write aliases by nothing else."""
    operation, where, key, attributes = CHANGING[what]
    context = {"dynamodb:Attributes": attributes, "dynamodb:LeadingKeys": [key]}
    assert not may(opened, API, f"dynamodb:{operation}", table(where), context)


@pytest.mark.parametrize("what", READING)
def test_a_password_manager_reads_no_alias(opened: Symbolic, what: str) -> None:
    operation, key, attributes = READING[what]
    context = {
        "dynamodb:Attributes": attributes,
        "dynamodb:LeadingKeys": [key] if key else [],
        "dynamodb:Select": ["SPECIFIC_ATTRIBUTES" if attributes else "ALL_ATTRIBUTES"],
    }
    assert not may(opened, API, f"dynamodb:{operation}", table("aliases"), context)
    everything = {**context, "dynamodb:Attributes": set(), "dynamodb:Select": ["ALL_ATTRIBUTES"]}
    assert not may(opened, API, f"dynamodb:{operation}", table("aliases"), everything)


def test_a_password_manager_may_do_what_it_is_for(opened: Symbolic) -> None:
    new: dict[str, Collection[str]] = {"dynamodb:Attributes": ALIAS, "dynamodb:LeadingKeys": ["x1y2z3@example.com"]}
    assert may(opened, API, "dynamodb:PartiQLInsert", table("aliases"), new)
    day: dict[str, Collection[str]] = {
        "dynamodb:Attributes": {"message_id", "entry"},
        "dynamodb:LeadingKeys": ["token:a"],
    }
    assert may(opened, API, "dynamodb:UpdateItem", table("ledger"), day)
    assert not may(opened, API, "dynamodb:BatchGetItem", table("ledger"), {"dynamodb:LeadingKeys": ["#key:stamp"]})


def test_browsers_may_send_what_the_extension_sends(opened: Symbolic) -> None:
    """Without a cookie: the token is all that lets someone in."""
    cors = opened.resources("AWS::Lambda::Url")["ApiFunctionUrl"]["Cors"]
    sent = {name for asked in (bitwarden("example.com"), extension("example.com")) for name in asked.headers}
    assert set(cors["AllowHeaders"]) == sent | {"authorization"}
    assert (cors["AllowOrigins"], cors["AllowMethods"]) == (["*"], ["GET", "POST"])
    assert "AllowCredentials" not in cors
